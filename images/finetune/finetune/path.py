"""How a training computes: settled by the plan, followed by train."""

import json
from dataclasses import dataclass
from typing import Self

from contract.config.finetune import Training


@dataclass(frozen=True)
class TrainingPath:
    """The attention kernel, and whether activations are recomputed and the model compiled; `path` in `plan.json`.

    What needs no choice is always so: on a GPU the base is bfloat16, and TRL's fused head never holds all scores.
    """

    attention: str
    gradient_checkpointing: bool
    compile: bool

    @classmethod
    def of_plan(cls, plan: str) -> Self:
        """The path in a plan's JSON."""
        return cls(**json.loads(plan)["path"])

    def settled(self, training: Training) -> Training:
        """The training with what the plan settled in place of `auto`."""
        return with_checkpointing(training, self.gradient_checkpointing)


def with_checkpointing(training: Training, checkpointing: bool) -> Training:
    """The training with or without gradient checkpointing."""
    return training.model_copy(update={"gradient_checkpointing": "always" if checkpointing else "never"})

"""What is measured on one model that is in memory."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from contract.records import Sample
from finetune.evaluate.answers import Said, answer_all
from finetune.evaluate.tasks import Task
from finetune.loss import Loss, in_all, row_losses
from stagekit.job import Job

SHOWN = 100
"""Characters of an instruction in the log."""


@dataclass(frozen=True)
class Measured:
    """How a model did at a task: losses row by row, answers in the order of the prompts."""

    losses: list[Loss]
    answers: list[Said]

    @property
    def loss(self) -> Loss:
        """Over all tokens."""
        return in_all(self.losses)

    @property
    def runaways(self) -> int:
        """Answers that had not ended when they were cut off."""
        return sum(said.runaway for said in self.answers)


def measure(job: Job, name: str, tokenizer: Any, model: Any, task: Task, asked: Sequence[Sample]) -> Measured:
    """Loss and answers; each answer is in the log as soon as its batch is done."""
    losses = row_losses(model, task.rows, tokenizer.pad_token_id)
    loss = in_all(losses)
    job.log.info("loss", extra={"fields": {"model": name, "nats": f"{loss.nats:.4f}", "tokens": loss.tokens}})
    answers: dict[int, Said] = {}
    for place, said in answer_all(model, tokenizer, task.prompts, job.config.max_new_tokens):
        answers[place] = said
        fields = {"model": name, "to": asked[place].instruction[:SHOWN], "is": said.text, "runaway": said.runaway}
        job.log.info("answer", extra={"fields": fields})
    return Measured(losses, [answers[place] for place in range(len(task.prompts))])

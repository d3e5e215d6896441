"""How instructions are evolved in one run: settings, prompts, and the method where there is one."""

from dataclasses import dataclass

from contract.config.evolve import EvolveConfig
from contract.config.llm import Endpoint
from contract.records import Message, Sample
from generate.choice import drawn, one_of
from generate.evolve.prompt import AUTO, Prompt
from generate.evolve.rubrics import Rubrics
from generate.evolve.shapes import AutoEvolved, Evolved


@dataclass(frozen=True)
class How:
    """All that the evolution of one sample needs to know. `method` is Auto Evol-Instruct's, `rubrics` are set where
    answers are compared."""

    config: EvolveConfig
    prompt: Prompt
    method: str = ""
    rubrics: Rubrics | None = None

    @property
    def answerers(self) -> list[Endpoint]:
        """The models that answer evolved instructions."""
        config = self.config
        return config.compare.answerers if config.compare else [config.answerer or config.endpoint]

    def operation(self, root: str, number: int) -> str:
        """The operation for a sample in a round, by the hash of both and the seed."""
        if self.config.method == AUTO:
            return AUTO
        return drawn(self.config.operations.model_dump(), "operation", root, number, self.config.seed)

    def rewriting(
        self, operation: str, parent: Sample, root: str, number: int
    ) -> tuple[tuple[Message, ...], type[Evolved] | type[AutoEvolved]]:
        """The messages that ask for an evolved instruction, and the shape of the answer."""
        if operation == AUTO:
            return self.prompt.rewrite_by(self.method, parent.instruction), AutoEvolved
        data = one_of(self.prompt.file.data, "data", root, number, self.config.seed)
        return self.prompt.rewrite(operation, parent.instruction, data), Evolved

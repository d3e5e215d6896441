"""evolve: rewrite instructions into harder and rarer ones, answer them, compare answers."""

from typing import Literal, Self

from pydantic import Field, model_validator

from contract.config.base import Config
from contract.config.llm import Endpoint, LlmConfig


class Operations(Config):
    """How often each operation of Evol-Instruct is drawn, as weights; 0 leaves one out."""

    constraints: float = Field(1, ge=0, le=1_000)
    """Weight of adding a condition that the answer has to meet (0 to 1,000)."""

    deepen: float = Field(1, ge=0, le=1_000)
    """Weight of asking about the matter in more depth and breadth (0 to 1,000)."""

    concretise: float = Field(1, ge=0, le=1_000)
    """Weight of replacing general notions by specific ones (0 to 1,000)."""

    reasoning: float = Field(1, ge=0, le=1_000)
    """Weight of asking for what takes several steps of reasoning (0 to 1,000)."""

    complicate: float = Field(1, ge=0, le=1_000)
    """Weight of adding data to work on: XML, JSON, a table, code and the like (0 to 1,000)."""

    breadth: float = Field(1, ge=0, le=1_000)
    """Weight of writing another, rarer instruction of the same field instead (0 to 1,000)."""

    @model_validator(mode="after")
    def _something_can_be_drawn(self) -> Self:
        if not any(self.model_dump().values()):
            raise ValueError("every operation has weight 0; expected one above it, or `rounds: 0` to evolve nothing")
        return self


class AutoEvol(Config):
    """The search for a better evolving method: it is tried on a development sample, and a model mends it."""

    method: str = ""
    """The method to start from, such as `auto/method.txt` of an earlier run; empty takes that of the prompt file. With
    `steps: 0` it is used as it is, so that a nightly run evolves new rows by the same method and asks nothing anew."""

    steps: int = Field(3, ge=0, le=20)
    """Most times the method is mended (0 to 20; 0 takes the first one as it is); it ends where nothing gets better."""

    candidates: int = Field(3, ge=1, le=20)
    """New methods written at each step (1 to 20); the one that fails least goes on if it beats the last."""

    trajectories: int = Field(10, ge=1, le=100)
    """Instructions whose evolution a model looks at to find what is wrong with the method (1 to 100)."""

    development: int = Field(50, ge=1, le=2_000)
    """Instructions on which the share of failed evolutions is measured (1 to 2,000)."""


class Compare(Config):
    """UltraFeedback: several models answer, a judge rates each answer, the best is kept beside a worse one."""

    answerers: list[Endpoint] = Field(min_length=2, max_length=16)
    """Models that answer (2 to 16)."""

    judge: Endpoint
    """Model that rates each answer by four aspects, 1 to 5 each."""

    prompt: str = "ultrafeedback-1"
    """Name and version of the file of rating prompts, without its ending."""

    of: Literal["evolved", "all"] = "evolved"
    """Whose answers are compared: those to `evolved` instructions, or to `all`; an original's own answer takes part."""

    rejected: Literal["worst", "random"] = "worst"
    """The answer set against the best: the `worst` one, or by hash any that is rated lower (`random`)."""

    min_gap: float = Field(0.25, gt=0, le=4)
    """Least difference between the two mean ratings for a preference to be written (above 0, to 4)."""

    @model_validator(mode="after")
    def _answerers_differ(self) -> Self:
        names = [(one.base_url, one.model) for one in self.answerers]
        if len(set(names)) < len(names):
            raise ValueError("a model is named twice among `answerers`; its answers would be the same")
        return self


class EvolveConfig(LlmConfig):
    """Evol-Instruct, Auto Evol-Instruct and UltraFeedback over samples of one instruction and one answer."""

    method: Literal["operations", "auto"] = "operations"
    """`operations` draws one of Evol-Instruct's for each row and round; `auto` lets the model find its own way, by a
    method that is first improved on a development sample."""

    rounds: int = Field(1, ge=0, le=10)
    """Evolutions of each sample, each of the last one that was good (0 to 10)."""

    originals: Literal["keep", "replace", "drop"] = "keep"
    """The samples that came in: `keep` all, `replace` those that were evolved, or `drop` all."""

    operations: Operations = Operations()
    """What is drawn how often (`operations` only)."""

    auto: AutoEvol = AutoEvol()
    """The search for a method (`auto` only)."""

    prompt: str = "evolve-1"
    """Name and version of the prompt file, without its ending; `evolve-1.pl` is in Polish. Either way an instruction
    keeps its language."""

    answerer: Endpoint | None = None
    """Model that answers evolved instructions; null takes the one that evolves. `compare` brings its own."""

    check_gain: bool = True
    """Whether a model is asked if the evolved instruction asks for anything else than the one before; if not, it
    goes."""

    min_answer_words: int = Field(3, ge=0, le=10_000)
    """Least length of an answer to an evolved instruction (words, 0 to 10,000)."""

    compare: Compare | None = None
    """Several answers to each instruction, rated; null asks one model once."""

    @property
    def models(self) -> list[Endpoint]:
        """All models that the stage may ask, its own first."""
        others = [*self.compare.answerers, self.compare.judge] if self.compare else [self.answerer or self.endpoint]
        return list(dict.fromkeys([self.endpoint, *others]))

"""instruct: write instruction and answer pairs for each chunk, or from seed tasks."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from contract.config.base import Config, Source, Table
from contract.config.llm import LlmConfig

Mode = Literal["backtranslate", "rephrase", "style", "self_instruct"]
NEWEST: dict[str, str] = {
    "backtranslate": "backtranslate-2",
    "rephrase": "rephrase-1",
    "style": "style-1",
}
"""The prompt of each mode about chunks where the recipe names none."""
Word = Annotated[str, Field(min_length=1, max_length=200)]
Language = Annotated[str, Field(pattern=r"^[a-z]{2,3}$")]


class SeedTasks(Table):
    """Tasks written by people: what new ones are shown as examples, and must differ from."""

    instruction: str = "instruction"
    """Dotted path of a task's instruction."""

    input: str = "instances.0.input"
    """Dotted path of the text that the instruction is about, put under it; a row may have none."""

    answer: str = "instances.0.output"
    """Dotted path of its answer; only `write_seeds` needs it."""


class SelfInstruct(Config):
    """Self-Instruct: new tasks after the example of seed tasks, spread evenly over a taxonomy."""

    seeds: SeedTasks
    """The seed tasks."""

    count: int = Field(100, ge=1, le=10_000_000)
    """Tasks wanted in all (1 to 10,000,000); each cell of the taxonomy gets as many as any other, give or take one."""

    prompt: str = "self_instruct-1"
    """Name and version of the prompt file, without its ending: `self_instruct-1`, or `self_instruct-1.pl` in Polish."""

    topics: list[Word] = Field(min_length=1)
    """What the tasks are about."""

    complexities: list[Word] = Field(["simple", "of medium difficulty", "hard, in several steps"], min_length=1)
    """How hard the tasks are."""

    lengths: list[Word] = Field(["one or two sentences", "one paragraph", "several paragraphs"], min_length=1)
    """How long the answers are."""

    tones: list[Word] = Field(["neutral", "friendly"], min_length=1)
    """How the answers sound."""

    languages: list[Language] = Field(["en"], min_length=1)
    """Languages of task and answer (ISO 639 codes)."""

    examples: int = Field(8, ge=0, le=50)
    """Tasks shown with each request (0 to 50): three in four are seeds, the others made before, once there are any."""

    novelty: float = Field(0.7, gt=0, le=1)
    """ROUGE-L similarity to any task of the pool above which a new one goes (above 0, to 1)."""

    wave: int = Field(64, ge=1, le=100_000)
    """Requests sent before their tasks enter the pool (1 to 100,000): fewer give more varied examples, more are
    faster."""

    tries: int = Field(4, ge=1, le=100)
    """Requests in a row that may bring a cell nothing new before what is missing of it is given up (1 to 100)."""

    write_seeds: bool = False
    """Whether the seed tasks are written too, as samples of kind `seed`."""

    license: str | None = None
    """Licence of the seed tasks."""


class InstructConfig(LlmConfig):
    """Pairs about each chunk, by a model or extractively; pairs from seed tasks."""

    provider: Literal["extractive", "openai"] = "extractive"
    """`openai` asks any server of that protocol; `extractive` uses no model but titles, key phrases and passages."""

    mode: Mode = "backtranslate"
    """Where the answers come from (openai only): `backtranslate` takes passages of the chunk in the author's words,
    `rephrase` tells them in plain new words, `style` in the author's voice, shown by passages of other chunks;
    `self_instruct` needs no chunks, and its section may also stand beside another mode."""

    pairs: int = Field(5, ge=1, le=50)
    """Pairs asked for per chunk, and at most per request of self-instruct (1 to 50)."""

    prompt: str | None = None
    """Name and version of the mode's prompt file, without its ending (openai only): `backtranslate-2`, or
    `backtranslate-2.pl` for one in Polish; null takes the newest in English."""

    language: Language | None = None
    """Language of the pairs about chunks (ISO 639 code; openai only); null means that of the chunk."""

    style_passages: int = Field(2, ge=0, le=10)
    """Passages of the same author shown in mode `style` (0 to 10)."""

    min_grounding: float = Field(0, ge=0, le=1)
    """Least share of an answer's content words that must stand in its chunk (0 to 1; openai only); every sample says
    its share in `scores`. It means nothing where `language` is another than the chunk's."""

    self_instruct: SelfInstruct | None = None
    """Tasks made from seed tasks (openai only); null makes none."""

    @property
    def prompt_name(self) -> str:
        """The prompt of a mode about chunks."""
        return self.prompt or NEWEST[self.mode]

    @property
    def reads_chunks(self) -> bool:
        """Whether the stage writes about chunks."""
        return self.mode != "self_instruct"

    @model_validator(mode="after")
    def _parts_fit(self) -> Self:
        if self.provider == "extractive" and (self.mode != "backtranslate" or self.self_instruct):
            raise ValueError("`provider` is extractive; expected openai for `self_instruct` and for other modes")
        if self.mode == "self_instruct" and self.self_instruct is None:
            raise ValueError("`mode` is self_instruct; expected a section `self_instruct` with `seeds` and `topics`")
        return self


def instruct_sources(config: InstructConfig) -> list[Source]:
    """What the stage reads beside its chunks: the seed tasks."""
    return [config.self_instruct.seeds] if config.self_instruct else []

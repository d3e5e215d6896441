"""judge: let language models score samples, and hold them against people before their scores may drop anything."""

from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from contract.config.base import Source, Table
from contract.config.llm import Endpoint, LlmConfig, WeightedEndpoint

LOWEST, HIGHEST = 1, 4
"""The scale of absolute scores. Four values, each of them described, agree with people better than a finer scale whose
steps are not (Hugging Face's cookbook on judges, "llm_judge")."""
MOST_EXAMPLES = 10


class Gold(Table):
    """Answers that people have judged. A row names a sample by `id`, or brings its own texts, which are judged too.
    Every field is a dotted path into the row, numbers counting list items from 0, such as `conversation.0.content`."""

    id: str = "id"
    """Path of the id of the sample that was judged, for rows without texts of their own."""

    instruction: str = "instruction"
    """Path of the instruction."""

    answer: str = "answer"
    """Path of the answer that was judged; in a pair the first one of the pair."""

    opponent: str = "opponent"
    """Path of the second answer of the pair (pairwise only)."""

    reference: str = "reference"
    """Path of the text that a grounded answer keeps to, for rubrics that compare with one."""

    verdict: str = "verdict"
    """Path of what people said: a number, or an object with one for each criterion; or `accept` or `reject`; in
    pairs which answer is better: 1, `a`, `model_a`, `answer`; 2, `b`, `model_b`, `opponent`; or 0, `tie`."""

    lowest: float = LOWEST
    """The number that stands for the worst; numbers are mapped to the judge's scale in proportion."""

    highest: float = HIGHEST
    """The number that stands for the best."""

    only: dict[str, str] = {}
    """Takes only rows that have these values at these paths, such as `{turn: 1}`."""

    @field_validator("only", mode="before")
    @classmethod
    def _as_text(cls, value: object) -> object:
        """Numbers and truth values in YAML are meant as they are written there."""
        return {key: str(item) for key, item in value.items()} if isinstance(value, dict) else value

    @model_validator(mode="after")
    def _has_a_range(self) -> Self:
        if self.lowest == self.highest:
            raise ValueError(f"lowest and highest are both {self.lowest:g}; expected two numbers")
        return self


class JuryConfig(LlmConfig):
    """Who judges, and by what."""

    criteria: list[str] = Field(["helpful-1"], min_length=1)
    """Rubric files by name and version, without their ending: `helpful-1`, `written-1`, and against a reference
    `grounded-1` (the text that the sample was made from) and `matches-1` (a good answer to the same instruction).
    Scores are named after them, without the version."""

    prompt: str = "judge-1"
    """Name and version of the prompt file that holds a rubric, without its ending."""

    temperature: float = Field(0, ge=0, le=2)
    """Sampling temperature (0 to 2)."""

    max_tokens: int = Field(600, ge=1, le=100_000)
    """Longest completion (tokens, 1 to 100,000)."""

    endpoints: list[WeightedEndpoint] = []
    """Servers that share the rows of the first judge; each must have the judge's own model."""

    fallbacks: list[Endpoint] = []
    """Servers asked in this order where one gives up. Each must have a judge's (or the opponent's) own model and stands
    in for that one alone: another model's verdict never counts as that judge's."""

    judges: list[Endpoint] = []
    """Models of the jury; empty takes the stage's own `model` alone. Several small ones of different families agree
    with people better than one large one (Verga et al. 2024, arXiv 2404.18796)."""

    aggregate: Literal["mean", "median", "vote"] = "mean"
    """One score from a jury's: `mean`, `median`, or `vote`, the value that most gave (the mean of several such). More
    than half of the jury must have given one; one that is missing is never filled in."""

    gold: Gold | None = None
    """Answers judged by people, to measure agreement with."""

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        if len({(each.base_url, each.model) for each in self.judges}) < len(self.judges):
            raise ValueError("a model is named twice among `judges`; its verdicts would be the same")
        names = [name.rpartition("-")[0] or name for name in self.criteria]
        if doubles := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"two criteria are named {', '.join(doubles)}; expected each once")
        return self

    @model_validator(mode="after")
    def _speaks_in_its_own_name(self) -> Self:
        """A verdict must be of the model that it is counted for; a fallback may only be the same model elsewhere."""
        known = {_bare(one.model) for one in self.asked}
        for one in self.fallbacks:
            if _bare(one.model) not in known:
                raise ValueError(
                    f"fallback {one.model} is another model than {_names(self.asked)}, whose verdicts it would give; "
                    "expected the same model at another server"
                )
        for share in self.endpoints:
            if _bare(share.model) != _bare(self.endpoint.model):
                raise ValueError(
                    f"{share.model} among `endpoints` is another model than {self.endpoint.model}, whose verdicts it "
                    "would give; expected the same model at several servers, or a jury of both under `judges`"
                )
        return self

    @property
    def endpoint(self) -> Endpoint:
        """The model that is asked where nothing else is said: where there is a jury, the stage has no other."""
        return self.judges[0] if self.judges else super().endpoint

    @property
    def jury(self) -> list[Endpoint]:
        """The models that judge."""
        return self.judges or [self.endpoint]

    @property
    def asked(self) -> list[Endpoint]:
        """The models that are asked anything."""
        return self.jury

    def stand_ins(self, model: str) -> list[Endpoint]:
        """The same model at other servers."""
        return [one for one in self.fallbacks if _bare(one.model) == _bare(model)]


class JudgeConfig(JuryConfig):
    """Scores answers by rubrics, one by one or against another answer, by one model or a jury of several."""

    method: Literal["absolute", "pairwise"] = "absolute"
    """`absolute` gives each answer 1 to 4 by each rubric; `pairwise` compares it with an opponent's answer, asked in
    both orders: 1 for the better one, 0 for the worse one, 0.5 for a tie and where the two orders disagree."""

    examples: int = Field(2, ge=0, le=MOST_EXAMPLES)
    """Judged examples shown before the question, of those that a rubric has (0 to 10; absolute only)."""

    opponent: Endpoint | None = None
    """Model that answers each instruction anew, to compare with (pairwise without the input `opponents`)."""

    answers_by: str = ""
    """Judges only rows that this model wrote, and drops the others; empty judges all."""

    opponents_by: tuple[str, ...] = ()
    """Models whose answers may be compared with (pairwise with the input `opponents`): for each instruction the answer
    of the first of these that gave one. Empty takes the first answer, whoever gave it."""

    accept_at: float = Field(3, ge=0, le=HIGHEST)
    """Score from which the judge counts as accepting, where people said accept or reject (0 to 4)."""

    agreement: Literal["percent", "kappa", "weighted_kappa"] = "percent"
    """Measure of agreement that must hold: `percent` is the share of equal verdicts, `kappa` Cohen's, which leaves out
    what chance would bring, `weighted_kappa` the same with errors weighing by their square."""

    min_agreement: float | None = Field(0.8, ge=0, le=1)
    """Least agreement (0 to 1) with people by a criterion before its scores may drop rows; null demands none."""

    min_gold: int = Field(30, ge=1, le=1_000_000)
    """Fewest judged answers that such an agreement may rest on (1 to 1,000,000)."""

    drop_below: float | None = Field(None, ge=0, le=HIGHEST)
    """Drops rows with a lower score by any criterion whose agreement holds (absolute: 1 to 4; pairwise: 0 to 1); rows
    without a score stay and are tagged `unjudged`. Null drops none."""

    drop_by: Literal["score", "length_normalised"] = "score"
    """The score that `drop_below` looks at: as given, or with the trend over answers' length taken out."""

    @model_validator(mode="after")
    def _fits_its_method(self) -> Self:
        if self.method == "absolute" and self.opponent:
            raise ValueError("opponent is set but method is absolute; expected method: pairwise")
        if self.opponents_by and (self.method == "absolute" or self.opponent):
            what = "opponent is set" if self.opponent else "method is absolute"
            raise ValueError(f"opponents_by is set but {what}; expected pairs with the answers of an input")
        if self.method == "pairwise" and self.drop_below is not None and self.drop_below > 1:
            raise ValueError(f"drop_below is {self.drop_below:g}; expected 0 to 1 for pairs")
        return self

    @property
    def asked(self) -> list[Endpoint]:
        """The jury, and the model that answers anew."""
        return [*self.jury, *([self.opponent] if self.opponent else [])]


class AnswersJudge(JuryConfig):
    """Compares the tuned model's answers to test instructions with those of its base, each pair in both orders."""

    opponents_by: tuple[Literal["few_shot", "base"], ...] = Field(("few_shot", "base"), min_length=1)
    """Whose answers they are compared with: the base's without examples before the question (`base`) or with some
    (`few_shot`); of both the first that gave an answer."""

    @property
    def config(self) -> JudgeConfig:
        """The stage's config for it."""
        mine = {name: getattr(self, name) for name in type(self).model_fields}
        return JudgeConfig(method="pairwise", answers_by="tuned", **mine)


def _bare(model: str) -> str:
    """A model's name without the organisation that some servers put before it."""
    return model.rstrip("/").rpartition("/")[2].lower()


def _names(endpoints: list[Endpoint]) -> str:
    return ", ".join(one.model for one in endpoints)


def judge_sources(config: JudgeConfig) -> list[Source]:
    """What the stage reads beside its inputs: the gold set."""
    return [config.gold] if config.gold else []

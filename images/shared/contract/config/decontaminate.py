"""decontaminate: drop rows that hold benchmark items."""

from typing import Any, Literal, Self

from pydantic import Field, model_validator

from contract.benchmarks import catalogue
from contract.config.base import RUNTIME, Config, RowsConfig, Source, Table

TO_CHECK = "decontamination/to_check.jsonl"
"""The file of pairs that `rephrased.check` writes into a dataset, and `check_rephrased` reads."""


class Paraphrases(Table):
    """Rewordings of a benchmark's items, to measure how many of them the recipe would catch."""

    field: str = "text"
    """Dotted path of the reworded text; row for row in the order of the benchmark's items."""


class Benchmark(Table):
    """A benchmark file whose items must not be trained on. Well-known ones need a name and a `uri` only."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$")
    """Name used in the ledger and the report; letters, digits, dot, underscore and hyphen. One of the ready entries
    (`humaneval`, `gsm8k`, `mmlu` ...) brings the fields of its published files."""

    fields: list[str] = Field([], min_length=1)
    """Dotted paths of the texts to compare, such as `question`; lists of texts are joined. Left out, they are those of
    the ready entry of that name."""

    question: list[str] = []
    """Dotted paths of the question that `weighted` weighs; empty takes `fields`."""

    answer: list[str] = []
    """Dotted paths of the answer that `weighted` looks for near the question; without one the question decides."""

    paraphrases: Paraphrases | None = None
    """Rewordings of the items, sent through the rules where `measure_recall` is on."""

    @model_validator(mode="before")
    @classmethod
    def _ready(cls, value: Any) -> Any:
        """Takes fields that are left out from the catalogue."""
        if not isinstance(value, dict) or "fields" in value or not isinstance(value.get("name"), str):
            return value
        entry = catalogue().get(value["name"])
        if entry is None:
            names = ", ".join(sorted(catalogue()))
            raise ValueError(
                f"no `fields`, and {value['name']!r} is no ready entry; expected fields, or one of {names}"
            )
        return {"fields": [*entry.fields], "question": [*entry.question], "answer": [*entry.answer]} | value


class Origins(Config):
    """Where rows must not come from, since evaluations are made from it."""

    domains: list[str] = []
    """Web domains whose pages go, with their subdomains, such as `codeforces.com`; by a document's `url`."""

    sources: list[str] = []
    """Sources whose rows go, such as `openai/gsm8k`; by a row's `source`, whatever the case."""

    licenses: list[str] = []
    """Licences whose rows go, as the rows state them, whatever the case."""


class NearestByMeaning(Config):
    """The items nearest to each row by the vectors of a sentence-transformer. Word vectors are no choice: fastText's,
    trained on items and rows, put 5 of 164 rephrased HumanEval items nearer to an item than 1 % of unrelated rows."""

    model: str = Field(min_length=1)
    """Folder of a sentence-transformer with its ONNX export (`onnx/model.onnx` or `model.onnx`, `tokenizer.json`,
    `1_Pooling/config.json`): `s3://bucket/prefix`, `file:///path`, or a path relative to the store's root. What a row
    says beyond the model's longest input is not seen. With all-MiniLM-L6-v2, `threshold` 0.9 finds 134 of 164 rephrased
    HumanEval items instead of 129, and takes 1.05 % of unrelated code instructions for one instead of 0.97 %."""

    candidates: int = Field(3, ge=1, le=100)
    """Items that each row is compared with closely beside those found by words, the nearest ones (1 to 100)."""

    cosine: float | None = Field(None, gt=0, le=1)
    """A row at least so near to an item goes by that alone (cosine, above 0, to 1); which value is safe depends on the
    model: all-MiniLM-L6-v2 puts 1 % of unrelated code instructions above 0.78, and 0.1 % above 0.84. Null leaves it to
    the close comparison."""

    def sources(self) -> list[Source]:
        """The folder whose content decides the vectors."""
        return [Source(uri=self.model)]


class Rephrased(Config):
    """Rows that say what an item says in other words; a learned rule, so it can err."""

    threshold: float = Field(0.9, gt=0, le=1)
    """Least score that drops a row (above 0, to 1). At 0.9 it finds 129 of 164 rephrased HumanEval items, and takes 1 %
    of unrelated code instructions for one; at 0.99, 108 and 0.1 %."""

    candidates: int = Field(5, ge=1, le=100)
    """Items that each row is compared with closely, the likeliest ones (1 to 100)."""

    embedding: NearestByMeaning | None = None
    """Also compare each row closely with the items nearest to it in meaning. Null compares with those found by words
    only."""

    check: float | None = Field(None, gt=0, le=1)
    """Rows that stay, of at least this score, are also written to `decontamination/to_check.jsonl`, each with the item
    that it resembles, for a person or a model (`check_rephrased`) to judge (above 0, below `threshold`). Null writes
    none."""

    @model_validator(mode="after")
    def _check_is_lower(self) -> Self:
        if self.check is not None and self.check >= self.threshold:
            raise ValueError(f"check is {self.check:g}; expected less than threshold, {self.threshold:g}")
        return self


class DecontaminateConfig(RowsConfig):
    """Drops rows that repeat a benchmark item, word for word or nearly so, or that come from where evaluations do."""

    field: Literal["text", "instruction", "answer", "conversation"] = "text"
    """Which text is compared: a document's `text`, a sample's `instruction` or `answer`, or all its messages."""

    benchmarks: list[Benchmark] = []
    """Benchmarks to compare with; without any, only `origins` drops rows."""

    exact: bool = True
    """Drop rows that hold all words of an item in order; an item of fewer words than `ngram` must be a whole line."""

    ngram: int = Field(8, ge=1, le=50)
    """Words per n-gram (1 to 50)."""

    coverage: float = Field(0.5, ge=0, le=1)
    """A row that covers more than this share of an item's words by common n-grams is dropped (0 to 1; 1 is never)."""

    any_match: bool = False
    """Drop rows that share one 13-gram with an item, as GPT-3 did (Brown et al. 2020, appendix C)."""

    near: float | None = Field(None, gt=0, le=1)
    """Drop rows whose set of word 5-grams has at least this Jaccard similarity with an item's (above 0, to 1); it is
    computed, not estimated. Null leaves the rule out."""

    weighted: float | None = Field(None, gt=0, le=1)
    """Drop rows that hold at least this share of an item's question and answer, rare words weighing more (above 0, to
    1; decon uses 0.8). Questions under 50 words need more, those up to 20 all. Null leaves the rule out."""

    rephrased: Rephrased | None = None
    """Drop rows that rephrase an item. Null leaves the rule out."""

    origins: Origins = Origins()
    """Rows that go by where they come from, whatever they say."""

    measure_recall: bool = False
    """Also send changed copies of the items (case, punctuation, 1 to 10 % of words edited, sentences moved, embedded in
    other text) through the rules and report the share caught by kind; at most 1,000 items of each benchmark."""

    workers: int = Field(0, ge=0, le=256, json_schema_extra=RUNTIME)
    """Threads (1 to 256); 0 means one per core."""

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = [benchmark.name for benchmark in self.benchmarks]
        if doubles := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"two benchmarks are named {', '.join(doubles)}; expected a name for each")
        return self


def decontaminate_sources(config: DecontaminateConfig) -> list[Source]:
    """What the stage reads beside its rows: the benchmarks, their paraphrases where recall is measured, a model."""
    embedding = config.rephrased.embedding if config.rephrased else None
    reworded = [benchmark.paraphrases for benchmark in config.benchmarks if benchmark.paraphrases]
    return [
        *config.benchmarks,
        *(reworded if config.measure_recall else []),
        *(embedding.sources() if embedding else []),
    ]


def writes_pairs(config: DecontaminateConfig | None) -> bool:
    """Whether the stage leaves pairs for a person or a model to judge."""
    return bool(config and config.benchmarks and config.rephrased and config.rephrased.check is not None)

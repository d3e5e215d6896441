"""filter: keep the rows that pass every rule."""

from typing import Literal, Self

from pydantic import Field, model_validator

from contract.config.base import Config, Pattern, RowsConfig, Source, StoredDataset


class Length(Config):
    """Bounds on a text's length; null means no bound."""

    unit: Literal["characters", "words", "tokens"] = "characters"
    """What is counted: characters, words between white space, or tokens of `tokenizer`."""

    tokenizer: str = ""
    """For `tokens`: path in the store of a `tokenizer.json`, as Hugging Face models have it."""

    minimum: int | None = Field(None, ge=0)
    """Shortest text kept (in `unit`)."""

    maximum: int | None = Field(None, ge=1)
    """Longest text kept (in `unit`)."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise ValueError(f"minimum {self.minimum} is above maximum {self.maximum}")
        if (self.unit == "tokens") != bool(self.tokenizer):
            raise ValueError("unit `tokens` and a `tokenizer` go together")
        return self


class Keywords(Config):
    """Phrases matched as whole words in any case."""

    exclude: list[str] = []
    """A text that holds one of these phrases is dropped."""

    include: list[str] = []
    """A text that holds none of these phrases is dropped; an empty list asks for nothing."""

    exclude_file: str = ""
    """Path in the store of more phrases to exclude, one per line (UTF-8); thousands cost no more than a few."""

    include_file: str = ""
    """Path in the store of more phrases of which a text must hold one, one per line (UTF-8)."""


class Format(Config):
    """The shape a text must have."""

    must_match: Pattern | None = None
    """Regular expression that must be found in the text."""

    must_not_match: Pattern | None = None
    """Regular expression that must not be found in the text."""

    valid_json: bool = False
    """Drop texts that are not one JSON value."""

    ends_like_a_sentence: bool = False
    """Drop texts that do not end in . ! ? or a closing quote or bracket after one."""

    code_parses: bool = False
    """Drop texts with a Markdown code block that does not parse, of JSON, Python, bash, C, C++, Go, Java, JavaScript,
    Rust or TypeScript; blocks of other languages stay unchecked and are counted as such."""


class Samples(Config):
    """Rules that only samples can break, whatever `field` says."""

    refusals: bool = False
    """Drop samples whose answer declines to answer ("I'm sorry, but I cannot...", "As an AI language model...")."""

    mentions_source: bool = False
    """Drop samples whose instruction speaks of the text it was made from ("the context", "this article")."""

    copies_instruction: float | None = Field(None, gt=0, le=1)
    """Drop samples whose answer repeats more than this share of the instruction in one run (0 to 1); null: off."""

    scores: dict[str, float] = {}
    """Least value of scores by their names, such as `{grounding: 0.5}`; samples without such a score stay."""


class Classifier(Config):
    """A trained fastText classifier of text quality."""

    model: str = ""
    """Path in the store of a supervised fastText model (.bin or .ftz), or a dataset that learn_quality made from the
    same `field`, or any dataset made after one, such as the published `.../latest`; empty: off."""

    label: str = ""
    """Label of the texts to keep, with or without fastText's `__label__` before it; learn_quality's own is `high`."""

    optional: bool = False
    """Whether there may be no such dataset yet; the rule is off until there is one."""

    minimum: float = Field(0.5, ge=0, le=1)
    """Least probability of that label (0 to 1)."""

    @property
    def is_file(self) -> bool:
        """Whether `model` is a model's file rather than a dataset that holds one."""
        return self.model.endswith((".bin", ".ftz"))

    @model_validator(mode="after")
    def _labelled(self) -> Self:
        if self.is_file and not self.label:
            raise ValueError("a classifier needs the `label` of the texts to keep")
        return self


class Language(Config):
    """The language of a text, by fastText's model for 176 languages."""

    allowed: list[str] = []
    """Languages kept, by ISO 639 code as the model has it (`en`, `de`, `zh`); empty allows all and identifies none."""

    minimum: float = Field(0.65, ge=0, le=1)
    """Least confidence in the language found (0 to 1), where `allowed` names some."""

    model: str = ""
    """Path in the store of another supervised fastText model, such as `lid.176.bin`; empty takes the small published
    `lid.176.ftz`."""

    fill: bool = False
    """Write the language found into documents that name none, where the confidence reaches `minimum`."""


class Quality(Config):
    """Published heuristics of text quality, and a trained classifier."""

    gopher_quality: bool = False
    """The quality rules of Gopher (Rae et al. 2021, table A1), meant for whole documents of 50 words and more."""

    gopher_repetition: bool = False
    """The repetition rules of Gopher (Rae et al. 2021, table A1)."""

    c4: bool = False
    """The document rules of C4 (Raffel et al. 2020, section 2.2), meant for web pages: only lines that end in . ? ! or
    a quotation mark count, so a text in which no line does (one without punctuation, a list, code) has no sentences and
    is dropped whole."""

    fineweb: bool = False
    """The rules that FineWeb added (Penedo et al. 2024, section 3.6)."""

    classifier: Classifier = Classifier()
    """A classifier of your own."""


class FilterConfig(RowsConfig):
    """Drops rows by rule; the first rule that says no counts, and the ledger names all of them."""

    field: Literal["text", "instruction", "answer", "conversation"] = "text"
    """Which text the rules look at: a document's `text`, a sample's `instruction` or `answer`, or all its messages."""

    length: Length = Length()
    """Bounds on length."""

    keywords: Keywords = Keywords()
    """Phrases to exclude or demand."""

    format: Format = Format()
    """The shape a text must have."""

    language: Language = Language()
    """Languages to keep."""

    quality: Quality = Quality()
    """Heuristics of text quality."""

    samples: Samples = Samples()
    """Rules on a sample's instruction and answer."""

    licenses: list[str] | None = None
    """Licences allowed: SPDX names (`MIT`), families (`CC-BY*`, which takes in CC-BY-NC too), or `unknown` for rows
    with none or none that is recognised; in any case and in common spellings. Null allows all."""

    audit: bool = False
    """Drop nothing; count and report what the rules would have dropped."""


def filter_sources(config: FilterConfig) -> list[Source]:
    """The files of the store that a config names; what is in them is part of the result's key."""
    uris = (
        config.length.tokenizer,
        config.keywords.exclude_file,
        config.keywords.include_file,
        config.language.model,
        config.quality.classifier.model if config.quality.classifier.is_file else "",
    )
    return [*(Source(uri=uri) for uri in uris if uri), *learned_classifier(config)]


def learned_classifier(config: FilterConfig) -> list[StoredDataset]:
    """The dataset that holds the classifier, where the config names one rather than a file."""
    wanted = config.quality.classifier
    if not wanted.model or wanted.is_file:
        return []
    return [StoredDataset(uri=wanted.model, stage="learn_quality", field=config.field, optional=wanted.optional)]

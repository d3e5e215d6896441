"""A recipe: one YAML file that says what dataset to build and what model to train on it."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from contract.config.base import Config
from contract.config.check_rephrased import CheckRephrasedConfig
from contract.config.chunk import ChunkConfig
from contract.config.clean import CleanConfig
from contract.config.decide import DecideConfig
from contract.config.decontaminate import DecontaminateConfig, writes_pairs
from contract.config.deduplicate import DeduplicateConfig
from contract.config.evaluate import EvaluateConfig
from contract.config.evolve import EvolveConfig
from contract.config.explore import ExploreConfig
from contract.config.filter import FilterConfig
from contract.config.finetune import (
    ExportConfig,
    Refusal,
    RegisterConfig,
    Training,
    check_saves,
)
from contract.config.gpus import Gpu
from contract.config.ingest import IngestConfig
from contract.config.instruct import InstructConfig
from contract.config.judge import AnswersJudge, JudgeConfig
from contract.config.learn_quality import LearnQualityConfig
from contract.config.llm import Budget, LlmConfig
from contract.config.mix import MixConfig
from contract.config.publish import PublishConfig
from contract.config.rate import RateConfig
from contract.config.review import ReviewConfig
from contract.cron import checked_cron
from contract.failures import BadConfig
from contract.problems import parse_config
from contract.yaml_text import plain_yaml


class Limits(Budget):
    """What one run may cost at most, all its stages together; null means no limit."""

    minutes: int | None = Field(None, ge=1, le=100_000)
    """Longest run of the refresh DAG (minutes)."""


class Select(Config):
    """The second pass of filter, deduplicate and decontaminate, now over samples; null leaves a step out."""

    filter: FilterConfig | None = FilterConfig(field="answer")
    """Rules for samples."""

    deduplicate: DeduplicateConfig | None = DeduplicateConfig(field="instruction")
    """Duplicate samples."""

    decontaminate: DecontaminateConfig | None = None
    """Benchmarks for samples; null repeats the document pass's benchmarks over whole conversations."""


class Finetune(Config):
    """The fine-tuning DAG."""

    training: Training = Training()
    """What is trained and how."""

    gpu: Gpu | None = None
    """GPU to plan for, by name; null takes the one present, or none on a CPU."""

    gpu_memory_gb: float | None = Field(None, gt=0, le=10_000)
    """Memory of the GPU to plan for (GB), for one that has no name here; it goes before `gpu`."""

    max_truncated: float = Field(0.05, ge=0, le=1)
    """Largest share of samples that may be cut off (0 to 1) before the plan refuses."""

    allow: tuple[Refusal, ...] = ()
    """Refusals of the plan to overrule, by name; each is then a warning, and stands in the plan."""

    probe: Literal["gpu", "always", "never"] = "gpu"
    """Whether the plan measures two real steps: where there is a `gpu`, `always`, or `never`."""

    eval_every: int = Field(10, ge=1, le=1_000_000)
    """Steps between evaluations on the test split."""

    save_every: int = Field(10, ge=1, le=1_000_000)
    """Steps between checkpoints."""

    learning_rates: list[Annotated[float, Field(gt=0, le=1)]] = Field([], max_length=16)
    """Peak learning rates to try (16 at most), each in a training of its own; the one with the lowest test loss goes
    on. Empty trains once, with `training.learning_rate`."""

    evaluate: EvaluateConfig = EvaluateConfig()
    """The comparison with the base model."""

    judge: AnswersJudge | None = None
    """A language model's word on the answers that `evaluate` had, the tuned model's against its base's; null leaves the
    step out."""

    export: ExportConfig = ExportConfig()
    """Merging and its proof."""

    register_model: RegisterConfig = Field(RegisterConfig(), alias="register")
    """The model registry."""

    approval_hours: float = Field(72, gt=0, le=8_760)
    """With `register.champion: approval`, how long a person has to answer (hours) before the model stays challenger."""

    @model_validator(mode="after")
    def _only_a_person_approves(self) -> Self:
        if self.register_model.approved_by:
            raise ValueError(
                f"register.approved_by is {self.register_model.approved_by!r}; expected nothing: whoever answers in "
                "Airflow is written there"
            )
        return self

    @model_validator(mode="after")
    def _there_are_answers_to_judge(self) -> Self:
        asked = self.register_model.min_win_rate
        if self.judge is None:
            if asked is not None:
                raise ValueError(f"register.min_win_rate is {asked:g} but no `judge` compares answers")
            return self
        if not self.evaluate.generations:
            raise ValueError("judge is set but evaluate.generations is 0: no answers to judge")
        if self.training.template == "text":
            raise ValueError("judge is set but training.template is 'text': nobody is asked anything")
        if self.judge.opponents_by == ("few_shot",) and not self.evaluate.few_shot:
            raise ValueError("judge.opponents_by is few_shot but evaluate.few_shot is 0: nobody to compare with")
        return self

    @model_validator(mode="after")
    def _best_weights_are_saved(self) -> Self:
        check_saves(self.training, self.eval_every, self.save_every)
        return self

    @model_validator(mode="after")
    def _rates_differ(self) -> Self:
        twice = sorted({rate for rate in self.learning_rates if self.learning_rates.count(rate) > 1})
        if twice:
            raise ValueError(f"learning_rates holds {', '.join(f'{rate:g}' for rate in twice)} more than once")
        return self


class Recipe(Config):
    """What to build, from raw documents to a registered model. A section that is left out takes its defaults."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")
    """Name of the dataset, its folder and its DAGs: lower-case letters, digits and underscore, 40 at most."""

    title: str = ""
    """One line about the dataset."""

    owner: str = "nocturne"
    """Who answers for it; shown in Airflow."""

    schedule: Annotated[str, AfterValidator(checked_cron)] | None = "0 2 * * *"
    """Cron expression of the nightly refresh in UTC, five fields or such as `@weekly`; null means by hand only."""

    on_empty: str = Field("fail", pattern="^(fail|skip)$")
    """When a stage leaves nothing: `fail` the run, or `skip` what follows."""

    ingest: IngestConfig | None = None
    """Where documents come from; null leaves out every step up to `chunk`, for `instruct.mode: self_instruct`."""

    clean: CleanConfig = CleanConfig()
    """How text is repaired."""

    filter: FilterConfig | None = FilterConfig()
    """Rules for documents; null leaves the step out."""

    deduplicate: DeduplicateConfig | None = DeduplicateConfig()
    """Duplicate documents; null leaves the step out."""

    decontaminate: DecontaminateConfig | None = DecontaminateConfig()
    """Benchmarks to keep out; null leaves the step out."""

    check_rephrased: CheckRephrasedConfig | None = None
    """A model's word on rows that may rephrase a benchmark item, wherever `decontaminate` is told to write them
    (`rephrased.check`), of documents and of samples; null leaves the step out."""

    chunk: ChunkConfig = ChunkConfig()
    """How documents are cut."""

    instruct: InstructConfig = InstructConfig()
    """How instructions are written."""

    evolve: EvolveConfig | None = None
    """How instructions are made harder and answers compared; null leaves the step out."""

    select: Select = Select()
    """The second pass, over samples."""

    judge: JudgeConfig | None = None
    """How samples are scored by models, with chunks as references; null leaves the step out."""
    rate: RateConfig | None = None
    """Scores by a classifier or a reward model; null leaves the step out."""

    decide: DecideConfig | None = None
    """Where else reviewers' decisions are: those of the review page are read wherever `review` is on. Null knows of no
    others."""

    learn_quality: LearnQualityConfig | None = None
    """A classifier of quality trained from scores or decisions, for `filter` of this or another recipe; null trains
    none."""

    review: ReviewConfig | None = None
    """Decisions applied, and samples drawn for people to look at; null leaves the step out."""

    mix: MixConfig | None = None
    """General samples to add; null leaves the step out."""

    explore: ExploreConfig = ExploreConfig()
    """The report."""

    publish: PublishConfig = PublishConfig()
    """Split, formats, card."""

    publish_approval_hours: float | None = Field(None, gt=0, le=8_760)
    """How long a person, who is asked in Airflow before each new version is published, has to answer (hours); without
    an answer it is not published. Null publishes without asking."""

    finetune: Finetune | None = Finetune()
    """The model trained on each new version; null leaves the DAG out."""

    limits: Limits = Limits()
    """What one run may cost at most, all its stages and tries together."""

    @model_validator(mode="after")
    def _something_to_write_about(self) -> Self:
        if self.ingest is None and self.instruct.reads_chunks:
            raise ValueError("`ingest` is missing; expected `sources` of documents, or `instruct.mode: self_instruct`")
        if self.ingest is not None and not self.instruct.reads_chunks:
            raise ValueError(
                "`ingest` is set, but `instruct.mode` self_instruct reads no documents; expected no `ingest`, or "
                "another mode, beside which the section `instruct.self_instruct` may stand too"
            )
        return self

    @model_validator(mode="after")
    def _something_to_check(self) -> Self:
        if self.check_rephrased and not any(writes_pairs(one) for one in (self.decontaminate, self.for_samples)):
            raise ValueError(
                "check_rephrased has nothing to check; expected `rephrased.check` under decontaminate or "
                "select.decontaminate, which writes the pairs to ask about"
            )
        return self

    @property
    def for_samples(self) -> DecontaminateConfig | None:
        """What is kept out of samples: what `select` says, or the benchmarks of documents over whole conversations."""
        if self.select.decontaminate or self.decontaminate is None or not self.decontaminate.benchmarks:
            return self.select.decontaminate
        return self.decontaminate.model_copy(update={"field": "conversation"})

    @model_validator(mode="after")
    def _decisions_are_there(self) -> Self:
        learns = self.learn_quality and self.learn_quality.labels == "decisions"
        if self.decide is None and self.review is None and learns:
            raise ValueError(
                "learn_quality learns from decisions; expected `review`, or `decide` that says where they are"
            )
        judged = self.judge and self.judge.method == "absolute"
        if self.decide is not None and not (self.review or judged or learns):
            raise ValueError(
                "nothing uses the decisions of `decide`; expected `review`, `judge` of single answers, or "
                "learn_quality with them"
            )
        return self

    @model_validator(mode="after")
    def _one_home_for_limits(self) -> Self:
        sections = {name: getattr(self, name) for name in type(self).model_fields}
        for name, section in (sections | {"finetune.judge": self.finetune and self.finetune.judge}).items():
            if isinstance(section, LlmConfig) and section.limits != Budget():
                raise ValueError(
                    f"{name}.limits is set; expected the limits under `limits`, where they hold for the whole recipe, "
                    f"or {name}.budget for this stage alone"
                )
        return self


def load_recipe(path: Path) -> Recipe:
    """Read and check one recipe file.

    Raises `BadConfig` naming file, field, value and what is allowed.
    """
    try:
        value = plain_yaml(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadConfig(f"recipe cannot be read: {error.strerror}", where=str(path)) from None
    except ValueError as error:
        raise BadConfig(f"not YAML: {error}", where=str(path)) from None
    recipe = parse_config(Recipe, value, where=str(path))
    if recipe.name != path.stem:
        raise BadConfig(f"`name` is {recipe.name!r}", expected=f"{path.stem!r}, the file's own name", where=str(path))
    return recipe

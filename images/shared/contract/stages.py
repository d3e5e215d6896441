"""START READING HERE: every stage of the house, in the order in which data walks through it.

A stage reads datasets and writes one dataset. It knows its own config and nothing of its neighbours; which step feeds
which is decided in `steps.py`, what a dataset is in `manifest.py`, what its rows are in `records.py`.
"""

from contract.config.check_rephrased import CheckRephrasedConfig
from contract.config.chunk import ChunkConfig
from contract.config.clean import CleanConfig
from contract.config.decide import DecideConfig
from contract.config.decontaminate import DecontaminateConfig, decontaminate_sources
from contract.config.deduplicate import DeduplicateConfig, sources_of
from contract.config.evaluate import EvaluateConfig, evaluate_sources
from contract.config.evolve import EvolveConfig
from contract.config.explore import ExploreConfig, explore_sources
from contract.config.filter import FilterConfig, filter_sources
from contract.config.finetune import (
    ChooseConfig,
    ExportConfig,
    PlanConfig,
    RegisterConfig,
    TrainConfig,
    base_sources,
)
from contract.config.ingest import IngestConfig
from contract.config.instruct import InstructConfig, instruct_sources
from contract.config.judge import JudgeConfig, judge_sources
from contract.config.learn_quality import LearnQualityConfig
from contract.config.mix import MixConfig
from contract.config.publish import PublishConfig
from contract.config.rate import RateConfig, rate_sources
from contract.config.review import ReviewConfig
from contract.records import Chunk, Decision, Document, Preference, Sample
from contract.stage import Image, Port, Resources, Stage

ROWS = Port("rows", "documents or samples", (Document, Sample))
DECISIONS = Port("decisions", "decisions of reviewers", (Decision,), optional=True)
LEARNED = Port("samples", "a published dataset; or documents or chunks, as raw text", (Sample, Document, Chunk))
JUDGED = Port("judge", "a judge's comparison of the tuned model's answers with its base's", (Sample,), optional=True)
GPU = Resources(cpus=8, memory_gb=64, minutes=24 * 60, gpu=True)

STAGES: tuple[Stage, ...] = (
    Stage(
        "ingest",
        "curate",
        "Read files, pages and data sets of the Hub into documents; what cannot be read goes to the ledger.",
        IngestConfig,
        output=Document,
        version=3,
        sources=lambda config: list(config.sources),  # type: ignore[attr-defined]
    ),
    Stage(
        "clean",
        "curate",
        "Repair Unicode, strip HTML and page furniture, hide personal data and secrets, normalise white space.",
        CleanConfig,
        (Port("rows", "documents", (Document,)),),
        Document,
        version=4,
    ),
    Stage(
        "filter",
        "curate",
        "Keep the rows that pass every rule.",
        FilterConfig,
        (ROWS,),
        "same",
        version=3,
        sources=lambda config: filter_sources(config),  # type: ignore[arg-type]
    ),
    Stage(
        "deduplicate",
        "curate",
        "Drop exact, near and semantic duplicates, each with the kept row that it repeats; cut shared passages.",
        DeduplicateConfig,
        (ROWS,),
        "same",
        version=4,
        sources=sources_of,  # type: ignore[arg-type]
    ),
    Stage(
        "decontaminate",
        "curate",
        "Drop rows that hold items of the benchmarks the model will be judged by.",
        DecontaminateConfig,
        (ROWS,),
        "same",
        version=3,
        sources=decontaminate_sources,  # type: ignore[arg-type]
    ),
    Stage(
        "check_rephrased",
        "generate",
        "Ask a model about rows that may say what a benchmark item says in other words, and drop those that do.",
        CheckRephrasedConfig,
        (Port("rows", "a dataset of decontaminate with pairs to check", (Document, Sample)),),
        "same",
    ),
    Stage(
        "chunk",
        "curate",
        "Cut documents into extracts of whole sentences or Markdown blocks.",
        ChunkConfig,
        (Port("rows", "documents", (Document,)),),
        Chunk,
    ),
    Stage(
        "instruct",
        "generate",
        "Write instruction and answer pairs for each chunk or after seed tasks, by a language model or extractively.",
        InstructConfig,
        (Port("chunks", "extracts to write about", (Chunk,), optional=True),),
        Sample,
        version=2,
        sources=instruct_sources,  # type: ignore[arg-type]
    ),
    Stage(
        "evolve",
        "generate",
        "Rewrite instructions into harder and rarer ones, answer them, and compare several models' answers.",
        EvolveConfig,
        (Port("rows", "samples", (Sample,)),),
        Sample,
        resources=Resources(minutes=24 * 60),
    ),
    Stage(
        "judge",
        "generate",
        "Score samples by rubrics, by one model or a jury, and measure how far it agrees with people.",
        JudgeConfig,
        (
            Port("rows", "samples", (Sample,)),
            Port(
                "references",
                "chunks or documents they were made from, or samples that they answer anew",
                (Chunk, Document, Sample),
                many=True,
                optional=True,
            ),
            Port("opponents", "answers to compare with", (Sample, Preference), optional=True),
            DECISIONS,
        ),
        Sample,
        version=2,
        sources=judge_sources,  # type: ignore[arg-type]
    ),
    Stage(
        "rate",
        "finetune",
        "Score samples by an encoder classifier or a reward model.",
        RateConfig,
        (Port("rows", "samples", (Sample,)),),
        Sample,
        sources=rate_sources,  # type: ignore[arg-type]
        resources=GPU,
    ),
    Stage(
        "decide",
        "curate",
        "Read what reviewers decided about samples, from the review page's files or from Argilla.",
        DecideConfig,
        output=Decision,
        sources=lambda config: list(config.sources),  # type: ignore[attr-defined]
        may_be_empty=True,
    ),
    Stage(
        "learn_quality",
        "curate",
        "Train a fastText classifier of quality from judged or reviewed samples, for filter to use.",
        LearnQualityConfig,
        (Port("rows", "samples", (Sample,)), DECISIONS),
    ),
    Stage(
        "review",
        "curate",
        "Drop what reviewers rejected, replace what they edited, draw the samples to be reviewed next.",
        ReviewConfig,
        (
            Port("rows", "samples", (Sample,)),
            DECISIONS,
            Port("references", "chunks that the samples were made from", (Chunk,), optional=True),
        ),
        Sample,
        version=2,
    ),
    Stage(
        "mix",
        "curate",
        "Add general instruction samples.",
        MixConfig,
        (Port("rows", "samples", (Sample,)),),
        Sample,
        sources=lambda config: list(config.datasets),  # type: ignore[attr-defined]
    ),
    Stage(
        "explore",
        "curate",
        "Statistics, topics with a map, and the funnel of rows, as one HTML report and JSON.",
        ExploreConfig,
        (Port("rows", "samples", (Sample,)), Port("steps", "every dataset before it, for the funnel", many=True)),
        None,
        version=3,
        sources=explore_sources,  # type: ignore[arg-type]
    ),
    Stage(
        "publish",
        "curate",
        "Split without leaks, write the formats people load, move `latest`.",
        PublishConfig,
        (
            Port("rows", "samples", (Sample,)),
            Port("explore", "the report to ship beside the data", optional=True),
            Port("preferences", "the dataset in which answers were compared", optional=True),
        ),
        Sample,
        version=2,
    ),
    Stage(
        "plan",
        "finetune",
        "Parameters, memory, tokens, template and mask, before money is spent; packs the rows.",
        PlanConfig,
        (LEARNED,),
        sources=lambda config: base_sources(config.training),  # type: ignore[attr-defined]
        resources=GPU,
        version=4,
    ),
    Stage(
        "train",
        "finetune",
        "Supervised fine-tuning: full, LoRA or QLoRA, on one GPU or several.",
        TrainConfig,
        (LEARNED, Port("plan", "the plan that allows it")),
        version=4,
        resources=GPU,
    ),
    Stage(
        "choose",
        "finetune",
        "The training of a sweep with the lowest test loss.",
        ChooseConfig,
        (Port("candidates", "trainings that differ in their learning rate", many=True),),
        resources=Resources(cpus=2, memory_gb=8, minutes=30),
    ),
    Stage(
        "evaluate",
        "finetune",
        "The tuned model against its base, prompted and not, on the test split; its rows are the answers of all.",
        EvaluateConfig,
        (LEARNED, Port("train", "the training's result, or the choice among several")),
        Sample,
        version=3,
        sources=evaluate_sources,  # type: ignore[arg-type]
        resources=GPU,
        may_be_empty=True,
    ),
    Stage(
        "export",
        "finetune",
        "Merge the adapter and prove that nothing changed.",
        ExportConfig,
        (LEARNED, Port("train", "the training's result, or the choice among several"), JUDGED),
        version=2,
        resources=GPU,
    ),
    Stage(
        "register",
        "finetune",
        "Register the model in MLflow with its lineage; `champion` when the gate passes or a person approves.",
        RegisterConfig,
        (
            LEARNED,
            Port("train", "the training's result, or the choice among several"),
            Port("evaluate", "the comparison and its gate"),
            Port("export", "the merged model"),
            JUDGED,
        ),
        version=2,
        resources=Resources(cpus=2, memory_gb=32, minutes=120),
    ),
)

BY_NAME: dict[str, Stage] = {stage.name: stage for stage in STAGES}
IMAGES: tuple[Image, ...] = ("curate", "generate", "finetune")


def stages_of(image: str) -> tuple[Stage, ...]:
    """The stages that live in one image, in house order."""
    return tuple(stage for stage in STAGES if stage.image == image)

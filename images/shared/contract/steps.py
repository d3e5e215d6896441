"""From a recipe to the steps of its two DAGs: which stage runs with which config, fed by which steps.

A step is a stage at a place in the order. `filter` runs twice, once over documents and once over samples, so a step has
a name of its own; inputs name the steps (or the DAG's own `dataset`) that feed each port.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from contract.config.base import StageConfig
from contract.config.decontaminate import DecontaminateConfig
from contract.config.finetune import PlanConfig, TrainConfig
from contract.config.llm import Budget
from contract.recipe import Finetune, Recipe
from contract.stages import BY_NAME, Stage

DATASET = "dataset"
"""The step name under which the fine-tuning DAG's published dataset is known."""
PROMOTE = "promote"
"""The step that registers once more, in the name of the person who approved."""


@dataclass(frozen=True)
class Step:
    """One task of a DAG. `inputs` maps each port to the names of the steps that feed it."""

    name: str
    config: StageConfig
    inputs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    stage_name: str = ""

    @property
    def stage(self) -> Stage:
        """The stage that this step runs."""
        return BY_NAME[self.stage_name or self.name]


def refresh_steps(recipe: Recipe) -> tuple[Step, ...]:
    """The steps from raw documents to a published dataset, in order."""
    steps = _document_steps(recipe) if recipe.instruct.reads_chunks else []
    budget = Budget(**recipe.limits.model_dump(include=set(Budget.model_fields)))
    instruct = recipe.instruct.model_copy(update={"budget": budget})
    steps.append(Step("instruct", instruct, {"chunks": (steps[-1].name,)} if steps else {}))
    if recipe.evolve:
        _append(steps, "evolve", recipe.evolve.model_copy(update={"budget": budget}))
    for name in ("filter", "deduplicate", "decontaminate"):
        config = getattr(recipe.select, name) or (_for_samples(recipe) if name == "decontaminate" else None)
        _append(steps, f"select_{name}", config, stage_name=name)
    rows = _reviewed(steps, recipe, budget)
    if recipe.mix is not None:
        steps.append(Step("mix", recipe.mix, {"rows": (rows,)}))
        rows = "mix"
    steps.append(Step("explore", recipe.explore, {"rows": (rows,), "steps": tuple(step.name for step in steps)}))
    published = {"rows": (rows,), "explore": ("explore",)}
    if recipe.evolve and recipe.evolve.compare:
        published["preferences"] = ("evolve",)
    steps.append(Step("publish", recipe.publish, published))
    return tuple(steps)


def finetune_steps(finetune: Finetune) -> tuple[Step, ...]:
    """The steps from a published dataset to a registered model, in order."""
    plan = PlanConfig(
        training=finetune.training, gpu_memory_gb=finetune.gpu_memory_gb, max_truncated=finetune.max_truncated
    )
    train = TrainConfig(training=finetune.training, eval_every=finetune.eval_every, save_every=finetune.save_every)
    dataset = {"samples": (DATASET,)}
    trained = dataset | {"train": ("train",)}
    registered = trained | {"evaluate": ("evaluate",), "export": ("export",)}
    return (
        Step("plan", plan, dataset),
        Step("train", train, dataset | {"plan": ("plan",)}),
        Step("evaluate", finetune.evaluate, trained),
        Step("export", finetune.export, trained),
        Step("register", finetune.register_model, registered),
        Step(PROMOTE, finetune.register_model, registered, "register"),
    )


def _document_steps(recipe: Recipe) -> list[Step]:
    """From raw documents to chunks."""
    assert recipe.ingest
    steps = [Step("ingest", recipe.ingest)]
    for name in ("clean", "filter", "deduplicate", "decontaminate", "chunk"):
        _append(steps, name, getattr(recipe, name))
    return steps


def _reviewed(steps: list[Step], recipe: Recipe, budget: Budget) -> str:
    """Add the steps between generated samples and the rest: decisions of people, scores of models, a classifier learnt
    from either, the review; and say which step has the rows now."""
    rows, decisions = steps[-1].name, dict[str, tuple[str, ...]]()
    if recipe.decide is not None:
        steps.append(Step("decide", recipe.decide))
        decisions = {"decisions": ("decide",)}
    if recipe.judge is not None:
        judge = recipe.judge.model_copy(update={"budget": budget})
        written_about = {"references": ("chunk",)} if recipe.instruct.reads_chunks else {}
        steps.append(Step("judge", judge, {"rows": (rows,)} | written_about | decisions))
        rows = "judge"
    if recipe.rate is not None:
        steps.append(Step("rate", recipe.rate, {"rows": (rows,)}))
        rows = "rate"
    if recipe.learn_quality is not None:
        taught = decisions if recipe.learn_quality.labels == "decisions" else {}
        steps.append(Step("learn_quality", recipe.learn_quality, {"rows": (rows,)} | taught))
    if recipe.review is not None:
        steps.append(Step("review", recipe.review, {"rows": (rows,)} | decisions))
        rows = "review"
    return rows


def _append(steps: list[Step], name: str, config: StageConfig | None, stage_name: str = "") -> None:
    if config is not None:
        steps.append(Step(name, config, {"rows": (steps[-1].name,)}, stage_name))


def _for_samples(recipe: Recipe) -> DecontaminateConfig | None:
    if recipe.decontaminate is None or not recipe.decontaminate.benchmarks:
        return None
    return recipe.decontaminate.model_copy(update={"field": "conversation"})

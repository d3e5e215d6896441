"""From a recipe to the steps of its two DAGs: which stage runs with which config, fed by which steps.

A step is a stage at a place in the order. `filter` runs twice, once over documents and once over samples, so a step has
a name of its own; inputs name the steps (or the DAG's own `dataset`) that feed each port.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from contract.config.base import StageConfig
from contract.config.decide import DecideConfig, page_decisions
from contract.config.decontaminate import DecontaminateConfig, writes_pairs
from contract.config.finetune import ChooseConfig, PlanConfig, TrainConfig
from contract.config.llm import Budget, LlmConfig
from contract.recipe import Finetune, Recipe
from contract.stage import Stage
from contract.stages import BY_NAME

DATASET = "dataset"
"""The step name under which the fine-tuning DAG's published dataset is known."""
TRAIN, CHOOSE = "train", "choose"
"""The step that has the trained model: the one training, or the choice among several."""
EVALUATE = "evaluate"
"""The step whose rows are the answers of tuned model and base."""
JUDGE_ANSWERS = "judge_answers"
"""The step in which a language model compares the tuned model's answers with its base's."""
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
    steps.append(Step("instruct", recipe.instruct, {"chunks": (steps[-1].name,)} if steps else {}))
    _append(steps, "evolve", recipe.evolve)
    _append(steps, "select_filter", recipe.select.filter, "filter")
    _append(steps, "select_deduplicate", recipe.select.deduplicate, "deduplicate")
    _decontaminated(steps, recipe, recipe.for_samples, "select_")
    rows = _reviewed(steps, recipe)
    if recipe.mix is not None:
        steps.append(Step("mix", recipe.mix, {"rows": (rows,)}))
        rows = "mix"
    steps.append(Step("explore", recipe.explore, {"rows": (rows,), "steps": tuple(step.name for step in steps)}))
    published = {"rows": (rows,), "explore": ("explore",)}
    if recipe.evolve and recipe.evolve.compare:
        published["preferences"] = ("evolve",)
    steps.append(Step("publish", recipe.publish, published))
    return tuple(_within(recipe.limits, step) for step in steps)


def finetune_steps(finetune: Finetune, limits: Budget | None = None) -> tuple[Step, ...]:
    """The steps from a published dataset to a registered model, in order; `limits` are the recipe's."""
    plan = PlanConfig(
        training=finetune.training,
        **{name: getattr(finetune, name) for name in ("gpu", "gpu_memory_gb", "max_truncated", "allow", "probe")},
    )
    dataset = {"samples": (DATASET,)}
    training = _training_steps(finetune)
    trained = dataset | {"train": (training[-1].name,)}
    judged = {"judge": (JUDGE_ANSWERS,)} if finetune.judge else {}
    registered = trained | {"evaluate": (EVALUATE,), "export": ("export",)} | judged
    steps = (
        Step("plan", plan, dataset),
        *training,
        Step(EVALUATE, finetune.evaluate, trained),
        *_judging_steps(finetune),
        Step("export", finetune.export, trained | judged),
        Step("register", finetune.register_model, registered),
        Step(PROMOTE, finetune.register_model, registered, "register"),
    )
    return tuple(_within(limits or Budget(), step) for step in steps)


def choose_step(trainings: Sequence[Step]) -> Step:
    """The choice among trainings."""
    return Step(CHOOSE, ChooseConfig(), {"candidates": tuple(step.name for step in trainings)})


def _document_steps(recipe: Recipe) -> list[Step]:
    """From raw documents to chunks."""
    assert recipe.ingest
    steps = [Step("ingest", recipe.ingest)]
    for name in ("clean", "filter", "deduplicate"):
        _append(steps, name, getattr(recipe, name))
    _decontaminated(steps, recipe, recipe.decontaminate)
    _append(steps, "chunk", recipe.chunk)
    return steps


def _decontaminated(steps: list[Step], recipe: Recipe, config: DecontaminateConfig | None, which: str = "") -> None:
    """Add the step that keeps benchmarks out, and a model's word on what it was unsure about."""
    _append(steps, f"{which}decontaminate", config, "decontaminate")
    if writes_pairs(config):
        _append(steps, f"{which}check_rephrased", recipe.check_rephrased, "check_rephrased")


def _reviewed(steps: list[Step], recipe: Recipe) -> str:
    """Add the steps between generated samples and the rest: decisions of people, scores of models, a classifier learnt
    from either, the review; and say which step has the rows now."""
    rows, decisions = steps[-1].name, dict[str, tuple[str, ...]]()
    written_about = {"references": ("chunk",)} if recipe.instruct.reads_chunks else {}
    if (decide := _decided(recipe)) is not None:
        steps.append(Step("decide", decide))
        decisions = {"decisions": ("decide",)}
    if recipe.judge is not None:
        said = decisions if recipe.judge.method == "absolute" else {}  # people saw single answers, no pairs
        steps.append(Step("judge", recipe.judge, {"rows": (rows,)} | written_about | said))
        rows = "judge"
    if recipe.rate is not None:
        steps.append(Step("rate", recipe.rate, {"rows": (rows,)}))
        rows = "rate"
    if recipe.learn_quality is not None:
        taught = decisions if recipe.learn_quality.labels == "decisions" else {}
        steps.append(Step("learn_quality", recipe.learn_quality, {"rows": (rows,)} | taught))
    if recipe.review is not None:
        steps.append(Step("review", recipe.review, {"rows": (rows,)} | decisions | written_about))
        rows = "review"
    return rows


def _decided(recipe: Recipe) -> DecideConfig | None:
    """Where decisions are: what the recipe says, and the recipe's own review page."""
    if recipe.decide is None and recipe.review is None:
        return None
    config = recipe.decide or DecideConfig()
    return config.model_copy(update={"sources": [*config.sources, page_decisions(recipe.name)]})


def _training_steps(finetune: Finetune) -> tuple[Step, ...]:
    """One training; or one for each learning rate and the choice among them, whose result is then the training's."""
    rates = finetune.learning_rates or [finetune.training.learning_rate]
    configs = [
        TrainConfig(
            training=finetune.training.model_copy(update={"learning_rate": rate}),
            eval_every=finetune.eval_every,
            save_every=finetune.save_every,
        )
        for rate in rates
    ]
    inputs = {"samples": (DATASET,), "plan": ("plan",)}
    if len(configs) == 1:
        return (Step(TRAIN, configs[0], inputs),)
    steps = [Step(f"{TRAIN}_{number}", config, inputs, TRAIN) for number, config in enumerate(configs, start=1)]
    return (*steps, choose_step(steps))


def _judging_steps(finetune: Finetune) -> tuple[Step, ...]:
    """The judge of answers, if there is one: both sides of a pair are rows of `evaluate`, and the dataset has what was
    answered there."""
    if finetune.judge is None:
        return ()
    inputs = {"rows": (EVALUATE,), "opponents": (EVALUATE,), "references": (DATASET,)}
    return (Step(JUDGE_ANSWERS, finetune.judge.config, inputs, "judge"),)


def _within(limits: Budget, step: Step) -> Step:
    """The step, told the limits on spending of the whole run if it is one that spends."""
    if not isinstance(step.config, LlmConfig):
        return step
    of_the_run = Budget(**limits.model_dump(include=set(Budget.model_fields)))
    return replace(step, config=step.config.model_copy(update={"limits": of_the_run}))


def _append(steps: list[Step], name: str, config: StageConfig | None, stage_name: str = "") -> None:
    if config is not None:
        steps.append(Step(name, config, {"rows": (steps[-1].name,)}, stage_name))

"""A recipe's two DAGs as Airflow sees them: steps, and what a person may change about them when triggering a run."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from contract.config.base import Config
from contract.failures import BadConfig
from contract.problems import parse_config
from contract.recipe import Recipe, load_recipe
from contract.steps import CHOOSE, TRAIN, Step, finetune_steps, refresh_steps


@dataclass(frozen=True)
class Flow:
    """One DAG of a recipe. `root` is the part of the recipe that its trigger form may change."""

    dag_id: str
    recipe: Recipe
    root: Config
    to_steps: Callable[[Any], tuple[Step, ...]]

    def steps(self, params: Mapping[str, Any] | None = None) -> tuple[Step, ...]:
        """The steps, with the trigger form's values laid over the recipe's.

        Raises `BadConfig` for values that the recipe's schema does not allow.
        """
        return self.to_steps(self.chosen(params or {}))

    def chosen(self, params: Mapping[str, Any]) -> Config:
        """`root` with the trigger form's values. Raises `BadConfig` for values that its schema does not allow."""
        return overlay(self.root, params, where=f"the trigger form of {self.dag_id}")

    def task_of(self, step: str) -> str:
        """The task that a step's result comes from.

        Of a sweep that only the trigger form asks for, it is the recipe's one training task, which then chooses too; of
        a single training in place of the recipe's sweep, the task that chooses.
        """
        if step not in (TRAIN, CHOOSE):
            return step
        return [own.name for own in self.steps() if own.stage.name in (TRAIN, CHOOSE)][-1]

    def step(self, name: str, params: Mapping[str, Any]) -> Step:
        """One step by name, with the trigger form's values."""
        return next(step for step in self.steps(params) if step.name == name)


def refresh_flow(recipe: Recipe) -> Flow:
    """Raw documents to a published dataset."""
    return Flow(f"refresh_{recipe.name}", recipe, recipe, refresh_steps)


def finetune_flow(recipe: Recipe) -> Flow:
    """A published dataset to a registered model. The recipe must have a `finetune` section."""
    assert recipe.finetune
    return Flow(f"finetune_{recipe.name}", recipe, recipe.finetune, partial(finetune_steps, limits=recipe.limits))


def read_recipes(folder: Path) -> tuple[list[Recipe], list[BadConfig]]:
    """Every recipe of a folder that can be read, by name, and what is wrong with each other one.

    One broken file must not take the DAGs of all recipes with it.
    """
    recipes, broken = [], []
    for path in sorted(folder.glob("*.yaml")):
        try:
            recipes.append(load_recipe(path))
        except BadConfig as failure:
            broken.append(failure)
    return recipes, broken


def overlay(root: Config, params: Mapping[str, Any], where: str) -> Config:
    """A configuration with some of its fields replaced, addressed by dotted path (`instruct.pairs`).

    Names that are no field of `root` belong to the DAG itself, such as `dataset`, and are left alone. Null in the place
    of an empty text is that empty text, as the trigger form shows it, and in the place of a list an empty one.
    """
    plain = root.model_dump(mode="json", by_alias=True)
    for name, value in params.items():
        *parents, last = name.split(".")
        section: Any = plain
        for parent in parents:
            section = section.get(parent) if isinstance(section, dict) else None
        if isinstance(section, dict) and last in section:
            section[last] = _emptied(section[last]) if value is None else value
    return parse_config(type(root), plain, where)


def _emptied(value: Any) -> Any:
    if isinstance(value, list):
        return []
    return "" if value == "" else None

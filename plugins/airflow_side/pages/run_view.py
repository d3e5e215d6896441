"""What one run of a DAG made and spent, task by task; no HTML here."""

from collections.abc import Sequence
from dataclasses import dataclass

from contract.manifest import Cost, Manifest

NOTHING = Cost(money=0.0)


@dataclass(frozen=True)
class RunTask:
    """A task and the dataset that it returned; a `reused` one was made, and paid for, by an earlier run."""

    name: str
    page: str
    manifest: Manifest
    reused: bool

    @property
    def cost(self) -> Cost | None:
        """What this run spent on it; None for a stage that asks no model."""
        return self.manifest.cost and (NOTHING if self.reused else self.manifest.cost)


@dataclass(frozen=True)
class RunView:
    """All tasks of a run in the order in which their datasets were needed, and what they spent together."""

    tasks: list[RunTask]
    cost: Cost | None


def run_view(tasks: Sequence[RunTask]) -> RunView:
    """Tasks in the order of the way: a dataset comes after all that it was made from."""
    costs = [task.cost for task in tasks if task.cost]
    return RunView(_in_order(tasks), total(costs))


def total(costs: Sequence[Cost]) -> Cost | None:
    """The sum of several stages' spending; the money is unknown as soon as one of them does not know."""
    if not costs:
        return None
    counts = ("requests", "cached_requests", "prompt_tokens", "completion_tokens")
    money = [cost.money for cost in costs]
    return Cost(
        **{name: sum(getattr(cost, name) for cost in costs) for name in counts},
        money=None if None in money else sum(value for value in money if value is not None),
    )


def _in_order(tasks: Sequence[RunTask]) -> list[RunTask]:
    left, ordered = sorted(tasks, key=lambda task: task.name), list[RunTask]()
    while left:
        unmade = {task.page for task in left}
        free = [task for task in left if not unmade & _parents(task)]
        ordered += free or left  # a damaged store may hold a circle
        left = [task for task in left if task not in ordered]
    return ordered


def _parents(task: RunTask) -> set[str]:
    """The pages of the datasets that a task's was made from."""
    return {"/".join(parent.uri.split("/")[-3:]) for parent in task.manifest.parents}

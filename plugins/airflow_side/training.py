"""Trainings as tasks. The recipe fixes how many tasks there are; the trigger form may ask for other learning rates."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from airflow.sdk import TriggerRule
from airflow.sdk.exceptions import AirflowSkipException

from airflow_side.operator import StageOperator
from contract.manifest import Result
from contract.steps import CHOOSE, TRAIN, Step, choose_step

if TYPE_CHECKING:
    from airflow.sdk import Context

RESULTS = "trainings"
"""The XCom with what each training of a task has come to: name of the step -> URI."""


class Training(StageOperator):
    """Runs this task's share of the run's trainings, one after the other.

    They are dealt out to the training tasks in turn, so each task of a recipe's sweep has one of its rates; with
    fewer rates than tasks some are skipped. Where the recipe has no sweep, its one training task runs all and then
    chooses, so that any run may ask for one. Trainings that are done are found again when the task is tried again.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._done: dict[str, str] = {}

    def _work(self, context: "Context") -> Result:
        trainings = training_steps(self.flow.steps(context["params"]))
        tasks = [step.name for step in training_steps(self.flow.steps())]
        mine = trainings[tasks.index(self.task_id) :: len(tasks)]
        if not mine:
            raise AirflowSkipException(f"this run has {len(trainings)} learning rates and needs no {self.task_id}")
        for step in mine:
            if len(trainings) > 1:
                self.log.info("%s of %d trainings", step.name, len(trainings))
            result = self._run(step, context)
            self._done[step.name] = result.uri
        context["ti"].xcom_push(key=RESULTS, value=self._done)
        return result if len(tasks) > 1 or len(mine) == 1 else self._run(choose_step(mine), context)

    def _uri(self, parent: str, context: "Context") -> str:
        return self._done.get(parent) or super()._uri(parent, context)


class Choice(StageOperator):
    """Chooses among the trainings of all training tasks; a task that had none to run is no reason not to."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(trigger_rule=TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS, **kwargs)

    def _step(self, context: "Context") -> Step:
        return choose_step(training_steps(self.flow.steps(context["params"])))

    def _uri(self, parent: str, context: "Context") -> str:
        results: dict[str, Any] = {}
        for task in sorted(self.upstream_task_ids):
            found: Mapping[str, Any] | None = context["ti"].xcom_pull(task_ids=task, key=RESULTS)
            results |= found or {}
        return str(results[parent])


def training_steps(steps: tuple[Step, ...]) -> list[Step]:
    """Those that train."""
    return [step for step in steps if step.stage.name == TRAIN]


OPERATORS = {TRAIN: Training, CHOOSE: Choice}

"""Airflow's own executor, but hard of hearing at a moment of our choosing.

A question is answered as soon as it is seen, and the task goes on before the scheduler has heard that its first process
has ended. On a busy machine that happens by itself, within a second or so; here it always happens.
"""

from typing import Any

from airflow.executors.local_executor import LocalExecutor
from airflow.utils.state import TaskInstanceState

LATE = "late"
"""What the id of a run begins with whose question is heard of late."""


class LateExecutor(LocalExecutor):
    """Of a question that was answered it hears that it was put only when it is to go on, and goes on a round later."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._put: set[Any] = set()
        self._news: dict[Any, Any] = {}
        self._answered: dict[Any, Any] = {}
        self._due: list[Any] = []

    def change_state(self, key: Any, state: Any, info: Any = None, remove_running: bool = True) -> None:
        """Keep to itself that the question was put."""
        if key in self._put and key not in self._news and state == TaskInstanceState.SUCCESS:
            self._news[key] = state
        else:
            super().change_state(key, state, info, remove_running)

    def sync(self) -> None:
        """Start what was told of in the round before; tell of what is to go on."""
        super().sync()
        due, self._due = self._due, [self._answered.pop(key) for key in self._news if key in self._answered]
        for workload in self._due:
            super().change_state(workload.key, self._news[workload.key])
        for workload in due:
            self.queued_tasks[workload.key] = workload
            super()._process_workloads([workload])

    def _process_workloads(self, workload_list: Any) -> None:
        asks = [workload for workload in workload_list if _asks(workload.key)]
        again = [workload for workload in asks if workload.key in self._put]
        for workload in again:
            self._answered[workload.key] = self.queued_tasks.pop(workload.key)
        self._put |= {workload.key for workload in asks if not self._put}
        super()._process_workloads([workload for workload in workload_list if workload not in again])


def _asks(key: Any) -> bool:
    return getattr(key, "task_id", "") == "approve" and key.run_id.startswith(LATE)

"""One MLflow run for each training, ours from start to end: the retry of a killed training goes on with the same run.

Without `MLFLOW_TRACKING_URI` nothing is tracked. Every call that the server refuses becomes `RemoteTrouble`.
"""

import json
import os
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from contract.failures import RemoteTrouble

PING_SECONDS = 5.0
UNTRACKED = "MLFLOW_TRACKING_URI is not set: nothing is tracked"
PARAM_LENGTH = 500
"""MLflow's own limit for a parameter's value is 6,000 characters; nobody reads more than a few hundred."""


def tracking_uri() -> str | None:
    """Where runs are tracked, or None where they are not."""
    return os.environ.get("MLFLOW_TRACKING_URI") or None


def ping() -> None:
    """Fail within seconds where the tracking server is down; MLflow's own retries would take four minutes.

    Raises `RemoteTrouble`.
    """
    uri = tracking_uri()
    if not uri or not uri.startswith(("http://", "https://")):
        return
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "3")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "30")
    try:
        with urllib.request.urlopen(f"{uri.rstrip('/')}/health", timeout=PING_SECONDS):
            return
    except (urllib.error.URLError, OSError) as error:
        raise RemoteTrouble(
            f"the tracking server does not answer: {getattr(error, 'reason', error)}",
            where=uri,
            hint="start MLflow, correct MLFLOW_TRACKING_URI, or unset it to train without tracking",
        ) from None


@contextmanager
def remote(what: str) -> Iterator[None]:
    """Turn what MLflow raises inside the block into `RemoteTrouble`."""
    from mlflow.exceptions import MlflowException

    try:
        yield
    except (MlflowException, OSError) as error:  # its artifact store lets errors of requests and sockets through
        first = str(error).strip().partition("\n")[0][:300]
        raise RemoteTrouble(f"MLflow could not {what}: {first}", where=tracking_uri() or "") from None


class Run:
    """One run in MLflow."""

    def __init__(self, run_id: str, experiment_id: str) -> None:
        from mlflow import MlflowClient

        self.run_id, self.experiment_id = run_id, experiment_id
        self.client = MlflowClient()
        self._logged: dict[str, int] = {}
        self._monitor: Any = None

    @property
    def url(self) -> str | None:
        """The run's page, where a server has one."""
        uri = tracking_uri() or ""
        if not uri.startswith("http"):
            return None
        return f"{uri.rstrip('/')}/#/experiments/{self.experiment_id}/runs/{self.run_id}"

    def as_json(self) -> str:
        """What a retry or a later stage needs to find the run again."""
        return json.dumps({"run_id": self.run_id, "experiment_id": self.experiment_id})

    def params(self, values: Mapping[str, Any]) -> None:
        """Log parameters; equal ones may be logged again."""
        from mlflow.entities import Param

        params = [Param(name, str(value)[:PARAM_LENGTH]) for name, value in values.items()]
        with remote("log parameters"):
            self.client.log_batch(self.run_id, params=params)

    def metrics(self, values: Mapping[str, float], step: int = 0, at: int | None = None) -> None:
        """Log numbers of one step, measured `at` (milliseconds; None is now). No step is logged twice."""
        from mlflow.entities import Metric

        when = int(time.time() * 1000) if at is None else at
        with remote("log metrics"):
            fresh = [Metric(k, float(v), when, step) for k, v in values.items() if step > self._last(k)]
            self.client.log_batch(self.run_id, metrics=fresh)
        self._logged.update(dict.fromkeys(values, step))

    def forget(self) -> None:
        """Ask the server again for what was logged: a call that failed may have been heard."""
        self._logged.clear()

    def tags(self, values: Mapping[str, str | None]) -> None:
        """Set tags; those without a value are left out."""
        from mlflow.entities import RunTag

        tags = [RunTag(name, value) for name, value in values.items() if value]
        with remote("set tags"):
            self.client.log_batch(self.run_id, tags=tags)

    def text(self, text: str, name: str) -> None:
        """Store a text with the run."""
        with remote(f"store {name}"):
            self.client.log_text(self.run_id, text, name)

    def dataset(self, name: str, uri: str, content_hash: str, rows: int) -> None:
        """Name the dataset that was trained on. MLflow's digest has 36 characters, so a tag holds the whole hash."""
        from mlflow.entities import Dataset, DatasetInput, InputTag

        profile = json.dumps({"num_rows": rows})
        entity = Dataset(name, content_hash[:36], "local", json.dumps({"uri": uri}), profile=profile)
        tags = [InputTag("mlflow.data.context", "training"), InputTag("content_hash", content_hash)]
        with remote("log the dataset"):
            self.client.log_inputs(self.run_id, [DatasetInput(entity, tags)])

    @contextmanager
    def system_metrics(self) -> Iterator[None]:
        """Log the machine's load (CPU, memory, disk, network, GPU) every ten seconds while the block runs."""
        self._start_monitor()
        try:
            yield
        finally:
            self._monitor.finish()
            self._monitor = None

    def revive(self) -> None:
        """Start to log the machine's load again: MLflow's monitor gives up when the server does not answer."""
        if self._monitor is not None:
            self._monitor.finish()
            self._start_monitor()

    def _start_monitor(self) -> None:
        from mlflow.system_metrics.system_metrics_monitor import SystemMetricsMonitor

        self._monitor = SystemMetricsMonitor(self.run_id, resume_logging=True)
        self._monitor.start()

    def finish(self, status: str = "FINISHED") -> None:
        """Close the run."""
        with remote("close the run"):
            self.client.set_terminated(self.run_id, status)

    def _last(self, name: str) -> int:
        """The last step logged under a name."""
        if name not in self._logged:
            history = self.client.get_metric_history(self.run_id, name)
            self._logged[name] = max((metric.step for metric in history), default=-1)
        return self._logged[name]


def open_run(experiment: str, name: str, known: str | None) -> Run | None:
    """The run to log to: the one `known` names (`as_json`) if the server still has it, else a new one.

    None where nothing is tracked. Raises `RemoteTrouble` when the server does not answer.
    """
    if not tracking_uri():
        return None
    ping()
    with remote("open a run"):
        run = find_run(known) or _new_run(experiment, name)
        run.client.update_run(run.run_id, status="RUNNING")
    return run


def find_run(known: str | None) -> Run | None:
    """The run that `known` names; None where the server has it no more."""
    if not known or not tracking_uri():
        return None
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

    ids = json.loads(known)
    try:
        found = MlflowClient().get_run(ids["run_id"])
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        return None
    return Run(**ids) if found.info.lifecycle_stage == "active" else None


def _new_run(experiment: str, name: str) -> Run:
    import mlflow

    if mlflow.get_experiment_by_name(experiment) is None:
        _new_experiment(experiment)
    experiment_id = mlflow.set_experiment(experiment).experiment_id
    run = mlflow.MlflowClient().create_run(experiment_id, run_name=name)
    return Run(run.info.run_id, experiment_id)


def _new_experiment(name: str) -> None:
    """Without a server MLflow keeps artifacts in the working directory; beside the database they can be found again."""
    import mlflow
    from mlflow.exceptions import MlflowException

    uri = tracking_uri() or ""
    place = Path(uri.removeprefix("sqlite:///")).parent / "artifacts" if uri.startswith("sqlite:///") else None
    try:
        mlflow.create_experiment(name, artifact_location=place.absolute().as_uri() if place else None)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":  # another run was first
            raise

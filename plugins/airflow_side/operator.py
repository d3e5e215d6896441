"""The one operator of the house: a step of a recipe, run as the stage's own command."""

import json
import os
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.providers.docker.hooks.docker import DockerHook
from airflow.providers.docker.operators.docker import DockerOperator
from docker import APIClient

from airflow_side.flow import Flow
from airflow_side.lines import StageLog
from airflow_side.links import DatasetLink, MlflowLink, ReportLink
from airflow_side.outcome import failures_for_airflow, read_result
from airflow_side.runners.docker import DockerRunner
from airflow_side.runners.process import ProcessRunner
from airflow_side.runners.spec import Runner, RunSpec, TaskIdentity
from airflow_side.secrets import secrets_for
from airflow_side.settings import Settings, read_settings
from contract.config.llm import KEY_SERVERS, servers
from contract.failures import BadConfig, RemoteTrouble
from contract.keys import digest
from contract.manifest import Result
from contract.recipe import Recipe
from contract.steps import Step
from contract.uris import is_gathered, parse_uri

if TYPE_CHECKING:
    from airflow.sdk import Context

PAGES = "nocturne"


class StageOperator(DockerOperator):
    """A `DockerOperator` that knows what to run, with a lifecycle of its own (`airflow_side/runners/`).

    Command: `<image> <stage> --config JSON --input NAME=URI ... --output <store>/<recipe>/<stage>/`. The config is the
    step's, with the trigger form's values laid over it; the inputs are the URIs that earlier tasks returned. Returns
    the stage's result, and puts it into the event of the asset that the task updates, if it has one. `docker_conn_id`
    and the TLS arguments work as in the parent class.

    Raises what `airflow_side/outcome.py` says for each exit code.
    """

    template_fields = ("command",)  # nothing in it is a template: this is how the UI shows the command that was run
    template_ext = ()
    template_fields_renderers: ClassVar[dict[str, str]] = {"command": "json"}
    overwrite_rtif_after_execution = True
    operator_extra_links = (DatasetLink(), ReportLink(), MlflowLink())

    def __init__(self, *, flow: Flow, step: Step, **kwargs: Any) -> None:
        settings = read_settings()
        super().__init__(
            task_id=step.name,
            image=f"nocturne/{step.stage.image}:{settings.image_tag}",
            docker_url=settings.docker_url,
            mount_tmp_dir=False,
            **kwargs,
        )
        self.flow = flow
        self.stage_name = step.stage.name
        self.page = self.mlflow_page = ""
        self._runner: Runner | None = None
        self._killed = False

    def execute(self, context: "Context") -> dict[str, Any]:  # type: ignore[override]
        """Run the stage to its end."""
        with failures_for_airflow(self.flow.recipe.on_empty):
            result = self._work(context)
        self._tell(result, context, read_settings())
        return result.model_dump(mode="json")

    def on_kill(self) -> None:
        """End the stage; Airflow leaves five seconds for it."""
        self._killed = True
        if self._runner:
            self._runner.kill()

    def _work(self, context: "Context") -> Result:
        """What this task is there for."""
        return self._run(self._step(context), context)

    def _run(self, step: Step, context: "Context") -> Result:
        """Run one step's command to its end."""
        log, settings = StageLog(self.log), read_settings()
        spec = self._spec(step, settings, context)
        self.command = [spec.image, *spec.arguments]
        self._runner = self._choose_runner(settings)
        ended = self._runner.run(spec, log)
        if self._killed:
            raise RemoteTrouble("the task was stopped, and its stage with it")
        return read_result(ended, log.tail, spec.resources)

    def _step(self, context: "Context") -> Step:
        """The step to run, with the trigger form's values."""
        return self.flow.step(self.task_id, context["params"])

    def _spec(self, step: Step, settings: Settings, context: "Context") -> RunSpec:
        stage = step.stage
        inputs = [(port, self._uri(parent, context)) for port, parents in step.inputs.items() for parent in parents]
        arguments = [stage.name, "--config", json.dumps(step.config.model_dump(mode="json"), ensure_ascii=False)]
        for port, uri in inputs:
            arguments += ["--input", f"{port}={uri}"]
        arguments += ["--output", f"{settings.store.child(self.flow.recipe.name, stage.name)}/"]
        ti = context["ti"]
        return RunSpec(
            image=stage.image,
            arguments=tuple(arguments),
            env=_environment(stage.image, self.flow.recipe, settings) | {"NOCTURNE_RUN": run_name(ti)},
            secrets=secrets_for(stage.image, step.config),
            resources=stage.resources,
            identity=TaskIdentity(ti.dag_id, ti.run_id, ti.task_id, _map_index(ti.map_index), ti.try_number),
            reads=_outside_store(step, settings),
        )

    def _uri(self, parent: str, context: "Context") -> str:
        found = context["ti"].xcom_pull(task_ids=self.flow.task_of(parent))
        return str(found["uri"])

    def _steps(self) -> set[str]:
        """The tasks that write datasets; others, such as a person's approval, are nobody's parent."""
        return {step.name for step in self.flow.steps()}

    def _choose_runner(self, settings: Settings) -> Runner:
        if settings.runner == "process":
            return ProcessRunner(settings)
        return DockerRunner(settings, self._connect)

    def _connect(self) -> APIClient:
        """A new connection each time, since a kill must not share the one that is being read from."""
        return DockerHook(
            docker_conn_id=self.docker_conn_id,
            base_url=self.docker_url,
            version=self.api_version or "auto",
            tls=DockerHook.construct_tls_config(
                ca_cert=self.tls_ca_cert, client_cert=self.tls_client_cert, client_key=self.tls_client_key
            ),
            timeout=self.timeout,
        ).get_conn()

    def _tell(self, result: Result, context: "Context", settings: Settings) -> None:
        """Remember what the links show; put the result and its parents into the asset's event."""
        recipe, stage, key = parse_uri(result.uri).path.split("/")[-3:]
        self.page = f"{PAGES}/{recipe}/{stage}/{key}"
        mlflow = result.links.get("mlflow_model") or result.links.get("mlflow_run", "")
        self.mlflow_page = mlflow.replace(settings.mlflow_uri, settings.mlflow_ui) if settings.mlflow_uri else mlflow
        for asset in self.outlets:
            context["outlet_events"][asset].extra = {
                **result.model_dump(mode="json", include={"uri", "content_hash", "rows"}),
                "parents": {name: self._uri(name, context) for name in sorted(self.upstream_task_ids & self._steps())},
            }


def run_name(ti: Any) -> str:
    """Names the DAG run, under which what its tasks spend is counted together; a cleared task stays in its run."""
    return digest([ti.dag_id, ti.run_id])[:16]


def _map_index(found: int | None) -> int:
    return -1 if found is None else found


def _environment(image: str, recipe: Recipe, settings: Settings) -> dict[str, str]:
    """What a stage may know of its surroundings; nothing secret."""
    env = {"NOCTURNE_STORE": str(settings.store), "NOCTURNE_RECIPE": recipe.name, "NOCTURNE_CACHE": settings.cache}
    if image == "finetune":
        env["MLFLOW_TRACKING_URI"] = settings.mlflow_uri
    told = {name: value for name, value in env.items() if value}
    if image == "generate":  # as the recipe's file names them, whatever the trigger form says
        told[KEY_SERVERS] = " ".join(sorted({*servers(recipe), *settings.key_servers}))
    return told


def _within(path: str, folder: str) -> bool:
    return f"{path}/".startswith(f"{folder.rstrip('/')}/")


def _outside_store(step: Step, settings: Settings) -> tuple[str, ...]:
    """Local sources of a step that a container would not see by having the store.

    Raises `BadConfig` for one outside the folders that the deployment allows.
    """
    sources = [source for source in step.stage.sources(step.config) if not is_gathered(source.uri)]
    addresses = [parse_uri(source.uri, base=str(settings.store)) for source in sources]
    local = {os.path.normpath(address.path) for address in addresses if address.scheme == "file"}
    in_store = settings.store.path if settings.store.scheme == "file" else "/nowhere"
    outside = sorted(path for path in local if not _within(path, in_store))
    for path in outside:
        if not any(_within(os.path.realpath(path), folder) for folder in settings.sources):
            raise BadConfig(
                f"the source {path} is outside the folders that this deployment reads from",
                expected=f"a place in the store, or in {', '.join(settings.sources)} (NOCTURNE_SOURCES)",
                where=step.name,
            )
    return tuple(outside)

"""The pages as a FastAPI app that Airflow mounts under /nocturne/.

Whoever may see assets in Airflow may see datasets here; nobody else may see anything. What a page shows comes from
data that nobody has vouched for: everything is escaped, no script but the house's own runs, and a report, which brings
scripts of its own, runs in a sandbox that cannot reach Airflow. All links are relative, so that any path prefix works.
"""

from typing import Any

from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity
from airflow.api_fastapi.common.db.common import SessionDep
from airflow.api_fastapi.core_api.security import requires_access_asset, requires_access_dag
from airflow.models.xcom import XComModel
from fastapi import Depends, FastAPI, Request
from fastapi.responses import Response
from sqlalchemy import select

from airflow_side.catalog import Catalog, open_catalog
from airflow_side.pages.rendering import PAGE_POLICY, REPORT_POLICY, STATIC, guarded, message, page, static_file
from airflow_side.pages.reviewing import reviewing
from airflow_side.pages.run_view import RunTask, run_view
from airflow_side.pages.views import VIEWABLE, dataset_view, recipe_rows
from contract.failures import BadInput, Failure, RemoteTrouble
from contract.stages import BY_NAME

app = FastAPI(
    title="Nocturne datasets",
    docs_url=None,
    redoc_url=None,
    openapi_url=None,
    dependencies=[Depends(requires_access_asset("GET"))],
)
app.include_router(reviewing)


@app.get("/")
def index(request: Request) -> Response:
    """All recipes with their newest version."""
    catalog = open_catalog()
    return page(request, "index.html", depth=0, recipes=recipe_rows(catalog), store=str(catalog.root))


@app.get("/_static/{name}")
def static(name: str) -> Response:
    """The style sheet and the scripts."""
    if name not in STATIC:
        return Response(status_code=404)
    return guarded(Response(static_file(name), media_type=STATIC[name]), PAGE_POLICY)


@app.get("/_task", dependencies=[Depends(requires_access_dag("GET", DagAccessEntity.XCOM))])
def task(
    request: Request, session: SessionDep, dag_id: str, run_id: str, task_id: str, map_index: str = "-1"
) -> Response:
    """The dataset that a task of a run wrote: a tab beside its logs. The UI leaves what it does not know in braces."""
    query = select(XComModel.value).where(
        XComModel.key == "return_value",
        XComModel.dag_id == dag_id,
        XComModel.run_id == run_id,
        XComModel.task_id == task_id,
        XComModel.map_index == (int(map_index) if map_index.lstrip("-").isdigit() else -1),
    )
    value = XComModel.deserialize_value(found) if (found := session.execute(query).first()) else None
    uri = value.get("uri") if isinstance(value, dict) else None
    names = open_catalog().names_of(uri) if isinstance(uri, str) else None
    if names is None:
        return message(request, 404, "No dataset here", "This task has not written a dataset, or not yet.", depth=0)
    return _dataset(request, *names, depth=0)


@app.get("/_run", dependencies=[Depends(requires_access_dag("GET", DagAccessEntity.XCOM))])
def run(request: Request, session: SessionDep, dag_id: str, run_id: str) -> Response:
    """What each task of a run made and spent: a tab of the run."""
    query = select(XComModel.task_id, XComModel.map_index, XComModel.value).where(
        XComModel.key == "return_value", XComModel.dag_id == dag_id, XComModel.run_id == run_id
    )
    catalog = open_catalog()
    tasks = [
        task
        for row in session.execute(query)
        if (task := _run_task(catalog, row.task_id, row.map_index, XComModel.deserialize_value(row)))
    ]
    if not tasks:
        return message(request, 404, "Nothing made yet", "No task of this run has written a dataset yet.", depth=0)
    return page(request, "run.html", depth=0, view=run_view(tasks), run_id=run_id)


@app.get("/{recipe}")
def recipe(request: Request, recipe: str) -> Response:
    """One recipe: its published versions and all its datasets."""
    catalog = open_catalog()
    if recipe not in catalog.recipes():
        return message(request, 404, "No such recipe", f"The store has no datasets of {recipe}.", depth=0)
    stages: dict[str, list[str]] = {}
    for stage, key in catalog.datasets(recipe):
        stages.setdefault(stage, []).append(key)
    docs = {name: stage.doc for name, stage in BY_NAME.items()}
    return page(
        request, "recipe.html", depth=0, recipe=recipe, releases=catalog.releases(recipe), stages=stages, docs=docs
    )


@app.get("/{recipe}/{stage}/{key}")
def dataset(request: Request, recipe: str, stage: str, key: str) -> Response:
    """One dataset."""
    return _dataset(request, recipe, stage, key, depth=2)


@app.get("/{recipe}/{stage}/{key}/files/{name:path}")
def file(request: Request, recipe: str, stage: str, key: str, name: str) -> Response:
    """A small file of a dataset, such as its report."""
    kind = VIEWABLE.get(name.rpartition(".")[2])
    data = open_catalog().file(recipe, stage, key, name) if kind else None
    if data is None:
        return message(request, 404, "No such file", f"This dataset has no file {name} to show.", 4 + name.count("/"))
    return guarded(Response(data, media_type=f"{kind}; charset=utf-8"), REPORT_POLICY)


@app.exception_handler(Failure)
def failed(request: Request, failure: Failure) -> Response:
    """A store that does not answer, or holds damaged files, is told as what it is."""
    status = 404 if isinstance(failure, BadInput) else 502 if isinstance(failure, RemoteTrouble) else 500
    depth = max(request.url.path.rstrip("/").count("/") - request.scope.get("root_path", "").count("/") - 1, 0)
    return message(request, status, "The store cannot be read", failure.sentence(), depth)


def _run_task(catalog: Catalog, task_id: str, map_index: int, result: Any) -> RunTask | None:
    uri = result.get("uri") if isinstance(result, dict) else None
    names = catalog.names_of(uri) if isinstance(uri, str) and "reused" in result else None
    manifest = catalog.manifest(*names) if names else None
    if names is None or manifest is None:
        return None
    name = task_id if map_index < 0 else f"{task_id} {map_index}"
    return RunTask(name, "/".join(names), manifest, bool(result["reused"]))


def _dataset(request: Request, recipe: str, stage: str, key: str, depth: int) -> Response:
    view = dataset_view(open_catalog(), recipe, stage, key)
    if view is None:
        return message(request, 404, "No such dataset", f"There is no dataset {recipe}/{stage}/{key}.", depth)
    return page(request, "dataset.html", depth, view=view)

"""The pages as a FastAPI app that Airflow mounts under /nocturne/.

Whoever may see assets in Airflow may see datasets here; nobody else may see anything. What a page shows comes from
data that nobody has vouched for: everything is escaped, no script but the house's own runs, and a report, which brings
scripts of its own, runs in a sandbox that cannot reach Airflow. All links are relative, so that any path prefix works.
"""

from pathlib import Path
from typing import Any

from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity
from airflow.api_fastapi.common.db.common import SessionDep
from airflow.api_fastapi.core_api.security import requires_access_asset, requires_access_dag
from airflow.models.xcom import XComModel
from fastapi import Depends, FastAPI, Request
from fastapi.responses import HTMLResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from sqlalchemy import select

from airflow_side.catalog import Catalog, open_catalog
from airflow_side.pages.run_view import RunTask, run_view
from airflow_side.pages.views import VIEWABLE, dataset_view, recipe_rows
from contract.failures import BadInput, Failure, RemoteTrouble
from contract.stages import BY_NAME

HERE = Path(__file__).parent
STATIC = {"style.css": "text/css", "theme.js": "text/javascript"}
PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; frame-src 'self'; "
    "frame-ancestors 'self'; base-uri 'none'; form-action 'none'"
)
REPORT_POLICY = (
    "sandbox allow-scripts; default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
    "img-src data: blob:; font-src data:; frame-ancestors 'self'; base-uri 'none'; form-action 'none'"
)

app = FastAPI(
    title="Nocturne datasets",
    docs_url=None,
    redoc_url=None,
    openapi_url=None,
    dependencies=[Depends(requires_access_asset("GET"))],
)
pages = Environment(loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined)
pages.filters["number"] = lambda value: f"{value:,}" if isinstance(value, int) else f"{value:,.4g}"
pages.filters["money"] = lambda value: "unknown" if value is None else f"${value:.4f}"
pages.filters["size"] = lambda count: f"{count / 1e6:,.1f} MB" if count >= 1e6 else f"{count / 1e3:,.1f} kB"


@app.get("/")
def index(request: Request) -> Response:
    """All recipes with their newest version."""
    catalog = open_catalog()
    return _page(request, "index.html", depth=0, recipes=recipe_rows(catalog), store=str(catalog.root))


@app.get("/_static/{name}")
def static(name: str) -> Response:
    """The style sheet and the script that picks light or dark."""
    if name not in STATIC:
        return Response(status_code=404)
    return _guarded(Response((HERE / "static" / name).read_bytes(), media_type=STATIC[name]), PAGE_POLICY)


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
        return _message(request, 404, "No dataset here", "This task has not written a dataset, or not yet.", depth=0)
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
        return _message(request, 404, "Nothing made yet", "No task of this run has written a dataset yet.", depth=0)
    return _page(request, "run.html", depth=0, view=run_view(tasks), run_id=run_id)


@app.get("/{recipe}")
def recipe(request: Request, recipe: str) -> Response:
    """One recipe: its published versions and all its datasets."""
    catalog = open_catalog()
    if recipe not in catalog.recipes():
        return _message(request, 404, "No such recipe", f"The store has no datasets of {recipe}.", depth=0)
    stages: dict[str, list[str]] = {}
    for stage, key in catalog.datasets(recipe):
        stages.setdefault(stage, []).append(key)
    docs = {name: stage.doc for name, stage in BY_NAME.items()}
    return _page(
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
        return _message(request, 404, "No such file", f"This dataset has no file {name} to show.", 4 + name.count("/"))
    return _guarded(Response(data, media_type=f"{kind}; charset=utf-8"), REPORT_POLICY)


@app.exception_handler(Failure)
def failed(request: Request, failure: Failure) -> Response:
    """A store that does not answer, or holds damaged files, is told as what it is."""
    status = 404 if isinstance(failure, BadInput) else 502 if isinstance(failure, RemoteTrouble) else 500
    depth = max(request.url.path.rstrip("/").count("/") - request.scope.get("root_path", "").count("/") - 1, 0)
    return _message(request, status, "The store cannot be read", failure.sentence(), depth)


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
        return _message(request, 404, "No such dataset", f"There is no dataset {recipe}/{stage}/{key}.", depth)
    return _page(request, "dataset.html", depth, view=view)


def _message(request: Request, status: int, title: str, text: str, depth: int) -> Response:
    return _page(request, "message.html", depth, status, title=title, text=text)


def _page(request: Request, template: str, depth: int, status: int = 200, **values: Any) -> Response:
    """Render a page that lies `depth` folders below the pages' root."""
    html = pages.get_template(template).render(root="../" * depth or "./", **values)
    return _guarded(HTMLResponse(html, status), PAGE_POLICY)


def _guarded(response: Response, policy: str) -> Response:
    response.headers["Content-Security-Policy"] = policy
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cache-Control"] = "no-store"
    return response

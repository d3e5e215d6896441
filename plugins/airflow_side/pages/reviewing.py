"""The pages on which people accept, reject and edit drawn samples.

Whoever may see datasets may see these pages. Deciding needs what answering Airflow's "Required Actions" of the recipe's
refresh needs: editing that DAG's human-in-the-loop details, which Airflow's simple manager gives to `user` and above
and FAB's to the role User and above. The reviewer is the signed-in user, whatever a form says.
"""

from datetime import UTC, datetime

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.models.base_user import BaseUser
from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity, DagDetails
from airflow.api_fastapi.core_api.security import GetUserDep
from airflow.models.dag import DagModel
from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from airflow_side.catalog import open_catalog
from airflow_side.deciding import decision_of, plain
from airflow_side.pages.rendering import PAGE_POLICY, form_page, guarded, message, page
from airflow_side.pages.review_views import list_view, sample_view
from airflow_side.pages.sent_forms import SentForm
from airflow_side.reviews import Draw, open_draw
from contract.failures import BadInput, RemoteTrouble
from contract.review_files import DrawnSample

DRAWN = "/{recipe}/review/{key}/samples"
LIST, ONE = 3, 4
"""How deep the two pages lie."""
reviewing = APIRouter()


@reviewing.get(DRAWN)
def samples(request: Request, user: GetUserDep, recipe: str, key: str, sheet: int = 1) -> Response:
    """What there is to review in one draw, how far it is, and how far reviewers agree."""
    catalog = open_catalog()
    draw = open_draw(catalog, recipe, key)
    if draw is None:
        return message(request, 404, "Nothing to review", f"There is no draw {recipe}/review/{key}.", LIST)
    view = list_view(catalog, draw, user.get_name(), may_decide(user, recipe), sheet)
    return page(request, "samples.html", LIST, view=view)


@reviewing.get(DRAWN + "/{content}")
def sample(request: Request, user: GetUserDep, recipe: str, key: str, content: str, done: str = "") -> Response:
    """One sample. `done` is the one decided about just before."""
    draw = open_draw(open_catalog(), recipe, key)
    place = draw.place(content) if draw else None
    if draw is None or place is None:
        return _no_sample(request, recipe, key)
    view = sample_view(draw, place, user.get_name(), may_decide(user, recipe), done, datetime.now(UTC))
    return form_page(request, "sample.html", ONE, view=view)


@reviewing.post(DRAWN + "/{content}")
def decide(request: Request, user: GetUserDep, fields: SentForm, recipe: str, key: str, content: str) -> Response:
    """Keep a decision and go on to the next sample; what cannot be kept is shown again, with all that was typed."""
    if not may_decide(user, recipe):
        return _not_allowed(request, recipe, ONE)
    me = user.get_name()
    try:
        draw = open_draw(open_catalog(), recipe, key)
        place = draw.place(content) if draw else None
        if draw is None or place is None:
            raise BadInput("this sample is not there any more", where=f"{recipe}/review/{key}")
        draw.files.put(decision_of(draw.samples[place], draw.form, me, fields, datetime.now(UTC)))
        following = draw.next_for(me, place)
    except BadInput as failure:
        return _unsaved(request, 422, failure.sentence(), fields)
    except RemoteTrouble as failure:
        return _unsaved(request, 502, failure.sentence(), fields)
    return _go_to(draw, following, content)


@reviewing.post(DRAWN + "/{content}/undo")
def undo(request: Request, user: GetUserDep, fields: SentForm, recipe: str, key: str, content: str) -> Response:
    """Take a decision back."""
    if not may_decide(user, recipe):
        return _not_allowed(request, recipe, ONE + 1)
    draw = open_draw(open_catalog(), recipe, key)
    if draw is None or draw.place(content) is None:
        return _no_sample(request, recipe, key, ONE + 1)
    draw.files.take_back(content, user.get_name())
    return _redirect(f"../{content}")


def may_decide(user: BaseUser, recipe: str) -> bool:
    """Whether this user may answer for the recipe's refresh."""
    dag_id = f"refresh_{recipe}"
    details = DagDetails(id=dag_id, team_name=DagModel.get_team_name(dag_id))
    return bool(
        get_auth_manager().is_authorized_dag(
            method="PUT", access_entity=DagAccessEntity.HITL_DETAIL, details=details, user=user
        )
    )


def _go_to(draw: Draw, following: DrawnSample | None, done: str) -> Response:
    return _redirect(f"./{following.content}?done={done}" if following else f"./{done}?done={done}")


def _redirect(to: str) -> Response:
    """Relative, so that any path prefix works."""
    return guarded(RedirectResponse(to, 303), PAGE_POLICY)


def _unsaved(request: Request, status: int, why: str, fields: dict[str, str]) -> Response:
    typed = {name: plain(text) for name, text in fields.items() if name != "verdict"}
    return form_page(request, "unsaved.html", ONE, status, why=why, fields=typed)


def _no_sample(request: Request, recipe: str, key: str, depth: int = ONE) -> Response:
    return message(request, 404, "No such sample", f"It is not among those drawn in {recipe}/review/{key}.", depth)


def _not_allowed(request: Request, recipe: str, depth: int) -> Response:
    text = f"You may look at these samples. Deciding needs the right to answer for the DAG refresh_{recipe}."
    return message(request, 403, "Not allowed", text, depth)

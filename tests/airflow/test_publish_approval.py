"""Whether a version is published by a person's word: what is asked, when nobody is, what follows from each answer."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
from airflow.sdk import DAG
from airflow.sdk.exceptions import DownstreamTasksSkipped, TaskAwaitingInput

from airflow_side.dag import dag_arguments, published, stage_task
from airflow_side.flow import refresh_flow
from airflow_side.publish_approval import PublishApproval
from contract.manifest import Manifest, Parent
from contract.recipe import Recipe
from contract.release import Release
from persons_word import VERA, answered, context

KEY = "0" * 20
RETURNED = {
    "review": {"uri": f"file:///s/trial/review/{KEY}", "content_hash": "aa", "rows": 1234},
    "explore": {"uri": f"file:///s/trial/explore/{KEY}", "content_hash": "bb", "rows": 0},
}
RETURNED["review"]["metrics"] = {"accepted": 5, "rejected": 2, "agreement": 0.75, "kappa": None}


@pytest.fixture(autouse=True)
def store(tmp_path, monkeypatch):
    monkeypatch.setenv("NOCTURNE_STORE", f"file://{tmp_path}")
    return tmp_path


def flow_of(**fields):
    recipe = {"name": "trial", "ingest": {"sources": [{"uri": "raw"}]}, "review": {}, "publish_approval_hours": 5}
    return refresh_flow(Recipe.model_validate(recipe | fields))


def tasks_of(flow):
    with DAG(**dag_arguments(flow, "")):
        explore, last = flow.steps()[-2:]
        publish = stage_task(flow, last, outlets=[published(flow.recipe)])
        approve = PublishApproval(flow=flow)
        stage_task(flow, explore) >> [approve, publish]
        approve >> publish
    return approve, publish


def publish_in(store, flow, rows="aa", explore="bb", **config):
    """A version in the store, made from these datasets."""
    step = flow.steps()[-1]
    parents = [Parent(input=n, uri="", content_hash=h) for n, h in (("rows", rows), ("explore", explore))]
    manifest = Manifest(
        stage="publish", stage_version=step.stage.version, key=KEY, config=step.config.model_dump(mode="json") | config,
        record="Sample", columns={}, shards=[], parents=parents, rows_in=0, rows_out=0, content_hash="cc",
        started="", finished="",
    )  # fmt: skip
    folder = store / "trial" / "publish"
    (folder / KEY).mkdir(parents=True)
    (folder / KEY / "manifest.json").write_text(manifest.model_dump_json())
    release = Release(version=3, key=KEY, content_hash="cc", rows=1200, published_at="")
    (folder / "latest.json").write_text(release.model_dump_json())


def test_a_person_sees_the_figures_and_the_task_waits_as_long_as_the_recipe_says(asked):
    approve, _ = tasks_of(flow_of())
    with pytest.raises(TaskAwaitingInput) as waits:
        approve.execute(context(approve, RETURNED))
    assert waits.value.timeout == timedelta(hours=5)
    assert asked["defaults"] == ["Reject"], "whoever does not answer has not approved"
    for shown in ("1,234 samples", "nothing is published yet", "accepted: 5", "agreement: 0.75", "5 hours"):
        assert shown in asked["body"]
    assert "kappa" not in asked["body"]
    assert f"nocturne/trial/review/{KEY}/samples" in asked["body"]


def test_nobody_is_asked_about_what_is_published_already(asked, store):
    flow = flow_of()
    publish_in(store, flow)
    approve, _ = tasks_of(flow)
    assert approve.execute(context(approve, RETURNED)) is None
    assert asked == {}


@pytest.mark.parametrize("other", [{"rows": "zz"}, {"explore": "zz"}, {"test_share": 0.5}])
def test_another_version_than_the_newest_is_asked_about(asked, store, other):
    flow = flow_of()
    publish_in(store, flow, **other)
    approve, _ = tasks_of(flow)
    with pytest.raises(TaskAwaitingInput):
        approve.execute(context(approve, RETURNED))
    assert "version 3 has 1,200" in asked["body"]


def test_what_the_form_changes_about_publishing_is_asked_about(asked, store):
    flow = flow_of()
    publish_in(store, flow)
    approve, _ = tasks_of(flow)
    with pytest.raises(TaskAwaitingInput):
        approve.execute(context(approve, RETURNED, **{"publish.test_share": 0.25}))


def test_approved_it_goes_on():
    approve, _ = tasks_of(flow_of())
    assert (
        approve.execute_complete(context(approve, RETURNED), answered("Approve"))["responded_by_user"]["name"] == "vera"
    )


@pytest.mark.parametrize("timedout", [False, True])
def test_rejected_or_unanswered_nothing_is_published_and_it_is_said(timedout, capsys):
    approve, _ = tasks_of(flow_of())
    with pytest.raises(DownstreamTasksSkipped) as skipped:
        approve.execute_complete(context(approve, RETURNED), answered("Reject", None if timedout else VERA, timedout))
    assert skipped.value.tasks == ["publish"]
    assert ("nothing is published" if timedout else "Reject by vera") in capsys.readouterr().out


def test_a_persons_word_is_no_parent_of_the_version():
    _, publish = tasks_of(flow_of())
    told = {"outlet_events": {asset: SimpleNamespace(extra=None) for asset in publish.outlets}}
    from airflow_side.settings import read_settings
    from contract.manifest import Result

    uri = f"file:///s/trial/publish/{KEY}"
    result = Result(uri=uri, content_hash="cc", rows=1, dropped=0, metrics={}, links={}, reused=False)
    publish._tell(result, context(publish, RETURNED) | told, read_settings())
    (event,) = told["outlet_events"].values()
    assert event.extra["parents"] == {"explore": RETURNED["explore"]["uri"]}


def test_waiting_for_a_person_is_not_counted_as_running():
    flow = flow_of(limits={"minutes": 30}, publish_approval_hours=2)
    assert dag_arguments(flow, "")["dagrun_timeout"] == timedelta(hours=2, minutes=30)

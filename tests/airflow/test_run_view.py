"""What a run made and spent, worked out from its tasks' manifests."""

from airflow_side.pages.rendering import templates
from airflow_side.pages.run_view import RunTask, run_view
from contract.manifest import Cost, Manifest, Parent


def task(name, parents=(), cost=None, reused=False):
    """A task whose dataset was made from the datasets of others."""
    found = [Parent(input="rows", uri=f"s3://b/d/{one}/k", content_hash="h") for one in parents]
    manifest = Manifest(
        stage=name, stage_version=1, key="k", config={}, record=None, columns={}, shards=[], rows_in=0, rows_out=0,
        parents=found, content_hash="h", started="", finished="", cost=cost,
    )  # fmt: skip
    return RunTask(name, f"d/{name}/k", manifest, reused)


def test_tasks_follow_what_they_were_made_from_whatever_their_names():
    tasks = [task("a", ["m"]), task("b"), task("m", ["z"]), task("z", ["b"])]
    assert [one.name for one in run_view(tasks).tasks] == ["b", "z", "m", "a"]


def test_a_circle_in_a_damaged_store_loses_no_task():
    assert len(run_view([task("a", ["b"]), task("b", ["a"])]).tasks) == 2


def test_a_reused_dataset_cost_this_run_nothing():
    spent = Cost(requests=5, prompt_tokens=7, completion_tokens=2, money=0.25)
    view = run_view([task("instruct", cost=spent), task("judge", cost=spent, reused=True), task("clean")])
    assert view.cost == spent
    assert [one.cost and one.cost.money for one in view.tasks] == [None, 0.25, 0.0]


def test_money_is_unknown_as_soon_as_one_price_is():
    view = run_view([task("instruct", cost=Cost(requests=1)), task("judge", cost=Cost(requests=1, money=1.0))])
    assert (view.cost.requests, view.cost.money) == (2, None)


def test_a_run_that_asked_no_model_spent_nothing_to_speak_of():
    assert run_view([task("clean")]).cost is None


def test_the_page_says_what_was_spent_reused_and_stopped():
    spent = Cost(requests=5, cached_requests=3, prompt_tokens=1_200, completion_tokens=34, money=0.25)
    metrics = {"budget_reached": "money", "in_flight_at_kills": 9, "lost_money_held": 0.0123}
    manifest = task("judge", cost=spent).manifest.model_copy(update={"metrics": metrics})
    stopped = RunTask("judge", "d/judge/k", manifest, reused=False)
    view = run_view([task("clean"), task("instruct", cost=spent, reused=True), stopped])
    text = templates.get_template("run.html").render(root="./", view=view, run_id="manual__1")
    assert text.count("asks no model") == 1
    assert text.count("$0.2500") == 2, "in the sum and beside its task"
    assert "$0.0000" in text
    assert "stopped at the limit on money" in text
    assert "9 requests were under way when earlier tries were killed: at most $0.0123 may have been billed" in text
    assert '<a href="./d/instruct/k">instruct</a> <span class="quiet">reused' in text

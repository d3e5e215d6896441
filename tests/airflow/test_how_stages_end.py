"""Every way a stage can end, as Airflow sees it: the same with both runners."""

import contextlib
import dataclasses

import pytest
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException
from docker import APIClient

from airflow_side.outcome import StageEmpty, StageFailed, StageOutOfMemory, StageTrouble
from contract.stage import Resources
from contract.stages import BY_NAME
from proxied_engine import proxied_engine


def test_result_comes_from_the_file_not_from_the_log(ingest_that, run, runner_kind, tmp_path):
    result = run(ingest_that("x"))
    assert result["uri"] == f"file://{tmp_path}/store/told/ingest/{'0' * 20}"
    assert (result["rows"], result["dropped"], result["reused"]) == (3, 1, False)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (10, StageFailed),
        (11, StageFailed),
        (12, StageFailed),
        (13, StageTrouble),
        (14, StageFailed),
        (15, StageFailed),
        (1, StageTrouble),
        (3, StageTrouble),
    ],
)
def test_exit_codes_decide_about_another_try(ingest_that, run, project, code, kind):
    with pytest.raises(kind, match=f"found this; expected that .code {code}.") as caught:
        run(ingest_that(f"exit={code}"))
    assert isinstance(caught.value, AirflowFailException) == (kind is StageFailed)
    assert str(caught.value).endswith("the last thing it said")


def test_exit_codes_cross_the_container_wall(ingest_that, run, runner_kind):
    with pytest.raises(StageFailed, match=r"^BadInput: found this; expected that"):
        run(ingest_that("exit=11"))


def test_nothing_left_is_skipped_where_the_recipe_says_so(ingest_that, run, project):
    with pytest.raises(StageEmpty) as caught:
        run(ingest_that("exit=12", on_empty="skip"))
    assert isinstance(caught.value, AirflowSkipException)


def test_success_without_a_result_is_not_success(ingest_that, run, runner_kind):
    with pytest.raises(StageTrouble, match="no result file"):
        run(ingest_that("silent"))


@pytest.mark.needs_docker
def test_out_of_memory_is_told_apart_and_not_retried(ingest_that, run, fake_image, project, monkeypatch):
    monkeypatch.setenv("NOCTURNE_RUNNER", "docker")
    monkeypatch.setenv("NOCTURNE_IMAGE_TAG", fake_image)
    small = dataclasses.replace(BY_NAME["ingest"], resources=Resources(memory_gb=0.1))
    monkeypatch.setitem(BY_NAME, "ingest", small)
    with pytest.raises(StageOutOfMemory, match=r"limit of 0.1 GB"):
        run(ingest_that("eat=400"))


def test_lines_keep_their_level_and_secrets_stay_out(ingest_that, run, runner_kind, monkeypatch, capfd):
    monkeypatch.setenv("NOCTURNE_S3_SECRET_KEY", "correct-horse-battery")
    monkeypatch.setenv("OPENAI_API_KEY", "not-for-this-image")
    monkeypatch.setenv("SOMETHING_ELSE", "not declared")
    operator = ingest_that("tell=NOCTURNE_S3_SECRET_KEY+OPENAI_API_KEY+SOMETHING_ELSE+NOCTURNE_RECIPE")
    run(operator)
    told = next(line for line in capfd.readouterr().out.splitlines() if " - - told" in line)
    assert "[warning  ]" in told
    assert "correct-horse-battery" in told  # the stage has it; masking is the task's log handler's work
    assert "correct-horse" not in str(operator.command) + repr(operator.__dict__)


def test_trigger_form_values_reach_the_command(ingest_that, run, project):
    operator = ingest_that("x")
    run(operator, **{"ingest.max_rejected": 0.5, "dataset": "latest"})
    assert '"max_rejected": 0.5' in operator.command[3]
    with pytest.raises(StageFailed, match=r"`ingest.max_rejected` is 7: .* in the trigger form of refresh_told"):
        run(operator, **{"ingest.max_rejected": 7})


def test_process_runner_refuses_an_airflow_with_user_accounts(ingest_that, run, project, monkeypatch):
    fab = "airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager"
    monkeypatch.setenv("AIRFLOW__CORE__AUTH_MANAGER", fab)
    with pytest.raises(StageFailed, match="no isolation"):
        run(ingest_that("x"))


@pytest.mark.needs_docker
def test_missing_image_says_what_to_type(ingest_that, run, project, monkeypatch, fake_image):
    monkeypatch.setenv("NOCTURNE_RUNNER", "docker")
    monkeypatch.setenv("NOCTURNE_IMAGE_TAG", "never-built")
    with pytest.raises(StageFailed, match="make images"):
        run(ingest_that("x"))


class Watching(APIClient):
    """A connection that remembers how the engine describes each container just before it starts."""

    def __init__(self):
        super().__init__(version="auto")
        self.seen = []

    def start(self, container, *args, **kwargs):
        self.seen.append(self.inspect_container(container))
        super().start(container, *args, **kwargs)


@pytest.mark.needs_docker
def test_gpu_stage_asks_the_engine_for_gpus(ingest_that, run, fake_image, project, monkeypatch):
    monkeypatch.setenv("NOCTURNE_RUNNER", "docker")
    monkeypatch.setenv("NOCTURNE_IMAGE_TAG", fake_image)
    monkeypatch.setitem(BY_NAME, "ingest", dataclasses.replace(BY_NAME["ingest"], resources=Resources(gpu=True)))
    asked = []
    for gpu in ("0", "1"):
        monkeypatch.setenv("NOCTURNE_GPU", gpu)
        operator, engine = ingest_that("x"), Watching()
        monkeypatch.setattr(operator, "_connect", lambda engine=engine: engine)
        with contextlib.suppress(StageFailed):  # this engine may have no GPU to give, but it was asked
            run(operator)
        asked.append(engine.seen[0]["HostConfig"]["DeviceRequests"])
        assert engine.containers(all=True, filters={"id": engine.seen[0]["Id"]}) == []
    without, (request,) = asked
    assert not without
    assert (request["Driver"], request["Count"], request["Capabilities"]) == ("nvidia", -1, [["gpu"]])


@pytest.mark.needs_docker
def test_container_that_cannot_be_is_not_tried_again(ingest_that, run, fake_image, project, monkeypatch):
    monkeypatch.setenv("NOCTURNE_RUNNER", "docker")
    monkeypatch.setenv("NOCTURNE_IMAGE_TAG", fake_image)
    with proxied_engine("nocturne/curate:.+", networks="elsewhere") as port:
        monkeypatch.setenv("NOCTURNE_DOCKER_URL", f"tcp://127.0.0.1:{port}")
        with pytest.raises(StageFailed, match="refuses the container: socket-proxy"):
            run(ingest_that("x"))
    monkeypatch.delenv("NOCTURNE_DOCKER_URL")
    monkeypatch.setenv("NOCTURNE_DOCKER_NETWORK", "no-such-network")
    with pytest.raises(StageFailed, match="NOCTURNE_DOCKER_NETWORK"):
        run(ingest_that("x"))


@pytest.mark.parametrize(
    "place", ["/etc/hostname", "{folder}/sources/../secret.json", "../../secret.json", "{folder}/link"]
)
def test_a_local_source_outside_the_deployments_folders_is_refused(
    ingest_that, run, project, tmp_path, monkeypatch, place
):
    (tmp_path / "sources").mkdir()
    (tmp_path / "link").symlink_to("/etc")
    monkeypatch.setenv("NOCTURNE_SOURCES", f"{tmp_path}/sources:{tmp_path}/others")
    with pytest.raises(StageFailed, match="outside the folders that this deployment reads from"):
        run(ingest_that(place.format(folder=tmp_path)))


def test_a_local_source_in_one_of_the_deployments_folders_is_read(ingest_that, run, project, tmp_path, monkeypatch):
    monkeypatch.setenv("NOCTURNE_SOURCES", f"{tmp_path}/sources")
    assert run(ingest_that(f"{tmp_path}/sources/x"))["rows"] == 3
    assert run(ingest_that("x/y"))["rows"] == 3, "in the store"

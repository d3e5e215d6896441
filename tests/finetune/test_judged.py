"""A judge's word on the answers: read, put before people, and part of the gate; and the steps of a recipe that has one,
on the tiny model and with a real server of judges."""

import os
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import patch
from xml.etree import ElementTree

import mlflow
import pytest

from conftest import Runner
from contract.failures import BadConfig
from contract.recipe import Finetune
from contract.records import Sample
from contract.steps import DATASET, JUDGE_ANSWERS, PROMOTE, Step, finetune_steps
from every_field import run
from finetune.evaluate.comparison import BASE, PROMPTED, TUNED
from finetune.judged import gate_of, read_judged, spent
from finetune.judged_page import as_markdown, card_section
from finetune.judged_picture import draw_judged
from judge_server import JudgeServer
from judged_answers import prefers_length, write_judged
from published import TRAIN
from stagekit.dataset import Dataset, open_dataset
from stagekit.store import resolve

ASKED = 6


def judged_of(folder: Path, missing=None, **by_criterion):
    dataset = open_dataset(resolve(write_judged(folder / "judged", by_criterion, missing)))
    return dataset, read_judged(dataset)


# -- gate ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("helpful", "written", "least", "reasons"),
    [
        ((7, 2, 1, 0), (5, 0, 5, 0), 0.5, []),
        ((7, 2, 1, 0), (5, 0, 5, 0), 0.6, ["written: win rate 50.0 % < 60.0 %"]),
        ((7, 2, 1, 0), (5, 0, 0, 5), 0.5, ["written: verdicts on 5 of 10 pairs, too few to say"]),
        ((7, 2, 1, 0), (5, 0, 1, 4), 0.5, []),
        ((0, 0, 0, 10), (0, 0, 0, 0), 0.0, ["helpful: verdicts on 0 of 10", "written: verdicts on 0 of 0"]),
        ((0, 0, 10, 0), (0, 0, 10, 0), None, []),
    ],
)
def test_the_gate_asks_every_criterion_and_takes_no_silence_for_a_yes(tmp_path, helpful, written, least, reasons):
    _, judged = judged_of(tmp_path, helpful=helpful, written=written)
    found = gate_of("passed", least, judged)
    assert (found.passed, len(found.reasons)) == (not reasons, len(reasons))
    assert all(reason in said for reason, said in zip(reasons, found.reasons, strict=True))
    assert str(gate_of("failed", least, judged)) == "failed", "the judge alone opens nothing"


def test_a_win_rate_that_nobody_measured_is_refused():
    assert str(gate_of("passed", None, None)) == "passed"
    with pytest.raises(BadConfig, match="there is no input 'judge'"):
        gate_of("passed", 0.5, None)


# -- what people read ------------------------------------------------------------------------------------------------


def test_page_card_and_picture_say_what_was_counted(tmp_path):
    dataset, judged = judged_of(
        tmp_path, {"malformed": 3, "same_answer": 1}, helpful=(7, 2, 1, 0), written=(1, 0, 1, 6)
    )
    page = as_markdown(judged, gate_of("passed", 0.5, judged))
    assert "a-judge on the tuned model's answers against those of the base with examples" in page
    assert "helpful: 7 won, 2 tied, 1 lost, win rate 80.0 % (60.0 % to 100.0 %)" in page
    assert "written: 1 won, 0 tied, 1 lost, 6 undecided, too few verdicts to say who is better" in page
    assert "Verdicts that did not come: malformed 3." in page
    assert "Gate failed: written: verdicts on 2 of 8 pairs, too few to say." in page
    for row in ("| all | 7 | 2 | 1 | 80.0 %", "| evolved | 3 | 1 | 0 |", "| instruct | 4 | 1 | 1 |"):
        assert row in page
    assert "Same verdict in both orders: 80.0 % of pairs. Lean to the longer answer: +25.0 points." in page
    assert "Same verdict as people: 85.0 % of 40." in page
    assert "| helpful | 7 | 2 | 1 | 80.0 % (60.0 % to 100.0 %) | 0 |" in card_section(judged)
    assert spent(dataset) == {"judge_requests": 20, "judge_tokens": 1_000, "judge_money": 0.25}
    bars = ElementTree.fromstring(draw_judged(judged)).findall(".//{*}rect/{*}title")
    assert [bar.text for bar in bars][:3] == ["7 won", "2 tied", "1 lost"]
    assert "6 no verdict" in [bar.text for bar in bars]


def test_what_was_not_decided_has_no_rate(tmp_path):
    _, judged = judged_of(tmp_path, {"budget": 4}, helpful=(0, 0, 0, 4))
    assert "helpful_win_rate" not in judged.metrics()
    assert judged.metrics()["helpful_undecided"] == 4
    assert "| all | 0 | 0 | 0 | none | 4 |" in as_markdown(judged, gate_of("passed", None, judged))
    assert "too few verdicts" in judged.sentence
    ElementTree.fromstring(draw_judged(judged))


# -- the steps of a recipe -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def way(walked, tmp_path_factory):
    """The steps of a recipe with a judge who takes the longer answer, from the training that `walked` has on."""
    folder = tmp_path_factory.mktemp("judged")
    env = walked.env | {"OPENAI_API_KEY": "sk-a-secret-for-tests", "NOCTURNE_STORE": str(folder)}
    uris = {DATASET: walked.dataset} | {name: walked.results[name]["uri"] for name in ("plan", "train")}
    with JudgeServer(prefers_length) as server, patch.dict(os.environ, env):
        steps = finetune_steps(recipe_with(server.url))
        for step in steps[2:-1]:
            inputs = [f"{port}={uris[name]}" for port, names in step.inputs.items() for name in names]
            uris[step.name] = run_step(step, inputs, folder)
        asked = len(server.seen)
    assert [step.name for step in steps if step.name not in uris] == [PROMOTE]
    return SimpleNamespace(uris=uris, asked=asked, run=walked.results["train"]["links"]["mlflow_run"])


def recipe_with(judge: str) -> Finetune:
    return Finetune.model_validate(
        TRAIN
        | {
            "evaluate": {"generations": ASKED, "max_new_tokens": 8},
            "judge": {"model": "a-judge", "base_url": judge, "criteria": ["helpful-1", "matches-1"]},
            "export": {"dtype": "float32"},
            "register": {"model_name": "judged", "min_win_rate": 0.01},
        }
    )


def run_step(step: Step, inputs: list[str], folder: Path) -> str:
    """Its dataset's URI; what is of this image runs in this process, which has imported everything."""
    config = step.config.model_dump(mode="json")
    if step.stage.image == "finetune":
        seen = run(step.stage.name, config, inputs, folder / step.name)
        assert seen.uri, seen.lines
        return seen.uri
    ports = [tuple(text.split("=", 1)) for text in inputs]
    return Runner("process", folder)(step.stage.image, step.stage.name, config, ports).result["uri"]


def dataset_of(way, step: str) -> Dataset:
    return open_dataset(resolve(way.uris[step]))


def planted(way) -> tuple[int, int, int]:
    """Pairs that the tuned model wins, ties and loses by the length of its answers."""
    said: dict[str, dict[str, str]] = {}
    for row in dataset_of(way, "evaluate").records(Sample):
        said.setdefault(row.parent_ids[0], {})[row.model] = row.answer.strip()
    gains = [len(each[TUNED]) - len(each[PROMPTED]) for each in said.values()]
    assert len(gains) == ASKED
    return sum(gain > 0 for gain in gains), gains.count(0), sum(gain < 0 for gain in gains)


def test_evaluate_hands_on_every_answer_beside_what_was_asked(way, walked):
    rows = list(dataset_of(way, "evaluate").records(Sample))
    assert [row.model for row in rows] == [name for name in (BASE, PROMPTED, TUNED) for _ in range(ASKED)]
    asked = {sample.id: sample for sample in open_dataset(resolve(walked.dataset)).records(Sample)}
    for row in rows:
        (parent,) = row.parent_ids
        assert row.messages[:-1] == asked[parent].messages[:-1]
        assert asked[parent].split == "test"
    account = dataset_of(way, "evaluate").manifest.accounts["samples"]
    assert account.total == account.kept == len(asked)


def test_the_win_rate_is_what_was_planted(way):
    judged = read_judged(dataset_of(way, JUDGE_ANSWERS))
    assert judged.opponents == {PROMPTED: ASKED}
    assert [criterion.name for criterion in judged.criteria] == ["helpful", "matches"]
    for criterion in judged.criteria:
        pairs = criterion.pairs
        assert (pairs.wins, pairs.ties, pairs.losses, pairs.undecided) == (*planted(way), 0)
        assert criterion.consistency in (1.0, None)
    assert 0 < way.asked <= 4 * ASKED
    metrics = dataset_of(way, "register").manifest.metrics
    wins, ties, _ = planted(way)
    assert metrics["helpful_win_rate"] == pytest.approx((wins + ties / 2) / ASKED, abs=1e-6)
    assert metrics["gate"] == ("passed" if wins + ties else "failed")


def test_run_card_and_version_tell_of_it(way, tracking_server, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", tracking_server)
    mlflow.set_tracking_uri(tracking_server)
    client = mlflow.MlflowClient()
    tracked = client.get_run(way.run.rpartition("/")[2])
    metrics = dataset_of(way, "register").manifest.metrics
    assert tracked.data.metrics["evaluate/helpful_win_rate"] == metrics["helpful_win_rate"]
    assert tracked.data.metrics["evaluate/judge_requests"] == way.asked
    files = {file.path for file in client.list_artifacts(tracked.info.run_id, "evaluate")}
    assert {f"evaluate/judge.{ending}" for ending in ("md", "svg", "html")} <= files
    assert {file.path for file in client.list_artifacts(tracked.info.run_id, "evaluate/judge")} == {
        "evaluate/judge/verdicts.jsonl"
    }
    version = client.get_model_version("judged", str(metrics["version"]))
    assert version.tags["nocturne.gate"] == metrics["gate"]
    assert version.tags["nocturne.judged"] == metrics["judged"][:500]
    assert metrics["judged"] in version.description
    card = dataset_of(way, "export").file("model/README.md").read_text()
    assert "## Judged answers" in card
    assert metrics["judged"] in card

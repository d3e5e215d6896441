"""rate as a stage: order, ledger, what a night costs, and every field of its config."""

import numpy as np
import pytest
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from contract.records import Message, Sample
from contract.stages import BY_NAME
from contract.uris import parse_uri
from every_field import Case, check, missing_cases, run
from finetune.rate.memory import remembering
from finetune.rate.scorer import Scorer
from published import publish, sample
from rating_models import SAMPLES, TEMPLATE, TURNS, encoder, reward_model
from stagekit.dataset import open_dataset
from stagekit.store import open_store


def read(seen):
    return open_dataset(parse_uri(seen.uri))


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    folder = tmp_path_factory.mktemp("store")
    reward_model(folder / "rewards")
    reward_model(folder / "others", labels=2)
    encoder(folder / "encoder", ["bad", "good"])
    publish(folder / "samples", SAMPLES)
    return folder


def rate(store, folder, config):
    return run("rate", {"model": str(store / "rewards"), "cpu_threads": 1} | config, [f"rows={store}/samples"], folder)


def test_the_stage_keeps_order_and_books_what_goes(store, tmp_path):
    before = read(rate(store, tmp_path / "all", {}))
    scores = {one.id: one.scores["rate"] for one in before.records(Sample)}
    assert list(scores) == [one.id for one in SAMPLES]
    assert before.manifest.metrics["truncated"] == 0
    least = sorted(scores.values())[3]
    after = read(rate(store, tmp_path / "some", {"minimum": {"rate": least}}))
    assert [one.id for one in after.records(Sample)] == [id for id, score in scores.items() if score >= least]
    assert after.manifest.accounts["rows"].dropped == {"low_score": 3}
    entry = next(after.ledger())
    assert (entry.value, entry.threshold, entry.detail) == (f"{scores[entry.id]:.6g}", f"{least:.6g}", "rate")


def test_a_text_without_a_token_and_a_score_that_is_no_number(store, tmp_path):
    empty = Sample(id="empty", messages=[Message(role="user", content="Hi"), Message(role="assistant", content="")])
    publish(tmp_path / "samples", [*SAMPLES[:2], empty])
    config = {"model": str(store / "rewards"), "field": "answer"}
    dataset = read(run("rate", config, [f"rows={tmp_path}/samples"], tmp_path / "out"))
    assert dataset.manifest.accounts["rows"].failed == {"nothing_to_read": 1}
    model = AutoModelForSequenceClassification.from_pretrained(store / "rewards")
    torch.nn.init.constant_(model.score.weight, float("nan"))
    model.save_pretrained(tmp_path / "broken")
    AutoTokenizer.from_pretrained(store / "rewards").save_pretrained(tmp_path / "broken")
    config = {"model": str(tmp_path / "broken")}
    dataset = read(run("rate", config, [f"rows={tmp_path}/samples"], tmp_path / "out"))
    assert dataset.manifest.accounts["rows"].failed == {"not_finite": 3}


def test_a_night_pays_only_for_what_is_new(store, tmp_path, monkeypatch):
    monkeypatch.setenv("NOCTURNE_CACHE", str(tmp_path / "cache"))

    def night(name, samples, **config):
        publish(tmp_path / name, samples)
        config = {"model": str(store / "rewards")} | config
        return read(run("rate", config, [f"rows={tmp_path}/{name}"], tmp_path / "out"))

    first, second = night("first", SAMPLES[:5]), night("second", SAMPLES[3:])
    assert [one.manifest.metrics["computed"] for one in (first, second)] == [5, 3]
    scores, again = ({one.id: one.scores for one in dataset.records(Sample)} for dataset in (first, second))
    assert all(again[id] == scores[id] for id in scores.keys() & again.keys())
    third = night("third", SAMPLES[3:], minimum={"rate": -9.0})
    assert third.manifest.metrics["computed"] == 0, "another rule, no cost"
    assert night("fourth", SAMPLES[:5], model=str(store / "others")).manifest.metrics["computed"] == 5


def test_memory_outlives_what_breaks(tmp_path):
    memory_store = open_store(str(tmp_path))
    rng = np.random.default_rng(0)
    texts = [rng.integers(0, 300, size=rng.integers(1, 9)).tolist() for _ in range(50)]
    outputs = {tuple(text): rng.normal(size=3).astype(np.float32) for text in texts}

    def break_off():
        with remembering(memory_store, "model", 3) as memory:
            for text, values in outputs.items():
                memory.put(text, values)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        break_off()
    (tmp_path / "model" / "cut-off").write_bytes(b"half a row")
    with remembering(memory_store, "model", 3) as memory:
        assert all((memory.get(text) == values).all() for text, values in outputs.items())
        assert memory.get([9_999]) is None


def test_the_command_line_scores_and_reuses(store, run_stage):
    call = ("finetune", "rate", {"model": str(store / "rewards")}, [("rows", f"{store}/samples")])
    first, second = run_stage(*call), run_stage(*call)
    assert first.result["rows"] == len(SAMPLES)
    assert second.result["reused"]
    assert "it/s" not in first.stderr


def test_a_conversation_that_the_template_refuses_goes_to_the_ledger(tmp_path):
    template = "{% if messages[0]['role'] == 'system' %}{{ raise_exception('No system role!') }}{% endif %}" + TEMPLATE
    reward_model(tmp_path / "model", template)
    publish(tmp_path / "samples", [sample(99, "train", ("system", "Be kind"), *TURNS), sample(100, "train", *TURNS)])
    dataset = read(run("rate", {"model": str(tmp_path / "model")}, [f"rows={tmp_path}/samples"], tmp_path / "out"))
    assert dataset.manifest.accounts["rows"].failed == {"template_refused": 1}
    assert next(dataset.ledger()).detail == "No system role!"
    assert dataset.rows == 1


CASES = [
    Case("model", "others", "LABEL_1"),
    Case("field", "answer", "figure mean_rate"),
    Case("reading", "sigmoid", "figure mean_rate"),
    Case("names", ["reward"], '\\"reward\\"'),
    Case("values", [1.0, 9.0], "figure mean_rate", {"model": "encoder", "reading": "expected"}),
    Case("minimum", {"rate": 100.0}, '"rule": "low_score"'),
    Case("max_length", 16, "figure truncated"),
    Case("cut", "start", "figure mean_rate", {"max_length": 16}),
    Case("batch_tokens", 8, "passes 8"),
    Case("device", "gpu", "failure BadConfig"),
    Case("cpu_threads", 2, "threads 2", {"cpu_threads": 1}),
    Case("shard_rows", 3, "shards 3 and 0"),
]


def test_every_field_of_rate_has_a_case():
    assert missing_cases("finetune", {"rate": CASES}).get("rate") is None


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.field)
def test_a_field_of_rate_changes_the_result(case, store, tmp_path, monkeypatch):
    monkeypatch.setenv("NOCTURNE_CACHE", str(tmp_path / "cache"))
    passes = []
    score = Scorer.outputs
    monkeypatch.setattr(Scorer, "outputs", lambda self, batch: passes.append(1) or score(self, batch))

    def seen(config, name):
        passes.clear()
        named = {"model": "rewards", "cpu_threads": 1} | config
        config = named | {"model": str(store / named["model"])}
        found = run("rate", config, [f"rows={store}/samples"], tmp_path / name)
        return found.with_lines([f"threads {torch.get_num_threads()}", f"passes {len(passes)}"])

    check("rate", case, seen(case.base, "base"), seen(case.changed, "changed"))


def test_the_stage_is_the_finetune_images():
    assert BY_NAME["rate"].image == "finetune"

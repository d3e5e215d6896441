"""A sweep: in whatever order its trainings come, the lowest test loss is chosen, and later stages go on with it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.failures import BadInput, DamagedData
from every_field import run
from finetune.choose.sweep import Candidate, as_markdown, as_records, by_loss
from finetune.trained import Trained
from finetune.winner import winner
from published import TRAINING, publish, real_samples
from stagekit.dataset import open_dataset
from stagekit.store import resolve

LOSSES = st.one_of(st.none(), st.floats(min_value=0.01, max_value=20), st.just(float("nan")), st.just(float("inf")))
RATES = (1e-7, 0.02)


def candidate(rate, loss):
    return Candidate(f"hash-{rate}", rate, loss, loss, "Healthy.")


@given(st.dictionaries(st.floats(min_value=1e-6, max_value=1), LOSSES, min_size=1, max_size=6), st.randoms())
def test_the_lowest_loss_is_chosen_in_whatever_order_they_come(losses, random):
    candidates = [candidate(rate, loss) for rate, loss in losses.items()]
    real = {rate: loss for rate, loss in losses.items() if loss is not None and loss < 100}
    shuffled = random.sample(candidates, len(candidates))
    if not real:
        with pytest.raises(BadInput, match="ended with a test loss"):
            by_loss(shuffled)
        return
    ranked = by_loss(shuffled)
    assert ranked[0].eval_loss == min(real.values())
    assert ranked[0].learning_rate == min(rate for rate, loss in real.items() if loss == min(real.values()))
    assert [c.score for c in ranked] == sorted(c.score for c in ranked)
    assert "NaN" not in json.dumps([record["eval_loss"] for record in as_records(ranked)])
    assert as_markdown(ranked).splitlines()[4].startswith("| chosen | ")


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    """URIs by stage: one plan, a training for each rate, the choice, and all that follows it."""
    folder = tmp_path_factory.mktemp("sweep")
    uris = {"samples": publish(folder / "published", real_samples(20, 4))}
    training = TRAINING | {"epochs": 1, "max_length": 128, "learning_rate": 0.5}

    def go(name, stage, config, *ports):
        inputs = [f"{port}={uris[source]}" for port, source in ports]
        seen = run(stage, config, inputs, folder / name)
        assert seen.uri, seen.lines
        uris[name] = seen.uri

    samples = ("samples", "samples")
    go("plan", "plan", {"training": training}, samples)
    for number, rate in enumerate(RATES):
        config = {"training": training | {"learning_rate": rate}}
        go(f"train_{number}", "train", config, samples, ("plan", "plan"))
    go("choose", "choose", {}, *(("candidates", f"train_{number}") for number in range(len(RATES))))
    trained = ("train", "choose")
    go("evaluate", "evaluate", {"generations": 0}, samples, trained)
    go("export", "export", {"dtype": "float32"}, samples, trained)
    go("register", "register", {}, samples, trained, ("evaluate", "evaluate"), ("export", "export"))
    return uris


def opened(uri):
    return open_dataset(resolve(uri))


def test_a_training_shorter_than_the_first_evaluation_is_still_evaluated(swept):
    metrics = opened(swept["train_1"]).manifest.metrics
    assert 0 < metrics["steps"] < 10, "`eval_every` is 10"
    assert metrics["eval_loss"] > 0


def test_every_later_stage_goes_on_with_the_chosen_training(swept):
    best, choice = opened(swept["train_1"]), opened(swept["choose"])
    assert choice.manifest.metrics["learning_rate"] == RATES[1]
    assert choice.manifest.metrics["eval_loss"] == best.manifest.metrics["eval_loss"]
    assert winner(choice).manifest.content_hash == winner(best).manifest.content_hash == best.manifest.content_hash
    assert Trained(choice).training.learning_rate == RATES[1]
    metrics = opened(swept["evaluate"]).manifest.metrics
    assert metrics["tuned_loss"] < metrics["base_loss"] - 0.01, "the other rate changes nothing"
    tags = json.loads(opened(swept["register"]).file("registration.json").read_text())["tags"]
    assert tags["nocturne.training"] == best.manifest.content_hash


def test_a_choice_whose_training_is_gone_says_so(swept, monkeypatch):
    choice = opened(swept["choose"])
    monkeypatch.setattr("finetune.winner.open_dataset", lambda address: None)
    with pytest.raises(DamagedData, match="the chosen training is gone"):
        winner(choice)

"""rate: scores as the model alone would give them, whatever the batch, the padding and the length."""

import math

import numpy as np
import pytest
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer, LlamaConfig, LlamaForCausalLM

from contract.config.rate import RateConfig
from contract.failures import BadConfig, BadInput
from contract.records import Message, Sample
from contract.stages import BY_NAME
from contract.uris import parse_uri
from every_field import Case, check, missing_cases, run
from finetune.rate.inputs import PADDED, Reader, batches
from finetune.rate.memory import remembering
from finetune.rate.readings import check_reading, score_names, scores_of
from finetune.rate.scorer import Scorer
from published import publish, sample
from rating_models import TEMPLATE, encoder, reward_model, tokenizer
from stagekit.dataset import open_dataset
from stagekit.store import open_store

CPU = torch.device("cpu")
TURNS = (("user", "Hi"), ("assistant", "Hello"))
LENGTHS = (1, 2, 3, 5, 8, 13, 21, 34)
SAMPLES = [
    sample(
        i,
        "train",
        ("user", f"Tell me about {'the sea ' * n}"),
        ("assistant", f"It is a long day {'and night ' * n}{i}"),
    )
    for i, n in enumerate(LENGTHS)
]


def scorer_of(folder, **config) -> tuple[Scorer, Reader]:
    wanted = RateConfig(model=str(folder), **config)
    scorer = Scorer(folder, wanted, CPU, torch.float32)
    words = AutoTokenizer.from_pretrained(folder)
    return scorer, Reader(words, wanted, scorer.longest(words))


def rate_all(folder, samples=SAMPLES, **config) -> list[list[float]]:
    """Scores of all samples, in batches as the stage makes them."""
    scorer, reader = scorer_of(folder, **config)
    found = {}
    for batch in batches(reader.read(samples), config.get("batch_tokens", 8_192)):
        outputs = scores_of(scorer.outputs(batch), RateConfig(model="x"))
        found |= {row.place: scores for row, scores in zip(batch, outputs, strict=True)}
    return [found[place] for place in range(len(samples))]


def alone(folder, samples=SAMPLES) -> list[list[float]]:
    """Each conversation alone through the plain model, without padding, as its card would say."""
    words, model = AutoTokenizer.from_pretrained(folder), AutoModelForSequenceClassification.from_pretrained(folder)
    found = []
    for one in samples:
        turns = [message.model_dump() for message in one.messages]
        ids = words.apply_chat_template(turns, return_tensors="pt", return_dict=True)
        with torch.no_grad():
            found.append(model.eval()(**ids).logits[0].tolist())
    return found


def close(one, other):
    return torch.allclose(torch.tensor(one), torch.tensor(other), rtol=0, atol=1e-5)


PADDINGS = {
    "as it should be": {},
    "a tokenizer that pads on the left": {"padding_side": "left"},
    "no padding token anywhere": {"pad": None, "pad_token": None},
    "the config names none": {"pad": None},
    "the end token, in which each text ends": {"pad": "</s>"},
    "the end token in the tokenizer only": {"pad": None, "pad_token": "</s>"},
    "another one than the tokenizer's": {"pad_token": "</s>"},
}


@pytest.mark.parametrize("options", PADDINGS.values(), ids=PADDINGS)
def test_batched_is_unbatched(options, tmp_path):
    folder = reward_model(tmp_path / "model", **options)
    whole, single = rate_all(folder), rate_all(folder, batch_tokens=8)
    assert close(whole, single)
    assert close(whole, alone(folder))
    assert len({round(score, 3) for (score,) in whole}) == len(SAMPLES), "scores differ, or nothing was shown"


def test_several_heads(tmp_path):
    folder = reward_model(tmp_path / "model", labels=3)
    assert close(rate_all(folder), alone(folder))


@pytest.mark.parametrize("kind", ["bert", "roberta"])
def test_encoders_batched_and_cut_to_their_positions(kind, tmp_path):
    folder = encoder(tmp_path / "model", ["bad", "good"], kind, positions=64)
    scorer, reader = scorer_of(folder, field="answer")
    assert reader.longest == (64 if kind == "bert" else 64 - scorer.text_config.pad_token_id - 1)
    rows = reader.read(SAMPLES)
    assert rows[-1].cut
    assert {row.ids[0] for row in rows} == {reader.tokenizer.bos_token_id}
    assert {row.ids[-1] for row in rows} == {reader.tokenizer.eos_token_id}, "special tokens survive the cut"
    assert close(rate_all(folder, field="answer"), rate_all(folder, field="answer", batch_tokens=8))


def test_the_template_writes_the_begin_token_once(tmp_path):
    folder = reward_model(tmp_path / "model")
    _, reader = scorer_of(folder)
    ids = reader.read(SAMPLES[:1])[0].ids
    assert ids.count(reader.tokenizer.bos_token_id) == 1
    assert reader.tokenizer.decode(ids).startswith("<s>user: Tell me")


def test_what_is_cut(tmp_path):
    folder = reward_model(tmp_path / "model")
    for cut, ends in (("end", "<s>user: Tell"), ("start", "7</s>")):
        _, reader = scorer_of(folder, max_length=16, cut=cut)
        rows = reader.read(SAMPLES)
        assert all(row.cut == (len(row.ids) == 16) for row in rows[1:])
        text = reader.tokenizer.decode(rows[-1].ids)
        assert text.startswith("<s>")
        assert ends in text


def test_a_conversation_that_the_template_refuses_goes_to_the_ledger(tmp_path):
    template = "{% if messages[0]['role'] == 'system' %}{{ raise_exception('No system role!') }}{% endif %}" + TEMPLATE
    reward_model(tmp_path / "model", template)
    publish(tmp_path / "samples", [sample(99, "train", ("system", "Be kind"), *TURNS), sample(100, "train", *TURNS)])
    dataset = read(run("rate", {"model": str(tmp_path / "model")}, [f"rows={tmp_path}/samples"], tmp_path / "out"))
    assert dataset.manifest.accounts["rows"].failed == {"template_refused": 1}
    assert next(dataset.ledger()).detail == "No system role!"
    assert dataset.rows == 1


def test_without_a_template_a_conversation_is_plain_text(tmp_path):
    folder = reward_model(tmp_path / "model", template="")
    _, reader = scorer_of(folder)
    text = reader.tokenizer.decode(reader.read(SAMPLES[:1])[0].ids)
    assert "about the sea \n\nIt is" in text


@pytest.mark.parametrize("most", [8, 40, 10_000])
def test_batches_hold_every_row_once_and_keep_to_their_size(most):
    reader = Reader(tokenizer(TEMPLATE), RateConfig(model="x"), 1_000)
    rows = reader.read(SAMPLES)
    made = list(batches(rows, most))
    assert sorted(row.place for batch in made for row in batch) == list(range(len(rows)))
    for batch in made:
        padded = len(batch) * max(len(row.ids) for row in batch)
        assert len(batch) == 1 or padded <= min(most, PADDED * sum(len(row.ids) for row in batch))


def test_readings():
    logits = torch.tensor([[0.0, math.log(3)]])

    def read(reading, **more):
        return scores_of(logits, RateConfig(model="x", reading=reading, **more))[0]

    assert read("heads") == [0.0, pytest.approx(1.09861)]
    assert read("sigmoid") == [0.5, 0.75]
    assert read("probability") == [0.25, 0.75]
    assert read("expected") == [0.75]
    assert read("expected", values=[1, 5]) == [4.0]


def test_names():
    assert score_names(RateConfig(model="x"), ["LABEL_0"]) == ["rate"]
    assert score_names(RateConfig(model="x"), ["helpful", "safe"]) == ["helpful", "safe"]
    assert score_names(RateConfig(model="x", reading="expected", names=["edu"]), ["0", "1", "2"]) == ["edu"]
    with pytest.raises(BadConfig, match="`names` are a; expected 2 different names"):
        score_names(RateConfig(model="x", names=["a"]), ["helpful", "safe"])
    with pytest.raises(BadConfig, match="`minimum` names quality; expected some of rate"):
        score_names(RateConfig(model="x", minimum={"quality": 1}), ["LABEL_0"])


@pytest.mark.parametrize(
    ("config", "outputs", "problem"),
    [
        ({"reading": "probability"}, 1, "a model with one output"),
        ({"reading": "expected", "values": [1]}, 2, "1 `values`"),
        ({"values": [1, 2]}, 2, "2 `values` for reading 'heads'"),
    ],
)
def test_readings_that_say_nothing(config, outputs, problem):
    with pytest.raises(BadConfig, match=problem):
        check_reading(RateConfig(model="x", **config), outputs)


def test_a_model_without_a_trained_head_is_refused(tmp_path):
    words = tokenizer()
    words.save_pretrained(tmp_path / "base")
    config = LlamaConfig(
        vocab_size=len(words), hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=1
    )
    LlamaForCausalLM(config).save_pretrained(tmp_path / "base")
    with pytest.raises(BadInput, match=r"the weights lack score\.weight, so its scores would be random"):
        scorer_of(tmp_path / "base")


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

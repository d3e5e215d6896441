"""rate: scores as the model alone would give them, whatever the batch, the padding and the length."""

import math

import pytest
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer, LlamaConfig, LlamaForCausalLM

from contract.config.rate import RateConfig
from contract.failures import BadConfig, BadInput
from finetune.rate.inputs import PADDED, Reader, batches
from finetune.rate.readings import check_reading, score_names, scores_of
from finetune.rate.scorer import Scorer
from rating_models import SAMPLES, TEMPLATE, encoder, reward_model, tokenizer

CPU = torch.device("cpu")


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

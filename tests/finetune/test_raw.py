"""Continued pre-training on raw text: nothing is lost, documents stay on one side, and every stage understands it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.config.finetune import Training
from contract.records import Chunk, Document
from every_field import run
from finetune.chat import dress, encode, parity_problem
from finetune.data import encode_rows, read_splits
from finetune.raw import held_out, raw_samples
from finetune.tiny import train_tokenizer
from published import TRAINING, publish, real_samples
from stagekit.dataset import open_dataset
from stagekit.store import resolve

PARTS = [sample.answer for sample in real_samples(24, 0)]
TEXTS = [" ".join(PARTS[place : place + 2]) for place in range(0, len(PARTS), 2)]
DOCUMENTS = [Document(id=f"d{number}", text=text, source="test") for number, text in enumerate(TEXTS)]
RAW = TRAINING | {"template": "text", "max_length": 96, "epochs": 1, "lora": {"rank": 4}}


@pytest.fixture(scope="module")
def documents(tmp_path_factory):
    return publish(tmp_path_factory.mktemp("raw") / "documents", DOCUMENTS, record=Document)


@pytest.fixture(scope="module")
def tokenizer():
    made = train_tokenizer(TEXTS, vocabulary=400)
    dress(made, "text")
    return made


@given(text=st.text(max_size=300), length=st.integers(min_value=16, max_value=64))
def test_the_pieces_of_a_text_are_the_text(tokenizer, text, length):
    (sample,) = raw_samples([Document(id="a", text=text)])
    rows = encode_rows(tokenizer, [sample], Training(template="text", max_length=length))
    ids = [token for row in rows for token in row.ids]
    assert ids == [tokenizer.bos_token_id, *tokenizer(text)["input_ids"], tokenizer.eos_token_id]
    assert [token for row in rows for token in row.labels] == ids, "every token is learned"
    assert not any(row.truncated for row in rows)
    assert parity_problem(tokenizer, sample.messages, encode(tokenizer, sample.messages)) is None


def test_the_parts_of_a_document_stay_on_one_side():
    chunks = [
        Chunk(id=f"{d}-{n}", document_id=f"d{d}", ordinal=n, start=n, end=n + 1, text="x")
        for d in range(40)
        for n in range(3)
    ]
    sides: dict[str, set[str]] = {}
    for sample in raw_samples(chunks):
        sides.setdefault(sample.document_id, set()).add(sample.split)
    assert all(len(side) == 1 for side in sides.values())
    assert sum(side == {"test"} for side in sides.values()) == 2


@given(st.sets(st.text(min_size=1, max_size=5), min_size=2, max_size=60))
def test_a_twentieth_is_held_out_and_never_all_nor_none(ids):
    assert len(held_out(ids)) == max(1, round(len(ids) / 20)) < len(ids)
    assert held_out(ids) == held_out({*sorted(ids, reverse=True)})


def test_a_chat_template_and_raw_text_refuse_each_other(documents, tmp_path):
    samples = publish(tmp_path / "samples", real_samples(12, 3))
    for data, training in ((documents, RAW | {"template": "chatml"}), (samples, RAW)):
        seen = run("plan", {"training": training}, [f"samples={data}"], tmp_path / "plan")
        assert "failure BadInput: rows of type" in str(seen.lines)


def test_raw_text_goes_the_whole_way(documents, tmp_path):
    inputs = {"samples": documents}
    for stage, config, ports in (
        ("plan", {"training": RAW}, ("samples",)),
        ("train", {"training": RAW, "eval_every": 2}, ("samples", "plan")),
        ("evaluate", {"generations": 1, "max_new_tokens": 4}, ("samples", "train")),
        ("export", {"dtype": "float32"}, ("samples", "train")),
    ):
        seen = run(stage, config, [f"{port}={inputs[port]}" for port in ports], tmp_path / stage)
        assert seen.uri, seen.lines
        inputs[stage] = seen.uri
    metrics = open_dataset(resolve(inputs["evaluate"])).manifest.metrics
    assert metrics["tuned_loss"] < metrics["base_loss"]
    train, _ = read_splits(open_dataset(resolve(documents)))
    assert open_dataset(resolve(inputs["plan"])).manifest.metrics["truncated"] == 0
    assert len(train) == len(DOCUMENTS) - 1

"""embed: what vectors promise, on word vectors trained here and on a sentence-transformer small enough to check."""

import json
import random

import numpy as np
import pytest

from contract.config.embedding import Embedding
from contract.failures import BadInput
from curate.embed.load import embedder
from curate.embed.skipgram import train, training_rows
from curate.embed.transformer import SentenceTransformer
from tiny_onnx import gather_model, write_model

SMALL = Embedding(dimension=24)
FRUIT = ["apple", "pear", "plum", "cherry"]
TOOLS = ["hammer", "saw", "chisel", "drill"]


@pytest.fixture(scope="module")
def corpus():
    """Sentences in which fruit grows on trees and tools lie in sheds."""
    rng = random.Random(1)
    fruit = [f"ripe {rng.choice(FRUIT)} and {rng.choice(FRUIT)} grow on the old tree" for _ in range(400)]
    tools = [f"heavy {rng.choice(TOOLS)} and {rng.choice(TOOLS)} lie in a dark shed" for _ in range(400)]
    return fruit + tools


@pytest.fixture(scope="module")
def trained(corpus):
    return train(corpus, SMALL)


def test_two_trainings_give_equal_vectors(corpus, trained):
    again = train(corpus, SMALL)
    assert np.array_equal(again.embed(corpus[:50]), trained.embed(corpus[:50]))
    assert again.name == trained.name
    assert train(corpus[::-1], SMALL).name != trained.name


def test_word_vectors_have_length_one_and_depend_on_their_text_alone(corpus, trained):
    vectors = trained.embed(corpus)
    assert vectors.dtype == np.float32
    assert vectors.shape == (800, trained.dimension)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    assert np.array_equal(trained.embed(corpus[::-1])[::-1], vectors)
    assert np.array_equal(trained.embed(corpus[5:6])[0], vectors[5])


def test_alike_texts_are_nearer_than_others(trained):
    pear, plum, saw = trained.embed(["ripe pear on the tree", "ripe plum on the tree", "heavy saw in a shed"])
    assert pear @ plum > pear @ saw + 0.2


def test_words_never_learnt_still_tell_texts_apart(trained):
    one, same, other = trained.embed(["the old tree Qwertz42", "the old tree qwertz42!", "the old tree Asdf17"])
    assert np.array_equal(one, same)
    assert one @ other < 0.9


def test_a_text_without_words_is_like_nothing(trained):
    assert not trained.embed(["", "?!"]).any()
    assert trained.embed([]).shape == (0, trained.dimension)


def test_nothing_to_learn_from_is_no_failure():
    one, other = train(["only once"], SMALL).embed(["only once", "something else"])
    assert one @ other < 0.9


def test_few_long_texts_are_told_apart(shared_data):
    """Of 76 articles nearly all are unlike each other; an edited copy still is like its original."""
    found = json.loads((shared_data / "articles.json").read_text())["artifact_data"]
    texts = [article["content"] for article in found]
    draw = random.Random(0)
    copies = [
        " ".join(word if draw.random() > 0.2 else draw.choice(words) for word in words)
        for words in (text.split() for text in texts[:9])
    ]
    vectors = train([*texts, *copies], Embedding()).embed([*texts, *copies])
    among = vectors[: len(texts)] @ vectors[: len(texts)].T
    near = (np.triu(among, 1) >= 0.9).any(axis=1).sum()
    print(f"articles with another one at a cosine of 0.9: {near} of {len(texts)}")
    assert near <= 3
    assert (np.einsum("ij,ij->i", vectors[len(texts) :], vectors[:9]) >= 0.9).all()


def test_the_training_rows_follow_content_and_stop_at_the_limit():
    digests, lengths = np.array([30, 10, 20], np.uint64), np.array([5, 6, 7])
    assert training_rows(digests, lengths, 13).tolist() == [1, 2]
    assert training_rows(digests, lengths, 100).tolist() == [1, 2, 0]
    assert training_rows(digests, lengths, 1).tolist() == [1]


VECTORS = {"[UNK]": [0.0, 0.0, 1.0], "red": [1.0, 0.0, 0.0], "blue": [0.0, 1.0, 0.0], "green": [0.6, 0.8, 0.0]}


@pytest.mark.parametrize(
    ("pooling", "expected"),
    [
        ("mean_tokens", [0.8, 0.4 * 1.0, 0]),
        ("cls_token", [1, 0, 0]),
        ("max_tokens", [1, 0.8, 0]),
        ("lasttoken", [0.6, 0.8, 0]),
    ],
)
def test_a_sentence_transformer_pools_as_its_folder_says(tmp_path, pooling, expected):
    model = SentenceTransformer(write_model(tmp_path / "model", VECTORS, pooling))
    expected = np.array(expected) / np.linalg.norm(expected)
    assert model.embed(["Red green", "Red green"]) == pytest.approx(np.array([expected, expected]), abs=1e-6)


def test_both_ways_to_state_the_pooling_are_read(tmp_path):
    """Flags for each kind, and one name, as sentence-transformers 5.7 writes it."""
    folder = write_model(tmp_path / "model", VECTORS, "cls_token")
    before = SentenceTransformer(folder)
    stated = {"embedding_dimension": 3, "pooling_mode": "cls", "include_prompt": True}
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(stated))
    types = ("base.modules.transformer.Transformer", "sentence_transformer.modules.pooling.Pooling")
    (folder / "modules.json").write_text(json.dumps([{"type": f"sentence_transformers.{name}"} for name in types]))
    now = SentenceTransformer(folder)
    assert now.name == before.name
    assert np.array_equal(now.embed(["red green"]), before.embed(["red green"]))


def test_batches_threads_and_neighbours_change_nothing(tmp_path):
    folder = write_model(tmp_path / "model", VECTORS, longest=64)
    rng = random.Random(2)
    texts = [" ".join(rng.choices([*VECTORS, "other"], k=rng.randint(0, 80))) for _ in range(300)]
    vectors = SentenceTransformer(folder, workers=1).embed(texts)
    model = SentenceTransformer(folder, workers=2)
    assert np.array_equal(model.embed(texts[::-1])[::-1], vectors)
    assert np.array_equal(np.vstack([model.embed([text]) for text in texts[:40]]), vectors[:40])
    empty = np.array([not text for text in texts])
    assert not vectors[empty].any()
    assert np.linalg.norm(vectors[~empty], axis=1) == pytest.approx(1, abs=1e-6)


def test_texts_are_cut_at_the_longest_input(tmp_path):
    model = SentenceTransformer(write_model(tmp_path / "model", VECTORS, longest=3))
    cut, whole = model.embed(["red red red blue", "red red red"])
    assert np.array_equal(cut, whole)


def test_a_prompt_of_the_model_is_put_before_each_text(tmp_path):
    folder = write_model(tmp_path / "model", VECTORS)
    (folder / "config_sentence_transformers.json").write_text(
        json.dumps({"prompts": {"query": "blue "}, "default_prompt_name": "query"})
    )
    assert SentenceTransformer(folder).embed(["red"])[0] == pytest.approx([0.5**0.5, 0.5**0.5, 0], abs=1e-6)


def _without(name):
    return lambda folder: (folder / name).unlink()


def _with(name, content):
    return lambda folder: (folder / name).write_bytes(
        content if isinstance(content, bytes) else json.dumps(content).encode()
    )


DENSE = [{"type": f"sentence_transformers.models.{name}"} for name in ("Transformer", "Pooling", "Dense")]
WIDE = {"word_embedding_dimension": 4, "pooling_mode_mean_tokens": True}
SQRT = {"word_embedding_dimension": 3, "pooling_mode_mean_sqrt_len_tokens": True}


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (_without("onnx/model.onnx"), "no ONNX model.*Try: export it with sentence-transformers"),
        (_without("tokenizer.json"), "no tokenizer.json"),
        (_without("modules.json"), "no modules.json"),
        (_without("1_Pooling/config.json"), "no 1_Pooling/config.json"),
        (_with("tokenizer.json", b"{"), "tokenizer.json is not JSON"),
        (_with("tokenizer.json", {}), "holds no tokenizer"),
        (_with("modules.json", DENSE), "Transformer -> Pooling -> Dense"),
        (_with("1_Pooling/config.json", SQRT), "pooling is mean_sqrt_len"),
        (_with("1_Pooling/config.json", {"embedding_dimension": 3, "pooling_mode": ["cls", "max"]}), "is cls and max"),
        (_with("1_Pooling/config.json", WIDE), "vectors have 3 numbers, 1_Pooling/config.json says 4"),
        (_with("onnx/model.onnx", b"not a model"), "the ONNX model cannot be loaded"),
        (
            _with("onnx/model.onnx", gather_model(np.ones((2, 3), np.float32))),
            "does not run on the tokenizer's 4 tokens",
        ),
    ],
)
def test_a_folder_that_is_not_whole_is_explained(tmp_path, damage, message):
    folder = write_model(tmp_path / "model", VECTORS)
    damage(folder)
    with pytest.raises(BadInput, match=message):
        SentenceTransformer(folder)


def test_the_config_chooses_the_encoder(tmp_path, corpus):
    folder = write_model(tmp_path / "model", VECTORS)
    named = embedder(Embedding(encoder="sentence_transformer", model=str(folder)), list)
    assert named.name.startswith("onnx-")
    assert embedder(SMALL, lambda: corpus).name == train(corpus, SMALL).name
    with pytest.raises(BadInput, match="no such folder"):
        embedder(Embedding(encoder="sentence_transformer", model=str(tmp_path / "nowhere")), list)
    with pytest.raises(ValueError, match="names no folder"):
        Embedding(encoder="sentence_transformer")

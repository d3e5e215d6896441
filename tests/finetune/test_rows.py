"""Rows on disk: tokens and masks as one conversation at a time has them, packed as TRL packs, read without loading."""

import random
from pathlib import Path

import pyarrow as pa
import pytest
from datasets import Dataset
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast
from trl import pack_dataset

from contract.config.finetune import Training
from contract.records import Message
from finetune.chat import BATCH_CONVERSATIONS, FORMATS, _render, dress, encode, encode_all
from finetune.data import Row, stream_rows
from finetune.rows import open_rows, write_rows
from finetune.tiny import train_tokenizer
from published import real_samples, sample

TEXTS = [
    "Écoute: see  you.\n",
    "漢字 🙂🙂 word",
    " <|im_end|> <s> ",
    "naïve café",
    "a",
    "\t\n",
    "The quick brown fox",
    "",
]
TURNS = st.lists(
    st.tuples(st.sampled_from(["user", "assistant"]), st.one_of(st.sampled_from(TEXTS), st.text(max_size=30))),
    min_size=1, max_size=5,
)  # fmt: skip


def unigram():
    """Words begin with a mark, as in SentencePiece's models, and characters are folded first."""
    words = Tokenizer(models.Unigram())
    words.normalizer = normalizers.NFKC()
    words.pre_tokenizer = pre_tokenizers.Metaspace()
    words.decoder = decoders.Metaspace()
    names = ["<unk>", "<s>", "</s>", "<pad>"]
    trainer = trainers.UnigramTrainer(vocab_size=120, special_tokens=names, unk_token="<unk>", show_progress=False)
    words.train_from_iterator(TEXTS * 3, trainer)
    return PreTrainedTokenizerFast(tokenizer_object=words, bos_token="<s>", eos_token="</s>", pad_token="<pad>")


def wordpiece():
    """White space belongs to no token, and accents are dropped."""
    words = Tokenizer(models.WordPiece(unk_token="<unk>"))
    words.normalizer = normalizers.BertNormalizer()
    words.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    names = ["<unk>", "<s>", "</s>", "<pad>"]
    words.train_from_iterator(TEXTS * 3, trainers.WordPieceTrainer(vocab_size=150, special_tokens=names))
    return PreTrainedTokenizerFast(tokenizer_object=words, bos_token="<s>", eos_token="</s>", pad_token="<pad>")


MADE = {"bytes": train_tokenizer(TEXTS * 3, vocabulary=330), "unigram": unigram(), "wordpiece": wordpiece()}


def one_by_one(tokenizer, messages):
    """Ids and mask from the definition: a token is the assistant's when all of it lies in a marked span."""
    ((text, spans),) = _render(tokenizer, [messages], prompt=False)
    tokens = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
    inside = [any(low <= start and end <= high for low, high in spans) for start, end in tokens["offset_mapping"]]
    return tokens["input_ids"], inside


@pytest.mark.parametrize("kind", MADE)
@pytest.mark.parametrize("template", sorted(FORMATS))
@settings(max_examples=25, deadline=None)
@given(st.lists(TURNS, min_size=1, max_size=4))
def test_a_batch_has_the_ids_and_masks_of_its_conversations_one_by_one(template, kind, talks):
    tokenizer = MADE[kind]
    dress(tokenizer, template)
    talks = [[Message(role=role, content=content) for role, content in talk] for talk in talks]
    found = [(encoded.ids, encoded.mask) for encoded in encode_all(tokenizer, talks)]
    assert found == [one_by_one(tokenizer, talk) for talk in talks]
    assert [(encoded.ids, encoded.mask) for encoded in (encode(tokenizer, talk) for talk in talks)] == found


def test_samples_are_read_no_further_ahead_than_two_batches():
    tokenizer, read = MADE["bytes"], []
    dress(tokenizer, "chatml")

    def samples():
        for number in range(5 * BATCH_CONVERSATIONS):
            read.append(number)
            yield sample(number, "train", ("user", "Who?"), ("assistant", "Me."))

    rows = stream_rows(tokenizer, samples(), Training())
    assert next(rows).id == "s0000"
    assert len(read) <= 2 * BATCH_CONVERSATIONS + 1
    assert sum(1 for _ in rows) == 5 * BATCH_CONVERSATIONS - 1


def some_rows(number, longest, seed=0):
    draw = random.Random(seed)
    lengths = [min(longest, int(draw.lognormvariate(3, 1)) + 2) for _ in range(number)]
    return [
        Row(f"r{i}", list(range(i, i + size)), [-100, *range(i + 1, i + size)], size) for i, size in enumerate(lengths)
    ]


def parts(dataset):
    """Ids and labels of each sample, wherever it was packed."""
    found = []
    for row in dataset:
        start = 0
        for length in row.get("seq_lengths") or [len(row["input_ids"])]:
            found.append((row["input_ids"][start : start + length], row["labels"][start : start + length]))
            start += length
        assert start == len(row["input_ids"])
    return found


@pytest.mark.parametrize("packing", [True, False])
def test_each_row_is_written_once_and_whole(packing, tmp_path):
    rows = some_rows(700, 128)
    written = write_rows(iter(rows), tmp_path / "rows.arrow", Training(max_length=128, packing=packing))
    dataset = open_rows(tmp_path / "rows.arrow")
    assert len(dataset) == written
    assert max(len(row["input_ids"]) for row in dataset) <= 128
    assert sorted(parts(dataset)) == sorted((row.ids, row.labels) for row in rows)
    assert [path.name for path in tmp_path.iterdir()] == ["rows.arrow"], "nothing is left beside it"


def test_rows_are_packed_as_trl_packs_them(tmp_path):
    rows = some_rows(900, 64)
    write_rows(rows, tmp_path / "rows.arrow", Training(max_length=64))
    told = {"input_ids": [row.ids for row in rows], "labels": [row.labels for row in rows]}
    assert open_rows(tmp_path / "rows.arrow")[:] == pack_dataset(Dataset.from_dict(told), 64, "bfd")[:]


def test_equal_rows_make_equal_files(tmp_path):
    for name in ("a", "b"):
        write_rows(some_rows(50, 64), tmp_path / name / "rows.arrow", Training(max_length=64))
    assert (tmp_path / "a/rows.arrow").read_bytes() == (tmp_path / "b/rows.arrow").read_bytes()


def test_rows_that_are_opened_are_not_loaded(tmp_path):
    write_rows(some_rows(20_000, 512), tmp_path / "rows.arrow", Training(max_length=512, packing=False))
    before = pa.total_allocated_bytes()
    dataset = open_rows(tmp_path / "rows.arrow")
    assert len(dataset[19_000]["input_ids"]) >= 2
    size = Path(tmp_path / "rows.arrow").stat().st_size
    assert pa.total_allocated_bytes() - before < size / 20


def test_no_rows_make_no_file(tmp_path):
    assert write_rows([], tmp_path / "rows.arrow", Training()) == 0
    assert not (tmp_path / "rows.arrow").exists()


def test_the_rows_of_samples_are_those_of_each_alone():
    tokenizer, samples = MADE["bytes"], real_samples(20, 0)
    dress(tokenizer, "chatml")
    training = Training(max_length=200)
    together = list(stream_rows(tokenizer, samples, training))
    assert together == [row for one in samples for row in stream_rows(tokenizer, [one], training)]
    assert any(row.truncated for row in together)

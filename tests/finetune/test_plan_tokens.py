"""Tokens: every cut, lost end and doubled begin is counted, and refused with the numbers."""

import pytest

from contract.config.finetune import Training
from contract.failures import BadInput
from finetune.chat import dress
from finetune.data import encode_rows
from finetune.plan.lengths import check_learnable, check_truncation
from finetune.tiny import train_tokenizer
from finetune_rows import measure
from published import sample


def rows_of(answers, **settings):
    training = Training(**settings)
    tokenizer = train_tokenizer(answers, vocabulary=300)
    dress(tokenizer, training.template)
    samples = [sample(i, "train", ("user", "Say it"), ("assistant", answer)) for i, answer in enumerate(answers)]
    return encode_rows(tokenizer, samples, training), training


def test_every_cut_is_counted():
    rows, training = rows_of(["q", "a b c d e f g h i j k l m n o p", "z"], max_length=32)
    lengths = measure(rows, training)
    assert (lengths.rows, lengths.truncated, lengths.lost_ends, lengths.nothing_to_learn) == (3, 1, 1, 0)
    assert lengths.truncated_tokens == lengths.longest - 32
    check_truncation(lengths, training, allowed=0.34)
    with pytest.raises(BadInput, match=r"1 of 3 samples \(33\.3%\) are longer than 32 tokens"):
        check_truncation(lengths, training, allowed=0.33)


def test_rows_with_nothing_left_to_learn_are_said_to_be_so():
    rows, training = rows_of(["q", "r"], max_length=16)
    assert all(row.targets == 0 for row in rows)
    with pytest.raises(BadInput, match="none of 2 samples has a token to learn within 16 tokens"):
        check_learnable(measure(rows, training), training)


def test_loss_on_everything_learns_prompts_too():
    rows, _ = rows_of(["answer"], loss_on="everything")
    assert rows[0].targets == len(rows[0].ids) - 1

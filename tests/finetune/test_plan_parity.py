"""Traps that change what is learned without a word: rendered text, foreign roles, lost ends, templates that differ."""

import logging

import pytest
from datasets import Dataset
from pydantic import ValidationError
from trl import pack_dataset

from contract.config.finetune import Training
from contract.failures import BadInput
from contract.records import Message
from finetune.base import load_tokenizer
from finetune.chat import FORMATS, dress, encode, prompt_ids
from finetune.data import encode_rows
from finetune.plan.lengths import check_begins, check_learnable
from finetune.plan.parity import check_parity, served_ids
from finetune.plan.refusals import Refusals
from finetune.plan.view import as_html, as_text, show
from finetune.tiny import train_tokenizer
from finetune_rows import measure
from published import sample

ASK = ("user", "Hi there")
TALK = sample(1, "train", ("system", "Be brief."), ASK, ("assistant", "Hello."), ("user", "Bye"), ("assistant", "So."))


def dressed(template="chatml"):
    tokenizer = train_tokenizer(["Be brief. Hi there Hello Bye"] * 3, vocabulary=400)
    dress(tokenizer, template)
    return tokenizer


@pytest.mark.parametrize("template", sorted(FORMATS))
def test_training_inference_and_a_server_have_the_same_tokens(template, tmp_path):
    tokenizer = dressed(template)
    tokenizer.save_pretrained(tmp_path)
    served = load_tokenizer(tmp_path)
    parity = check_parity(tokenizer, served, [TALK, TALK])
    assert (parity.samples, parity.answers, parity.served_answers) == (2, 4, 4)
    trained = encode(tokenizer, TALK.messages).ids
    for turn in (2, 4):
        asked = served_ids(served, TALK.messages[:turn])
        assert asked == prompt_ids(tokenizer, TALK.messages[:turn]) == trained[: len(asked)]
    assert served.eos_token == tokenizer.eos_token


def test_a_server_with_another_template_is_found_out():
    with pytest.raises(BadInput, match=r"sample s0001: turn 2: a server's prompt of \d+ tokens differs from ours"):
        check_parity(dressed("chatml"), dressed("phi3"), [TALK])


def test_a_template_that_opens_a_thought_for_the_model_is_refused_unless_allowed():
    tokenizer = dressed()
    tokenizer.chat_template = tokenizer.chat_template.replace(
        "'<|im_start|>assistant\\n' if", "'<|im_start|>assistant\\n<think>\\n' if"
    )
    with pytest.raises(BadInput, match="not a prefix of the training tokens"):
        check_parity(tokenizer, tokenizer, [TALK])
    refusals = Refusals(["parity"], logging.getLogger("test"))
    with refusals.named("parity"):
        check_parity(tokenizer, tokenizer, [TALK])
    assert "not a prefix" in refusals.overruled["parity"]


def test_an_answer_whose_end_is_not_learned_is_refused():
    tokenizer = dressed()
    tokenizer.eos_token = "</s>"  # generation would wait for it forever
    with pytest.raises(BadInput, match=r"ends in '<\|im_end\|>', and its end token '</s>' is not learned"):
        check_parity(tokenizer, tokenizer, [TALK])


def test_text_that_was_rendered_before_is_counted_and_refused():
    tokenizer, training = dressed("mistral"), Training(template="mistral")
    rendered = sample(2, "train", ("user", "<s>[INST] Hi there [/INST]"), ("assistant", "Hello."))
    lengths = measure(encode_rows(tokenizer, [TALK, rendered], training), training, tokenizer.bos_token_id)
    assert lengths.doubled_begins == 1
    with pytest.raises(BadInput, match="1 of 2 samples hold the begin token more than once"):
        check_begins(lengths)
    check_begins(measure(encode_rows(tokenizer, [TALK], training), training, tokenizer.bos_token_id))
    assert check_parity(tokenizer, tokenizer, [TALK, rendered]).with_control_tokens == 1


@pytest.mark.parametrize("role", ["human", "gpt", "tool"])
def test_roles_of_other_formats_cannot_reach_the_template(role):
    with pytest.raises(ValidationError, match="role"):
        Message(role=role, content="Hi")


def test_a_sample_in_which_nobody_answers_teaches_nothing_and_says_so():
    training = Training()
    lengths = measure(encode_rows(dressed(), [sample(3, "train", ASK)], training), training)
    assert (lengths.learned_tokens, lengths.nothing_to_learn) == (0, 1)
    with pytest.raises(BadInput, match="none of 1 samples has a token to learn"):
        check_learnable(lengths, training)


def test_ends_that_a_packer_would_lose_without_a_word_are_counted():
    tokenizer = dressed()
    samples = [sample(i, "train", ASK, ("assistant", "Hello " * i)) for i in range(40)]
    whole = [row.ids for row in encode_rows(tokenizer, samples, Training(max_length=1_000))]
    packed = pack_dataset(Dataset.from_dict({"input_ids": whole}), 48, "bfd")["input_ids"]
    kept = sum(row.count(tokenizer.eos_token_id) for row in packed)
    lost = sum(ids.count(tokenizer.eos_token_id) for ids in whole) - kept
    training = Training(max_length=48)
    lengths = measure(encode_rows(tokenizer, samples, training), training)
    assert lengths.lost_ends == lost > 0
    assert lengths.truncated > lost, "a cut that takes only what follows the end token loses no end"
    assert lengths.truncated_tokens == sum(map(len, whole)) - sum(map(len, packed))
    assert lengths.packed_rows == len(packed)
    assert lengths.median <= lengths.p90 <= lengths.p99 <= lengths.longest


def test_the_mask_is_shown_with_counts_and_with_what_is_cut():
    tokenizer = dressed()
    whole = show(tokenizer, TALK, Training(max_length=1_000))
    text = as_text([whole])
    assert "⟦Hello.<|im_end|>⟧" in text
    assert f"--- s0001: {whole.tokens} tokens, {whole.learned} learned" in text
    cut = show(tokenizer, TALK, Training(max_length=whole.tokens - 4))
    assert cut.cut
    assert "<del>" in as_html([cut], "chatml")
    assert "[cut off: " in as_text([cut])
    assert "<mark>Hello.&lt;|im_end|&gt;</mark>" in as_html([whole], "chatml")
    everything = show(tokenizer, TALK, Training(loss_on="everything"))
    assert len(everything.runs) == 1
    assert everything.learned == everything.tokens

"""Chat templates: the mask against a truth written by hand, parity with serving, and tokenizers that cannot be used."""

import pytest

from contract.failures import BadInput
from contract.records import Message, Sample
from finetune.chat import FORMATS, dress, encode, parity_problem, prompt_ids
from finetune.plan.view import spans
from finetune.tiny import train_tokenizer

TALK = [
    Message(role="system", content="Be brief."),
    Message(role="user", content="Hi there"),
    Message(role="assistant", content="\n Hello, <b>world</b>! "),
    Message(role="user", content="Bye"),
    Message(role="assistant", content="Écoute: see you."),
]
LEARNED = {
    "alpaca": "<s>Be brief.\n\n### Instruction:\nHi there\n\n### Response:\n[[Hello, <b>world</b>!</s>]]\n\n"
    "### Instruction:\nBye\n\n### Response:\n[[Écoute: see you.</s>]]",
    "chatml": "<s><|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHi there<|im_end|>\n"
    "<|im_start|>assistant\n[[Hello, <b>world</b>!<|im_end|>]]\n<|im_start|>user\nBye<|im_end|>\n"
    "<|im_start|>assistant\n[[Écoute: see you.<|im_end|>]]\n",
    "llama3": "<s><|start_header_id|>system<|end_header_id|>\n\nBe brief.<|eot_id|>"
    "<|start_header_id|>user<|end_header_id|>\n\nHi there<|eot_id|>"
    "<|start_header_id|>assistant<|end_header_id|>\n\n[[Hello, <b>world</b>!<|eot_id|>]]"
    "<|start_header_id|>user<|end_header_id|>\n\nBye<|eot_id|>"
    "<|start_header_id|>assistant<|end_header_id|>\n\n[[Écoute: see you.<|eot_id|>]]",
    "mistral": "<s>[INST] Be brief.\n\nHi there [/INST][[ Hello, <b>world</b>!</s>]]"
    "[INST] Bye [/INST][[ Écoute: see you.</s>]]",
    "phi3": "<s><|system|>\nBe brief.<|end|>\n<|user|>\nHi there<|end|>\n"
    "<|assistant|>\n[[Hello, <b>world</b>!<|end|>]]\n<|user|>\nBye<|end|>\n"
    "<|assistant|>\n[[Écoute: see you.<|end|>]]\n",
    "gemma": "<s><start_of_turn>user\nBe brief.\n\nHi there<end_of_turn>\n"
    "<start_of_turn>model\n[[Hello, <b>world</b>!<end_of_turn>]]\n<start_of_turn>user\nBye<end_of_turn>\n"
    "<start_of_turn>model\n[[Écoute: see you.<end_of_turn>]]\n",
}


def tokenizer_for(template):
    tokenizer = train_tokenizer([message.content for message in TALK] * 3, vocabulary=400)
    dress(tokenizer, template)
    return tokenizer


@pytest.mark.parametrize("template", sorted(FORMATS))
def test_the_mask_covers_exactly_what_the_assistant_says_with_its_end_of_turn(template):
    runs = spans(tokenizer_for(template), Sample(id="a", messages=TALK))
    assert "".join(f"[[{text}]]" if learned else text for learned, text in runs) == LEARNED[template]


@pytest.mark.parametrize("template", sorted(FORMATS))
def test_what_a_server_sends_is_a_prefix_of_what_is_trained(template):
    tokenizer = tokenizer_for(template)
    encoded = encode(tokenizer, TALK)
    assert parity_problem(tokenizer, TALK, encoded) is None
    served = tokenizer.apply_chat_template(
        [message.model_dump() for message in TALK[:4]], add_generation_prompt=True, return_dict=True
    )["input_ids"]
    assert served == prompt_ids(tokenizer, TALK[:4]) == encoded.ids[: len(served)]
    assert encoded.ids.count(tokenizer.bos_token_id) == 1


def test_a_template_whose_prompt_is_no_prefix_is_found_out():
    tokenizer = tokenizer_for("chatml")
    tokenizer.chat_template = tokenizer.chat_template.replace(
        "'<|im_start|>assistant\\n' if", "'<|im_start|>assistant\\n<think>\\n' if"
    )
    assert "not a prefix" in parity_problem(tokenizer, TALK, encode(tokenizer, TALK))


def test_tokens_that_the_vocabulary_lacks_are_added_and_named():
    tokenizer = train_tokenizer(["some text"], vocabulary=300)
    before = len(tokenizer)
    assert dress(tokenizer, "chatml") == ["<|im_start|>", "<|im_end|>"]
    assert (len(tokenizer), tokenizer.eos_token) == (before + 2, "<|im_end|>")
    assert dress(tokenizer, "chatml") == []


@pytest.mark.parametrize(
    ("lacks", "template", "message"),
    [
        ("eos_token", "chatml", "no end token"),
        ("pad_token", "chatml", "no pad token"),
        ("chat_template", "tokenizer", "no chat template"),
    ],
)
def test_a_tokenizer_that_lacks_something_is_refused(lacks, template, message):
    tokenizer = train_tokenizer(["some text"], vocabulary=300)
    setattr(tokenizer, lacks, None)
    if lacks == "pad_token":
        tokenizer.backend_tokenizer.normalizer = None
        vocabulary = {token: i for token, i in tokenizer.get_vocab().items() if token != "<pad>"}
        tokenizer.get_vocab = lambda: vocabulary
    with pytest.raises(BadInput, match=message):
        dress(tokenizer, template)


def test_an_unknown_template_of_the_base_needs_its_markers():
    tokenizer = train_tokenizer(["some text"], vocabulary=300)
    tokenizer.chat_template = "{% for message in messages %}{{ message.content }}{% endfor %}"
    with pytest.raises(BadInput, match="does not mark"):
        dress(tokenizer, "tokenizer")

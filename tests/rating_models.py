"""Sequence-classification models small enough to be made in a test: a reward model, and an encoder with labels."""

from pathlib import Path

import torch
from tokenizers.processors import TemplateProcessing
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    LlamaConfig,
    LlamaForSequenceClassification,
    RobertaConfig,
    RobertaForSequenceClassification,
)

from finetune.tiny import train_tokenizer
from published import sample

TEXTS = ["Tell me about the sea and the land, the day and the night.", "What is it? It is a long way to go, and back."]
TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}{{ message['role'] }}: {{ message['content'] }}{{ eos_token }}"
    "{% endfor %}"
)
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
SMALL = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
WIDE = {"initializer_range": 0.2}  # so that scores differ well above rounding

KINDS = {
    "bert": (BertConfig, BertForSequenceClassification),
    "roberta": (RobertaConfig, RobertaForSequenceClassification),
}


def tokenizer(template: str = TEMPLATE, **options):
    made = train_tokenizer(TEXTS, vocabulary=300)
    made.chat_template = template or None
    for name, value in options.items():
        setattr(made, name, value)
    return made


def reward_model(folder: Path, template: str = TEMPLATE, labels: int = 1, pad: str | None = "<pad>", **options) -> Path:
    """A Llama that reads the last token; `pad` is what its config names, whatever the tokenizer says."""
    words = tokenizer(template, **options)
    words.save_pretrained(folder)
    torch.manual_seed(0)
    pad_id = None if pad is None else words.convert_tokens_to_ids(pad)
    config = LlamaConfig(
        vocab_size=len(words), num_labels=labels, pad_token_id=pad_id, max_position_embeddings=1_024, **SMALL, **WIDE
    )
    LlamaForSequenceClassification(config).save_pretrained(folder)
    return folder


def encoder(folder: Path, labels: list[str], kind: str = "bert", positions: int = 64) -> Path:
    """A BERT, or a RoBERTa whose positions begin behind the padding token's, with a label for each output."""
    words = tokenizer("")
    words.backend_tokenizer.post_processor = TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", words.bos_token_id), ("</s>", words.eos_token_id)]
    )
    words.save_pretrained(folder)
    torch.manual_seed(0)
    names = {"id2label": dict(enumerate(labels)), "label2id": {name: i for i, name in enumerate(labels)}}
    make_config, make = KINDS[kind]
    sizes = {"vocab_size": len(words), "pad_token_id": words.pad_token_id, "max_position_embeddings": positions}
    config = make_config(**sizes, **names, **SMALL, **WIDE)
    make(config).save_pretrained(folder)
    return folder

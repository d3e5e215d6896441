"""The `tiny` base model: a small Llama and its tokenizer, made from the data, for demos and tests.

The same samples give the same bytes: the tokenizer is trained on sorted counts, the weights are drawn from a seed.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from contract.config.finetune import Training
from contract.records import Sample
from finetune.chat import FORMATS
from finetune.model import save_model

VOCABULARY = 1_024
SPREAD = 0.08
"""Standard deviation of the first weights: wide enough that adapters on frozen embeddings have something to turn."""


def build_tiny(samples: Sequence[Sample], folder: Path, training: Training) -> None:
    """Write a Llama of some 600,000 parameters and a byte-level BPE tokenizer of some 1,024 tokens to a folder.

    The tokens of the chat template are born with it, so nothing has to be added later.
    """
    tokenizer = train_tokenizer(message.content for sample in samples for message in sample.messages)
    if training.template in FORMATS:
        tokenizer.add_special_tokens({"extra_special_tokens": list(FORMATS[training.template].tokens)})
    tokenizer.save_pretrained(folder)
    model = tiny_model(len(tokenizer), training.seed, training.max_length)
    model.config.bos_token_id = tokenizer.bos_token_id
    model.config.eos_token_id = tokenizer.eos_token_id
    model.config.pad_token_id = tokenizer.pad_token_id
    model.generation_config.bos_token_id = tokenizer.bos_token_id
    model.generation_config.eos_token_id = tokenizer.eos_token_id
    save_model(model, folder)


def train_tokenizer(texts: Iterable[str], vocabulary: int = VOCABULARY) -> PreTrainedTokenizerFast:
    """A byte-level BPE tokenizer with begin, end and pad tokens."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=["<s>", "</s>", "<pad>"],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", pad_token="<pad>")


def tiny_model(vocabulary: int, seed: int, max_length: int) -> LlamaForCausalLM:
    """A two-layer Llama with random weights drawn from a seed."""
    config = LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=128,
        intermediate_size=384,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=max(max_length, 2_048),
        initializer_range=SPREAD,
        tie_word_embeddings=False,
    )
    torch.manual_seed(seed)
    return LlamaForCausalLM(config)

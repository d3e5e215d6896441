"""Packing: architectures that keep samples apart and that do not, and the ways in which a batch loses it silently."""

import logging
from itertools import pairwise
from pathlib import Path

import pytest
import torch
import transformers

from contract.config.finetune import TrainConfig, Training
from contract.failures import BadInput
from finetune.chat import dress
from finetune.data import encode_rows
from finetune.model import logits
from finetune.plan.isolation import check_isolation, gradient_difference, leak, packed, small_model
from finetune.plan.refusals import Refusals
from finetune.tiny import tiny_model, train_tokenizer
from finetune.trainer import make_trainer
from finetune_rows import laid_out
from published import real_samples

KEEP = ["Llama", "Mistral", "Qwen2", "Qwen3", "Phi3", "Gemma", "Gemma2", "Gemma3Text", "GPTNeoX", "GPT2"]
LEAK = [("OPT", {}), ("Bloom", {}), ("Falcon", {"alibi": True}), ("Falcon", {}), ("Mpt", {}), ("Mamba", {})]
LEAK += [("GptOss", {})]


@pytest.mark.parametrize("name", KEEP)
def test_packed_samples_cannot_see_each_other(name):
    isolation = check_isolation(getattr(transformers, f"{name}Config")())
    assert isolation.leak == 0.0
    assert isolation.gradient_difference < 1e-5


@pytest.mark.parametrize(("name", "values"), LEAK)
def test_an_architecture_that_leaks_is_refused(name, values):
    with pytest.raises(BadInput, match=r"see each other on \w+: a neighbour moves a logit by [\d.]+, .* 1e-05"):
        check_isolation(getattr(transformers, f"{name}Config")(**values))


@pytest.mark.parametrize(("name", "reason"), [("Qwen3Next", "causal_conv1d"), ("RecurrentGemma", "layers_block_type")])
def test_an_architecture_of_which_nothing_can_be_proven_is_refused(name, reason):
    with pytest.raises(BadInput, match=f"cannot be proven safe on .*{reason}"):
        check_isolation(getattr(transformers, f"{name}Config")())


def test_a_refusal_is_overruled_by_its_name_alone():
    log = logging.getLogger("test")
    allowed = Refusals(["isolation"], log)
    with allowed.named("isolation"):
        check_isolation(transformers.OPTConfig())
    assert "see each other on opt" in allowed.overruled["isolation"]
    other = Refusals(["memory"], log)
    with pytest.raises(BadInput, match=r"packing: false.*or `allow: \[isolation\]`"), other.named("isolation"):
        check_isolation(transformers.OPTConfig())


def test_the_copy_that_is_tested_is_small_and_of_the_same_architecture():
    model = small_model(transformers.LlamaConfig(num_attention_heads=32, num_key_value_heads=8))
    assert type(model).__name__ == "LlamaForCausalLM"
    assert model.num_parameters() < 200_000
    assert model.config.num_attention_heads // model.config.num_key_value_heads == 2


def without(name):
    return lambda *samples: {key: value for key, value in packed(*samples).items() if key != name}


def with_mask(*samples):
    batch = packed(*samples)
    return batch | {"attention_mask": torch.ones_like(batch["input_ids"])}


TRAPS = {
    "a cache, as a bare forward pass has it": without("use_cache"),
    "an attention mask of ones": with_mask,
    "no position ids, as of text that is joined and cut": without("position_ids"),
}


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
@pytest.mark.parametrize("trap", TRAPS)
def test_the_test_sees_what_leaks(trap, attention):
    model = small_model(transformers.LlamaConfig())
    model.set_attn_implementation(attention)
    assert leak(model) == 0.0
    assert leak(model, TRAPS[trap]) > 0.01


def test_joined_text_has_another_gradient():
    model = small_model(transformers.LlamaConfig())
    assert gradient_difference(model) < 1e-5
    assert gradient_difference(model, TRAPS["no position ids, as of text that is joined and cut"]) > 0.1


def test_what_the_trainer_feeds_its_model_keeps_samples_apart(tmp_path: Path):
    samples = real_samples(12, 0)
    training = Training(method="full", max_length=256, batch_size=2, accumulation=1)
    tokenizer = train_tokenizer(message.content for sample in samples for message in sample.messages)
    dress(tokenizer, training.template)
    rows = encode_rows(tokenizer, samples, training)
    model = tiny_model(len(tokenizer), 0, 256)
    splits = laid_out(rows, training), laid_out(rows[:2], training)
    trainer = make_trainer(model, tokenizer, TrainConfig(training=training), splits, False, tmp_path, [])
    batch = next(iter(trainer.get_train_dataloader()))
    assert "attention_mask" not in batch
    starts = [*(batch["position_ids"][0] == 0).nonzero().flatten().tolist(), batch["input_ids"].shape[1]]
    assert len(starts) > 3
    seen = model.eval()(input_ids=batch["input_ids"], position_ids=batch["position_ids"], use_cache=False).logits[0]
    for start, end in pairwise(starts):
        alone = logits(model, batch["input_ids"][0, start:end].tolist())
        assert (seen[start:end] - alone).abs().max() < 1e-4

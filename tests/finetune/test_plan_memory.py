"""Memory against published and counted numbers: parameters, optimizer states, activations, what fits."""

from dataclasses import replace

import pytest
import torch
import transformers
from hypothesis import given
from hypothesis import strategies as st
from peft import LoraConfig, get_peft_model

from contract.config.finetune import Lora, PlanConfig, Training
from contract.config.gpus import GPU_MEMORY_GB
from contract.failures import BadConfig
from finetune.adapters import adapter_config
from finetune.path import with_checkpointing
from finetune.plan.activations import Saved, count_saved, formula
from finetune.plan.fit import Counted, check_fit, count, gpu_memory, largest_batch, variants
from finetune.plan.memory import LASTING, memory
from finetune.plan.probe import Measured, check_probe, corrected, correction
from finetune.plan.sizes import Parameters, count_parameters, meta_model
from shapes import LLAMA_3_8B

RANK_16 = Training(method="lora", lora=Lora(rank=16), max_length=1_024, batch_size=4, packing=False)
NOTHING = Saved(1, (0.0, 0.0, 0.0), (0.0, 0.0, 0.0), (0.0, 0.0, 0.0), True)


@pytest.fixture(scope="module")
def counted() -> Counted:
    return count(LLAMA_3_8B, RANK_16, new_tokens=False, gpu=True)


def test_lora_on_the_8b_shape():
    counted = count_parameters(LLAMA_3_8B, RANK_16, new_tokens=False)
    assert (counted.base, counted.linear, counted.trainable) == (8_030_261_248, 6_979_321_856, 41_943_040)
    assert f"{counted.trainable_share:.4%}" == "0.5196%"
    peft = get_peft_model(meta_model(LLAMA_3_8B), adapter_config(RANK_16, meta_model(LLAMA_3_8B), False))
    assert peft.get_nb_trainable_parameters() == (41_943_040, 8_030_261_248 + 41_943_040)
    rank_32 = RANK_16.model_copy(update={"lora": Lora(rank=32)})
    assert count_parameters(LLAMA_3_8B, rank_32, new_tokens=False).trainable == 83_886_080


def test_adapters_are_counted_as_peft_makes_them_on_other_architectures():
    config = transformers.GPT2Config(n_layer=2, n_embd=64, n_head=4, vocab_size=300)
    training = Training(lora=Lora(rank=8))
    peft = get_peft_model(meta_model(config), LoraConfig(r=8, target_modules="all-linear", task_type="CAUSAL_LM"))
    assert count_parameters(config, training, False).trainable == peft.get_nb_trainable_parameters()[0]


def test_seven_billion_in_float32_with_adam_take_112_gigabytes():
    seven = Parameters(0, 0, 7_000_000_000, 0, 0, ((7_000_000, 1_000),))
    full = Training(method="full", optimizer="adamw_torch")
    sizes = memory(seven, NOTHING, 32_000, full, gpu=False)
    assert sizes["weights"] + sizes["gradients"] + sizes["optimizer"] == pytest.approx(112)


@pytest.mark.parametrize("method", ["full", "lora", "qlora"])
def test_the_optimizers_state_is_what_the_optimizer_allocates(method):
    shapes = ((64, 128), (100,), (8, 16))
    training = Training(method=method, optimizer="adamw_torch")
    dtype = torch.bfloat16 if method != "lora" else torch.float32
    tensors = [torch.nn.Parameter(torch.zeros(shape, dtype=dtype)) for shape in shapes]
    optimizer = torch.optim.AdamW(tensors)
    sum(tensor.float().sum() for tensor in tensors).backward()
    optimizer.step()
    held = sum(state[name].nbytes for state in optimizer.state.values() for name in ("exp_avg", "exp_avg_sq"))
    sizes = memory(Parameters(0, 0, 0, 0, 0, shapes), NOTHING, 1, training, gpu=True)
    assert sizes["optimizer"] * 1e9 == pytest.approx(held)
    assert sizes["gradients"] * 1e9 == pytest.approx(sum(tensor.grad.nbytes for tensor in tensors))


def test_weights_and_states_of_the_8b_shape(counted):
    def gigabytes(method, **settings):
        return counted.sizes(RANK_16.model_copy(update={"method": method} | settings))

    assert gigabytes("lora")["weights"] == pytest.approx(16.06 + 0.17, abs=0.01)
    assert gigabytes("qlora")["weights"] == pytest.approx(5.70 + 0.08, abs=0.01)
    full = gigabytes("full", optimizer="adamw_torch")
    assert [full[name] for name in LASTING[:3]] == pytest.approx([16.06, 16.06, 32.12], abs=0.01)
    eight, paged = gigabytes("full"), gigabytes("full", optimizer="paged_adamw_8bit")
    assert eight["optimizer"] == pytest.approx(8.03 * 2 * 260 / 256, abs=0.01)
    assert paged["paged"] == pytest.approx(eight["optimizer"], rel=1e-3)
    assert paged["total"] == pytest.approx(eight["total"] - paged["paged"], rel=1e-3)
    assert gigabytes("full", optimizer="adafactor")["optimizer"] < 0.05


def test_a_published_peak_of_lora_is_met(counted):
    unfused = 4_096 * 128_256 * (2 + 4 + 4 + 4) / 1e9 - counted.sizes(RANK_16)["logits"]
    assert counted.sizes(RANK_16)["total"] + unfused == pytest.approx(70.99 * 1.0737, rel=0.05)


def test_what_is_counted_is_what_the_formula_sums(counted):
    layer = counted.saved["lora"].bytes(4, False) - counted.saved["lora"].outside[2]
    mask = 32 * 4 * 1_024**2 * 2
    assert layer - mask == pytest.approx(32 * formula(LLAMA_3_8B, 4_096, gpu=True), rel=0.02)


def test_what_is_counted_is_what_autograd_saves_on_a_real_small_model():
    config = transformers.LlamaConfig(
        vocab_size=300, hidden_size=64, intermediate_size=96, num_hidden_layers=3, num_attention_heads=4
    )
    training = Training(max_length=40, lora=Lora(rank=4))
    base = transformers.AutoModelForCausalLM.from_config(config, attn_implementation="sdpa")
    model = get_peft_model(base, adapter_config(training, base, False)).train()
    weights = {t.untyped_storage().data_ptr() for t in (*model.parameters(), *model.buffers())}
    found = {}

    def keep(tensor):
        found[tensor.untyped_storage().data_ptr()] = tensor
        return tensor

    positions = torch.arange(40).repeat(5)[None]
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        model(input_ids=positions + 3, position_ids=positions, use_cache=False, logits_to_keep=1)
    real = sum(t.untyped_storage().nbytes() for place, t in found.items() if place not in weights)
    assert count_saved(config, training, gpu=False).bytes(5, False) == pytest.approx(real, rel=0.02)


def test_checkpointing_keeps_one_input_a_layer_and_one_layer_whole(counted):
    saved = counted.saved["lora"]
    kept = saved.bytes(4, True) - saved.outside[2]
    assert kept == pytest.approx(32 * 4_096 * 4_096 * 2 + saved.bytes(4, False) / 32, rel=0.02)


def test_the_mask_of_a_packed_batch_grows_with_its_square():
    packed = count_saved(LLAMA_3_8B, RANK_16.model_copy(update={"packing": True}), gpu=True)
    apart = count_saved(LLAMA_3_8B, RANK_16, gpu=True)
    cells = (8 * 1_024) ** 2 - 8 * 1_024**2
    assert packed.bytes(8, False) - apart.bytes(8, False) == pytest.approx(32 * 2 * cells, rel=0.05)


@pytest.mark.parametrize("name", ["GPT2", "Gemma3Text", "Phi3", "Qwen3", "Mistral", "GPTNeoX", "OPT", "Bloom"])
def test_other_architectures_are_counted_too(name):
    config = getattr(transformers, f"{name}Config")()
    assert count_saved(config, Training(max_length=64), gpu=True).counted


def test_what_does_not_fit_is_refused_with_what_would(counted):
    training = RANK_16.model_copy(update={"method": "full"})
    with pytest.raises(BadConfig, match=r"needs about \d+\.\d GB .*24\.0 GB.*method: (lora|qlora).*\(about"):
        check_fit(counted, training, 24.0)
    with pytest.raises(BadConfig, match=r"Try: batch_size: 2 \(about"):
        check_fit(counted, RANK_16, 48.0)
    check_fit(counted, training, None)


@given(st.integers(0, 1_024), st.floats(0.1, 9), st.floats(0, 9))
def test_the_largest_batch_fits_and_one_more_does_not(batch, each, base):
    price = lambda n: base + each * n  # noqa: E731
    found = largest_batch(price, price(batch) + each / 2)
    assert found == batch
    assert largest_batch(price, base - 1) == 0


def test_every_variant_has_its_price_and_its_largest_batch(counted):
    found = variants(counted, RANK_16, GPU_MEMORY_GB["h100"])
    assert len(found) == 3 * 4 * 2
    for variant in found:
        settings = {name: variant[name] for name in ("method", "optimizer")}
        settings["batch_size"] = max(1, variant["largest_batch"])
        training = with_checkpointing(RANK_16.model_copy(update=settings), variant["gradient_checkpointing"])
        size = counted.sizes(training)
        assert (size["total"] <= GPU_MEMORY_GB["h100"]) == (variant["largest_batch"] > 0)
    best = max(found, key=lambda variant: variant["largest_batch"])
    assert (best["method"], best["gradient_checkpointing"]) == ("qlora", True)


def test_a_gpu_is_named_or_measured_in_gigabytes():
    cpu = torch.device("cpu")
    assert gpu_memory(PlanConfig(gpu="h200"), cpu) == 150.0
    assert gpu_memory(PlanConfig(gpu="h200", gpu_memory_gb=7), cpu) == 7
    assert gpu_memory(PlanConfig(), cpu) is None


def test_a_measured_peak_corrects_what_comes_and_goes(counted):
    peak = counted.sizes(RANK_16)["total"] + 5
    factor = correction(counted, RANK_16, peak)
    assert corrected(counted, RANK_16, RANK_16.batch_size, factor) == pytest.approx(peak)
    allocated = Measured(peak - counted.sizes(RANK_16)["context"], 2.0)
    figures = check_probe(allocated, counted, RANK_16, 85.0)
    assert figures["probe_tokens_per_second"] == 2_048
    assert corrected(counted, RANK_16, int(figures["largest_batch"]), factor) <= 85.0
    with pytest.raises(BadConfig, match=r"two real steps took \d+\.\d GB; expected at most the 40\.0 GB"):
        check_probe(allocated, counted, RANK_16, 40.0)
    assert "probe_peak_gb" not in check_probe(replace(allocated, peak_gb=None), counted, RANK_16, None)

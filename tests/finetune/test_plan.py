"""Sizes against published and counted numbers, isolation on architectures that keep it and that do not, lengths."""

import pytest
import transformers
from peft import LoraConfig, get_peft_model

from contract.config.finetune import Lora, Training
from contract.failures import BadConfig, BadInput
from finetune.chat import dress
from finetune.data import encode_rows
from finetune.plan.fit import check_fit
from finetune.plan.isolation import check_isolation, small_model
from finetune.plan.lengths import check_lengths, measure
from finetune.plan.sizes import count_parameters, memory, meta_model
from finetune.tiny import train_tokenizer
from finetune.train.trainer import adapter_config
from published import sample

LLAMA_3_8B = transformers.LlamaConfig(
    vocab_size=128_256,
    hidden_size=4_096,
    intermediate_size=14_336,
    num_hidden_layers=32,
    num_attention_heads=32,
    num_key_value_heads=8,
)
RANK_16 = Training(method="lora", lora=Lora(rank=16))


def test_lora_rank_16_on_the_8b_shape():
    counted = count_parameters(LLAMA_3_8B, RANK_16, new_tokens=False)
    assert (counted.base, counted.linear, counted.trainable) == (8_030_261_248, 6_979_321_856, 41_943_040)
    assert f"{counted.trainable_share:.4%}" == "0.5196%"
    peft = get_peft_model(meta_model(LLAMA_3_8B), adapter_config(RANK_16, meta_model(LLAMA_3_8B), False))
    assert peft.get_nb_trainable_parameters() == (41_943_040, 8_030_261_248 + 41_943_040)


def test_adapters_are_counted_as_peft_makes_them_on_other_architectures():
    config = transformers.GPT2Config(n_layer=2, n_embd=64, n_head=4, vocab_size=300)
    training = Training(lora=Lora(rank=8))
    peft = get_peft_model(meta_model(config), LoraConfig(r=8, target_modules="all-linear", task_type="CAUSAL_LM"))
    assert count_parameters(config, training, False).trainable == peft.get_nb_trainable_parameters()[0]


def test_memory_of_the_8b_shape():
    def gigabytes(method, **settings):
        training = RANK_16.model_copy(update={"method": method, "max_length": 1_024, "batch_size": 4} | settings)
        return memory(count_parameters(LLAMA_3_8B, training, False), LLAMA_3_8B, training, gpu=True)

    assert gigabytes("lora")["weights"] == pytest.approx(16.06, abs=0.01)
    assert gigabytes("qlora")["weights"] == pytest.approx(5.70, abs=0.01)
    full = gigabytes("full", optimizer="adamw_torch")
    assert full["weights"] + full["gradients"] + full["optimizer"] == pytest.approx(8.03 * (2 + 2 + 8), abs=0.05)
    assert gigabytes("lora")["total"] == pytest.approx(70.99 * 1.0737, rel=0.15), "71 GiB were measured on an H100"
    assert gigabytes("lora", gradient_checkpointing=True)["activations"] < 0.1 * gigabytes("lora")["activations"]


def test_what_does_not_fit_is_refused_with_what_would():
    training = RANK_16.model_copy(update={"method": "full"})
    sizes = memory(count_parameters(LLAMA_3_8B, training, False), LLAMA_3_8B, training, gpu=True)
    with pytest.raises(BadConfig, match=r"needs about \d+\.\d GB .*24\.0 GB.*method: lora.*"):
        check_fit(sizes, 24.0, LLAMA_3_8B, training)
    check_fit(sizes, None, LLAMA_3_8B, training)


@pytest.mark.parametrize(
    "name", ["Llama", "Mistral", "Qwen2", "Qwen3", "Phi3", "Gemma", "Gemma3Text", "GPTNeoX", "GPT2"]
)
def test_packed_samples_cannot_see_each_other(name):
    isolation = check_isolation(getattr(transformers, f"{name}Config")())
    assert isolation.leak == 0.0
    assert isolation.gradient_difference < 1e-5


@pytest.mark.parametrize("name", ["OPT", "Bloom"])
def test_an_architecture_that_leaks_is_refused(name):
    with pytest.raises(BadInput, match="see each other"):
        check_isolation(getattr(transformers, f"{name}Config")())


def test_the_copy_that_is_tested_is_small_and_of_the_same_architecture():
    model = small_model(LLAMA_3_8B)
    assert type(model).__name__ == "LlamaForCausalLM"
    assert model.num_parameters() < 200_000
    assert model.config.num_attention_heads // model.config.num_key_value_heads == 2


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
    check_lengths(lengths, training, allowed=0.34)
    with pytest.raises(BadInput, match=r"1 of 3 samples \(33\.3%\) are longer than 32 tokens"):
        check_lengths(lengths, training, allowed=0.33)


def test_rows_with_nothing_left_to_learn_are_said_to_be_so():
    rows, training = rows_of(["q", "r"], max_length=16)
    assert all(row.targets == 0 for row in rows)
    with pytest.raises(BadInput, match="none of 2 samples has a token to learn within 16 tokens"):
        check_lengths(measure(rows, training), training, allowed=1.0)


def test_loss_on_everything_learns_prompts_too():
    rows, _ = rows_of(["answer"], loss_on="everything")
    assert rows[0].targets == len(rows[0].ids) - 1

"""The path that plan settles: no activations recomputed where they fit, the fastest kernel that is there."""

import json
from dataclasses import asdict

import pytest
import torch
import transformers

from contract.config.finetune import TrainConfig, Training
from finetune.path import TrainingPath
from finetune.plan import fastest
from finetune.plan.fastest import checkpoints, choose_path, fastest_attention
from finetune.plan.fit import count
from finetune.plan.isolation import LARGEST_IN_BFLOAT16, check_isolation, gradient_difference, packed, small_model
from finetune.trainer import arguments

CPU, GPU = torch.device("cpu"), torch.device("cuda")
LLAMA = transformers.LlamaConfig(hidden_size=512, intermediate_size=1_024, num_hidden_layers=8, vocab_size=4_000)
LORA = Training(max_length=2_048, batch_size=4)


@pytest.fixture(scope="module")
def counted():
    return count(LLAMA, LORA, new_tokens=False, gpu=True)


def test_activations_are_recomputed_only_where_they_would_not_fit(counted):
    needed = counted.sizes(LORA)["total"]
    with_it = counted.sizes(LORA.model_copy(update={"gradient_checkpointing": "always"}))["total"]
    assert with_it < needed
    rooms = (None, needed * 1.01, needed * 0.99)
    assert [checkpoints(counted, LORA, room) for room in rooms] == [False, False, True]
    for said, done in (("always", True), ("never", False)):
        told = LORA.model_copy(update={"gradient_checkpointing": said})
        assert {checkpoints(counted, told, room) for room in rooms} == {done}


@pytest.mark.parametrize("room", [1_000.0, 0.5])
def test_train_does_what_the_plan_settled(counted, room, tmp_path):
    path = choose_path(LLAMA, counted, LORA, CPU, room)
    again = TrainingPath.of_plan(json.dumps({"path": asdict(path)}))
    told = arguments(TrainConfig(training=again.settled(LORA)), CPU, tmp_path)
    assert told.gradient_checkpointing == path.gradient_checkpointing == (room == 0.5)
    assert again.attention == "sdpa"


def test_a_kernel_of_its_own_is_taken_where_it_is_installed_and_the_architecture_has_it(monkeypatch):
    assert fastest_attention(LLAMA, GPU) == "sdpa", "none is installed"
    monkeypatch.setitem(fastest.FLASH, "flash_attention_2", lambda: True)
    assert fastest_attention(LLAMA, GPU) == "flash_attention_2"
    assert fastest_attention(LLAMA, CPU) == "sdpa"
    assert fastest_attention(transformers.BloomConfig(), GPU) == "eager"


def test_a_kernel_in_bfloat16_is_held_to_what_rounding_allows_and_a_leak_is_not():
    isolation = check_isolation(LLAMA, "eager", CPU)
    assert isolation.leak == 0.0
    assert isolation.gradient_difference < LARGEST_IN_BFLOAT16 / 2
    model = small_model(LLAMA, "eager", torch.bfloat16)
    leaking = gradient_difference(model, lambda *samples: packed(*samples) | {"use_cache": True})
    assert leaking > 2 * LARGEST_IN_BFLOAT16

"""Each field of the fine-tuning stages, changed, changes a result, or what the trainer is told; none is left out."""

from typing import Any

import pytest
import torch

from contract.config.finetune import TrainConfig, Training
from every_field import Case, check, missing_cases, run
from finetune.model import pick_device
from finetune.tiny import tiny_model
from finetune.train.trainer import adapter_config, arguments
from published import TRAINING, publish, real_samples

SMALL = {"training": TRAINING | {"max_length": 64}, "max_truncated": 1.0}
PLAN = [
    Case("training.base_model", "/nowhere", "failure BadInput", SMALL),
    Case("training.method", "full", "figure trainable_parameters", SMALL),
    Case("training.template", "gemma", "template.txt", SMALL),
    Case("training.pad_token", "<none>", "failure BadInput", SMALL),
    Case("training.max_length", 96, "figure truncated", SMALL),
    Case("training.seed", 7, "file base/model.safetensors", SMALL),
    Case("training.device", "gpu", "failure BadConfig", SMALL),
    Case("gpu_memory_gb", 0.001, "failure BadConfig", SMALL),
    Case("max_truncated", 0.0, "failure BadInput", SMALL),
]
EVALUATE = [
    Case("generations", 1, "comparison.md"),
    Case("max_new_tokens", 2, "comparison.md"),
    Case("min_improvement", 50, "figure gate failed"),
]
EXPORT = [
    Case("dtype", "float32", "file model/model.safetensors"),
    Case("tolerance", 1e-12, "failure BadInput"),
]
REGISTER = [
    Case("model_name", "another", "another"),
    Case("champion", "never", '"champion": false'),
]
TOLD: dict[str, Any] = {
    "packing": False,
    "batch_size": 3,
    "accumulation": 5,
    "epochs": 7,
    "learning_rate": 0.5,
    "schedule": "cosine",
    "warmup_steps": 4,
    "optimizer": "adafactor",
    "weight_decay": 0.5,
    "max_grad_norm": 2,
    "gradient_checkpointing": True,
    "early_stopping": 2,
    "max_length": 77,
    "seed": 5,
    "lora.rank": 3,
    "lora.alpha": 3,
    "lora.dropout": 0.5,
    "eval_every": 5,
    "save_every": 20,
}
"""What goes to the trainer unchanged; training with each would take an hour and show no more."""
ELSEWHERE = {"loss_on", "cpu_threads"}


def told(training: dict[str, Any], steps: dict[str, int]) -> dict[str, Any]:
    """All that the trainer and the adapter are made with."""
    config = TrainConfig(training=Training.model_validate(training), **steps)
    model = tiny_model(300, 0, 64)
    adapter = adapter_config(config.training, model, added_tokens=False)
    return arguments(config, torch.device("cpu"), "folder").to_dict() | {"adapter": adapter.to_dict()}


@pytest.mark.parametrize("name", TOLD)
def test_the_trainer_is_told(name):
    training, steps = {}, {}
    parent, _, leaf = name.rpartition(".")
    target = steps if name.endswith("_every") else training
    (target.setdefault(parent, {}) if parent else target)[leaf] = TOLD[name]
    assert told(training, steps) != told({}, {})


def test_the_number_of_threads_is_set():
    for number in (1, 2):
        pick_device(Training(cpu_threads=number))
        assert torch.get_num_threads() == number


def test_every_field_has_a_case():
    training = {case.field.removeprefix("training.") for case in PLAN} | set(TOLD) | ELSEWHERE
    whole = [Case(f"training.{name}", None, "") for name in training if name in leaves(Training)]
    cases = {
        "plan": [*(case for case in PLAN if not case.field.startswith("training.")), *whole],
        "train": [*whole, Case("eval_every", 1, ""), Case("save_every", 1, "")],
        "evaluate": EVALUATE,
        "export": EXPORT,
        "register": REGISTER,
    }
    assert missing_cases("finetune", cases) == {}


def leaves(model) -> set[str]:
    from every_field import fields_of

    return set(fields_of(model))


@pytest.fixture(scope="module")
def planned(tmp_path_factory):
    """The dataset, and what the unchanged plan says."""
    folder = tmp_path_factory.mktemp("fields")
    dataset = publish(folder / "published", real_samples(14, 4))
    return dataset, run("plan", SMALL, [f"samples={dataset}"], folder / "plan")


@pytest.mark.parametrize("case", PLAN, ids=lambda case: case.field)
def test_a_field_of_plan_changes_the_result(case, planned, tmp_path):
    check("plan", case, planned[1], run("plan", case.changed, [f"samples={planned[0]}"], tmp_path))


LATER = [("evaluate", case) for case in EVALUATE] + [("export", case) for case in EXPORT]
LATER += [("register", case) for case in REGISTER]


@pytest.fixture(scope="module")
def unchanged(walked, tmp_path_factory):
    """The results of evaluate, export and register with their defaults, each made once."""
    folder, known = tmp_path_factory.mktemp("unchanged"), {}

    def get(stage, inputs):
        if stage not in known:
            known[stage] = run(stage, {}, inputs, folder / stage)
        return known[stage]

    return get


@pytest.mark.parametrize(("stage", "case"), LATER, ids=lambda item: getattr(item, "field", item))
def test_a_field_of_what_follows_changes_the_result(stage, case, walked, unchanged, tmp_path):
    names = ("train", "evaluate", "export") if stage == "register" else ("train",)
    inputs = [f"{name}={uri}" for name, uri in walked.inputs(*names)]
    check(stage, case, unchanged(stage, inputs), run(stage, case.changed, inputs, tmp_path))

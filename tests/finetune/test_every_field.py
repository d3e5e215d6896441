"""Each field of the fine-tuning stages, changed, changes a result, or what the trainer is told; none is left out."""

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import EarlyStoppingCallback

from contract.config.finetune import TrainConfig, Training
from contract.stages import BY_NAME
from every_field import Case, Seen, check, missing_cases, run
from finetune.adapters import adapter_config
from finetune.data import Row
from finetune.model import pick_device
from finetune.tiny import tiny_model, train_tokenizer
from finetune.trainer import arguments, make_trainer
from finetune_rows import laid_out
from judged_answers import write_judged
from published import TRAINING, publish, real_samples, sample

SMALL = {"training": TRAINING | {"max_length": 64, "epochs": 1}, "max_truncated": 1.0}
EVEN = SMALL | {"training": SMALL["training"] | {"accumulation": 2, "optimizer": "adamw_torch"}}
TWO = EVEN | {"training": EVEN["training"] | {"processes": 2}}
PLAN = [
    Case("training.base_model", "/nowhere", "failure BadInput", SMALL),
    Case("training.method", "full", "figure trainable_parameters", SMALL),
    Case("training.template", "gemma", "template.txt", SMALL),
    Case("training.pad_token", "<s>", '"pad_token": "<s>"', SMALL),
    Case("training.loss_on", "everything", '"learned_tokens"', SMALL),
    Case("training.max_length", 96, "figure truncated", SMALL),
    Case("training.packing", False, '"isolated": null', SMALL),
    Case("training.lora.rank", 4, "figure trainable_parameters", SMALL),
    Case("training.batch_size", 5, "figure memory_gb", SMALL),
    Case("training.optimizer", "adafactor", "figure memory_gb", SMALL),
    Case("training.gradient_checkpointing", "always", "figure memory_gb", SMALL),
    Case("training.compile", True, '"compile": true', SMALL),
    Case("training.lora.dora", True, "figure trainable_parameters", SMALL),
    Case("training.lora.target_modules", ["q_proj"], "figure trainable_parameters", SMALL),
    Case("training.seed", 7, "file base/model.safetensors", SMALL),
    Case("training.device", "gpu", "failure BadConfig", SMALL),
    Case("training.processes", 2, "file launch/accelerate.yaml", EVEN),
    Case("training.sharding", "fsdp", "distributed_type: FSDP", TWO),
    Case("gpu_memory_gb", 0.001, "failure BadConfig", SMALL),
    Case("gpu", "t4", '"gpu_memory_gb": 15.6', SMALL),
    Case("max_truncated", 0.0, "failure BadInput", SMALL),
    Case("allow", ["memory"], "figure memory_gb", SMALL | {"gpu_memory_gb": 0.001}),
    Case("probe", "always", "figure probe_step_seconds", SMALL),
]
TEXTS = Path(__file__).parent / "general"
GENERAL = {"general": {"uri": f"{TEXTS}/plain.jsonl"}}
COMPARE = {"generations": 2, "max_new_tokens": 8, "min_improvement": -100}
LATER = {
    "evaluate": [
        Case("generations", 1, "comparison.md", COMPARE),
        Case("max_new_tokens", 2, "comparison.md", COMPARE),
        Case("few_shot", 0, "figure few_shot_loss", COMPARE),
        Case("general.uri", f"{TEXTS}/other.jsonl", "figure forgetting", COMPARE | GENERAL),
        Case("general.text", "title", "figure forgetting", COMPARE | GENERAL),
        Case("general.take", 1, "figure general_tokens", COMPARE | GENERAL),
        Case("min_improvement", 50, "figure gate failed", COMPARE),
        Case("min_over_prompted", 50, "figure gate failed", COMPARE),
        Case("max_forgetting", -50, "figure gate failed", COMPARE | GENERAL),
    ],
    "export": [
        Case("dtype", "float32", "file model/model.safetensors"),
        Case("tolerance", 1e-12, "failure BadInput"),
        Case("shard_gb", 0.001, "file model/model-00001-of-"),
        Case("adapter", True, "file adapter/adapter_config.json"),
        Case("loss_samples", 1, "figure exported_loss"),
        Case("max_loss_rise", -1.0, "failure BadInput"),
    ],
    "register": [
        Case("model_name", "another", '"model": "another"'),
        Case("champion", "never", '"champion": false'),
        Case("min_win_rate", 0.9, "figure gate failed", data="judge"),
        Case("approved_by", "vera", '"approved_by": "vera"', {"champion": "approval"}),
        Case("hub", "owner/name", '"hub": "owner/name"'),
        Case("hub_private", False, '"hub_private": false', {"hub": "owner/name"}),
    ],
}
TOLD: dict[str, tuple[Any, str, Any]] = {
    "training.packing": (False, "packing", False),
    "training.batch_size": (3, "per_device_train_batch_size", 3),
    "training.accumulation": (5, "gradient_accumulation_steps", 5),
    "training.epochs": (7, "num_train_epochs", 7),
    "training.learning_rate": (0.5, "learning_rate", 0.5),
    "training.schedule": ("constant", "lr_scheduler_type", "constant_with_warmup"),
    "training.warmup_steps": (4, "warmup_steps", 4),
    "training.optimizer": ("adafactor", "optim", "adafactor"),
    "training.weight_decay": (0.5, "weight_decay", 0.5),
    "training.max_grad_norm": (2, "max_grad_norm", 2),
    "training.gradient_checkpointing": ("always", "gradient_checkpointing", True),
    "training.compile": (True, "torch_compile", True),
    "training.early_stopping": (2, "load_best_model_at_end", True),
    "training.max_length": (77, "max_length", 77),
    "training.seed": (5, "seed", 5),
    "training.processes": (4, "gradient_accumulation_steps", 2),
    "training.lora.rank": (3, "r", 3),
    "training.lora.alpha": (3, "lora_alpha", 3),
    "training.lora.dropout": (0.5, "lora_dropout", 0.5),
    "training.lora.rslora": (True, "use_rslora", True),
    "training.lora.dora": (True, "use_dora", True),
    "training.lora.target_modules": (["v_proj"], "target_modules", {"v_proj"}),
    "training.neftune": (5, "neftune_noise_alpha", 5),
    "eval_every": (5, "eval_steps", 5),
    "save_every": (20, "save_steps", 20),
}
"""Field -> another value, and what the trainer or the adapter is told for it. Training with each would take an hour."""
ELSEWHERE = {"training.cpu_threads"}


def told(config: dict[str, Any]) -> dict[str, Any]:
    """All that the trainer and the adapter are made with."""
    parsed = TrainConfig.model_validate(config)
    adapter = adapter_config(parsed.training, tiny_model(300, 0, 64), added_tokens=False)
    return arguments(parsed, torch.device("cpu"), Path("folder")).to_dict() | adapter.to_dict()


@pytest.mark.parametrize("name", TOLD)
def test_the_trainer_is_told(name):
    value, argument, wanted = TOLD[name]
    case = Case(name, value, argument)
    assert told(case.base)[argument] != wanted
    assert told(case.changed)[argument] == wanted


@pytest.mark.parametrize("patience", [0, 1, 3])
def test_early_stopping_has_its_patience(patience, tmp_path):
    config = TrainConfig(training=Training(method="full", early_stopping=patience))
    tokenizer, row = train_tokenizer(["a few words"], vocabulary=300), Row("a", [5, 6, 7], [5, 6, 7], 3)
    rows = laid_out([row], config.training)
    trainer = make_trainer(tiny_model(300, 0, 64), tokenizer, config, (rows, rows), False, tmp_path, [])
    found = [
        c.early_stopping_patience for c in trainer.callback_handler.callbacks if isinstance(c, EarlyStoppingCallback)
    ]
    assert found == [patience] * bool(patience)


def test_the_number_of_threads_is_set():
    for number in (1, 2):
        pick_device(Training(cpu_threads=number))
        assert torch.get_num_threads() == number


def test_every_field_has_a_case():
    # What plan and train read alike: a case for either is a case for both.
    shared = {case.field for case in PLAN if case.field.startswith("training.")} | ELSEWHERE
    shared |= {name for name in TOLD if name.startswith("training.")}
    named = {
        "plan": shared | {case.field for case in PLAN},
        "train": shared | set(TOLD),
        **{stage: {case.field for case in cases} for stage, cases in LATER.items()},
    }
    cases = {stage: [Case(name, None, "") for name in sorted(names)] for stage, names in named.items()}
    missing = missing_cases("finetune", cases)
    missing.pop("rate", None)  # test_rate.py has its cases, and sees that none is missing
    assert missing == {}


@pytest.fixture(scope="module")
def way(tmp_path_factory) -> dict[str, Seen]:
    """The five stages over a small dataset, unchanged and without a tracking server; `samples` is that dataset."""
    folder = tmp_path_factory.mktemp("way")
    short = [sample(90 + n, ("train", "test")[n], ("user", "Who?"), ("assistant", "Me.")) for n in range(2)]
    samples = publish(folder / "published", [*real_samples(14, 4), *short])
    judged = write_judged(folder / "judged", {"helpful": (7, 2, 1, 0)})
    seen = {"samples": Seen(frozenset(), uri=samples), "judge": Seen(frozenset(), uri=judged)}
    train = {"training": SMALL["training"]}
    for stage, config in (
        ("plan", SMALL),
        ("train", train),
        ("evaluate", COMPARE),
        ("export", {}),
        ("register", {}),
    ):
        seen[stage] = run(stage, config, inputs_of(stage, seen), folder / stage)
        assert seen[stage].uri, seen[stage].lines
    return seen


def inputs_of(stage: str, seen: dict[str, Seen], data: str = "") -> list[str]:
    """All that a stage must have, and of the rest what `data` names."""
    ports = [port.name for port in BY_NAME[stage].inputs if not port.optional or port.name == data]
    return [f"{name}={seen[name].uri}" for name in ports]


@pytest.mark.parametrize("case", PLAN, ids=lambda case: case.field)
def test_a_field_of_plan_changes_the_result(case, way, tmp_path):
    check("plan", case, way["plan"], run("plan", case.changed, inputs_of("plan", way), tmp_path))


@pytest.mark.parametrize(
    ("stage", "case"),
    [pytest.param(stage, case, id=f"{stage}.{case.field}") for stage in LATER for case in LATER[stage]],
)
def test_a_field_of_what_follows_changes_the_result(stage, case, way, tmp_path):
    check(stage, case, way[stage], run(stage, case.changed, inputs_of(stage, way, case.data), tmp_path))

"""How several processes are started: accelerate's configuration, DeepSpeed's, and the command.

plan writes these files, and train starts accelerate with those very files.
"""

import json
from typing import Any

import yaml

ACCELERATE, DEEPSPEED = "launch/accelerate.yaml", "launch/deepspeed.json"
MODULE = "finetune.train.worker"
KINDS = {"none": "MULTI_GPU", "fsdp": "FSDP", "deepspeed": "DEEPSPEED"}


def launch_files(processes: int, sharding: str, gpu: bool) -> dict[str, str]:
    """Names and contents of the files; none for one process. On a CPU accelerate's kind for GPUs starts processes too,
    where its own kind for CPUs would look for MPI."""
    if processes == 1:
        return {}
    config = _cluster(processes, sharding, gpu)
    if sharding == "fsdp":
        config["fsdp_config"] = _fsdp()
    if sharding == "deepspeed":
        del config["mixed_precision"]  # what DeepSpeed's own file says, accelerate refuses to be told here as well
        config["deepspeed_config"] = {"deepspeed_config_file": DEEPSPEED, "zero3_init_flag": False}
    files = {ACCELERATE: yaml.safe_dump(config)}
    return files | ({DEEPSPEED: json.dumps(_zero(), indent=1)} if sharding == "deepspeed" else {})


def launch_arguments(config_file: str, deepspeed_file: str | None, task: str) -> list[str]:
    """What `accelerate launch` is told."""
    deepspeed = ["--deepspeed_config_file", deepspeed_file] if deepspeed_file else []
    return ["--config_file", config_file, *deepspeed, "-m", MODULE, task]


def shown_command(sharding: str) -> str:
    """The command as a person would type it beside the plan's files; train writes TASK."""
    return " ".join(["accelerate launch", *launch_arguments(ACCELERATE, DEEPSPEED * (sharding == "deepspeed"), "TASK")])


def _cluster(processes: int, sharding: str, gpu: bool) -> dict[str, Any]:
    return {
        "compute_environment": "LOCAL_MACHINE",
        "distributed_type": KINDS[sharding],
        "num_machines": 1,
        "num_processes": processes,
        "machine_rank": 0,
        "main_process_port": 0,  # any that is free
        "mixed_precision": "bf16" if gpu else "no",
        "use_cpu": not gpu,
    }


def _fsdp() -> dict[str, Any]:
    """Everything is split, layer by layer, and each process writes its own share of a checkpoint."""
    return {
        "fsdp_version": 2,
        "fsdp_reshard_after_forward": True,
        "fsdp_auto_wrap_policy": "TRANSFORMER_BASED_WRAP",
        "fsdp_cpu_ram_efficient_loading": True,
        "fsdp_sync_module_states": True,
        "fsdp_state_dict_type": "SHARDED_STATE_DICT",
        "fsdp_offload_params": False,
        "fsdp_activation_checkpointing": False,  # `training.gradient_checkpointing` says it to the trainer
    }


def _zero() -> dict[str, Any]:
    """ZeRO, stage 3 (Rajbhandari et al. 2020). What is `auto` the trainer fills in from the recipe."""
    return {
        "train_micro_batch_size_per_gpu": "auto",
        "gradient_accumulation_steps": "auto",
        "gradient_clipping": "auto",
        "bf16": {"enabled": "auto"},
        "zero_allow_untested_optimizer": True,
        "zero_optimization": {"stage": 3, "overlap_comm": True, "stage3_gather_16bit_weights_on_model_save": True},
    }

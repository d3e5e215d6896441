"""What several processes split: chosen by the memory of one, written as accelerate's own files, refused in time."""

import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import transformers
import yaml
from accelerate.commands.config.config_args import load_config_from_file
from accelerate.commands.launch import _validate_launch_command, launch_command_parser
from accelerate.utils import DistributedType, FullyShardedDataParallelPlugin
from accelerate.utils.deepspeed import HfDeepSpeedConfig
from accelerate.utils.launch import prepare_multi_gpu_env
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from contract.config.finetune import Training
from contract.config.gpus import GPU_MEMORY_GB
from contract.failures import BadConfig, RemoteTrouble
from finetune.launch import ACCELERATE, DEEPSPEED, launch_arguments, launch_files
from finetune.plan import gpus, sharing
from finetune.plan.fit import Counted, check_fit, count
from finetune.plan.sharing import check_choice, check_loading, choose, needs, settled, table
from finetune.processes import ready
from finetune.train import checkpoints
from finetune.train.fit import memory_suffices
from finetune.train.start import _why
from finetune.train.task import ENDED, write_failure
from shapes import LLAMA_3_8B

FOUR = {"processes": 4, "optimizer": "adamw_torch", "max_length": 1_024, "gradient_checkpointing": "always"}
FULL = Training(method="full", **FOUR)
LORA = Training(method="lora", **FOUR)
DEMO = Path(__file__).parents[2] / "dags" / "recipes" / "demo.yaml"
H100 = GPU_MEMORY_GB["h100"]


@pytest.fixture(scope="module")
def counted() -> Counted:
    return count(LLAMA_3_8B, FULL, new_tokens=False, gpu=True)


def test_copies_are_chosen_where_one_fits_and_split_weights_where_not(counted):
    assert choose(counted, LORA, H100).sharding == "none"
    choice = choose(counted, FULL, 40.0)
    assert choice.sharding == "fsdp"
    assert "more than the 40.0 GB of a GPU" in choice.reason
    assert choose(counted, LORA, None).sharding == "none", "on a CPU there is no GPU that would have to suffice"
    said = LORA.model_copy(update={"sharding": "fsdp"})
    assert choose(counted, said, H100).sharding == "fsdp", "what the recipe says goes before"
    assert choose(counted, LORA.model_copy(update={"processes": 1}), 1.0).sharding == "none"


def test_what_is_split_is_sixteen_bytes_for_each_parameter_over_all_gpus(counted):
    sizes = counted.sizes(settled(FULL, choose(counted, FULL, 40.0)))
    kept = sum(sizes[name] for name in ("weights", "gradients", "optimizer"))
    assert kept * 4 == pytest.approx(16 * 8.030261248), "float32 weights, gradients, and two moments"
    layer, ends = 6_979_321_856 / 32, 2 * 128_256 * 4_096
    assert sizes["exchange"] == pytest.approx((3 * layer + ends) * 2 / 1e9)
    lora = counted.sizes(LORA.model_copy(update={"sharding": "fsdp"}))
    assert lora["weights"] == pytest.approx((16.06 + 2 * 0.17) / 4, abs=0.01)


def test_copies_hold_their_gradients_twice(counted):
    alone, copy = (counted.sizes(LORA.model_copy(update={"processes": n, "sharding": "none"})) for n in (1, 4))
    assert copy["total"] - alone["total"] == pytest.approx(copy["gradients"]) == pytest.approx(copy["exchange"])


@given(st.sampled_from(["full", "lora", "qlora"]), st.floats(1, 300))
def test_more_gpus_never_need_more_of_each(method, available):
    training = FULL.model_copy(update={"method": method})
    found = table(COUNTED, training, available)
    assert [(need["gpus"], need["sharding"]) for need in found[:3]] == [(1, "none"), (2, "none"), (2, "fsdp")]
    split = [need["gigabytes"] for need in found if need["sharding"] == "fsdp"]
    assert split == sorted(split, reverse=True)
    assert all(need["fits"] == (need["gigabytes"] <= available) for need in found)


COUNTED = count(transformers.LlamaConfig(num_hidden_layers=4), FULL, new_tokens=False, gpu=True)


def test_what_does_not_fit_even_when_split_is_refused_with_the_numbers(counted):
    training = settled(FULL, choose(counted, FULL, 20.0))
    with pytest.raises(BadConfig, match=r"needs about [\d.]+ GB on each of 4 GPUs .*at most the 20\.0 GB"):
        check_fit(counted, training, 20.0)
    check_fit(counted, training, math.ceil(needs(counted, training, 4, "fsdp")))


def test_weights_that_are_quantised_before_they_are_split_must_fit_whole(counted):
    training = LORA.model_copy(update={"method": "qlora", "sharding": "fsdp"})
    check_loading(counted, training, 10.0)
    with pytest.raises(BadConfig, match=r"4-bit weights .* take 6\.\d GB, and each GPU loads them whole"):
        check_loading(counted, training, 5.0)


REFUSED = {
    r"processes` is 4 but this machine has 2 GPUs": ({}, 2),
    r"`sharding: fsdp` with `optimizer: adamw_8bit`": ({"sharding": "fsdp", "optimizer": "adamw_8bit"}, 4),
    r"`sharding: fsdp` with `method: qlora` on a CPU": ({"sharding": "fsdp", "method": "qlora"}, None),
    r"`sharding: deepspeed` with `method: qlora`": ({"sharding": "deepspeed", "method": "qlora"}, 4),
    r"`sharding: deepspeed`, which is not installed.*add `deepspeed` to images": ({"sharding": "deepspeed"}, 4),
}


@pytest.mark.parametrize("says", REFUSED)
def test_what_cannot_be_is_refused(says, counted, monkeypatch):
    settings, number = REFUSED[says]
    training = LORA.model_copy(update=settings)
    monkeypatch.setattr(sharing.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(BadConfig, match=says):
        check_choice(choose(counted, training, H100), training, number is None, number)


def test_processes_share_the_steps_of_an_update():
    with pytest.raises(ValidationError, match="accumulation 6 is no multiple of processes 4"):
        Training(accumulation=6, processes=4)
    with pytest.raises(ValidationError, match="nothing to split"):
        Training(sharding="fsdp")


def written(folder, sharding, gpu=True):
    (folder / "launch").mkdir()
    files = launch_files(4, sharding, gpu)
    for name, text in files.items():
        (folder / name).write_text(text)
    deepspeed = str(folder / DEEPSPEED) if DEEPSPEED in files else None
    return launch_arguments(str(folder / ACCELERATE), deepspeed, "task.json")


@pytest.mark.parametrize(("sharding", "kind"), [("none", "MULTI_GPU"), ("fsdp", "FSDP"), ("deepspeed", "DEEPSPEED")])
def test_accelerate_reads_what_was_written(sharding, kind, tmp_path):
    arguments = launch_command_parser().parse_args(written(tmp_path, sharding))
    config = load_config_from_file(str(tmp_path / ACCELERATE))
    assert config.distributed_type == DistributedType[kind]
    args, _, _ = _validate_launch_command(arguments)
    precision = "no" if sharding == "deepspeed" else "bf16"  # DeepSpeed's is in its own file, and nowhere else
    assert (args.num_processes, args.mixed_precision, args.use_cpu) == (4, precision, False)
    assert (args.use_fsdp, args.use_deepspeed, args.multi_gpu) == tuple(
        kind == each for each in ("FSDP", "DEEPSPEED", "MULTI_GPU")
    )
    assert (args.training_script, args.training_script_args) == ("finetune.train.worker", ["task.json"])


def test_accelerate_splits_as_was_written(tmp_path, monkeypatch):
    args, _, _ = _validate_launch_command(launch_command_parser().parse_args(written(tmp_path, "fsdp", gpu=False)))
    for name, value in prepare_multi_gpu_env(args).items():
        if name.startswith(("FSDP_", "ACCELERATE_USE")):
            monkeypatch.setenv(name, value)
    plugin = FullyShardedDataParallelPlugin()
    assert (plugin.fsdp_version, plugin.reshard_after_forward, plugin.cpu_ram_efficient_loading) == (2, True, True)
    assert plugin.state_dict_type.name == "SHARDED_STATE_DICT"
    told = set(yaml.safe_load((tmp_path / ACCELERATE).read_text())["fsdp_config"])
    assert told <= set(vars(launch_command_parser().parse_args(["script"]))), (
        "a setting that accelerate does not know would be read by nobody"
    )


def test_deepspeed_is_told_what_accelerate_can_fill_in(tmp_path):
    written(tmp_path, "deepspeed")
    config = HfDeepSpeedConfig(str(tmp_path / DEEPSPEED))
    assert config.is_zero3()
    assert not config.is_offload()
    assert config.get_value("gradient_clipping") == "auto"
    assert config.get_value("bf16") == {"enabled": "auto"}
    assert "mixed_precision" not in yaml.safe_load((tmp_path / ACCELERATE).read_text())


def test_what_would_run_is_shown_before_there_is_data(tmp_path, capsys):
    recipe = tmp_path / "demo.yaml"
    training = {"method": "full", "optimizer": "adamw_torch", "processes": 2, "accumulation": 4}
    recipe.write_text(yaml.safe_dump(yaml.safe_load(DEMO.read_text()) | {"finetune": {"training": training}}))
    told = ["--recipe", str(recipe)]
    assert gpus.main([*told, "--gpu", "h100"]) == 0
    shown = capsys.readouterr().out
    assert "2 processes, `none`: a whole copy takes" in shown
    assert "An update learns from 8 rows, 2 x 2 in each process" in shown
    assert "accelerate launch --config_file launch/accelerate.yaml -m finetune.train.worker TASK" in shown
    assert "distributed_type: MULTI_GPU" in shown
    assert gpus.main([*told, "--gpu", "h100", "--processes", "4", "--sharding", "fsdp"]) == 0
    assert "fsdp_version: 2" in capsys.readouterr().out
    assert gpus.main([*told, "--processes", "3"]) == BadConfig.exit_code
    assert "accumulation 4 is no multiple of processes 3" in capsys.readouterr().err


class Arguments:
    """A trainer's arguments on a machine with four GPUs."""

    n_gpu, use_cpu, world_size = 4, False, 1


def test_one_process_uses_one_gpu_however_many_it_sees():
    args = Arguments()
    ready(args)
    assert args._n_gpu == 1


def test_a_checkpoint_of_several_processes_needs_what_each_of_them_wrote():
    assert checkpoints.needed(2, "none") == (
        *("optimizer.pt", "scheduler.pt"),
        *("rng_state_0.pth", "rng_state_1.pth", "trainer_state.json"),
    )
    files = dict.fromkeys([*checkpoints.needed(2, "fsdp"), "pytorch_model_fsdp_0/.metadata"], "hash")
    checkpoint = checkpoints.Checkpoint("a", 1, 1, {}, False, files)
    assert checkpoints.objection(checkpoint, {}, checkpoints.needed(2, "fsdp")) is None
    assert "rng_state_2.pth" in checkpoints.objection(checkpoint, {}, checkpoints.needed(3, "fsdp"))
    del files["pytorch_model_fsdp_0/.metadata"]
    assert checkpoints.objection(checkpoint, {}, checkpoints.needed(2, "fsdp")) == "incomplete: the weights missing"


def test_a_checkpoint_of_deepspeed_needs_both_files_of_each_process():
    shares = [
        f"global_step2/{prefix}zero_pp_rank_{number}_mp_rank_00_{kind}_states.pt"
        for number in range(2)
        for prefix, kind in (("", "model"), ("bf16_", "optim"))
    ]
    rest = ("latest", "scheduler.pt", "rng_state_0.pth", "rng_state_1.pth", "trainer_state.json")
    wanted = checkpoints.needed(2, "deepspeed")
    whole = checkpoints.Checkpoint("a", 2, 1, {}, False, dict.fromkeys([*shares, *rest], "hash"))
    assert checkpoints.objection(whole, {}, wanted) is None
    for name in shares:
        torn = replace(whole, files={other: "hash" for other in whole.files if other != name})
        assert "incomplete: *zero_pp_rank" in checkpoints.objection(torn, {}, wanted)


def test_the_stage_fails_as_its_processes_failed(tmp_path):
    assert isinstance(_why(tmp_path, 1), RuntimeError), "a bug, whose traceback is in the log"
    (tmp_path / ENDED).write_text('{"rank": 3, "exit": -9}')
    assert "process 3 of the training was killed by signal 9" in _why(tmp_path, 1).sentence()
    with pytest.raises(RemoteTrouble) as full, memory_suffices():
        raise torch.OutOfMemoryError("CUDA out of memory")
    write_failure(tmp_path, 2, full.value)
    failure = _why(tmp_path, 1)
    assert (type(failure), failure.sentence()) == (RemoteTrouble, full.value.sentence())
    assert "the GPU's memory did not suffice" in failure.sentence()

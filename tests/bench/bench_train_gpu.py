"""LoRA and QLoRA on the Llama-3.1-8B shape: tokens per second, memory and MFU, beside plain TRL, in one run on a GPU.

    PYTHONPATH=images/shared:images/finetune:tests .venv/finetune/bin/python tests/bench/bench_train_gpu.py
    ... bench_train_gpu.py --compile        the same with `torch.compile`
    ... bench_train_gpu.py --memory         instead: predicted against measured peak, at three lengths
    ... bench_train_gpu.py --toy            a small shape on a CPU: that it runs, not how fast

Weights are random, which changes neither speed nor memory; they are written once to a temporary folder (16 GB), and
nothing is downloaded. Rows are packed samples with lengths as instruction data has them, of random ids. Each way is a
process of its own, over `--steps` steps of which the first five are not timed; padding is not counted as tokens. A line
is printed as soon as it is measured; a way for which memory does not suffice says so, and the others go on. MFU counts
what the method needs, recomputation left out: for a frozen base 4 floating-point operations per weight and token, 6 per
adapter weight, and attention within a sample; the GPU's peak is its maker's figure for dense bfloat16.
"""

import argparse
import gc
import json
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from itertools import chain
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, AutoTokenizer, LlamaConfig, LlamaForCausalLM

from bench.train_ways import WAYS, Setting, train
from contract.config.finetune import Lora, Training
from contract.failures import BadConfig
from finetune.data import IGNORED, Row
from finetune.model import quiet, save_model
from finetune.plan.fit import count
from finetune.plan.probe import Base, probe
from finetune.rows import rows_file, write_rows
from finetune.tiny import train_tokenizer

LLAMA_8B = {
    "vocab_size": 128_256, "hidden_size": 4_096, "intermediate_size": 14_336, "num_hidden_layers": 32,
    "num_attention_heads": 32, "num_key_value_heads": 8, "max_position_embeddings": 131_072, "rope_theta": 500_000.0,
}  # fmt: skip
ONE_B = LLAMA_8B | {"hidden_size": 2_048, "intermediate_size": 8_192, "num_hidden_layers": 16}
TOY = {
    "vocab_size": 600, "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "max_position_embeddings": 512,
}  # fmt: skip
PEAK_FLOPS = {"H200": 989e12, "H100": 989e12, "B200": 2_250e12, "A100": 312e12, "L40S": 362e12, "L4": 121e12}
WARM = 5
OUT_OF_MEMORY = 3
"""Exit code of a way for whose memory the GPU is too small; the others go on."""
LIBRARIES = ("torch", "transformers", "trl", "peft", "bitsandbytes")
MEMORY_LENGTHS, TOY_LENGTHS = (1_024, 2_048, 4_096), (32, 64, 128)
QUARTER = 4
"""A quarter of each sample is prompt, and not learned."""


def make_base(folder: Path, shape: dict[str, Any], device: torch.device) -> None:
    """Random weights and some tokenizer; the ids of the rows are drawn, so its words do not matter."""
    tokenizer = train_tokenizer(["some words"], vocabulary=300)
    tokenizer.save_pretrained(folder)
    dtype = torch.bfloat16 if device.type == "cuda" else torch.float32
    config = LlamaConfig(**shape, pad_token_id=tokenizer.pad_token_id, bos_token_id=0, eos_token_id=1, dtype=dtype)
    torch.manual_seed(0)
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)  # never in float32, which would take twice the memory
    try:
        with device:
            save_model(LlamaForCausalLM(config), folder)
    finally:
        torch.set_default_dtype(before)
    if device.type == "cuda":  # what this process holds on to, the ways' processes would lack
        gc.collect()
        torch.cuda.empty_cache()


def make_rows(folder: Path, vocabulary: int, setting: dict[str, int]) -> float:
    """Write packed rows and the same samples unpacked; returns the mean length of a sample."""
    draw, rows, tokens = random.Random(0), [], 0
    wanted = 2 * setting["length"] * setting["batch"] * setting["steps"]
    while tokens < wanted:
        size = min(setting["length"], max(16, int(draw.lognormvariate(5.2, 0.9))))
        ids = [draw.randrange(3, vocabulary) for _ in range(size)]
        rows.append(Row(str(len(rows)), ids, [IGNORED] * (size // QUARTER) + ids[size // QUARTER :], size))
        tokens += size
    training = Training(max_length=setting["length"])
    write_rows(rows, folder / rows_file("train"), training)
    write_rows(rows, folder / "samples.arrow", training.model_copy(update={"packing": False}))
    return tokens / len(rows)


def flops(config: Any, trained: int, sample: float) -> float:
    """Floating-point operations per token that training adapters on a frozen base needs."""
    kv = config.hidden_size * config.num_key_value_heads // config.num_attention_heads
    block = config.hidden_size * (2 * config.hidden_size + 2 * kv + 3 * config.intermediate_size)
    weights = config.num_hidden_layers * block + config.vocab_size * config.hidden_size
    attention = 2 * config.hidden_size * sample * config.num_hidden_layers
    return 4 * weights + 6 * trained + 3.5 * attention


def peak_flops() -> float | None:
    """Of the GPU at hand; None where it is not known."""
    name = torch.cuda.get_device_name() if torch.cuda.is_available() else ""
    return next((peak for part, peak in PEAK_FLOPS.items() if part in name), None)


def in_a_process(way: str, folder: Path, args: argparse.Namespace) -> dict[str, Any]:
    """One way in a process of its own, or in this one for a toy; `failed` says why there are no figures."""
    if args.toy:
        return one(way, folder, args)
    options = [f"--{name}={getattr(args, name)}" for name in ("length", "batch", "steps")]
    command = [sys.executable, __file__, f"--way={way}", f"--folder={folder}", *options]
    done = subprocess.run(command + ["--compile"] * args.compile, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:  # its traceback is on standard error
        return {"failed": "out of memory" if done.returncode == OUT_OF_MEMORY else f"exit code {done.returncode}"}
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def one(way: str, folder: Path, args: argparse.Namespace) -> dict[str, Any]:
    """One way, here."""
    device = torch.device("cpu" if args.toy else "cuda")
    return train(
        way, Setting(folder, args.length, args.batch, args.steps, args.compile, device), min(WARM, args.steps - 1)
    )


def speed(folder: Path, args: argparse.Namespace) -> Iterator[str]:
    """The table of ways, line by line."""
    make_base(folder, TOY if args.toy else LLAMA_8B, torch.device("cpu" if args.toy else "cuda"))
    config = AutoConfig.from_pretrained(folder)
    sample = make_rows(folder, config.vocab_size, {name: getattr(args, name) for name in ("length", "batch", "steps")})
    yield f"samples of {sample:.0f} tokens on average; rows of {args.length}, {args.batch} a step, {args.steps} steps"
    yield f"{'way':<24}{'tokens/s':>12}{'median step':>13}{'GB':>8}{'MFU':>8}  chosen"
    for way in WAYS:
        found = in_a_process(way, folder, args)
        if "failed" in found:
            yield f"{way:<24}{found['failed']:>12}"
            continue
        peak = peak_flops()
        used = f"{found['rate'] * flops(config, found['trained'], sample) / peak:.1%}" if peak else "-"
        held = f"{found['peak']:.1f}" if found["peak"] else "-"
        rates = f"{found['rate']:>12,.0f}{found['median']:>13,.0f}"
        yield f"{way:<24}{rates}{held:>8}{used:>8}  {found['chosen']}"


def memory(folder: Path, args: argparse.Namespace) -> Iterator[str]:
    """Predicted and measured peak of two steps, at three lengths: full training of 1B, adapters on 8B."""
    device = torch.device("cpu" if args.toy else "cuda")
    yield f"{'method':<8}{'length':>8}{'predicted':>12}{'measured':>14}{'off by':>9}"
    for shape, methods in ((TOY if args.toy else ONE_B, ("full",)), (TOY if args.toy else LLAMA_8B, ("lora", "qlora"))):
        base = folder / methods[0]
        make_base(base, shape, device)
        config, tokenizer = AutoConfig.from_pretrained(base), AutoTokenizer.from_pretrained(base)
        for method in methods:
            for length in TOY_LENGTHS if args.toy else MEMORY_LENGTHS:
                training = Training(method=method, lora=Lora(rank=16), max_length=length, batch_size=args.batch)
                sizes = count(config, training, new_tokens=False, gpu=not args.toy).sizes(training)
                said = sizes["total"] - sizes["context"]
                measured = _compared(said, Base(base, tokenizer, device, False), training)
                yield f"{method:<8}{length:>8}{said:>9.2f} GB{measured}"


def _compared(said: float, base: Base, training: Training) -> str:
    try:
        found = probe(base, training, "sdpa").peak_gb
    except BadConfig:
        return f"{'out of memory':>14}"
    return f"{found:>11.2f} GB{said / found - 1:>+9.1%}" if found else f"{'-':>14}{'-':>9}"


def machine() -> str:
    """What the figures were measured on and with."""
    gpu = torch.cuda.get_device_properties() if torch.cuda.is_available() else None
    where = f"{gpu.name}, {gpu.total_memory / 1e9:.0f} GB, CUDA {torch.version.cuda}" if gpu else "a CPU"
    return f"{where}; " + ", ".join(f"{name} {version(name)}" for name in LIBRARIES)


def parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--length", type=int, default=2_048)
    parser.add_argument("--batch", type=int, default=4, help="rows a step")
    parser.add_argument("--steps", type=int, default=60, help="at least 2")
    for name in ("compile", "memory", "toy"):
        parser.add_argument(f"--{name}", action="store_true")
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> None:
    args = parsed(arguments)
    quiet()
    if not args.toy and not torch.cuda.is_available():
        sys.exit("there is no GPU here: --toy shows that it runs")
    if args.toy:
        torch.set_num_threads(1)
    if args.way:
        try:
            sys.stdout.write(json.dumps(one(args.way, args.folder, args)) + "\n")
        except torch.OutOfMemoryError as error:
            sys.stderr.write(f"{args.way}: {error}\n")
            sys.exit(OUT_OF_MEMORY)
        return
    with tempfile.TemporaryDirectory(prefix="nocturne-bench-") as name:
        for line in chain([machine()], (memory if args.memory else speed)(Path(name), args)):
            sys.stdout.write(f"{line}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()

"""The benchmark of training runs at toy size on a CPU, every way of it; its figures mean something on a GPU alone."""

import pytest
from transformers import LlamaConfig

from bench import bench_train_gpu
from bench.train_ways import WAYS


def test_every_way_trains_at_toy_size(capsys):
    bench_train_gpu.main(["--toy", "--length", "32", "--batch", "2", "--steps", "2"])
    rates = {
        line[:24].strip(): float(line[24:36].replace(",", "")) for line in capsys.readouterr().out.splitlines()[3:]
    }
    assert list(rates) == list(WAYS)
    assert min(rates.values()) > 0


def test_a_way_that_fails_is_said_and_the_others_go_on(monkeypatch, capsys):
    fine = {"rate": 9_000.0, "median": 9_100.0, "peak": 20.0, "trained": 1, "chosen": "sdpa"}
    found = {way: {"failed": "out of memory"} if "QLoRA" in way else fine for way in WAYS}
    monkeypatch.setattr(bench_train_gpu, "in_a_process", lambda way, *_: found[way])
    bench_train_gpu.main(["--toy", "--length", "32", "--batch", "1", "--steps", "2"])
    first, *_, loras, qlora, _, last = capsys.readouterr().out.splitlines()
    assert "trl 1.16" in first
    assert loras.split()[2:5] == ["9,000", "9,100", "20.0"]
    assert qlora.split() == ["QLoRA", "r=16", "out", "of", "memory"]
    assert last.startswith("TRL packed")


def test_a_token_needs_the_operations_that_were_counted_by_hand_for_llama_8b():
    config = LlamaConfig(**bench_train_gpu.LLAMA_8B)
    # 4 x 6.979e9 (blocks) + 4 x 0.525e9 (head) + 6 x 41.9e6 (adapters) + 3.5 x 2 x 4096 x 32 x 2048 (attention)
    assert bench_train_gpu.flops(config, 41_943_040, 2_048) == pytest.approx(32.15e9, rel=0.001)

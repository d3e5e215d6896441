"""A disk that fills up under a stage: one line, exit code 13, nothing half-written, and the next run goes on."""

import json
import random
import subprocess

import pytest

from conftest import Runner
from llm_chunks import synthetic_chunks, write_chunks
from llm_runs import Instruct, check_books
from llm_server import Behaviour, LlmServer


def mount(folder, size: str, *options: str) -> None:
    command = ["mount", "-t", "tmpfs", "-o", ",".join([*options, f"size={size}"]), "tmpfs", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no disk of a given size can be made here: {done.stderr.strip()}")


@pytest.fixture
def disk(tmp_path):
    """A small disk."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount(folder, "400k")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_disk_that_is_full_under_the_rows(disk, tmp_path):
    choose = random.Random(1)
    texts = (" ".join(f"{choose.getrandbits(60):x}" for _ in range(60)) for _ in range(2_000))
    (tmp_path / "raw.jsonl").write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    call = ("curate", "ingest", {"sources": [{"uri": str(tmp_path / "raw.jsonl")}]}, [], f"{disk}/out/")
    full = Runner("process", tmp_path)(*call)
    assert full.exit_code == 13
    assert "disk full: No space left on device" in full.stderr.splitlines()[-1]
    assert "Traceback" not in full.stderr
    assert [path for path in disk.rglob("*") if path.is_file()] == []
    mount(disk, "20m", "remount")
    assert Runner("process", tmp_path)(*call).result["rows"] == 2_000


def test_a_disk_that_is_full_under_the_answers(disk, tmp_path):
    """What could be kept is not asked again; what was under way is paid for and counted."""
    chunks = write_chunks(tmp_path, synthetic_chunks(60, 4))
    with LlmServer(Behaviour(latency=0.01)) as server:
        instruct = Instruct(Runner("process", tmp_path), chunks, server)
        env = {"NOCTURNE_CACHE": str(disk / "cache")}
        full = instruct(env=env, concurrency=8).ended
        assert full.exit_code == 13
        assert "No space left on device" in full.stderr.splitlines()[-1]
        assert "Traceback" not in full.stderr
        first, kept = len(server.seen), len(list(disk.rglob("llm/*/*.json")))
        assert first - kept <= 3 * 8, "it stops asking at once"
        mount(disk, "20m", "remount")
        made = instruct(env=env, concurrency=8)
        check_books(made, 240)
        assert len(server.seen) == first + 240 - kept
        assert made.manifest.cost.requests == len(server.seen)

"""`make judge-check` on small files in the layouts of published gold sets, against a scripted judge."""

import gzip
import json
import os
import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from conftest import ROOT
from generate.judge.check import SETS, main
from judge_server import JudgeServer, honest

PAIRS = [(4, 1, "a"), (1, 3, "b"), (2, 2, "tie"), (3, 1, "a"), (1, 4, "a")]


@pytest.fixture
def server():
    with JudgeServer() as running:
        yield running


@pytest.fixture
def check(tmp_path, server, monkeypatch, capsys):
    """Runs the command in this process; returns its exit code and what it printed."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-a-secret-for-tests")
    monkeypatch.setenv("NOCTURNE_CACHE", str(tmp_path / "cache"))

    def call(gold, *more, model="judge-model"):
        place = ["--base-url", server.url, "--gold", str(gold), "--out", f"{tmp_path}/out/"]
        code = main(["--model", model, *place, *more])
        return code, "".join(capsys.readouterr())

    return call


def pair(number: int) -> tuple[str, str, str]:
    ours, theirs, _ = PAIRS[number]
    return f"Question {number}?", f"One [worth {ours}]", f"Two [worth {theirs}]"


def llmbar(folder):
    labels = {"a": 1, "b": 2, "tie": 0}
    rows = [
        dict(zip(("input", "output_1", "output_2"), pair(n), strict=True)) | {"label": labels[PAIRS[n][2]]}
        for n in range(5)
    ]
    (folder / "dataset.json").write_text(json.dumps(rows))
    return folder / "dataset.json"


def mt_bench(folder):
    winners, rows = {"a": "model_a", "b": "model_b", "tie": "tie"}, []
    for turn in (1, 2):
        for n in range(5):
            question, one, two = pair(n)
            talks = {
                f"conversation_{side}": [{"role": "user", "content": question}, {"role": "assistant", "content": text}]
                for side, text in (("a", one), ("b", two))
            }
            rows.append(talks | {"winner": winners[PAIRS[n][2]], "turn": turn, "question_id": 80 + n})
    pq.write_table(pa.Table.from_pylist(rows), folder / "human.parquet")
    return folder / "human.parquet"


def helpsteer2(folder):
    rows = [
        {"prompt": f"Q{n}?", "response": f"A [worth {1 + n % 4}]", "helpfulness": (0, 1, 3, 4)[n % 4]} for n in range(8)
    ]
    with gzip.open(folder / "validation.jsonl.gz", "wt") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)
    return folder / "validation.jsonl.gz"


@pytest.mark.parametrize(("name", "make"), [("llmbar", llmbar), ("mt_bench", mt_bench)])
def test_pairs_of_published_sets(check, server, tmp_path, name, make):
    code, printed = check(make(tmp_path), "--set", name)
    assert code == 0, printed
    assert len(server.seen) == 10, "each pair in both orders, and turns after the first are left out"
    row = next(line for line in printed.splitlines() if line.startswith("judge-model"))
    assert row.split()[1:4] == ["5", "80.0", "%"]
    assert "says the same in both orders on 100.0 % of 5 pairs" in printed
    assert "0.0 % of verdicts go to the first" in printed


def test_scores_of_a_published_set(check, tmp_path):
    code, printed = check(helpsteer2(tmp_path), "--set", "helpsteer2")
    assert code == 0, printed
    row = next(line for line in printed.splitlines() if line.startswith("judge-model"))
    assert row.split()[1:4] + row.split()[-2:] == ["8", "100.0", "%", "1.000", "1.000"]


def test_a_jury_of_several_models_and_what_it_lacks(check, server, tmp_path):
    server.script = lambda shown: "?" if shown.model == "dumb" else honest(shown)
    code, printed = check(llmbar(tmp_path), "--set", "llmbar", "--config", '{"max_failed": 1}', model="one, two,dumb")
    assert code == 0, printed
    assert [line.split()[0] for line in printed.splitlines() if "80.0 %" in line] == ["jury", "one", "two"]
    assert "missing: dumb: malformed 5" in printed


def test_a_second_run_asks_nobody_and_a_limit_holds(check, server, tmp_path):
    gold = llmbar(tmp_path)
    assert check(gold, "--set", "llmbar", "--requests", "4")[0] == 0
    assert len(server.seen) == 4
    assert check(gold, "--set", "llmbar")[0] == 0
    assert len(server.seen) == 10
    assert check(gold, "--set", "llmbar")[1].count("80.0 %") == 1
    assert len(server.seen) == 10


def test_mistakes_are_told_in_a_line(check, tmp_path):
    code, printed = check(tmp_path / "none.jsonl")
    assert (code, "source has no files" in printed) == (11, True)
    code, printed = check(llmbar(tmp_path), model="")
    assert (code, "MODEL=name GOLD=file" in printed) == (10, True)
    code, printed = check(llmbar(tmp_path), "--config", "[]")
    assert (code, "expected an object" in printed) == (10, True)
    code, printed = check(llmbar(tmp_path), "--config", '{"method": "triple"}')
    assert (code, "Traceback" in printed) == (10, False)


def test_the_sets_are_named_in_its_help():
    env = os.environ | {"PYTHONPATH": f"{ROOT}/images/shared:{ROOT}/images/generate"}
    command = [sys.executable, "-m", "generate.judge.check", "--help"]
    done = subprocess.run(command, capture_output=True, text=True, env=env, check=True)
    assert all(name in done.stdout for name in SETS)
    assert "lmsys/mt_bench_human_judgments" in " ".join(done.stdout.split())

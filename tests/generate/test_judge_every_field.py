"""Each field of judge's config, changed, changes a result or what a server sees."""

import json
import shutil
from pathlib import Path

import pytest

from contract.records import Chunk
from every_field import Seen, check, run
from generate.judge import rubric
from judge_cases import CASES
from judge_runs import sample, write_rows
from judge_server import JudgeServer, honest, shown_of
from llm_cases import KEYS, Faults, what_they_saw

ROWS = [sample(n, 1 + n % 4, 60 * 2 ** (n % 4) + n, chunk_id="c") for n in range(8)]
RIVALS = [
    sample(n, worth, model=model).model_copy(update={"id": f"{model}{n}"})
    for model, worth in (("first", 1), ("second", 4))
    for n in range(8)
]
TEXTS = [
    {"instruction": f"Q{n}?", "other": "Else?", "answer": f"A{n} [worth {n + 1}]", "reference": f"R{n} [worth 2]"}
    for n in range(3)
]
GOLD = [
    text | {"verdict": said, "accepted": yes, "turn": n, "opponent": f"O{n} [worth 1]", "winner": "a"}
    for n, (text, said, yes) in enumerate(zip(TEXTS, (1, 2, 4), ("reject", "reject", "accept"), strict=True))
]
FILES = {
    "gold": GOLD,
    "pairs": GOLD,
    "named": [{"id": row.id, "verdict": 2} for row in ROWS[:3]],
    "none": [{"id": "nobody", "verdict": 2}],
    "nested": {"more": {"rows": GOLD}},
}


def script(shown) -> dict:
    """Judges whose names say by how much they err."""
    said = honest(shown)
    if "score" in said:
        said["score"] = {"low": 1, "lower": 1, "high": 4}.get(shown.model, said["score"])
    return said


@pytest.fixture
def second_prompt(tmp_path, monkeypatch):
    """The folder of prompts with another version in it."""
    folder = tmp_path / "prompts"
    shutil.copytree(rubric.PROMPTS, folder)
    text = (folder / "judge-1.yaml").read_text()
    (folder / "judge-2.yaml").write_text(text.replace("system: |\n", "system: |\n  In verse, please.\n"))
    monkeypatch.setattr(rubric, "PROMPTS", folder)


@pytest.fixture
def seen(tmp_path, monkeypatch, second_prompt):
    """Runs judge on eight samples against servers with faults, with a cache of its own."""
    rows = write_rows(tmp_path, ROWS, "rows")
    chunk = Chunk(id="c", document_id="d", ordinal=0, start=0, end=4, text="Text")
    inputs = [f"rows={rows}", f"references={write_rows(tmp_path, [chunk], 'chunks')}"]
    opponents = write_rows(tmp_path, RIVALS, "rivals")
    for name, value in FILES.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(value))

    def call(config: dict, faults: Faults, name: str) -> Seen:
        monkeypatch.setenv("NOCTURNE_CACHE", str(tmp_path / name / "cache"))
        monkeypatch.setattr("generate.llm.batchserver.GATHER_SECONDS", 0.2)
        for variable, key in KEYS.items():
            monkeypatch.setenv(variable, key)
        with JudgeServer(script) as first, JudgeServer(script) as second:
            places = {"first": first.url, "second": second.url}
            for server in (first, second):
                server.behave(retry_after=("",), **faults)
            settings = placed({"base_url": "first", "backoff": 0.01} | config, places, tmp_path)
            rivals = [f"opponents={opponents}"] if "opponents_by" in config else []
            result = run("judge", settings, inputs + rivals, Path(tmp_path / name / "out"))
            asked = [*questions("first", first), *questions("second", second)]
            return what_they_saw(result.with_lines(asked), {"first": first, "second": second})

    return call


def placed(value, places: dict[str, str], folder: Path):
    """A config whose servers and files are where they are."""
    if isinstance(value, list):
        return [placed(item, places, folder) for item in value]
    if not isinstance(value, dict):
        return value
    found = {key: placed(item, places, folder) for key, item in value.items()}
    if "base_url" in found:
        found["base_url"] = places.get(found["base_url"], found["base_url"])
    if "uri" in found:
        found["uri"] = f"{folder}/{found['uri']}.json"
    return found


def questions(name: str, server: JudgeServer) -> list[str]:
    return [f"server {name} saw question {shown_of(request.body).name}" for request in server.seen]


@pytest.mark.parametrize(("case", "faults"), CASES, ids=[case.field for case, _ in CASES])
def test_the_field_changes_the_result(seen, case, faults):
    check("judge", case, seen(case.base, faults, "base"), seen(case.changed, faults, "changed"))

"""Each field of the LLM stages' configs, changed, changes a result or what a server sees; a field without a case fails.

What the server saw is part of the result here: its requests, how many at once, and what they asked for.
"""

import json
import shutil
from pathlib import Path

import pytest

from contract.records import Sample
from curate_texts import write_dataset
from every_field import Case, Seen, check, missing_cases, run
from evolve_cases import CASES as EVOLVE
from generate.evolve import prompt as evolving
from generate.evolve import rubrics
from generate.instruct import prompt
from judge_cases import CASES as JUDGE
from llm_cases import KEYS, Faults, addressed, shared_cases, what_they_saw
from llm_chunks import synthetic_chunks, write_chunks
from llm_server import Behaviour
from rephrased_pairs import CASES as REPHRASED
from scripted_llm import Evolver, ScriptedServer, TaskServer, clock_samples

TASKS = {
    "mode": "self_instruct",
    "self_instruct": {
        "seeds": {"uri": "seeds.json", "records_at": "tasks"},
        "topics": ["clocks"],
        "complexities": ["plain"],
        "lengths": ["short"],
        "tones": ["dry"],
        "count": 6,
        "examples": 4,
        "write_seeds": True,
    },
}
"""Settings of self-instruct with three seeds."""

CASES: list[tuple[Case, Faults]] = [
    (Case("provider", "extractive", "extractive"), {}),
    (Case("pairs", 3, 'account pairs {"total":18'), {}),
    (Case("prompt", "backtranslate-3", "In verse, please."), {}),
    (Case("mode", "style", "as A. Writer would write it"), {}),
    (Case("language", "pl", "instructions and answers in Polish"), {}),
    (Case("style_passages", 1, "passage 2", {"mode": "style"}), {}),
    (Case("min_grounding", 0.9, "not_grounded"), {}),
    (Case("self_instruct.seeds.uri", "other.json", "account seeds", TASKS), {}),
    (Case("self_instruct.seeds.records_at", "more.tasks", "no list of rows", TASKS), {}),
    (Case("self_instruct.seeds.instruction", "title", "Title of seed", TASKS), {}),
    (Case("self_instruct.seeds.input", "", "Input of seed", TASKS), {}),
    (Case("self_instruct.seeds.answer", "title", "Title of seed", TASKS), {}),
    (Case("self_instruct.prompt", "self_instruct-1.pl", "Temat: clocks", TASKS), {}),
    (Case("self_instruct.count", 3, 'account tasks {"total":3', TASKS), {}),
    (Case("self_instruct.topics", ["tides"], "topic:tides", TASKS), {}),
    (Case("self_instruct.complexities", ["odd"], "complexity:odd", TASKS), {}),
    (Case("self_instruct.lengths", ["odd"], "length:odd", TASKS), {}),
    (Case("self_instruct.tones", ["odd"], "tone:odd", TASKS), {}),
    (Case("self_instruct.languages", ["de"], "task and answer: German", TASKS), {}),
    (Case("self_instruct.examples", 0, "example 2", TASKS), {}),
    (Case("self_instruct.novelty", 0.1, "not_novel", TASKS), {}),
    (Case("self_instruct.wave", 1, '"kind": "instruct"', TASKS), {}),
    (Case("self_instruct.tries", 9, "account tasks", TASKS | {"reasks": 0}), {"malformed": 0.7}),
    (Case("self_instruct.write_seeds", False, '"kind": "seed"', TASKS), {}),
    (Case("self_instruct.license", "MIT", '"license": "MIT"', TASKS), {}),
    (Case("shard_rows", 1, "shards 12 and 0"), {}),
    *shared_cases(requests=6),
]


@pytest.fixture(autouse=True)
def surroundings(monkeypatch):
    """Keys in the environment, and batches that are sent at once."""
    monkeypatch.setattr("generate.llm.batchserver.GATHER_SECONDS", 0.2)
    for variable, key in KEYS.items():
        monkeypatch.setenv(variable, key)


@pytest.fixture
def second_prompt(tmp_path, monkeypatch):
    """The folder of prompts with another version in it."""
    folder = tmp_path / "prompts"
    shutil.copytree(prompt.FOLDER, folder)
    text = (folder / "backtranslate-2.yaml").read_text()
    (folder / "backtranslate-3.yaml").write_text(text.replace("system: >-\n", "system: >-\n  In verse, please.\n"))
    monkeypatch.setattr(prompt, "FOLDER", folder)


@pytest.fixture
def seen(tmp_path, monkeypatch, second_prompt):
    """Runs instruct on six chunks against servers with faults, with a cache of its own."""
    chunks = write_chunks(tmp_path, synthetic_chunks(2, 3))
    monkeypatch.setenv("NOCTURNE_STORE", str(tmp_path))
    _write_seeds(tmp_path)

    def call(config: dict, faults: Faults, name: str) -> Seen:
        monkeypatch.setenv("NOCTURNE_CACHE", str(tmp_path / name / "cache"))
        behaviour = Behaviour(retry_after=("",), **faults)
        with TaskServer(behaviour) as first, TaskServer(behaviour) as second:
            config = {"provider": "openai", "pairs": 2, "base_url": "first", "backoff": 0.01} | config
            servers = {"first": first, "second": second}
            inputs = [] if config.get("mode") == "self_instruct" else [f"chunks={chunks}"]
            result = run("instruct", addressed(config, servers), inputs, Path(tmp_path / name / "out"))
            return what_they_saw(result, servers)

    return call


def _write_seeds(folder: Path) -> None:
    """Two files of seeds, with every field that a config may name."""
    rows = [
        {"instruction": f"Task {n}", "title": f"Title of seed {n}", "instances": [{"input": f"Input of seed {n}"}]}
        for n in range(3)
    ]
    for row in rows:
        row["instances"][0]["output"] = f"Answer of {row['instruction']}"
    (folder / "seeds.json").write_text(json.dumps({"tasks": rows}))
    (folder / "other.json").write_text(json.dumps({"tasks": rows[:2]}))


def _model() -> Evolver:
    """Evolves four clocks of six, answers under its name, and rates by it."""
    merit = {"good": 5, "fair": 4, "poor": 3, "third": 2}
    return Evolver(
        rewrite=lambda text, what: text if "number 0" in text or "number 1" in text else f"{text} Mind this: {what}",
        rate=lambda answer, aspect: merit.get(answer.split()[0], 1),
    )


@pytest.fixture
def seen_evolving(tmp_path, monkeypatch, second_evolving_prompts):
    """Runs evolve on six samples against servers with faults, with a cache of its own."""
    rows = write_dataset(tmp_path / "rows", clock_samples(6), Sample, stage="instruct")

    def call(config: dict, faults: Faults, name: str) -> Seen:
        monkeypatch.setenv("NOCTURNE_CACHE", str(tmp_path / name / "cache"))
        behaviour = Behaviour(retry_after=("",), **faults)
        with (
            ScriptedServer(_model(), behaviour=behaviour) as first,
            ScriptedServer(_model(), behaviour=behaviour) as second,
        ):
            servers = {"first": first, "second": second}
            config = addressed({"base_url": "first", "backoff": 0.01} | config, servers)
            result = run("evolve", config, [f"rows={rows}"], Path(tmp_path / name / "out"))
            return what_they_saw(result, servers)

    return call


@pytest.fixture(scope="module")
def bases() -> dict[str, Seen]:
    """What unchanged configs showed: many fields are changed in the same one."""
    return {}


@pytest.fixture
def second_evolving_prompts(tmp_path, monkeypatch):
    """The folders of prompts with another version in each."""
    for module, name in ((evolving, "evolve"), (rubrics, "ultrafeedback")):
        folder = tmp_path / name
        shutil.copytree(module.FOLDER, folder)
        text = (folder / f"{name}-1.yaml").read_text()
        (folder / f"{name}-2.yaml").write_text(text.replace("system: >-\n", "system: >-\n  In verse, please.\n", 1))
        monkeypatch.setattr(module, "FOLDER", folder)


def test_every_field_has_a_case():
    cases = {"instruct": CASES, "check_rephrased": REPHRASED, "evolve": EVOLVE, "judge": JUDGE}
    assert missing_cases("generate", {stage: [case for case, _ in some] for stage, some in cases.items()}) == {}


@pytest.mark.parametrize(("case", "faults"), CASES, ids=[case.field for case, _ in CASES])
def test_the_field_changes_the_result(seen, case, faults):
    check("instruct", case, seen(case.base, faults, "base"), seen(case.changed, faults, "changed"))


@pytest.mark.parametrize(("case", "faults"), EVOLVE, ids=[case.field for case, _ in EVOLVE])
def test_the_field_changes_what_evolves(seen_evolving, bases, case, faults):
    name = json.dumps([case.base, faults])
    if name not in bases:
        bases[name] = seen_evolving(case.base, faults, "base")
    check("evolve", case, bases[name], seen_evolving(case.changed, faults, "changed"))

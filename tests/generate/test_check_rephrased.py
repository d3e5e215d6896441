"""check_rephrased: a model's word on pairs, what follows for the rows, and the books of pairs and requests."""

import json
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.records import Sample
from curate_texts import sample, write_dataset
from every_field import Seen, check, run
from generate.check_rephrased import prompt
from generate.check_rephrased.extract import likest
from generate.check_rephrased.pairs import Pair
from llm_cases import KEYS, addressed, what_they_saw
from llm_runs import QUICK, InProcess, Made
from rephrased_pairs import CASES, PAIRS, ROWS, knows, write_pairs
from scripted_llm import ScriptedServer

PINNED = {"rephrased-1": "a714ad28b60815775af8dc253966b60e8f56dde29d28c595a5fd676e541cea16"}
"""A published prompt never changes: datasets made with it keep their key. Copy it to the next number instead."""


@pytest.fixture
def llm():
    """A server whose model knows the answers."""
    with ScriptedServer(knows) as server:
        yield server


@pytest.fixture
def check_rows(tmp_path, llm):
    """Runs the stage on the rows and pairs in a dataset, in this process."""

    def call(rows: str | None = None, name: str = "made", **config) -> Made:
        uri = rows or str(tmp_path / "rows")
        if not Path(uri).exists():
            write_pairs(Path(uri))
        env = {"NOCTURNE_STORE": str(tmp_path), "OPENAI_API_KEY": "sk-a-secret-for-tests"}
        settings = QUICK | {"base_url": llm.url} | config
        made = InProcess(tmp_path)("generate", "check_rephrased", settings, [("rows", uri)], f"{tmp_path}/{name}/", env)
        return Made(made)

    return call


def check_pairs(made: Made, rows: int, pairs: int) -> None:
    """Every row, pair and request ends once, and the ledger holds those that went no further."""
    accounts = made.manifest.accounts
    assert (accounts["rows"].total, accounts["pairs"].total) == (rows, pairs)
    for name, account in accounts.items():
        booked = sum(sum(ends.values()) for ends in (account.dropped, account.failed, account.skipped))
        assert sum(entry.account == name for entry in made.ledger) == booked == account.total - account.kept, name
    assert made.manifest.rows_out == accounts["rows"].kept
    assert len(verdicts_of(made)) == pairs


def verdicts_of(made: Made) -> list[dict]:
    path = Path(made.ended.result["uri"].removeprefix("file://")) / "check_rephrased" / "verdicts.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()]


def ids_of(made: Made) -> list[str]:
    return [row["id"] for batch in made._dataset.batches() for row in batch.to_pylist()]


def test_rows_go_that_the_model_calls_a_rephrasing(check_rows, llm):
    made = check_rows()
    check_pairs(made, 5, 4)
    assert ids_of(made) == ["doc-1", "doc-3", "doc-other"]
    gone = [entry for entry in made.ledger if entry.account == "rows"]
    assert [(e.id, e.rule, e.value, e.threshold, e.partner, e.detail) for e in gone] == [
        ("doc-0", "rephrased_by_model", "yes", "yes", "exam:1", "as asked"),
        ("doc-2", "rephrased_by_model", "yes", "yes", "exam:3", "as asked"),
    ]
    assert json.loads(gone[0].row)["text"] == ROWS[0].text
    assert [line["rephrases"] for line in verdicts_of(made)] == [True, False, True, False]
    assert made.manifest.cost.requests == len(llm.seen) == 4
    assert made.manifest.metrics["rows_rephrased"] == 2


def test_each_question_shows_its_pair_and_asks_for_yes_or_no(check_rows, llm):
    check_rows()
    asked = [request.body for request in llm.seen]
    texts = sorted(body["messages"][1]["content"] for body in asked)
    assert all(sum(pair["row_text"] in text for text in texts) == 1 for pair in PAIRS)
    schema = asked[0]["response_format"]["json_schema"]["schema"]
    assert list(schema["properties"]) == ["reason", "rephrases"]
    assert schema["properties"]["rephrases"]["type"] == "boolean"


def test_what_was_answered_is_not_paid_again(check_rows, llm):
    first, second = check_rows(), check_rows(name="again")
    assert len(llm.seen) == 4
    assert (second.hash, second.manifest.cost.requests) == (first.hash, 0)


@pytest.mark.parametrize(
    ("faults", "config", "account", "rule"),
    [
        ({"refusal": 1.0}, {}, "dropped", "refusal"),
        ({"malformed": 1.0}, {"reasks": 0}, "dropped", "malformed"),
        ({"server_error": 0.5}, {"attempts": 1, "max_failed": 1.0}, "failed", "server_error"),
        ({}, {"budget": {"requests": 0}}, "skipped", "budget"),
    ],
    ids=["declined", "no JSON", "server in trouble", "no budget"],
)
@pytest.mark.parametrize("unchecked", ["keep", "drop"])
def test_rows_without_a_verdict_stay_or_go_as_the_recipe_says(
    check_rows, llm, faults, config, account, rule, unchecked
):
    llm.behave(**faults)
    made = check_rows(unchecked=unchecked, **config)
    check_pairs(made, 5, 4)
    missing = getattr(made.manifest.accounts["pairs"], account)[rule]
    assert missing == 4 - sum(line["rephrases"] is not None for line in verdicts_of(made)) > 0
    unchecked_rows = [entry for entry in made.ledger if entry.rule == "unchecked"]
    assert [entry.value for entry in unchecked_rows] == [rule] * (missing if unchecked == "drop" else 0)


def test_a_verdict_counts_more_than_a_missing_one(check_rows, llm, tmp_path):
    pairs = [pair | {"row": "doc-0"} for pair in PAIRS[:3]]
    llm.script = lambda body: "no JSON" if "Sort" in body["messages"][1]["content"] else knows(body)
    uri = write_pairs(tmp_path / "several", pairs=[pairs[1], *pairs])
    made = check_rows(uri, unchecked="drop", reasks=0)
    check_pairs(made, 5, 4)
    rows = [entry for entry in made.ledger if entry.account == "rows"]
    assert [(entry.id, entry.rule, entry.partner) for entry in rows] == [("doc-0", "rephrased_by_model", "exam:1")]


def test_samples_too_and_shards_do_not_matter(check_rows, tmp_path):
    rows = [sample(n, pair["row_text"], "It is so.") for n, pair in enumerate(PAIRS)]
    pairs = [pair | {"row": row.id} for pair, row in zip(PAIRS, rows, strict=True)]
    uri = write_pairs(tmp_path / "samples", rows, pairs, Sample)
    made, other = check_rows(uri), check_rows(uri, "other", shard_rows=1)
    assert [row.id for row in made.samples] == ["sample-1", "sample-3"]
    assert made.hash == other.hash


def test_no_pairs_are_no_questions(check_rows, llm, tmp_path):
    made = check_rows(write_pairs(tmp_path / "none", pairs=[]))
    check_pairs(made, 5, 0)
    assert llm.seen == []
    assert made.manifest.rows_out == 5


def test_a_dataset_without_pairs_is_explained(check_rows, tmp_path):
    ended = check_rows(write_dataset(tmp_path / "plain", ROWS, type(ROWS[0]))).ended
    assert ended.exit_code == 11
    assert "`rephrased.check`" in ended.stderr
    assert "Traceback" not in ended.stderr


WORDS = st.lists(st.sampled_from(["vowel", "count", "the", "cloud", "zebra\n", "a", "ąę"]), max_size=60).map(" ".join)


@given(WORDS, WORDS, st.integers(1, 80))
def test_an_extract_is_a_part_no_longer_than_allowed_and_no_other_place_has_more(text, other, characters):
    found = likest(text, other, characters)
    assert found in text
    assert len(found) == min(len(text), characters)


def test_the_part_that_is_shown_is_the_one_about_the_item():
    text = "Clouds drift over hills. " * 400 + "Count the vowels of a word." + " Rivers run to the sea." * 400
    assert "Count the vowels" in likest(text, PAIRS[0]["item_text"], 500)


def test_published_prompts_never_change():
    assert {name: prompt.load_prompt(name, 8_000).hash for name in PINNED} == PINNED
    assert {path.stem for path in prompt.FOLDER.glob("*.yaml")} == set(PINNED)


def test_material_is_shown_as_it_is():
    pair = Pair("r", "exam", 1, 0.5, "{{ item }} & <b>", "{% if %}")
    asked = prompt.load_prompt("rephrased-1", 8_000).question(pair)[1].content
    assert "{{ item }} & <b>" in asked
    assert "{% if %}" in asked


@pytest.fixture
def second_prompt(tmp_path, monkeypatch):
    """The folder of prompts with another version in it."""
    folder = tmp_path / "prompts"
    shutil.copytree(prompt.FOLDER, folder)
    text = (folder / "rephrased-1.yaml").read_text()
    (folder / "rephrased-2.yaml").write_text(text.replace("system: |\n", "system: |\n  In verse, please.\n", 1))
    monkeypatch.setattr(prompt, "FOLDER", folder)


@pytest.fixture(scope="module")
def bases() -> dict[str, Seen]:
    """What unchanged configs showed: many fields are changed in the same one."""
    return {}


@pytest.fixture
def seen(tmp_path, monkeypatch, second_prompt):
    """Runs the stage against servers with faults, with a cache of its own."""
    rows = write_pairs(tmp_path / "rows")
    monkeypatch.setattr("generate.llm.batchserver.GATHER_SECONDS", 0.2)
    for variable, key in KEYS.items():
        monkeypatch.setenv(variable, key)

    def call(config: dict, faults: dict, name: str) -> Seen:
        monkeypatch.setenv("NOCTURNE_CACHE", str(tmp_path / name / "cache"))
        with ScriptedServer(knows) as first, ScriptedServer(knows) as second:
            servers = {"first": first, "second": second}
            for server in servers.values():
                server.behave(retry_after=("",), **faults)
            settings = addressed({"base_url": "first", "backoff": 0.01} | config, servers)
            result = run("check_rephrased", settings, [f"rows={rows}"], tmp_path / name / "out")
            return what_they_saw(result, servers)

    return call


@pytest.mark.parametrize(("case", "faults"), CASES, ids=[case.field for case, _ in CASES])
def test_the_field_changes_the_result(seen, bases, case, faults):
    name = json.dumps([case.base, faults])
    if name not in bases:
        bases[name] = seen(case.base, faults, "base")
    check("check_rephrased", case, bases[name], seen(case.changed, faults, "changed"))

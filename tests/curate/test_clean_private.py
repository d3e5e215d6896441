"""clean with personal data and secrets: what is found shows nowhere, whatever becomes of its row."""

import json

import orjson
import pyarrow.parquet as pq
import pytest

from contract.config.clean import CleanConfig
from contract.failures import BadConfig
from contract.problems import parse_config
from contract.records import Document
from curate.clean.mappers import plain_but_placeholders
from curate_texts import document, read, write_dataset
from every_field import run

TOKEN = "ghp_" + "a1B2c3D4e5F6g7H8i9J0" * 2
CARD, PHONE, SSN = "4111 1111 1111 1111", "+44 20 7946 0958", "457-55-5462"
VALUES = ["ada@mail.example.org", "bob@x.org", CARD, PHONE, TOKEN, "eve@y.org", SSN, "u:p4ss"]
DOCUMENTS = [
    document(
        "both", f"Mail  {VALUES[0]} or {PHONE}, key {TOKEN}.", title=f"By {VALUES[1]}", url="https://u:p4ss@x.org/"
    ),
    document("card", f"<p>Pay &amp; go: {CARD}</p>", metadata={"from": VALUES[1], "n": "7"}),
    document("short", f"Hi {VALUES[1]}", author=VALUES[1]),
    document("line", f"Share this post with {VALUES[5]}"),
    document("hidden", f"SSN {SSN.replace('-', '&#45;')} in entities, and enough text to stay."),
    document("open", "Nothing  private &amp; nothing secret in this one."),
]
MAPPERS = ["unicode", "html", "boilerplate", "secrets", "personal", "whitespace"]
CONFIG = {
    "mappers": MAPPERS,
    "boilerplate": ["^Share this"],
    "personal": {"card": "drop"},
    "min_characters": 12,
}


def files_as_text(folder) -> dict[str, str]:
    """Every file of a dataset, Parquet as its rows."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix == ".parquet":
            found[path.name] = json.dumps(pq.read_table(path).to_pylist(), ensure_ascii=False)
        elif path.is_file():
            found[path.name] = path.read_text(encoding="utf-8")
    return found


@pytest.fixture
def cleaned(run_stage, tmp_path):
    rows = write_dataset(tmp_path / "in", DOCUMENTS, Document)
    ended = run_stage("curate", "clean", CONFIG, [("rows", rows)], output=str(tmp_path / "out"))
    return read(ended.result["uri"]), ended, tmp_path / "out"


def test_no_value_is_in_any_file_or_log(cleaned):
    _, ended, folder = cleaned
    texts = files_as_text(folder) | {"standard error": ended.stderr, "standard output": ended.stdout}
    assert {"manifest.json", "preview.json", "cleaning.json", "cleaning.html"} < texts.keys()
    for name, text in texts.items():
        assert [value for value in VALUES if value in text] == [], name


def test_rows_end_where_their_kinds_say(cleaned):
    dataset, _, _ = cleaned
    rows = {row.id: row for row in dataset.records(Document)}
    assert rows["doc-both"].text == "Mail <EMAIL> or <PHONE>, key <TOKEN>."
    assert (rows["doc-both"].title, rows["doc-both"].url) == ("By <EMAIL>", "https://<CREDENTIALS>@x.org/")
    assert rows["doc-hidden"].text == "SSN <SSN> in entities, and enough text to stay."
    entries = {entry.id: entry for entry in dataset.ledger()}
    assert [(e.rule, e.value, e.threshold) for e in entries.values()] == [
        ("personal_data", "card 1", None),
        ("too_short", "10", "12"),
        ("emptied", "0", "12"),
    ]
    assert rows.keys() | entries.keys() == {d.id for d in DOCUMENTS}


def test_the_ledger_holds_rows_with_placeholders_and_says_so(cleaned):
    dataset, _, _ = cleaned
    rows = {entry.id: orjson.loads(entry.row) for entry in dataset.ledger()}
    assert rows["doc-card"]["text"].strip() == "Pay & go: <CARD>"
    assert rows["doc-card"]["metadata"] == '{"from":"<EMAIL>","n":"7"}'
    assert (rows["doc-short"]["text"], rows["doc-short"]["author"]) == ("Hi <EMAIL>", "<EMAIL>")
    assert rows["doc-line"]["text"] == "Share this post with <EMAIL>"
    assert all("replaced" in entry.detail for entry in dataset.ledger())


def test_counts_and_examples(cleaned):
    dataset, _, _ = cleaned
    facts = orjson.loads(dataset.file("cleaning.json").read_bytes())
    assert facts["personal"] == [
        {"kind": "card", "action": "drop", "values": 1, "rows": 1},
        {"kind": "email", "action": "replace", "values": 5, "rows": 3},
        {"kind": "phone", "action": "replace", "values": 1, "rows": 1},
        {"kind": "ssn", "action": "replace", "values": 1, "rows": 1},
        {"kind": "url_credentials", "action": "replace", "values": 1, "rows": 1},
    ]
    assert facts["secrets"] == [{"kind": "github_token", "action": "replace", "values": 1, "rows": 1}]
    assert dataset.manifest.metrics["personal_values"] == 9
    examples = {mapper["name"]: mapper["examples"] for mapper in facts["mappers"]}
    assert examples["html"] == [
        {"id": "doc-open", "before": DOCUMENTS[-1].text, "after": DOCUMENTS[-1].text.replace("&amp;", "&")}
    ]
    assert examples["personal"][0]["before"] == "Mail  •••@••••.•••••••.••• or <PHONE>, key <TOKEN>."
    assert examples["personal"][0]["after"] == "Mail  <EMAIL> or <PHONE>, key <TOKEN>."
    assert examples["boilerplate"] == [{"id": "doc-line", "before": "Share this post with <EMAIL>", "after": ""}]


@pytest.mark.parametrize(
    ("mappers", "message"),
    [
        (["personal", "html"], "'html' stands after 'personal'"),
        (["secrets", "whitespace", "unicode", "personal"], "'unicode' stands after 'secrets'"),
        (["plain", "personal"], "'personal' stands after 'plain'"),
    ],
)
def test_an_order_that_would_hide_values_or_eat_placeholders_is_refused(mappers, message):
    with pytest.raises(BadConfig, match=message):
        parse_config(CleanConfig, {"mappers": mappers}, "clean")


def test_a_rule_nobody_knows_is_refused():
    with pytest.raises(BadConfig, match="githubtoken"):
        parse_config(CleanConfig, {"secrets": {"rules": {"githubtoken": "drop"}}}, "clean")


def test_plain_keeps_placeholders_and_cleans_around_them():
    assert plain_but_placeholders("(<EMAIL>) – <CARD_12>: <b>no</b> <Email>") == "<EMAIL> <CARD_12> b no b Email"
    assert plain_but_placeholders("no – placeholder") == "no placeholder"


def test_many_values_drop_the_row(tmp_path):
    rows = write_dataset(tmp_path / "in", [document(0, "a@x.org b@x.org"), document(1, "a@x.org")], Document)
    config = {"mappers": ["personal"], "personal": {"drop_above": 1}}
    dataset = read(run("clean", config, [f"rows={rows}"], tmp_path).uri)
    assert [(e.id, e.rule, e.value, e.threshold) for e in dataset.ledger()] == [
        ("doc-0", "too_much_personal_data", "2", "1")
    ]

"""What users and disks get wrong: one clear message each; and odd data, of which nothing may get lost."""

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from contract.records import Chunk, Document
from curate_texts import read
from house.mistakes import GOOD, PROSE, lines
from house.wrong_calls import COMMAND_LINE, CONFIG, PLACES
from house.wrong_data import QUALITY, SOURCES, STORED

REFUSED = [*CONFIG, *COMMAND_LINE, *PLACES, *SOURCES, *STORED, *QUALITY]


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.name)
def test_a_mistake_gets_one_clear_message(case, run_stage, tmp_path):
    call = case.arrange(tmp_path)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()}
    ended = run_stage("curate", call.stage, call.config, call.inputs, call.output, call.env)
    assert ended.exit_code == case.exit_code, ended.stderr
    assert "Traceback" not in ended.stderr
    message = ended.stderr.splitlines()[-1]
    assert all(words in message for words in case.says), message
    assert not ended.stdout, "no result line where there is no result"
    assert all(path.stat().st_mtime_ns == moment for path, moment in before.items()), (
        "nothing that was there was touched"
    )


def nested(depth: int) -> list[Any]:
    """A list in a list in a list."""
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


class Survives(NamedTuple):
    """Records of one JSONL file: how many are kept, which rules drop others, and words that the kept text must hold."""

    name: str
    data: Callable[[], bytes]
    kept: int
    dropped: dict[str, int] = {}
    holds: str = ""
    config: dict[str, Any] = {}


SURVIVES = [
    Survives("one row", lambda: lines(GOOD), 1, holds=PROSE),
    Survives("white space only", lambda: lines(GOOD, {"text": " \t\n\u3000"}, {"text": ""}), 1, {"blank_text": 2}),
    Survives("NUL bytes", lambda: lines({"text": "be\x00fore"}, b'{"text": "raw\x00 in the line"}'), 2, holds="before"),
    Survives("lone surrogates", lambda: lines({"text": "half \ud83d of a pair"}), 1, holds="half \ufffd of a pair"),
    Survives("right to left", lambda: lines({"text": "שלום, עולם. \u202bمرحبا\u202c."}), 1, holds="שלום, עולם."),
    Survives("emoji", lambda: lines({"text": "👩\u200d👩\u200d👧 flag 🇪🇺."}), 1, holds="👩\u200d👩\u200d👧 flag 🇪🇺."),
    Survives(
        "mixed encodings",
        lambda: lines(GOOD, '{"text": "naïve"}'.encode("latin-1"), '{"text": "x"}'.encode("utf-16")),
        1,
        {"broken_encoding": 2},
    ),
    Survives("mojibake", lambda: lines({"text": "schÃ¶n"}), 1, holds="schÃ¶n"),
    Survives("byte order mark", lambda: b"\xef\xbb\xbf" + lines(GOOD), 1),
    Survives("Windows line ends", lambda: lines(GOOD, GOOD | {"url": "u"}).replace(b"\n", b"\r\n\r\n"), 2),
    Survives(
        "broken lines",
        lambda: lines(GOOD, b"{", b"null", b"[]", b'{"text": 1e999}'),
        1,
        {"broken_record": 3, "text_not_text": 1},
    ),
    Survives("absurd nesting", lambda: lines(GOOD | {"x": nested(900)}, b"[" * 100_000), 1, {"broken_record": 1}),
    Survives("doubled ids", lambda: lines(GOOD, GOOD, GOOD), 1, {"duplicate_id": 2}),
    Survives(
        "a row of 50 MB", lambda: lines(GOOD, {"text": "long " * 10_000_000}), 2, config={"max_row_bytes": 60_000_000}
    ),
    Survives(
        "a row above the limit",
        lambda: lines(GOOD, {"text": "long " * 1_000_000}),
        1,
        {"too_long": 1},
        config={"max_row_bytes": 1_000_000},
    ),
]


@pytest.mark.parametrize("case", SURVIVES, ids=lambda case: case.name)
def test_odd_records_are_all_accounted_for(case, run_stage, tmp_path):
    (tmp_path / "odd.jsonl").write_bytes(case.data())
    config = {"sources": [{"uri": str(tmp_path / "odd.jsonl")}], "max_rejected": 1, **case.config}
    ingested = read(run_stage("curate", "ingest", config).result["uri"])
    records = ingested.manifest.accounts["records"]
    assert (records.kept, records.dropped) == (case.kept, case.dropped)
    assert len(list(ingested.ledger())) == sum(case.dropped.values())
    assert case.holds in next(ingested.records(Document)).text


def test_odd_records_go_the_whole_way(run_stage, tmp_path):
    (tmp_path / "raw").mkdir()
    for number, case in enumerate(SURVIVES):
        (tmp_path / "raw" / f"{number:02d}.jsonl").write_bytes(case.data())
    config = {"sources": [{"uri": str(tmp_path / "raw")}], "max_rejected": 1, "max_row_bytes": 60_000_000}
    parent = read(run_stage("curate", "ingest", config).result["uri"])
    quality = {"gopher_quality": True, "gopher_repetition": True, "c4": True, "fineweb": True}
    steps = (
        ("clean", {}),
        ("filter", {"audit": True, "quality": quality}),
        ("chunk", {"minimum": 1, "oversize": "cut"}),
    )
    for stage, config in steps:
        dataset = read(run_stage("curate", stage, config, [("rows", parent.uri)]).result["uri"])
        assert dataset.manifest.accounts["rows"].total == parent.rows == dataset.manifest.accounts["rows"].kept
        parent = dataset
    assert any("schön" in chunk.text for chunk in parent.records(Chunk))

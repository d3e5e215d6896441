"""decide: lines of the review page and of Argilla as decisions, and every other line accounted for."""

import json

import pytest

from contract.records import Decision, Message, conversation_key
from curate.decide.lines import MALFORMED, UNANSWERED, UNSUBMITTED, Refused, decisions_of
from curate_texts import read

TURNS = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]
BETTER = [TURNS[0], {"role": "assistant", "content": "Good day"}]
ANN, BOB = "00000000-0000-0000-0000-000000000001", "00000000-0000-0000-0000-000000000002"
LINE = {"sample_id": "s1", "reviewer": "ann", "verdict": "accept"}


def answer(value, user=ANN, **more):
    return [{"value": value, "user_id": user, **more}]


def record(responses, **more):
    """What Argilla's `records.to_json` writes for one record."""
    return {
        "id": "s1", "fields": {"conversation": TURNS}, "metadata": {"topic": "a"}, "suggestions": {},
        "responses": responses, "vectors": {}, "status": "completed", "_server_id": "x",
    } | more  # fmt: skip


def only(line, names=None):
    (found,) = decisions_of(line, names or {})
    return found


def test_a_line_of_the_page():
    found = only(LINE | {"verdict": "edit", "messages": BETTER, "checklist": {"true": False}, "seconds": 12})
    assert (found.sample_id, found.reviewer, found.verdict, found.seconds) == ("s1", "ann", "edit", 12)
    assert found.messages[-1].content == "Good day"
    assert found.checklist == {"true": False}


def test_times_are_told_in_utc():
    told = [only(LINE | {"decided_at": moment}).decided_at for moment in ("2026-01-31T13:00+01:00", "2026-01-31 12:00")]
    assert told == ["2026-01-31T12:00:00.000000Z"] * 2


def test_a_record_that_two_people_answered():
    responses = {
        "verdict": answer("edit") + answer("reject", BOB),
        "edited_answer": answer("Good day"),
        "checklist": answer(["It is right"], BOB),
        "comment": answer("No.", BOB),
    }
    edit, reject = decisions_of(record(responses), {ANN: "ann"})
    assert (edit.reviewer, edit.verdict, reject.reviewer, reject.verdict) == ("ann", "edit", BOB, "reject")
    assert [message.model_dump() for message in edit.messages] == BETTER
    assert edit.content == conversation_key([Message.model_validate(turn) for turn in TURNS])
    assert (reject.checklist, reject.comment, reject.messages) == ({"It is right": True}, "No.", [])


def test_what_was_looked_at_is_taken_from_the_record_where_it_says_so():
    assert only(record({"verdict": answer("accept")}, metadata={"content": "abc"})).content == "abc"


@pytest.mark.parametrize(
    ("line", "rule", "why"),
    [
        (record({}), UNANSWERED, "nobody has answered"),
        (record(None), UNANSWERED, "nobody has answered"),
        (record({"comment": answer("hm")}), UNANSWERED, "gave no verdict"),
        (record({"verdict": answer("accept", status="draft")}), UNSUBMITTED, "draft"),
        (record({"verdict": answer("edit")}), MALFORMED, "`edited_answer` is empty"),
        (record({"verdict": answer("maybe")}), MALFORMED, "`verdict`: Input should be 'accept', 'reject' or 'edit'"),
        (record(["x"]), MALFORMED, "`responses` is a list"),
        (record({"verdict": ["x"]}), MALFORMED, "an answer to 'verdict' is a str"),
        (record({"verdict": answer("accept")}, fields={"conversation": "Hi"}), MALFORMED, "no list of turns"),
        ({"verdict": "accept"}, MALFORMED, "`sample_id`: Field required"),
        (LINE | {"reviewer": " "}, MALFORMED, "`reviewer` is empty"),
        (LINE | {"reviewer": 7}, MALFORMED, "`reviewer`: Input should be a valid string"),
        (LINE | {"verdct": "x"}, MALFORMED, "`verdct`: Extra inputs"),
        (LINE | {"messages": BETTER}, MALFORMED, "the verdict is accept, but there are edited"),
        (LINE | {"verdict": "edit"}, MALFORMED, "edited turns are absent"),
        (LINE | {"verdict": "edit", "messages": TURNS[:1]}, MALFORMED, "edited turns are user; expected"),
        (LINE | {"verdict": "edit", "messages": [TURNS[0], TURNS[1] | {"content": " "}]}, MALFORMED, "turn is empty"),
        (LINE | {"decided_at": "yesterday"}, MALFORMED, "`decided_at` is 'yesterday'"),
        (LINE | {"seconds": float("nan")}, MALFORMED, "`seconds` is nan"),
        (LINE | {"comment": "half \ud83d"}, MALFORMED, "half a UTF-16 pair"),
    ],
)
def test_what_is_no_decision(line, rule, why):
    found = only(line)
    assert isinstance(found, Refused)
    assert found.rule == rule
    assert why in found.why


def put(path, lines):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines))


def test_every_line_is_accounted_for(run_stage, tmp_path):
    put(
        tmp_path / "raw" / "page.jsonl", [LINE, LINE, LINE | {"verdict": "reject"}, "{broken", LINE | {"verdict": "no"}]
    )
    (tmp_path / "raw" / "records.json").write_text(json.dumps([record({"verdict": answer("accept")}), record({})]))
    config = {"sources": [{"uri": str(tmp_path / "raw")}], "names": {ANN: "ann"}, "max_rejected": 0.5}
    dataset = read(run_stage("curate", "decide", config).result["uri"])
    account = dataset.manifest.accounts["decisions"]
    assert (account.total, account.kept) == (7, 3)
    assert (account.failed, account.dropped) == ({MALFORMED: 2}, {"repeated": 1, UNANSWERED: 1})
    assert [decision.verdict for decision in dataset.records(Decision)] == ["accept", "reject", "accept"]
    assert dataset.manifest.metrics == {"decisions": 3, "reviewers": 1, "malformed": 2}
    assert {entry.id for entry in dataset.ledger() if entry.rule == MALFORMED} == {
        "page.jsonl line 4",
        "page.jsonl line 5",
    }


def test_no_decisions_yet_is_a_result_and_the_first_one_is_noticed(run_stage, tmp_path):
    config = {"sources": [{"uri": str(tmp_path / "raw")}]}
    before = run_stage("curate", "decide", config).result
    assert before["rows"] == 0
    put(tmp_path / "raw" / "page.jsonl", [LINE])
    after = run_stage("curate", "decide", config).result
    assert (after["rows"], after["reused"]) == (1, False)
    assert run_stage("curate", "decide", config).result["reused"]


def test_a_file_of_something_else_is_refused(run_stage, tmp_path):
    put(tmp_path / "raw" / "articles.jsonl", [{"text": "An article."}] * 3)
    ended = run_stage("curate", "decide", {"sources": [{"uri": str(tmp_path / "raw")}]})
    assert ended.exit_code == 11
    assert "3 of 3 lines are no decisions, first articles.jsonl line 1: `sample_id`: Field required" in ended.stderr


def test_a_source_that_must_be_there(run_stage, tmp_path):
    config = {"sources": [{"uri": str(tmp_path / "raw"), "optional": False}]}
    assert run_stage("curate", "decide", config).exit_code == 11

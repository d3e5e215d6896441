"""judge on the answers of several models to the same instructions, as evaluate writes them: who is compared with whom,
what is won, tied and lost, and what is said where no verdict came."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.config.judge import AnswersJudge
from contract.records import Message, Preference, Sample
from generate.judge.duels import Duels, Record, unasked
from generate.judge.subjects import Subject
from generate.judge.verdicts import VALUE
from judge_runs import Judge, Judging, check_judged, sample, write_rows
from judge_server import honest

SIDES = AnswersJudge().config.model_dump(mode="json", include={"method", "answers_by", "opponents_by"})
KINDS = ("instruct", "evolved")


def answer(number: int, model: str, text: str, kind: str = "instruct") -> Sample:
    """What a model said to a question of the dataset."""
    messages = [Message(role="user", content=f"Question {number}?"), Message(role="assistant", content=text)]
    return Sample(id=f"s{number:04}-{model}", messages=messages, kind=kind, parent_ids=[f"s{number:04}"], model=model)


def contest(worths: list[int], prompted: bool = True) -> list[Sample]:
    """Answers as evaluate writes them: the base's worth 1, the prompted base's 2, the tuned model's as given."""
    found = [answer(n, "base", f"Base {n} [worth 1]", KINDS[n % 2]) for n in range(len(worths))]
    if prompted:
        found += [answer(n, "few_shot", f"Prompted {n} [worth 2]", KINDS[n % 2]) for n in range(len(worths))]
    return found + [answer(n, "tuned", f"Tuned {n} [worth {w}]", KINDS[n % 2]) for n, w in enumerate(worths)]


def compared(judge: Judge, rows: list[Sample], name: str = "made", references=(), **config) -> Judging:
    uri = write_rows(judge.folder, rows, "answers")
    inputs = [("opponents", uri), *(("references", reference) for reference in references)]
    return judge(uri, name, inputs=inputs, **SIDES | config)


def duels_of(made: Judging, criterion: int = 0) -> dict:
    return made.report["criteria"][criterion]["duels"]


def ends(duels: dict) -> tuple[int, int, int, int]:
    return duels["wins"], duels["ties"], duels["losses"], duels["undecided"]


def test_the_win_rate_is_what_was_planted(judge, server):
    made = compared(judge, contest([4, 3, 2, 1] * 5 + [4] * 4))
    check_judged(made)
    found = duels_of(made)
    assert ends(found) == (14, 5, 5, 0)
    assert (found["win_rate"], found["opponents"]) == (pytest.approx(16.5 / 24), {"few_shot": 24})
    low, high = found["win_rate_interval"]
    assert 0.45 < low < found["win_rate"] < high < 0.85
    assert {row["kind"]: (row["wins"], row["ties"], row["losses"]) for row in found["by_kind"]} == {
        "instruct": (7, 5, 0),
        "evolved": (7, 0, 5),
    }
    assert made.manifest.metrics["helpful_win_rate"] == pytest.approx(16.5 / 24)
    assert len(server.seen) == 48, "both orders of each pair, and nothing about the base's answers alone"
    assert "Compared with 24 of few_shot." in made.page


def test_the_rows_are_the_tuned_answers_and_all_others_are_in_the_ledger(judge):
    made = compared(judge, contest([4, 1]))
    check_judged(made)
    assert [(row.id, row.scores["helpful"]) for row in made.samples] == [("s0000-tuned", 1.0), ("s0001-tuned", 0.0)]
    assert made.account("rows")["dropped"] == {"by_another_model": 4}
    assert made.account("opponents")["kept"] == 2
    assert made.account("opponents")["dropped"] == {"another_answer": 2, "not_wanted": 2}


def test_without_a_prompted_base_the_plain_one_is_the_opponent(judge):
    made = compared(judge, contest([4, 3], prompted=False))
    assert duels_of(made)["opponents"] == {"base": 2}
    made = compared(judge, contest([4, 3]), "plain", opponents_by=["base"])
    assert duels_of(made)["opponents"] == {"base": 2}


def test_a_judge_that_goes_by_the_order_alone_makes_ties(judge, server):
    server.script = lambda shown: {"feedback": "The first.", "better": "A"}
    made = compared(judge, contest([4, 3, 1, 1]))
    found = made.report["criteria"][0]
    assert ends(found["duels"]) == (0, 4, 0, 0)
    assert found["duels"]["win_rate"] == 0.5
    assert (found["orders"][0]["consistency"], found["orders"][0]["bias"]) == (0.0, 1.0)


def test_a_judge_that_goes_by_length_is_seen_to(judge, server):
    server.script = lambda shown: {
        "feedback": "The longer.",
        "better": "A" if len(shown.part("answer_a")) > len(shown.part("answer_b")) else "B",
    }
    rows = contest([3] * 4)
    longer = [row.model_copy(update={"messages": [row.messages[0], pad(row)]}) for row in rows if row.model == "tuned"]
    made = compared(judge, [*rows[:8], *longer])
    assert made.report["criteria"][0]["length"]["lean"] == 1.0


def pad(row: Sample) -> Message:
    return Message(role="assistant", content=f"{row.answer} and so on and so on")


@pytest.mark.parametrize(
    ("script", "config", "rule"),
    [
        (lambda shown: "No JSON.", {"reasks": 0}, "malformed"),
        (honest, {"budget": {"requests": 4}}, "budget"),
        (honest, {"limits": {"requests": 4}}, "budget"),
    ],
    ids=["unparsable", "out of budget", "out of the run's budget"],
)
def test_what_could_not_be_decided_is_no_score(judge, server, script, config, rule):
    server.script = script
    made = compared(judge, contest([4, 4, 1, 1]), concurrency=1, **config)
    check_judged(made)
    found = duels_of(made)
    verdicts = made.manifest.accounts["verdicts"]
    missing = verdicts.dropped | verdicts.skipped
    assert found["undecided"] == missing[rule] == 4 - verdicts.kept > 0
    assert sum(ends(found)) == 4
    assert (found["win_rate"] is None) == (verdicts.kept == 0)
    assert [row.scores.get("helpful") for row in made.samples].count(None) == found["undecided"]


def test_the_same_text_ties_and_an_empty_one_loses_without_a_judge(judge, server):
    said = {"tuned": ["Same.", "", "Some [worth 3]", ""], "base": ["Same.", "Some [worth 3]", " ", ""]}
    rows = [answer(n, model, text) for model, texts in said.items() for n, text in enumerate(texts)]
    made = compared(judge, rows)
    check_judged(made)
    assert (server.seen, ends(duels_of(made)), duels_of(made)["unasked"]) == ([], (1, 2, 1, 0), 4)
    assert made.account("verdicts")["dropped"] == {"no_answer": 2, "no_opponent": 1, "same_answer": 1}


def test_a_rubric_with_a_reference_is_shown_what_the_dataset_answers(judge, server):
    rows, dataset = contest([3, 3]), [sample(n, 4) for n in range(2)]
    reference = write_rows(judge.folder, dataset, "published")
    made = compared(judge, rows, references=[reference], criteria=["matches-1", "helpful-1"])
    check_judged(made)
    shown = [body.body["messages"][1]["content"] for body in server.seen]
    beside = [text for text in shown if "<reference>" in text]
    assert len(beside) == len(shown) / 2 == 4
    assert all(any(row.answer in text for row in dataset) for text in beside)
    assert made.account("references")["kept"] == 2
    assert [each["criterion"] for each in made.report["criteria"]] == ["matches", "helpful"]
    assert ends(duels_of(made, 1)) == (2, 0, 0, 0)


def test_preferences_of_wanted_models_are_opponents(judge):
    ours = [answer(1, "tuned", "Ours [worth 3]")]
    models = {"chosen_model": "big", "rejected_model": "base"}
    theirs = [Preference(id="p", messages=ours[0].messages[:1], chosen="[worth 4]", rejected="[worth 1]", **models)]
    inputs = [("opponents", write_rows(judge.folder, theirs, "preferences"))]
    made = judge(ours, inputs=inputs, **SIDES)
    assert (ends(duels_of(made)), duels_of(made)["opponents"]) == ((1, 0, 0, 0), {"base": 1})
    assert "opponents_by is set but opponent is set" in judge(ours, **SIDES, opponent={"model": "m"}).ended.stderr


def test_a_jurys_mean_above_a_half_is_a_win(judge, server):
    def script(shown):
        return honest(shown) if shown.model == "sees" else {"feedback": "None.", "better": "tie"}

    server.script = script
    judges = [{"model": model, "base_url": server.url} for model in ("sees", "shrugs")]
    made = compared(judge, contest([4, 1, 2]), judges=judges)
    assert ends(duels_of(made)) == (1, 1, 1, 0)


TEXTS = st.sampled_from(["", " ", "a", "b", "a "])
SUBJECTS = st.builds(
    Subject, st.just("id"), st.just("?"), TEXTS, opponent=TEXTS | st.none(), kind=st.sampled_from("xy")
)


@given(st.lists(st.tuples(SUBJECTS, st.sampled_from([None, 0.0, 0.25, 0.5, 1.0]))))
def test_kinds_add_up_and_every_pair_ends_once(pairs):
    duels = Duels()
    for subject, score in pairs:
        duels.add(subject, score)
    whole, parts = duels.whole, [record for _, record in duels.kinds()]
    assert whole.decided + whole.undecided == len(pairs)
    for name in ("wins", "ties", "losses", "unasked", "undecided"):
        assert getattr(whole, name) == sum(getattr(record, name) for record in parts)
    assert (whole.win_rate is None) == (whole.interval is None) == (whole.decided == 0)
    if whole.interval:
        assert 0 <= whole.interval[0] <= whole.win_rate <= whole.interval[1] <= 1


@given(SUBJECTS)
def test_what_needs_no_judge_turns_with_the_sides(subject):
    side = unasked(subject)
    turned = unasked(Subject("id", "?", subject.opponent or "", opponent=subject.answer))
    if subject.opponent is None:
        assert side is None
    else:
        assert (side and VALUE[side]) == (turned and 1 - VALUE[turned])


def test_more_pairs_make_the_interval_narrower():
    few, many = Record(wins=6, ties=2, losses=2), Record(wins=60, ties=20, losses=20)
    assert few.win_rate == many.win_rate == 0.7
    assert few.interval[0] < many.interval[0] < 0.7 < many.interval[1] < few.interval[1]


def test_each_verdict_can_be_read(judge):
    (line,) = compared(judge, contest([4])).verdicts
    assert (line["id"], line["better"], line["score"]) == ("s0000-tuned", ["answer", "answer"], 1.0)

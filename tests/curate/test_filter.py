"""filter: each rule on both sides of its threshold, and what the stage books."""

import json
import random
from functools import cache
from pathlib import Path

import pyarrow as pa
import pytest

from contract.config.filter import FilterConfig
from contract.records import Document, Sample
from curate.filter.code import check_blocks
from curate.filter.files import Files
from curate.filter.rows import Rows
from curate.filter.rules import RULES, active_rules, families
from curate.language import identifier
from curate_texts import document, read, sample, write_dataset

EVERYTHING = {
    "length": {"minimum": 1, "maximum": 10**6},
    "keywords": {"exclude": ["forbidden"], "include": ["the"]},
    "format": {
        "must_match": ".",
        "must_not_match": "NEVER",
        "valid_json": True,
        "ends_like_a_sentence": True,
        "code_parses": True,
    },
    "quality": {"gopher_quality": True, "gopher_repetition": True, "c4": True, "fineweb": True},
    "samples": {"refusals": True, "mentions_source": True, "copies_instruction": 0.8, "scores": {"good": 1}},
    "licenses": ["MIT"],
    "language": {"allowed": ["en"]},
}


@cache
def rules_of(config: str):
    return active_rules(FilterConfig.model_validate_json(config), Files(Path()))


@cache
def identify():
    return identifier()


def verdict(text, instruction="", answer="", license=None, **config):
    """Each rule that says no to one row, with value and threshold."""
    texts = pa.array([text], pa.large_string())
    asked = FilterConfig.model_validate(config)
    rows = Rows(texts, [license], [instruction], [answer], families(asked), identify(), [{}])
    verdicts = [(rule.name, rule.check(rows)) for rule in rules_of(json.dumps(config))]
    return {name: (found.value(0), found.threshold) for name, found in verdicts if found.fails[0]}


def words(number, seed=1):
    """Made-up prose without repetition: words of four letters, a stop word now and then, a full stop every ten."""
    rng = random.Random(seed)
    drawn = ["".join(rng.choices("abcdefghijkl", k=4)) for _ in range(number)]
    drawn[::7] = ["the"] * len(drawn[::7])
    drawn[3::7] = ["with"] * len(drawn[3::7])
    drawn[9::10] = [word + "." for word in drawn[9::10]]
    return drawn


GOPHER = {"quality": {"gopher_quality": True}}
REPETITION = {"quality": {"gopher_repetition": True}}
C4, FINEWEB = {"quality": {"c4": True}}, {"quality": {"fineweb": True}}
PROSE = " ".join(words(200))
REFUSALS, SOURCES, COPIES = (
    {"samples": {k: v}} for k, v in (("refusals", True), ("mentions_source", True), ("copies_instruction", 0.5))
)
LINES = [" ".join(words(12, seed)) for seed in range(20)]
BULLETS = [f"- {line}" for line in LINES]
RUN = " ".join(words(20, 99))

CASES = [
    ("too_short", {"length": {"minimum": 5}}, "four", "fives"),
    ("too_long", {"length": {"maximum": 2, "unit": "words"}}, "one two three", "one two"),
    ("excluded_phrase", {"keywords": {"exclude": ["machine  Learning"]}}, "On MACHINE\nlearning.", "machine-learnings"),
    ("excluded_phrase", {"keywords": {"exclude": ["c++"]}}, "I like C++.", "Plan C is fine"),
    ("excluded_phrase", {"keywords": {"exclude": ["🦉"]}}, "an 🦉 here", "none here"),
    ("no_included_phrase", {"keywords": {"include": ["alpha", "beta two"]}}, "beta three", "the beta two"),
    ("no_match", {"format": {"must_match": r"^\d+$"}}, "12a", "12"),
    ("forbidden_match", {"format": {"must_not_match": "(?i)secret"}}, "a Secret", "nothing"),
    ("not_json", {"format": {"valid_json": True}}, '{"a": 1} x', '{"a": 1}'),
    ("not_json", {"format": {"valid_json": True}}, "[" * 100_000, "[1]"),
    ("unfinished", {"format": {"ends_like_a_sentence": True}}, "It ends without", 'She said "yes!")'),
    ("broken_code", {"format": {"code_parses": True}}, "```python\ndef f(:\n```",
     "```python\nx = 1\n```\n```ruby\nif [\n```"),
    ("license", {"licenses": ["MIT", "apache-2.0"]}, {"license": "GPL"}, {"license": "mit"}),
    ("license", {"licenses": ["MIT"]}, {"license": None}, {"license": "MIT"}),
    ("refusal", REFUSALS, {"answer": "I’m sorry, but I can’t help with that."},
     {"answer": "I am sorry for your loss."}),
    ("refusal", REFUSALS, {"answer": "As an AI language model, I have no body."},
     {"answer": "An AI model is a program."}),
    ("mentions_source", SOURCES, {"instruction": "Summarise the article."},
     {"instruction": "Put it in the context of war."}),
    ("mentions_source", SOURCES, {"instruction": "What does the following text say?"},
     {"instruction": "Write an article."}),
    ("copies_instruction", COPIES, {"instruction": "Name two red fruits", "answer": "name two red ones"},
     {"instruction": "Name two red fruits", "answer": "Two red ones: cherry, apple"}),
    ("gopher_few_words", GOPHER, " ".join(words(49)), " ".join(words(50))),
    ("gopher_many_words", GOPHER, "the with " * 50_001, PROSE),
    ("gopher_short_words", GOPHER, "the a b c d " * 50, PROSE),
    ("gopher_long_words", GOPHER, "the with " + "extraordinary " * 60, PROSE),
    ("gopher_symbols", GOPHER, PROSE + " #" * 26, PROSE + " #" * 22),
    ("gopher_bullets", GOPHER, "\n".join(BULLETS), "\n".join(["x", "y", *BULLETS[:18]])),
    ("gopher_ellipses", GOPHER, "\n".join(line + "..." * (n < 7) for n, line in enumerate(LINES)),
     "\n".join(line + "…" * (n < 6) for n, line in enumerate(LINES))),
    ("gopher_letters", GOPHER, PROSE + " 12" * 36, PROSE + " 12" * 24),
    ("gopher_stop_words", GOPHER, PROSE.replace("with", "wish"), PROSE),
    ("gopher_lines", REPETITION, "\n".join(LINES[:10] + LINES[:5]), "\n".join(LINES[:10] + LINES[:4])),
    ("gopher_paragraphs", REPETITION, "\n\n".join(LINES[:10] + LINES[:5]), "\n\n".join(LINES[:10] + LINES[:4])),
    ("gopher_line_characters", REPETITION, "\n".join([*LINES[:3], LINES[0]]), "\n".join([*LINES[:5], LINES[0]])),
    ("gopher_paragraph_characters", REPETITION, "\n\n".join([*LINES[:3], LINES[0]]),
     "\n\n".join([*LINES[:5], LINES[0]])),
    ("gopher_top_2gram", REPETITION, "same pair " * 8 + PROSE[:200], "same pair " * 3 + PROSE[:400]),
    ("gopher_duplicate_5gram", REPETITION, f"{RUN} {PROSE[:150]} {RUN}", f"{RUN} {PROSE[:600]} {RUN}"),
    ("gopher_duplicate_10gram", REPETITION, f"{PROSE[:120]} x {PROSE[:120]}", PROSE),
    ("c4_lorem_ipsum", C4, "Lorem Ipsum dolor. " * 5, "A whole sentence. " * 5),
    ("c4_curly_bracket", C4, "One {two} three.", "One two three.\nint main() {"),
    ("c4_few_sentences", C4, "One 3.5 thing. Two! Three? Four.", 'One. "Two." Three? (Four!) Five.'),
    ("fineweb_line_ends", FINEWEB, "\n".join(["ends."] + ["no end"] * 8), "\n".join(["ends."] + ["no end"] * 7)),
    ("fineweb_short_lines", FINEWEB, "\n".join(["short"] * 7 + LINES[:3]), "\n".join(["short"] * 6 + LINES[:4])),
    ("fineweb_repeats", FINEWEB, "\n".join([*LINES, LINES[0]]), "\n".join(LINES)),
    ("language", {"language": {"allowed": ["en"]}}, "Wer ist heute schon einmal hier gewesen?", "Who was here today?"),
    ("language_unsure", {"language": {"allowed": ["en"], "minimum": 0.9}}, "tut dil", "Who has been here today?"),
    ("license", {"licenses": ["CC-BY*"]}, {"license": "CC0"}, {"license": "Creative Commons BY-SA 4.0"}),
    ("license", {"licenses": ["apache-2.0", "unknown"]}, {"license": "MIT License"}, {"license": "of my own"}),
    ("broken_code", {"format": {"code_parses": True}}, "~~~js\nlet x = (1;\n~~~", "```rust\nfn main() {}\n```"),
    ("fineweb_list", FINEWEB, "one two three\n" * 9, "one two three four\n" * 9),
]  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "config", "drops", "keeps"), CASES, ids=[f"{n}-{case[0]}" for n, case in enumerate(CASES)]
)
def test_a_rule_says_no_on_one_side_of_its_threshold_only(rule, config, drops, keeps):
    dropped, kept = ({"text": case} if isinstance(case, str) else {"text": "x", **case} for case in (drops, keeps))
    assert rule in verdict(**dropped, **config)
    assert rule not in verdict(**kept, **config)


def test_each_rule_of_the_table_has_a_name_of_its_own_and_a_case():
    names = [rule.name for rule in RULES]
    assert len(set(names)) == len(names)
    untested = set(names) - {case[0] for case in CASES} - {"classifier", "low_score"}  # which have tests of their own
    assert untested == {f"gopher_top_{n}gram" for n in (3, 4)} | {f"gopher_duplicate_{n}gram" for n in (6, 7, 8, 9)}
    assert [rule.name for rule in rules_of(json.dumps(EVERYTHING))] == [name for name in names if name != "classifier"]
    assert rules_of("{}") == []


@pytest.mark.parametrize("text", ["", " ", "\n\n", ".", "a", "\x00", "🦉", "ا" * 500, "...\n\n\n…", "İ ŉ ﬃ"])
def test_rules_are_total(text):
    assert isinstance(verdict(text, text, text, **EVERYTHING), dict)


def test_the_first_rule_counts_and_the_ledger_names_all(run_anywhere, tmp_path):
    rows = [document(1, "Long enough and finished."), document(2, "short"), document(3, "A forbidden word, finished.")]
    uri = write_dataset(tmp_path / "in", rows, Document)
    config = {
        "length": {"minimum": 10},
        "keywords": {"exclude": ["forbidden"]},
        "format": {"ends_like_a_sentence": True},
    }
    dataset = read(run_anywhere("curate", "filter", config, [("rows", uri)]).result["uri"])
    assert list(dataset.records(Document)) == rows[:1]
    assert [(e.id, e.rule, e.value, e.threshold, e.also) for e in dataset.ledger()] == [
        ("doc-2", "too_short", "5", "10", ["unfinished"]),
        ("doc-3", "excluded_phrase", "forbidden", "not there", []),
    ]
    assert dataset.manifest.metrics == {
        "rows_with_findings": 2, "too_short_hits": 1, "excluded_phrase_hits": 1, "unfinished_hits": 1,
    }  # fmt: skip
    audited = run_anywhere("curate", "filter", config | {"audit": True}, [("rows", uri)]).result
    assert (audited["rows"], audited["metrics"]) == (3, dataset.manifest.metrics)
    report = json.loads(read(audited["uri"]).file("audit.json").read_text())
    assert report["rules"][0]["first"] == [{"id": "doc-2", "value": 5, "threshold": 10}]
    values = report["rules"][0]["values"]
    assert (values["rows"], values["quantiles"]["0"], values["quantiles"]["1"]) == (3, 5, 27)
    assert "values" not in report["rules"][1]  # a phrase is no number


def test_samples_are_filtered_by_field_and_documents_refuse_sample_rules(run_stage, tmp_path):
    rows = [sample(1, "What is a cache?", "A cache keeps answers."), sample(2, "Explain the extract.", "It says much.")]
    uri = write_dataset(tmp_path / "samples", rows, Sample)
    config = {"field": "answer", "length": {"minimum": 5}, "samples": {"mentions_source": True}}
    dataset = read(run_stage("curate", "filter", config, [("rows", uri)]).result["uri"])
    assert [row.id for row in dataset.records(Sample)] == ["sample-1"]
    documents = write_dataset(tmp_path / "documents", [document(1, "x")], Document)
    ended = run_stage("curate", "filter", {"samples": {"refusals": True}}, [("rows", documents)])
    assert (ended.exit_code, "rules under `samples`" in ended.stderr) == (10, True)


def test_a_sample_goes_by_the_first_score_that_is_too_low_and_stays_without_one(run_stage, tmp_path):
    scores = ({"good": 0.4, "new": 0.1}, {"new": 0.1}, {"good": 0.5, "new": 1}, {}, {"good": 0.9, "new": 0.05})
    rows = [sample(n, "Why?", f"Because {n}.", scores=some) for n, some in enumerate(scores)]
    uri = write_dataset(tmp_path / "in", rows, Sample)
    config = {"field": "answer", "samples": {"scores": {"good": 0.5, "new": 0.1}}}
    made = read(run_stage("curate", "filter", config, [("rows", uri)]).result["uri"])
    assert [row.id for row in made.records(Sample)] == ["sample-1", "sample-2", "sample-3"]
    assert [(entry.id, entry.rule, entry.value, entry.threshold) for entry in made.ledger()] == [
        ("sample-0", "low_score", "good 0.4", "good 0.5, new 0.1"),
        ("sample-4", "low_score", "new 0.05", "good 0.5, new 0.1"),
    ]


def test_a_fence_is_closed_by_one_as_long_as_itself_only():
    """As CommonMark has it: a block of four backticks may show one of three."""
    shown = "````\n```json\n{broken\n```\n````\n```json\n{}\n```"
    assert check_blocks([shown]) == ([None], 1, 1)
    assert check_blocks(["````json\n{broken\n```"]) == ([None], 0, 0)

"""Each field of every curate stage's config, changed, changes a result; a field without a case fails."""

import json
import os
import random
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import pytest

from contract.records import Decision, Document, Sample
from contract.stages import BY_NAME
from contract.uris import parse_uri
from curate.publish.conclude import conclude
from curate.web.cache import PageCache
from curate_texts import document, read, sample, write_classifier, write_dataset, write_tokenizer
from every_field import Case, Seen, check, missing_cases, run
from hub_server import HubServer
from model_hub import ModelHub
from site_server import Reply, Site, article
from stagekit.request import build_request
from stagekit.run import run_stage
from stagekit.store import open_store
from tiny_onnx import write_model

SYLLABLES = ("ba", "cor", "dun", "el", "fir", "gam", "hol", "jas", "kel", "lo", "mur", "nev", "pil", "tas")
PROSE = "The first of them was there to be seen. It had a long way to go, and that was with us all day. "
QUESTION = "How many golden apples does the gardener give to each of her seven clever daughters before winter?"
LONG_QUESTION = QUESTION + " Explain the way in which she counts them, one by one, in front of the old stone house."
WRITES = "Writes functions counting letters, sorting the results: apples come before winter"
INFLECTED = "Write function to count letter, sort the result: apples come before winters. Then a gardener gives to each"


def words(seed: int, count: int) -> list[str]:
    """Made-up words: no two seeds share a run of them."""
    choose = random.Random(seed)
    return ["".join(choose.choices(SYLLABLES, k=3)) for _ in range(count)]


def variant(seed: int, of: list[str], changed: int) -> str:
    """A text with its last words replaced: the more, the less similar."""
    return " ".join(of[: len(of) - changed] + words(seed, changed))


ORIGINAL = words(0, 60)
EXACT_COPY = " ".join(ORIGINAL).upper()
CLOSE, FAR = variant(1, ORIGINAL, 4), variant(2, ORIGINAL, 14)  # Jaccard 0.87 and 0.6 on 5-grams
FAMILY = [variant(100 + n, ORIGINAL, 14) for n in range(30)]

SENTENCES = " ".join(f"{' '.join(words(50 + n, 8)).capitalize()}." for n in range(12))
MARKDOWN = "\n\n".join(f"# Part {n}\n\n{' '.join(words(70 + n, 20))}" for n in range(6))

FAKE_TOKEN = "ghp_" + "a1B2c3D4e5F6g7H8i9J0" * 2  # made up here, so that no scanner takes it for a real one

DOCUMENTS = {
    "plain": [document(0, f"{PROSE * 3}\nAdvert: buy now!"), document(1, "Short – text.", license="MIT")],
    "dupes": [
        document(0, " ".join(ORIGINAL), created_at="2026-02-02"),
        document(1, EXACT_COPY, created_at="2026-01-01"),
        document(2, CLOSE + " and one", created_at="2026-03-03"),
        document(3, FAR),
        document(4, " ".join(sorted(ORIGINAL))),
    ],
    "family": [document(n, text) for n, text in enumerate(FAMILY)],
    "held": [
        document(0, f"{PROSE}\n{QUESTION}\n{PROSE}"),
        document(1, f"{PROSE} {' '.join(QUESTION.split()[:12])}"),
        document(2, "Short item\nand more text below it"),
        document(3, " ".join(LONG_QUESTION.split()[:14])),
        document(4, PROSE),
    ],
    "reworded": [document("inflected", INFLECTED), document(1, PROSE)],
    "from": [
        document("judge", PROSE, url="https://www.judge.example/problem/1"),
        document("set", PROSE, source="exam-set"),
        document("licence", PROSE, license="Exam Only"),
    ],
    "pages": [document(n, f"{'Home | About' if n < 2 else 'Start'}\n{' '.join(words(400 + n, 9))}") for n in range(4)],
    "private": [
        document("who", "Mail ada@mail.example.org, born on 10 December 1985, call 020 7946 0958 or 020 7946 0000."),
        document("bank", "Pay 4111 1111 1111 1111 or GB82WEST12345698765432. SSN 457-55-5462, PESEL 44051401359."),
        document(
            "net", "The host 81.2.69.160 and 10.0.0.7, 00:1b:63:84:45:e6, 8.8.4.44 is an IP, https://ada:lovelace@x.y."
        ),
        document("secret", f"the key is {FAKE_TOKEN} and api_key = 'k3J9x2Qp7Lm4Zt8W'"),
    ],
    "two_batches": [document(n, f"Row {n} – text") for n in range(2_001)],
    "long": [document(0, SENTENCES), document(1, MARKDOWN)],
    "shapes": [
        document("json", '{"a": 1}'),
        document("code", "```python\ndef :\n```\nIt was there."),
        document("repeats", f"{PROSE}\n" * 9),
        document("list", "\n".join(f"- item {n}" for n in range(40))),
        document("open", "Copyright of whoever it was, and then"),
    ],
}
SAMPLES = {
    "pairs": [
        sample(0, "What does the extract say?", PROSE, "d0", license="MIT"),
        sample(1, "Name a fruit that is red", "I'm sorry, but I cannot help with that.", "d1"),
        sample(2, "Repeat these six words after me", "Repeat these six words after me", "d2"),
        sample(3, "A different question altogether", PROSE, "d3"),
    ],
    "scored": [
        sample(
            n,
            f"Question {n} {'kind' if n % 2 else 'rude'}",
            f"{n} {' '.join(words(n % 2, 6))} and {' '.join(words(n, 6))}",
            scores={"quality": n % 2 * 4 + n % 3 / 2, "other": n % 2 * 4 + 1.5},
            tags=[f"tag {n % 2}"],
            source=f"source {n % 3}",
        )
        for n in range(120)
    ],
    "many": [sample(n, f"Question {n}?", " ".join(words(200 + n, 30)), f"d{n}") for n in range(24)]
    + [sample(90 + n, f"Twin {n}?", variant(300 + n, words(9, 60), 14), f"twin{n}") for n in range(2)],
}
VERDICTS = [
    Decision(id=f"d{n}", sample_id=f"sample-{n}", reviewer="ann", verdict="accept" if n % 2 else "reject")
    for n in range(2, 120)
] + [
    Decision(id="b2", sample_id="sample-2", reviewer="bob", verdict="accept"),
    Decision(id="c2", sample_id="sample-2", reviewer="cy", verdict="accept"),
]
LINE = {"sample_id": "sample-1", "reviewer": "u1", "verdict": "accept"}

FILES = {
    "a/one.jsonl": [{"text": "One text.", "title": "One", "by": "Ann", "extra": {"x": 7}}, {"text": "Two."}, {"no": 1}],
    "a/two.jsonl": [{"text": "Another file."}, {"text": "y" * 2_000}],
    "nested.json": {"first": [{"text": "In the first."}], "second": [{"text": "In the second."}]},
    "bench.jsonl": [{"question": QUESTION, "hint": "nothing of it is here"}, {"question": "Short item", "hint": "x"}],
    "long.jsonl": [{"question": LONG_QUESTION}],
    "tasks.jsonl": [{"question": task} for task in (WRITES, "a gardener gives to each daughter")],
    "lists.json": {
        "easy": [{"question": QUESTION, "instruction": "Do easy", "output": "Done easily"}],
        "hard": [{"question": "Never asked of anybody", "instruction": "Do hard", "output": "Done with pains"}],
    },
    "decisions.jsonl": [LINE, {"text": "no decision"}],
    "more_decisions.jsonl": [LINE | {"verdict": "reject"}],
    "lists_of_decisions.json": {"early": [LINE], "late": [LINE | {"verdict": "reject"}]},
    "alpaca.jsonl": [{"instruction": f"Do {n}", "output": f"Done {n}"} for n in range(9)],
    "other.jsonl": [{"instruction": "Do other", "output": "Done other", "messages": []}],
}  # fmt: skip

ONE = {"sources": [{"uri": "raw/a/one.jsonl"}], "max_rejected": 1}
TWO_TEXTS = {"sources": [{"uri": "raw/a/one.jsonl", "text": ["title", "text"]}], "max_rejected": 1}
FIRST_LIST = {"sources": [{"uri": "raw/nested.json", "records_at": "first"}]}


def web(path: str, **options) -> dict:
    """A source on the test's site; SITE stands for its address."""
    usual = {"contact": "me@a.example", "delay": 0.0, "allow_private": True, "timeout": 3.0, "max_failed": 1}
    return {"sources": [{"uri": f"SITE{path}", "web": usual | options}], "max_rejected": 1}


CARD = """---
configs:
- config_name: all
  default: true
  data_files: [{split: train, path: train.jsonl}, {split: test, path: test.jsonl}]
- config_name: small
  data_files: small.jsonl
---
"""
HUB_FILES = {
    "README.md": CARD.encode(),
    "train.jsonl": b'{"text": "A row."}\n{"text": "Another row."}\n',
    "test.jsonl": b'{"text": "A row to test with."}\n',
    "small.jsonl": b'{"text": "A small row."}\n',
}
HUB_SERVER = HubServer("someone/stories", HUB_FILES, {"main": "a" * 40, "a" * 40: "a" * 40})
os.environ["HF_ENDPOINT"] = HUB_SERVER.url  # the Hub's client reads it once, when it is imported
FEED = web("/feed")
HUB = {"sources": [{"uri": "hub://someone/stories", "hub": {}}]}
ALL = {"sources": [{"uri": "raw/a"}], "max_rejected": 1}
BENCH = {"benchmarks": [{"uri": "raw/bench.jsonl", "name": "exam", "fields": ["question"]}]}
TASKS = {"benchmarks": [{"uri": "raw/tasks.jsonl", "name": "exam", "fields": ["question"]}], "rephrased": {}}
NEAREST = TASKS | {"rephrased": {"candidates": 1, "embedding": {"model": "models/garden", "candidates": 1}}}
REWORDED = {"benchmarks": [BENCH["benchmarks"][0] | {"paraphrases": {"uri": "raw/bench.jsonl", "field": "question"}}]}
REWORDED |= {"measure_recall": True}
EASY = {"uri": "raw/lists.json", "records_at": "easy", "field": "question"}
REWORDED_EASY = {"benchmarks": [BENCH["benchmarks"][0] | {"paraphrases": EASY}], "measure_recall": True}
ALONE = {"exact": False, "coverage": 1}  # without the rules that are on by default
LONG_BENCH = {"benchmarks": [{"uri": "raw/long.jsonl", "name": "exam", "fields": ["question"]}]}
EASY_BENCH = {"benchmarks": [{"uri": "raw/lists.json", "records_at": "easy", "name": "exam", "fields": ["question"]}]}
EASY_MIX = {"datasets": [{"uri": "raw/lists.json", "records_at": "easy", "name": "general"}]}
MIX = {"datasets": [{"uri": "raw/alpaca.jsonl", "name": "general"}]}
TAKE = {"datasets": [{"uri": "raw/alpaca.jsonl", "name": "general", "take": 3}]}
SHORT = {"length": {"minimum": 50}}
ANSWERS = {"field": "answer"}
FURNITURE = {"mappers": ["furniture"], "furniture": {"documents": 2, "share": 0.5}}
PRIVATE = {"mappers": ["secrets", "personal"]}
TOKENS = {"length": {"unit": "tokens", "tokenizer": "raw/by_word.json", "minimum": 100}}
ENGLISH = {"language": {"allowed": ["en"]}}
BY_OTHER, BY_MODEL = (
    {"quality": {"classifier": {"model": f"raw/{name}.bin", "label": "bad", "minimum": 0.9}}}
    for name in ("other", "model")
)
ABSENT = {"quality": {"classifier": {"model": "nothing"}}}
DECIDE = {"sources": [{"uri": "raw/decisions.jsonl"}], "max_rejected": 0.5}
DECIDE_BOTH = DECIDE | {"sources": [{"uri": "raw/decisions.jsonl"}, {"uri": "raw/more_decisions.jsonl"}]}
DECIDE_LISTS = {"sources": [{"uri": "raw/lists_of_decisions.json", "records_at": "early"}]}
LEARN = {"score": "quality", "buckets": 1_000}
NEAR = {"ngram": 5, "threshold": 0.8}
BEST = {"field": "answer", "ngram": 1, "threshold": 0.3, "keep": "best", "score": "quality"}
LOOSE = {"threshold": 0.15}
MEANING = {"exact": False, "near": False, "semantic": LOOSE}
GROUPED = {"semantic": LOOSE | {"clusters": 9}}
KMEANS = MEANING | {"semantic": LOOSE | {"grouping": "kmeans", "clusters": 9}}
DENSE = MEANING | {"semantic": LOOSE | {"grouping": "dbscan"}}
MOSTLY = {"near": False, "substring": {"length": 20, "action": "drop"}}
MODEL = {"semantic": {"embedding": {"encoder": "sentence_transformer", "model": "models/one"}}}
SHARED = {"near": False, "substring": {"length": 20}}

CASES: dict[str, list[Case]] = {
    "ingest": [
        Case("sources.uri", "raw/a/two.jsonl", "Another file.", ONE),
        Case("sources.name", "wire", '"source": "wire"', ONE),
        Case("sources.format", "text", "figure records 1", ONE),
        Case("sources.pattern", "two*", "One text.", ALL),
        Case("sources.encoding", "cp1252", "café", {"sources": [{"uri": "raw/old.txt"}], "max_rejected": 1}),
        Case("sources.extract", "all", "Cookies!", {"sources": [{"uri": "raw/page.html"}]}),
        Case("sources.records_at", "second", "In the second.", FIRST_LIST),
        Case("sources.text", ["title"], '"text": "One"', ONE),
        Case("sources.join", " | ", "One | One text.", TWO_TEXTS),
        Case("sources.fields", {"author": "by"}, '"author": "Ann"', ONE),
        Case("sources.metadata", ["extra.x"], '\\"extra.x\\":\\"7\\"', ONE),
        Case("sources.constants", {"license": "MIT"}, '"license": "MIT"', ONE),
        Case("sources.web.kind", "page", "application/rss+xml", FEED),
        Case("sources.web.contact", "", "web.contact is empty", FEED),
        Case("sources.web.include", "/t", "figure records 1", FEED),
        Case("sources.web.exclude", "/t", "figure records 2", FEED),
        Case("sources.web.max_pages", 2, "figure records 2", FEED),
        Case("sources.web.keep_seen", False, "The seen article", FEED),
        Case("sources.web.delay", 0.01, "figure web_pace_seconds 0.01", FEED),
        Case("sources.web.timeout", 0.1, "figure web_failed 1", web("/slow")),
        Case("sources.web.max_bytes", 1_000, "over 1000 bytes", FEED),
        Case("sources.web.max_failed", 0, "failure RemoteTrouble: 1 of 2 pages failed", web("/slow", timeout=0.1)),
        Case("sources.web.reserved", "record", '"rule": "rights_reserved"', web("/noai")),
        Case("sources.web.allow_private", False, "the address is not public", FEED),
        Case("sources.hub.config", "small", "A small row.", HUB),
        Case("sources.hub.split", "test", "A row to test with.", HUB),
        Case("sources.hub.revision", "v9", "no revision 'v9'", HUB),
        Case("sources.hub.take", 1, "figure records 1", HUB),
        Case("max_rejected", 0.1, "failure BadInput: 1 of 3 records rejected", ONE),
        Case("max_row_bytes", 1_000, '"rule": "too_long"', ALL),
        Case("shard_rows", 1, "shards 2 and 1", ONE),
    ],
    "clean": [
        Case("mappers", ["plain"], "Short text.", data="plain"),
        Case("boilerplate", ["^Advert"], "Advert: buy now!", data="plain"),
        Case("furniture.documents", 3, "Home | About", FURNITURE, "pages"),
        Case("furniture.share", 0.9, "Home | About", FURNITURE, "pages"),
        Case("secrets.action", "drop", '"rule": "secrets", "id": "doc-secret"', PRIVATE, "private"),
        Case("secrets.rules", {"github_token": "ignore"}, "the key is ghp_", PRIVATE, "private"),
        Case("secrets.min_entropy", 6.0, "api_key = ", PRIVATE, "private"),
        Case("secrets.allow", [FAKE_TOKEN], "the key is ghp_", PRIVATE, "private"),
        Case("secrets.allow_patterns", ["ghp_.*"], "the key is ghp_", PRIVATE, "private"),
        Case("personal.email", "ignore", "Mail ada@mail.example.org", PRIVATE, "private"),
        Case("personal.phone", "ignore", "call 020 7946 0958", PRIVATE, "private"),
        Case("personal.ip", "ignore", "host 81.2.69.160", PRIVATE, "private"),
        Case("personal.iban", "ignore", "GB82WEST12345698765432", PRIVATE, "private"),
        Case("personal.card", "drop", '"rule": "personal_data", "id": "doc-bank"', PRIVATE, "private"),
        Case("personal.ssn", "ignore", "457-55-5462", PRIVATE, "private"),
        Case("personal.national_id", "ignore", "PESEL 44051401359", PRIVATE, "private"),
        Case("personal.mac", "ignore", "00:1b:63:84:45:e6", PRIVATE, "private"),
        Case("personal.url_credentials", "ignore", "https://ada:lovelace@", PRIVATE, "private"),
        Case("personal.birth_date", "ignore", "born on 10 December 1985", PRIVATE, "private"),
        Case("personal.regions", ["FR"], "or 020 7946 0000", PRIVATE, "private"),
        Case("personal.private_ips", True, "and 10.0.0.7", PRIVATE, "private"),
        Case("personal.national_ids", ["br_cpf"], "PESEL 44051401359", PRIVATE, "private"),
        Case("personal.drop_above", 3, '"rule": "too_much_personal_data", "id": "doc-net"', PRIVATE, "private"),
        Case("personal.allow", ["ADA@mail.example.org"], "Mail ada@mail.example.org", PRIVATE, "private"),
        Case("personal.allow_domains", ["example.org"], "Mail ada@mail.example.org", PRIVATE, "private"),
        Case("personal.allow_patterns", ["ada@.*"], "Mail ada@mail.example.org", PRIVATE, "private"),
        Case("placeholders.numbered", True, "Mail <EMAIL_1>", PRIVATE, "private"),
        Case("placeholders.kept_by_plain", False, "Mail EMAIL", {"mappers": ["personal", "plain"]}, "private"),
        Case("min_characters", 50, '"rule": "too_short"', data="plain"),
        Case("workers", 3, "processes 2", {"workers": 1}, "two_batches"),
        Case("shard_rows", 1, "shards 2 and 0", data="plain"),
    ],
    "filter": [
        Case("field", "instruction", '"rule": "too_short", "id": "sample-3"', {"field": "answer", **SHORT}, "pairs"),
        Case("length.unit", "words", '"rule": "too_short", "id": "doc-0"', {"length": {"minimum": 200}}, "plain"),
        Case("length.minimum", 50, '"rule": "too_short", "id": "doc-1"', data="plain"),
        Case("length.maximum", 50, '"rule": "too_long", "id": "doc-0"', data="plain"),
        Case("length.tokenizer", "raw/by_character.json", '"rule": "too_short", "id": "doc-0"', TOKENS, "plain"),
        Case("keywords.exclude_file", "raw/phrases.txt", '"rule": "excluded_phrase", "id": "doc-0"', data="plain"),
        Case("keywords.include_file", "raw/phrases.txt", '"rule": "no_included_phrase", "id": "doc-1"', data="plain"),
        Case("language.allowed", ["de"], '"rule": "language", "id": "doc-0"', data="plain"),
        Case("language.minimum", 0.0, '"rule": "language_unsure", "id": "doc-1"', ENGLISH, "plain"),
        Case("language.model", "raw/model.bin", '"rule": "language", "id": "doc-0"', ENGLISH, "plain"),
        Case("language.fill", True, '"language": "en"', data="plain"),
        Case("quality.classifier.model", "raw/model.bin", '"rule": "classifier", "id": "doc-1"', BY_OTHER, "plain"),
        Case("quality.classifier.label", "good", '"rule": "classifier"', BY_MODEL, "plain"),
        Case("quality.classifier.optional", True, "failure BadInput", ABSENT, "plain"),
        Case("quality.classifier.minimum", 0.0, '"rule": "classifier"', BY_MODEL, "plain"),
        Case("keywords.exclude", ["buy NOW"], '"rule": "excluded_phrase", "id": "doc-0"', data="plain"),
        Case("keywords.include", ["buy now"], '"rule": "no_included_phrase", "id": "doc-1"', data="plain"),
        Case("format.must_match", "buy", '"rule": "no_match", "id": "doc-1"', data="plain"),
        Case("format.must_not_match", "buy", '"rule": "forbidden_match", "id": "doc-0"', data="plain"),
        Case("format.valid_json", True, '"rule": "not_json", "id": "doc-list"', data="shapes"),
        Case("format.ends_like_a_sentence", True, '"rule": "unfinished", "id": "doc-open"', data="shapes"),
        Case("format.code_parses", True, '"rule": "broken_code", "id": "doc-code"', data="shapes"),
        Case("quality.gopher_quality", True, '"rule": "gopher_few_words", "id": "doc-open"', data="shapes"),
        Case("quality.gopher_repetition", True, '"rule": "gopher_lines", "id": "doc-repeats"', data="shapes"),
        Case("quality.c4", True, '"rule": "c4_few_sentences", "id": "doc-list"', data="shapes"),
        Case("quality.fineweb", True, '"rule": "fineweb_line_ends", "id": "doc-list"', data="shapes"),
        Case("samples.refusals", True, '"rule": "refusal", "id": "sample-1"', ANSWERS, "pairs"),
        Case("samples.mentions_source", True, '"rule": "mentions_source", "id": "sample-0"', ANSWERS, "pairs"),
        Case("samples.scores", {"quality": 2.0}, '"rule": "low_score", "id": "sample-0"', ANSWERS, "scored"),
        Case("samples.copies_instruction", 0.9, '"rule": "copies_instruction"', ANSWERS, "pairs"),
        Case("licenses", ["mit"], '"rule": "license", "id": "doc-0"', data="plain"),
        Case("audit", True, "audit.json", SHORT, "plain"),
        Case("shard_rows", 1, "shards 2 and 0", data="plain"),
    ],
    "deduplicate": [
        Case("field", "answer", '"rule": "exact", "id": "sample-0"', {"field": "instruction"}, "pairs"),
        Case("exact", False, '"rule": "exact"', {"near": False}, "dupes"),
        Case("near", False, '"rule": "near_duplicate", "id": "doc-0"', NEAR, "dupes"),
        Case("threshold", 0.5, '"id": "doc-3"', NEAR, "dupes"),
        Case("ngram", 1, '"rule": "near_duplicate", "id": "doc-4"', NEAR, "dupes"),
        Case("engine", "datasketch", "figure candidate_pairs", NEAR, "family"),
        Case("keep", "first", '"id": "doc-2"', NEAR, "dupes"),
        Case("keep", "oldest", '"id": "doc-1"', NEAR, "dupes"),
        Case("score", "other", '"partner": "sample-', BEST, "scored"),
        Case("semantic.threshold", 0.999, '"rule": "semantic_duplicate"', MEANING, "dupes"),
        Case("semantic.grouping", "kmeans", "semantic_duplicate", MEANING | GROUPED, "family"),
        Case("semantic.clusters", 1, "semantic_duplicate", KMEANS, "family"),
        Case("semantic.neighbours", 30, "semantic_duplicate", DENSE, "dupes"),
        Case("semantic.keep", "most_distant", "semantic_duplicate", MEANING, "family"),
        Case("semantic.embedding.encoder", "sentence_transformer", "failure BadConfig", MEANING, "dupes"),
        Case("semantic.embedding.model", "models/other", "figure encoder", MEANING | MODEL, "dupes"),
        Case("semantic.embedding.dimension", 40, "figure encoder", MEANING, "family"),
        Case("semantic.embedding.training_words", 1_000, "figure encoder", MEANING, "family"),
        Case("semantic.embedding.epochs", 2, "figure encoder", MEANING, "family"),
        Case("substring.length", 50, '"rule": "mostly_shared"', SHARED, "family"),
        Case("substring.action", "report", "file passages.jsonl", SHARED, "family"),
        Case("substring.share", 0.9, '"rule": "mostly_shared"', MOSTLY, "family"),
        Case("substring.minimum", 0, '"rule": "mostly_shared"', SHARED, "family"),
        Case("against.uri", "dupes", '"partner": "doc-2"', NEAR | {"against": [{"uri": "family"}]}, "dupes"),
        Case("previous.uri", "before", '"partner": "doc-1"', NEAR | {"previous": {"uri": "publish/latest"}}, "dupes"),
        Case("remember", False, "figure remembered_bytes", NEAR, "dupes"),
        Case("seed", 2, "figure candidate_pairs", NEAR, "family"),
        Case("workers", 3, "threads 3", {"workers": 1}, "dupes"),
        Case("shard_rows", 1, "shards 3 and 2", NEAR, "dupes"),
    ],
    "decontaminate": [
        Case("field", "answer", "sample-", BENCH | {"field": "instruction"}, "asked"),
        Case("benchmarks.uri", "raw/long.jsonl", '"partner": "exam:2"', BENCH, "held"),
        Case("benchmarks.records_at", "hard", '"partner": "exam:1"', EASY_BENCH, "held"),
        Case("benchmarks.name", "quiz", '"partner": "quiz:1"', BENCH, "held"),
        Case("benchmarks.fields", ["hint"], '"partner": "exam:1"', BENCH, "held"),
        Case("exact", False, '"id": "doc-2"', BENCH, "held"),
        Case("ngram", 13, '"id": "doc-1"', BENCH, "held"),
        Case("coverage", 0.9, '"id": "doc-1"', BENCH, "held"),
        Case("any_match", True, '"rule": "any_match", "id": "doc-3"', LONG_BENCH, "held"),
        Case("near", 0.3, '"rule": "near", "id": "doc-3"', LONG_BENCH, "held"),
        Case("weighted", 0.8, '"rule": "weighted", "id": "doc-0"', BENCH | ALONE, "held"),
        Case("benchmarks.question", ["hint"], '"id": "doc-0"', BENCH | ALONE | {"weighted": 0.8}, "held"),
        Case("benchmarks.answer", ["hint"], '"id": "doc-0"', BENCH | ALONE | {"weighted": 0.8}, "held"),
        Case("rephrased.threshold", 0.95, '"rule": "rephrased", "id": "doc-inflected"', TASKS, "reworded"),
        Case("rephrased.candidates", 1, '"rule": "rephrased", "id": "doc-inflected"', TASKS, "reworded"),
        Case("rephrased.embedding.model", "models/other", "figure encoder", NEAREST, "reworded"),
        Case("rephrased.embedding.candidates", 2, '"rule": "rephrased", "id": "doc-inflected"', NEAREST, "reworded"),
        Case("rephrased.embedding.cosine", 0.9, '"rule": "rephrased", "id": "doc-1"', NEAREST, "reworded"),
        Case("rephrased.check", 0.5, "to_check.jsonl", TASKS | {"rephrased": {"threshold": 0.95}}, "reworded"),
        Case("measure_recall", True, "figure exam_recall_words_5", BENCH, "held"),
        Case("benchmarks.paraphrases.uri", "raw/tasks.jsonl", "figure exam_recall_paraphrase", REWORDED, "held"),
        Case("benchmarks.paraphrases.field", "hint", "figure exam_recall_paraphrase", REWORDED, "held"),
        Case("benchmarks.paraphrases.records_at", "hard", "figure exam_recall_paraphrase", REWORDED_EASY, "held"),
        Case("origins.domains", ["judge.example"], '"rule": "origin", "id": "doc-judge"', data="from"),
        Case("origins.sources", ["Exam-Set"], '"rule": "origin", "id": "doc-set"', data="from"),
        Case("origins.licenses", ["exam only"], '"rule": "origin", "id": "doc-licence"', data="from"),
        Case("workers", 3, "threads 3", BENCH | {"workers": 1}, "held"),
        Case("shard_rows", 1, "shards 1 and 4", BENCH, "held"),
    ],
    "chunk": [
        Case("strategy", "markdown", "# Part 5", {"minimum": 100, "maximum": 300}, "long"),
        Case("minimum", 250, '"rule": "too_short"', {"minimum": 100, "maximum": 300}, "long"),
        Case("maximum", 800, "figure chunks", {"minimum": 100, "maximum": 300}, "long"),
        Case("oversize", "cut", "figure longest", {"minimum": 10, "maximum": 40}, "long"),
        Case("shard_rows", 1, "shards", {"minimum": 100, "maximum": 300}, "long"),
    ],
    "decide": [
        Case("sources.uri", "raw/more_decisions.jsonl", '"verdict": "reject"', DECIDE),
        Case("sources.records_at", "late", '"verdict": "reject"', DECIDE_LISTS),
        Case("sources.optional", False, "failure BadInput", {"sources": [{"uri": "raw/no_decisions"}]}),
        Case("names", {"u1": "ann"}, '"reviewer": "ann"', DECIDE),
        Case("max_rejected", 0.1, "failure BadInput: 1 of 2 lines", DECIDE),
        Case("shard_rows", 1, "shards 2 and 1", DECIDE_BOTH),
    ],
    "learn_quality": [
        Case("field", "instruction", "file model.bin", LEARN, "scored"),
        Case("labels", "decisions", "failure BadConfig", LEARN, "scored"),
        Case("score", "other", '"rule": "between"', LEARN | {"high": 4.4, "low": 2}, "scored"),
        Case("high", 4.4, '"rule": "between"', LEARN, "scored"),
        Case("low", 0.6, '"rule": "between"', LEARN, "scored"),
        Case("held_out", 0.4, "figure held_out", LEARN, "scored"),
        Case("minimum_auc", 1.0, "failure BadInput", LEARN | {"epochs": 1, "learning_rate": 1e-6}, "scored"),
        Case("dimension", 8, "file model.bin", LEARN, "scored"),
        Case("ngram", 3, "file model.bin", LEARN, "scored"),
        Case("buckets", 2_000, "file model.bin", LEARN, "scored"),
        Case("epochs", 3, "file model.bin", LEARN, "scored"),
        Case("learning_rate", 0.1, "file model.bin", LEARN, "scored"),
        Case("seed", 1, "figure held_out", LEARN, "scored"),
    ],
    "review": [
        Case("sample", 5, "review/sample.jsonl", data="scored"),
        Case("reviewers", 2, '"min_submitted": 2', data="scored+verdicts"),
        Case("topic", "source", '"topic":"source 1"', data="scored"),
        Case("score", "quality", '"score":"all"', data="scored"),
        Case("score_bounds", [2.0], '"score":"below 2"', {"score": "quality"}, "scored"),
        Case("length_bounds", [300], '"length":"below 300"', data="scored"),
        Case("rejected_by", "any", '"rule": "rejected", "id": "sample-2"', data="scored+verdicts"),
        Case("unreviewed", "drop", '"rule": "unreviewed", "id": "sample-0"', data="scored+verdicts"),
        Case("checklist", ["It is right", "It is kind"], "It is kind", data="scored"),
        Case("guidelines", "Be kind.", "Be kind.", data="scored"),
        Case("seed", 4, "review/sample.jsonl", {"sample": 9}, "scored"),
        Case("shard_rows", 50, "shards 3 and 0", data="scored"),
    ],
    "mix": [
        Case("datasets.uri", "raw/other.jsonl", "Done other", MIX, "pairs"),
        Case("datasets.records_at", "hard", "Done with pains", EASY_MIX, "pairs"),
        Case("datasets.name", "world", '"source": "world"', MIX, "pairs"),
        Case("datasets.format", "openai", "failure BadInput: no usable row", MIX, "pairs"),
        Case("datasets.take", 2, '"rule": "beyond_take"', MIX, "pairs"),
        Case("datasets.share", 0.2, "figure general_taken 1", MIX, "pairs"),
        Case("datasets.repeat", 2, '-2", "messages"', MIX, "pairs"),
        Case("datasets.license", "MIT", '"license": "MIT", "split": null', MIX, "pairs"),
        Case("seed", 1, '"rule": "beyond_take"', TAKE, "pairs"),
        Case("shard_rows", 2, "shards 7 and 0", MIX, "pairs"),
    ],
    "explore": [
        Case("examples", 0, "report.html", {"examples": 3}, "pairs"),
    ],
    "publish": [
        Case("test_share", 0.4, "figure test_rows", data="many"),
        Case("near_duplicate", 0.5, "figure groups", {"near_duplicate": 0.9}, "many"),
        Case("formats", ["text"], "file text/train.jsonl", data="many"),
        Case("title", "A fine title", "# A fine title", data="many"),
        Case("license", "cc0-1.0", "cc0-1.0", data="many"),
        Case("hub", "owner/name", 'load_dataset("owner/name"', data="many"),
        Case("hub_private", False, "on the hub, private: False", {"hub": "owner/name"}, "many"),
        Case("seed", 5, '"split": "test"', data="many"),
        Case("shard_rows", 9, "shards 3 and 0", data="many"),
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """The store's root: files below raw/, and one dataset for each set of rows."""
    root = tmp_path_factory.mktemp("store")
    for name, content in FILES.items():
        path = root / "raw" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = [content] if isinstance(content, dict) else content
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    (root / "raw" / "phrases.txt").write_text("nothing of the kind\nbuy NOW\n")
    write_tokenizer(root / "raw" / "by_word.json", r"\s+")
    write_tokenizer(root / "raw" / "by_character.json", "")
    write_classifier(root / "raw" / "model.bin", {"bad": DOCUMENTS["plain"][0].text, "good": "Short text"})
    write_classifier(root / "raw" / "other.bin", {"bad": "Short text", "good": DOCUMENTS["plain"][0].text})
    for name, rows in DOCUMENTS.items():
        write_dataset(root / name, rows, Document)
    write_dataset(root / "verdicts", VERDICTS, Decision, "decide")
    for seed, name in enumerate(("one", "other")):
        vectors = {word: [1.0, n / 9, seed] for n, word in enumerate(["[UNK]", *ORIGINAL])}
        write_model(root / "models" / name, vectors)
    (root / "raw" / "old.txt").write_bytes("Das ist ein café.".encode("cp1252"))
    (root / "raw" / "page.html").write_bytes(article("local"))
    garden = {word: [1.0, 60.0 * (word != "[UNK]")] for word in ("[UNK]", "gardener", "gives", "each")}
    write_model(root / "models" / "garden", garden, longest=64)
    asked = [sample(0, QUESTION, "Seven."), sample(1, "Which question?", QUESTION), sample(2, "A fruit?", "An apple.")]
    for name, some in (SAMPLES | {"asked": asked}).items():
        write_dataset(root / name, some, Sample)
    oldest = build_request(
        BY_NAME["deduplicate"], json.dumps(NEAR | {"keep": "oldest"}), [f"rows={root}/dupes"], f"{root}/before"
    )
    run_stage(oldest)
    return root


@pytest.fixture(scope="module")
def site(store):
    """A site whose feed once listed one page more."""
    with Site() as server:
        server.articles("one", "seen")
        server.paths["/two"] = Reply(article("two", more="<p>It goes on.</p>" * 60), validators=False)
        server.paths["/drips"] = Reply(b"<p>It comes a letter at a time.</p>", drip=0.01, validators=False)
        server.paths["/noai"] = Reply(article("noai"), headers={"X-Robots-Tag": "noai"})
        server.feed("/feed", "/one", "/two")
        server.feed("/slow", "/one", "/drips")
        cache = PageCache(open_store(str(store / "cache" / "web")))
        cache.keep_seen(f"{server.url}/feed", {f"{server.url}/seen": {}})
        yield server


@pytest.fixture(scope="module")
def hub():
    """The Hub with one data set."""
    with HUB_SERVER as server:
        yield server


@pytest.fixture
def seen(store, site, hub, tmp_path, monkeypatch):
    """Runs a stage on a set of rows; what it did with threads and processes is a line of its own."""
    monkeypatch.setenv("NOCTURNE_STORE", str(store))
    threads: set[str] = set()

    class Pool(ThreadPoolExecutor):
        def __init__(self, count: int) -> None:
            threads.add(f"threads {count}")
            super().__init__(count)

    class Processes(ProcessPoolExecutor):
        def __init__(self, count: int, **options) -> None:
            threads.add(f"processes {count}")
            super().__init__(count, **options)

    monkeypatch.setattr("curate.threads.ThreadPoolExecutor", Pool)
    monkeypatch.setattr("curate.processes.ProcessPoolExecutor", Processes)

    def call(stage: str, config: dict, data: str, name: str) -> Seen:
        threads.clear()
        rows, _, decided = data.partition("+")
        inputs = [f"rows={store / rows}"] * bool(rows) + [f"decisions={store / decided}"] * bool(decided)
        config = json.loads(json.dumps(config).replace("SITE", site.url))
        found = run(stage, config, inputs, tmp_path / name).with_lines(threads)
        return found.with_lines(concluded(found.uri)) if config.get("hub") else found

    def concluded(uri: str) -> list[str]:
        with ModelHub() as server:
            monkeypatch.setenv("HF_ENDPOINT", server.url)
            monkeypatch.setenv("HF_TOKEN", "hf_of_the_test")
            conclude(parse_uri(uri), read(uri).manifest)
        return [f"on the hub, private: {place['private']}" for place in server.repositories.values()]

    return call


def test_every_field_has_a_case():
    assert missing_cases("curate", CASES) == {}


@pytest.mark.parametrize(("stage", "case"), [pytest.param(s, c, id=f"{s}.{c.field}") for s in CASES for c in CASES[s]])
def test_the_field_changes_the_result(seen, stage, case):
    check(stage, case, seen(stage, case.base, case.data, "base"), seen(stage, case.changed, case.data, "changed"))

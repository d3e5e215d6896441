"""Values that show what each field of the config of the stages from sources to chunks does."""

from curate_rows import FAKE_TOKEN
from every_field import Case

ONE = {"sources": [{"uri": "raw/a/one.jsonl"}], "max_rejected": 1}
TWO_TEXTS = {"sources": [{"uri": "raw/a/one.jsonl", "text": ["title", "text"]}], "max_rejected": 1}
FIRST_LIST = {"sources": [{"uri": "raw/nested.json", "records_at": "first"}]}


def web(path: str, **options) -> dict:
    """A source on the test's site; SITE stands for its address."""
    usual = {"contact": "me@a.example", "delay": 0.0, "allow_private": True, "timeout": 3.0, "max_failed": 1}
    return {"sources": [{"uri": f"SITE{path}", "web": usual | options}], "max_rejected": 1}


FEED = web("/feed")
HUB = {"sources": [{"uri": "hub://someone/stories", "hub": {}}]}
ALL = {"sources": [{"uri": "raw/a"}], "max_rejected": 1}
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

SOURCE_CASES: dict[str, list[Case]] = {
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
    "chunk": [
        Case("strategy", "markdown", "# Part 5", {"minimum": 100, "maximum": 300}, "long"),
        Case("minimum", 250, '"rule": "too_short"', {"minimum": 100, "maximum": 300}, "long"),
        Case("maximum", 800, "figure chunks", {"minimum": 100, "maximum": 300}, "long"),
        Case("oversize", "cut", "figure longest", {"minimum": 10, "maximum": 40}, "long"),
        Case("shard_rows", 1, "shards", {"minimum": 100, "maximum": 300}, "long"),
    ],
}  # fmt: skip

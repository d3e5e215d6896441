"""What is wrong with the files of a source, with stored datasets, and with rows."""

import gzip
import lzma

from house.mistakes import (
    BAD_CONFIG,
    BAD_INPUT,
    DAMAGED,
    EMPTY,
    GOOD,
    NO_SERVER,
    PROSE,
    REMOTE,
    S3,
    Call,
    Refused,
    cut_off,
    documents,
    flip_a_byte,
    from_file,
    from_uri,
    lines,
    on_rows,
    on_samples,
    parquet,
    shard,
    with_damage,
)
from pdf_files import pdf

SOURCES = [
    Refused("missing file", BAD_INPUT, ("source has no files", "gone.json"), lambda f: from_uri(f"{f}/gone.json")),
    Refused("empty folder", BAD_INPUT, ("source has no files",), lambda f: from_uri(str(f))),
    Refused("empty file", BAD_INPUT, ("the sources hold no record",), lambda f: from_file(f, "a.jsonl", b"")),
    Refused(
        "header without rows", BAD_INPUT, ("the sources hold no record",), lambda f: from_file(f, "a.csv", b"text\n")
    ),
    Refused(
        "corrupt Parquet",
        BAD_INPUT,
        ("not Parquet", "a.parquet"),
        lambda f: from_file(f, "a.parquet", parquet([GOOD])[:-9]),
    ),
    Refused(
        "cut off .gz",
        BAD_INPUT,
        ("damaged", "a.jsonl.gz"),
        lambda f: from_file(f, "a.jsonl.gz", gzip.compress(lines(GOOD))[:-12]),
    ),
    Refused(
        "quote left open",
        BAD_INPUT,
        ("damaged: line 3",),
        lambda f: from_file(f, "a.csv", b'text\n"open\nto the end\n'),
    ),
    Refused(
        "list cut off", BAD_INPUT, ("not JSON", "a.json"), lambda f: from_file(f, "a.json", b'[{"text": "x"}, {"te')
    ),
    Refused(
        "no list at records_at",
        BAD_INPUT,
        ("no list at 'items'", "there is text"),
        lambda f: from_file(f, "a.json", lines(GOOD), records_at="items"),
    ),
    Refused(
        "wrong column",
        BAD_INPUT,
        ("1 of 1 records rejected", "missing_text: fields: text"),
        lambda f: from_file(f, "a.jsonl", lines(GOOD), text=["body"]),
    ),
    Refused(
        "too many rejects",
        BAD_INPUT,
        ("2 of 3 records rejected", "a.jsonl line 2", "max_rejected"),
        lambda f: from_file(f, "a.jsonl", lines(GOOD, b"{", b"{")),
    ),
    Refused("scanned PDF", BAD_INPUT, ("no_text: 1 pages",), lambda f: from_file(f, "a.pdf", pdf([[]]))),
    Refused(
        "cut off .xz",
        BAD_INPUT,
        ("damaged", "a.jsonl.xz"),
        lambda f: from_file(f, "a.jsonl.xz", lzma.compress(lines(GOOD))[:-12]),
    ),
    Refused(
        "header in another encoding",
        BAD_INPUT,
        ("the header is not UTF-8", "`encoding`"),
        lambda f: from_file(f, "a.csv", "größe,text\n1,x\n".encode("cp1252")),
    ),
    Refused("format nobody reads", BAD_INPUT, ("unknown_format: .docx",), lambda f: from_file(f, "a.docx", b"PK")),
]


STORED = [
    Refused(
        "truncated manifest",
        DAMAGED,
        ("manifest cannot be read",),
        lambda f: with_damage(f, lambda d: cut_off(d / "manifest.json")),
    ),
    Refused("changed shard", DAMAGED, ("SHA-256 differs",), lambda f: with_damage(f, lambda d: flip_a_byte(shard(d)))),
    Refused(
        "truncated shard", DAMAGED, ("not what was written",), lambda f: with_damage(f, lambda d: cut_off(shard(d)))
    ),
    Refused("missing shard", DAMAGED, ("is missing",), lambda f: with_damage(f, lambda d: shard(d).unlink())),
    Refused(
        "nothing left",
        EMPTY,
        ("nothing is left of 1 rows", "too_short 1"),
        lambda f: on_rows("filter", f, {"length": {"minimum": 10**6}}),
    ),
    Refused("0 rows", EMPTY, ("nothing is left of 0 rows",), lambda f: Call("clean", {}, (("rows", documents(f)),))),
    Refused(
        "no S3 credentials",
        BAD_CONFIG,
        ("NOCTURNE_S3_ENDPOINT", "not set"),
        lambda f: from_uri("s3://bucket/x", NOCTURNE_S3_ENDPOINT=""),
    ),
    Refused(
        "S3 endpoint without scheme",
        BAD_CONFIG,
        ("expected http://",),
        lambda f: from_uri("s3://bucket/x", **S3, NOCTURNE_S3_ENDPOINT="s3:9000"),
    ),
    Refused("no bucket", BAD_CONFIG, ("names no bucket",), lambda f: from_uri("s3:///x", **NO_SERVER)),
    Refused(
        "unreachable S3", REMOTE, ("does not answer", "127.0.0.1:9"), lambda f: from_uri("s3://bucket/x", **NO_SERVER)
    ),
]


QUALITY = [
    Refused(
        "labels from no score", BAD_CONFIG, ("names no `score`",), lambda f: Call("learn_quality", {}, on_samples(f))
    ),
    Refused(
        "labels from no decisions",
        BAD_CONFIG,
        ("there is no input `decisions`",),
        lambda f: Call("learn_quality", {"labels": "decisions"}, on_samples(f)),
    ),
    Refused(
        "nothing judged yet",
        BAD_INPUT,
        ("0 good and 0 bad samples to learn from",),
        lambda f: Call("learn_quality", {"score": "quality"}, on_samples(f)),
    ),
    Refused(
        "bands that do not ascend",
        BAD_CONFIG,
        ("expected ascending numbers",),
        lambda f: Call("review", {"length_bounds": [9, 3]}, on_samples(f)),
    ),
    Refused(
        "decisions that are none",
        BAD_INPUT,
        ("1 of 1 lines are no decisions, first a.jsonl line 1: `sample_id`",),
        lambda f: from_file(f, "a.jsonl", lines(GOOD))._replace(
            stage="decide", config={"sources": [{"uri": str(f / "a.jsonl")}]}
        ),
    ),
    Refused(
        "a classifier of another dataset",
        BAD_INPUT,
        ("no dataset of learn_quality behind this one",),
        lambda f: on_rows("filter", f, {"quality": {"classifier": {"model": documents(f, PROSE, name="other")}}}),
    ),
]

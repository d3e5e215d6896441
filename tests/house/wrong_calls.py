"""What is wrong with a config, a command line, or the place that a source names."""

from house.mistakes import (
    BAD_CONFIG,
    BAD_INPUT,
    GOOD,
    PROSE,
    REMOTE,
    Call,
    Refused,
    documents,
    from_file,
    from_uri,
    from_web,
    full_folder,
    lines,
    on_rows,
    samples,
)

CONFIG = [
    Refused("config that is not JSON", BAD_CONFIG, ("config is not JSON",), lambda f: Call("ingest", "{sources: []")),
    Refused(
        "config file absent", BAD_CONFIG, ("cannot be read", "nowhere.json"), lambda f: Call("ingest", "@nowhere.json")
    ),
    Refused("config that is a list", BAD_CONFIG, ("a mapping of fields",), lambda f: Call("ingest", "[1, 2]")),
    Refused(
        "unknown field", BAD_CONFIG, ("unknown field `mapper`", "--help"), lambda f: on_rows("clean", f, {"mapper": []})
    ),
    Refused("missing field", BAD_CONFIG, ("`sources` is missing",), lambda f: Call("ingest", {})),
    Refused("wrong type", BAD_CONFIG, ("`minimum` is", '"many"'), lambda f: on_rows("chunk", f, {"minimum": "many"})),
    Refused(
        "value that is no choice",
        BAD_CONFIG,
        ("`mappers.0`", "'plain'"),
        lambda f: on_rows("clean", f, {"mappers": ["p"]}),
    ),
    Refused(
        "value out of range", BAD_CONFIG, ("`minimum` is 0", "greater"), lambda f: on_rows("chunk", f, {"minimum": 0})
    ),
    Refused(
        "impossible range",
        BAD_CONFIG,
        ("minimum 9 is above maximum 5",),
        lambda f: on_rows("chunk", f, {"minimum": 9, "maximum": 5}),
    ),
    Refused(
        "broken pattern",
        BAD_CONFIG,
        ("not a regular expression",),
        lambda f: on_rows("filter", f, {"format": {"must_match": "("}}),
    ),
    Refused(
        "one id for all",
        BAD_CONFIG,
        ("the same id",),
        lambda f: from_file(f, "a.jsonl", lines(GOOD), constants={"id": "x"}),
    ),
    Refused(
        "text that rows lack",
        BAD_CONFIG,
        ("'answer'", "expected text"),
        lambda f: on_rows("filter", f, {"field": "answer"}),
    ),
]


COMMAND_LINE = [
    Refused("unknown stage", BAD_CONFIG, ("no stage 'ingset'", "ingest, clean"), lambda f: Call("ingset")),
    Refused("input absent", BAD_CONFIG, ("--input rows=URI is missing",), lambda f: Call("chunk")),
    Refused("input of unknown name", BAD_CONFIG, ("NAME one of rows",), lambda f: Call("chunk", {}, (("raw", "x"),))),
    Refused(
        "input given twice",
        BAD_CONFIG,
        ("rows given 2 times",),
        lambda f: Call("chunk", {}, (("rows", documents(f, PROSE)),) * 2),
    ),
    Refused(
        "input that is no dataset", BAD_INPUT, ("no manifest.json",), lambda f: Call("chunk", {}, (("rows", str(f)),))
    ),
    Refused(
        "input of another type",
        BAD_INPUT,
        ("rows of type Sample", "expected Document"),
        lambda f: Call("chunk", {}, (("rows", samples(f)),)),
    ),
    Refused(
        "latest of nothing",
        BAD_INPUT,
        ("nothing was published yet",),
        lambda f: Call("chunk", {}, (("rows", f"{f}/latest"),)),
    ),
    Refused(
        "output folder of someone else",
        BAD_CONFIG,
        ("not empty",),
        lambda f: on_rows("clean", f, output=full_folder(f)),
    ),
    Refused(
        "output is another dataset",
        BAD_CONFIG,
        ("another dataset is there",),
        lambda f: on_rows("clean", f, output=documents(f, PROSE, name="o")),
    ),
    Refused(
        "output below a file",
        BAD_CONFIG,
        ("cannot be made", "thesis.txt"),
        lambda f: on_rows("clean", f, output=f"{full_folder(f)}/thesis.txt/o"),
    ),
    Refused(
        "name too long", BAD_CONFIG, ("a name of 300 bytes", "255 at most"), lambda f: from_uri(f"{f}/{'x' * 300}")
    ),
    Refused("place of the system", BAD_CONFIG, ("part of the system",), lambda f: from_uri("/proc/self/environ")),
    Refused("scheme that is not read", BAD_CONFIG, ("'ftp'", "s3://"), lambda f: from_uri("ftp://a.example/x.json")),
]


PLACES = [
    Refused(
        "password in a source",
        BAD_CONFIG,
        ("holds a password, key or token", "://***@a.example"),
        lambda f: from_uri("https://me:hunter2@a.example/feed"),
    ),
    Refused(
        "token in a source",
        BAD_CONFIG,
        ("holds a password, key or token", "token=***"),
        lambda f: from_uri("https://a.example/feed?token=hunter2"),
    ),
    Refused("nobody to reach", BAD_CONFIG, ("web.contact is empty",), lambda f: from_uri("https://a.example/feed")),
    Refused(
        "web options of a file",
        BAD_CONFIG,
        ("`web` is set", "https://"),
        lambda f: from_file(f, "a.jsonl", lines(GOOD), web={"contact": "me@a.example"}),
    ),
    Refused("half a data set's name", BAD_CONFIG, ("hub://owner/name",), lambda f: from_uri("hub://a/b/c")),
    Refused(
        "address inside the network",
        BAD_INPUT,
        ("the address is not public", "web.allow_private"),
        lambda f: from_web("http://169.254.169.254/latest/meta-data"),
    ),
    Refused(
        "dead site",
        REMOTE,
        ("does not answer: robots.txt: no connection",),
        lambda f: from_web("http://127.0.0.1:9/feed", allow_private=True),
    ),
    Refused(
        "unknown encoding",
        BAD_CONFIG,
        ("unknown encoding", "cp1252"),
        lambda f: from_file(f, "a.txt", b"x", encoding="cp12521"),
    ),
    Refused(
        "brace left open",
        BAD_CONFIG,
        ("the brace at 0", "holds no path"),
        lambda f: from_file(f, "a.jsonl", lines(GOOD), text=["{text"]),
    ),
]

"""The entry point, from outside: exit code, last line, result file, message."""

import json

import pytest

LINES = ["one", "# two", "three", "four"]


def test_a_run_answers_on_standard_output_and_in_the_result_file(toy):
    ended = toy.ingest(LINES, f"{toy.folder}/out/", NOCTURNE_RESULT=str(toy.folder / "result.json"))
    result = ended.result
    assert json.loads((toy.folder / "result.json").read_text()) == result
    assert (result["rows"], result["dropped"], result["reused"]) == (3, 1, False)
    assert result["uri"].startswith(f"file://{toy.folder}/out/")
    assert len(ended.stdout.splitlines()) == 1
    assert "rows=3" in ended.stderr


def test_a_second_run_reuses_without_touching_anything(toy):
    first = toy.ingest(LINES, f"{toy.folder}/out/").result
    before = {path: path.stat().st_mtime_ns for path in (toy.folder / "out").rglob("*")}
    second = toy.ingest(LINES, f"{toy.folder}/out/", TOY="bug").result  # the stage's code is not even imported
    assert second == first | {"reused": True}
    assert {path: path.stat().st_mtime_ns for path in (toy.folder / "out").rglob("*")} == before


def test_other_rows_give_another_folder(toy):
    first = toy.ingest(LINES, f"{toy.folder}/out/").result
    second = toy.ingest([*LINES, "five"], f"{toy.folder}/out/").result
    assert first["uri"] != second["uri"]


@pytest.mark.parametrize(
    ("toy_env", "code", "said"),
    [
        ("bug", 1, "bug: one over none"),
        ("lose", 1, "4 came in but 3 are accounted for"),
        ("memory", 13, "out of memory"),
        ("disk", 13, "disk full"),
        ("remote", 13, "the server does not answer; in a test"),
    ],
)
def test_what_goes_wrong_in_a_stage_has_its_code_and_leaves_nothing(toy, toy_env, code, said):
    result = toy.folder / "result.json"
    ended = toy.ingest(LINES, f"{toy.folder}/out/", TOY=toy_env, NOCTURNE_RESULT=str(result))
    assert (ended.exit_code, ended.stdout) == (code, "")
    assert said in ended.stderr
    assert said in json.loads(result.read_text())["message"]
    assert ("Traceback" in ended.stderr) == (code == 1)
    assert list((toy.folder / "out").iterdir()) == []


def test_when_nothing_is_left_the_ledger_still_says_why(toy):
    ended = toy.ingest(["# a", "# b"], f"{toy.folder}/out/")
    assert ended.exit_code == 12
    assert "nothing is left of 2 rows: comment 2" in ended.stderr
    assert len(list((toy.folder / "out").glob("*/dropped/*.parquet"))) == 1


WRONG_CALLS = [
    (["tidy"], 10, "no stage 'tidy' in image curate"),
    (["ingest", "--config", "{", "--output", "x"], 10, "config is not JSON"),
    (["ingest", "--config", "[]", "--output", "x"], 10, "expected a mapping"),
    (["ingest", "--config", "@none.json", "--output", "x"], 10, "config file cannot be read"),
    (["ingest", "--config", "{}"], 10, "--output is missing"),
    (["ingest", "--config", "{}", "--output", "x"], 10, "`sources` is missing"),
    (["ingest", "--colour", "red"], 10, "unrecognized arguments"),
    (["ingest", "--input", "rows=x", "--output", "x", "--config", '{"sources":[{"uri":"x"}]}'], 10, "no inputs"),
    (["clean", "--output", "x"], 10, "--input rows=URI is missing"),
    (["clean", "--input", "rows", "--output", "x"], 10, "NAME=URI"),
    (["clean", "--input", "rows=a", "--input", "rows=b", "--output", "x"], 11, "not a finished dataset"),
    (["clean", "--input", "rows=ftp://a/b", "--output", "x"], 10, "scheme 'ftp'"),
    (["ingest", "--config", '{"sources":[{"uri":"nowhere"}]}', "--output", "x"], 11, "source has no files"),
]


@pytest.mark.parametrize(("arguments", "code", "said"), WRONG_CALLS)
def test_a_wrong_call_is_refused_in_words(toy, arguments, code, said):
    ended = toy.call(arguments)
    assert (ended.exit_code, ended.stdout) == (code, "")
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr
    assert not (toy.folder / "x").exists()


def test_an_image_that_gathers_nothing_reads_files_only(toy):
    web = {"contact": "me@a.example"}
    config = json.dumps({"sources": [{"uri": "https://a.example/feed", "web": web}]})
    ended = toy.call(["ingest", "--config", config, "--output", f"{toy.folder}/out/"])
    assert ended.exit_code == 10
    assert "'https://a.example/feed' is no file" in ended.stderr

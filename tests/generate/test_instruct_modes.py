"""instruct's modes about chunks: what is asked, in which language, whose voice, and how much of it is grounded."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.records import Chunk
from generate.instruct.grounding import GROUNDING, RUN, RUNS, grounding, ungrounded
from generate.instruct.prompt import FOLDER, load_prompt
from generate.words import STOP_WORDS
from llm_chunks import synthetic_chunks, write_chunks
from llm_runs import InProcess, Instruct, check_books
from scripted_llm import ScriptedServer

CHUNK = Chunk(
    id="c", document_id="d", ordinal=0, start=0, end=60, text="Cats sleep by day and hunt by night.", title="On cats"
)


def prompts(llm) -> list[str]:
    return [seen.body["messages"][1]["content"] for seen in llm.seen]


@pytest.mark.parametrize(
    ("mode", "words", "tag"),
    [
        ("backtranslate", "Keep the author's facts, voice and style", "backtranslated"),
        ("rephrase", "retells a part of the extract in new words", "rephrased"),
        ("style", "as A. Writer would write it", "style"),
    ],
)
def test_each_mode_asks_in_its_own_words(instruct, llm, mode, words, tag):
    made = instruct(mode=mode)
    check_books(made, 6)
    assert all(words in text for text in prompts(llm))
    assert {tuple(sample.tags) for sample in made.samples} == {(tag,)}
    assert all(sample.chunk_id and sample.parent_ids == [] for sample in made.samples)


def test_style_is_shown_by_other_chunks_of_the_author(instruct, llm, tmp_path):
    chunks = [
        chunk.model_copy(update={"author": ("Ann", "Bob", None)[n % 3], "text": f"{chunk.text} Mark {n}."})
        for n, chunk in enumerate(synthetic_chunks(3, 6))
    ]
    instruct.on(write_chunks(tmp_path, chunks, "authors"))(mode="style", style_passages=2)
    of_author = {n: ("Ann", "Bob", None)[n % 3] for n in range(len(chunks))}
    for text in prompts(llm):
        own = next(n for n, chunk in enumerate(chunks) if chunk.text in text)
        passages = re.findall(r"-{8} passage \d\n(.*?)\n(?=-{8}|The extract itself)", text, re.DOTALL)
        assert len(passages) == (2 if of_author[own] else 0)
        for passage in passages:
            shown = next(n for n, chunk in enumerate(chunks) if chunk.text.startswith(passage))
            assert shown != own
            assert of_author[shown] == of_author[own]
            assert len(passage) <= 1_000


def test_a_new_chunk_leaves_most_style_passages_alone(instruct, llm, tmp_path):
    chunks = synthetic_chunks(10, 6)
    instruct.on(write_chunks(tmp_path, chunks[:59], "before"))("before", mode="style", pairs=1)
    asked = len(llm.forget())
    made = instruct.on(write_chunks(tmp_path, chunks, "after"))("after", mode="style", pairs=1)
    assert asked == 59
    assert len(llm.seen) == 1
    assert made.manifest.cost.cached_requests == 59


@pytest.mark.parametrize(("language", "words"), [(None, "in the language of the extract"), ("pl", "in Polish")])
def test_the_language_is_as_the_chunk_or_as_told(instruct, llm, language, words):
    instruct(language=language)
    assert all(words in text for text in prompts(llm))


def test_a_prompt_in_polish(tmp_path, few):
    def said(body):
        assert "Piszesz dane" in body["messages"][0]["content"]
        assert "w języku polskim" in body["messages"][1]["content"]
        return {"pairs": [{"instruction": f"Co robi {n}?", "answer": "Scheduler splits the cache."} for n in range(5)]}

    with ScriptedServer(said) as server:
        made = Instruct(InProcess(tmp_path), few, server)(prompt="backtranslate-2.pl", language="pl")
    check_books(made, 6)
    assert len(made.samples) == 30
    assert made.manifest.metrics["prompt"] == "backtranslate-2.pl"


def test_an_old_prompt_knows_no_language(instruct):
    ended = instruct(prompt="backtranslate-1", language="pl").ended
    assert ended.exit_code == 10
    assert "prompt backtranslate-1 always writes in the language of the chunk" in ended.stderr
    assert instruct(prompt="backtranslate-1").ended.exit_code == 0


def test_a_prompt_of_another_mode_is_refused(instruct):
    ended = instruct(prompt="style-1").ended
    assert ended.exit_code == 10
    assert "expected one of backtranslate-1, backtranslate-2, backtranslate-2.pl" in ended.stderr


@pytest.mark.parametrize("mode", ["backtranslate", "rephrase", "style", "self_instruct"])
def test_every_mode_speaks_polish_too(mode):
    newest = max(path.stem for path in FOLDER.glob(f"{mode}-?.yaml"))
    english, polish = load_prompt(newest, mode), load_prompt(f"{newest}.pl", mode)
    assert english.file.languages.keys() == polish.file.languages.keys()
    assert (english.language("pl"), polish.language("pl")) == ("Polish", "polskim")
    assert polish.language("xx") == "o kodzie ISO 639 „xx”"


@pytest.mark.parametrize(
    "text", ["Co mówi autor w tym tekście?", "Streść powyższy fragment.", "Opisz na podstawie artykułu"]
)
def test_polish_pointing_is_seen(text):
    for name in ("backtranslate-2", "backtranslate-2.pl", "style-1"):
        assert load_prompt(name, name.partition("-")[0]).pointing.search(text)


def test_every_sample_says_how_grounded_it_is(instruct):
    made = instruct()
    for sample in made.samples:
        chunk = next(chunk for chunk in synthetic_chunks(2, 3) if chunk.id == sample.chunk_id)
        assert sample.scores == grounding(sample.answer, chunk)
        assert 0.5 < sample.scores[GROUNDING] < 1, "the server puts two words before the chunk's"


def test_what_is_not_grounded_goes_with_its_share(instruct):
    shares = sorted(sample.scores[GROUNDING] for sample in instruct().samples)
    least = shares[len(shares) // 2]
    made = instruct("strict", min_grounding=least)
    check_books(made, 6)
    assert sorted(sample.scores[GROUNDING] for sample in made.samples) == [share for share in shares if share >= least]
    lost = [entry for entry in made.ledger if entry.account == "pairs"]
    assert {entry.rule for entry in lost} == {"not_grounded"}
    assert sorted(float(entry.value) for entry in lost) == [share for share in shares if share < least]


@pytest.mark.parametrize(
    ("answer", "share", "runs"),
    [
        ("Cats sleep by day and hunt by night.", 1.0, 1.0),
        ("CATS: they sleep by day!", 1.0, 0.0),
        ("Dogs sleep by day, cats at night.", 0.8, 0.0),
        ("Wolves howl.", 0.0, 0.0),
        ("It is not.", 0.0, 0.0),
        ("", 0.0, 0.0),
    ],
)
def test_grounding_by_hand(answer, share, runs):
    assert grounding(answer, CHUNK) == {GROUNDING: share, RUNS: runs}


@given(
    st.lists(st.sampled_from(["cats", "sleep", "dogs", "the", "by", "night", "zebra"]), max_size=12), st.floats(0, 1)
)
def test_grounding_is_a_share_and_the_limit_is_kept(said, least):
    answer = " ".join(said)
    shares = grounding(answer, CHUNK)
    assert all(0 <= share <= 1 for share in shares.values())
    assert (ungrounded(answer, CHUNK, least) is not None) == (least > 0 and shares[GROUNDING] < least)


WORDS = st.lists(st.sampled_from(["cats", "sleep", "hunt", "by", "day", "and", "night", "zebra", "the"]), max_size=30)


@given(WORDS, WORDS, st.booleans())
def test_grounding_is_what_its_definition_says(said, text, quoting):
    if quoting:
        said = [*text[3:12], *said[:4], *text[1:9]]
    shares = grounding(" ".join(said), CHUNK.model_copy(update={"title": None, "text": " ".join(text)}))
    content = [word for word in said if word not in STOP_WORDS]
    runs = [tuple(said[start : start + RUN]) for start in range(len(said) - RUN + 1)]
    theirs = {tuple(text[start : start + RUN]) for start in range(len(text) - RUN + 1)}
    for name, found, all_of_them in (
        (GROUNDING, [word for word in content if word in text], content),
        (RUNS, [run for run in runs if run in theirs], runs),
    ):
        assert shares[name] == (round(len(found) / len(all_of_them), 4) if all_of_them else 0)


POINTING = [
    "in this TEXT,",
    "Based on the given article",
    "the passage of time",
    "Z TEGO TEKSTU",
    "w tym tekście",
    "cats",
]


@given(st.lists(st.sampled_from(POINTING) | st.text(max_size=5), max_size=4), st.sampled_from(["", ".pl"]))
def test_pointing_is_found_the_short_way(words, language):
    text, prompt = " ".join(words), load_prompt(f"backtranslate-2{language}", "backtranslate")
    found = prompt.pointing.search(text)
    assert prompt.points(text) == (found and found.group())


def test_other_modes_need_a_model(instruct):
    ended = instruct(provider="extractive", mode="style").ended
    assert ended.exit_code == 10
    assert "expected openai" in ended.stderr

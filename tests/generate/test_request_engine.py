"""The parts of the request engine, each by itself."""

import asyncio
import json
import logging
import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.config.llm import Budget, Endpoint, Price
from contract.failures import RemoteTrouble
from contract.keys import digest
from contract.records import Message
from contract.uris import parse_uri
from generate.llm.answer import Answer
from generate.llm.batches import Batches
from generate.llm.cache import AnswerCache
from generate.llm.jsontext import parse, salvage
from generate.llm.ordered import in_order
from generate.llm.purse import Purse
from generate.llm.question import OPENAI, Question, server_name
from generate.llm.refusals import declines
from generate.llm.slots import Slots
from generate.llm.spending import Meter, Outlay, Prices, Spent
from generate.llm.tokens import text_tokens
from generate.llm.waiting import LONGEST, backoff, retry_after
from generate.words import WORD, words
from llm_server import LlmServer
from stagekit.store import open_store

NOW = datetime(2026, 11, 23, 8, 0, 0, tzinfo=UTC)
LOG = logging.getLogger("test")


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after-ms": "250", "retry-after": "7"}, 0.25),
        ({"retry-after": "Mon, 23 Nov 2026 08:00:30 GMT"}, 30),
        ({"retry-after": "Mon, 23 Nov 2026 08:00:30"}, 30),
        ({"retry-after": "Mon, 23 Nov 2026 07:00:00 GMT"}, 0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({}, None),
    ],
)
def test_retry_after_is_read_in_every_form(headers, seconds):
    assert retry_after(headers, NOW) == seconds


def test_backoff_doubles_is_capped_and_is_the_same_for_the_same_seed():
    waits = [backoff(1, tries, "0:key") for tries in range(1, 12)]
    assert all(2 ** (n - 1) / 2 <= wait <= min(LONGEST, 2 ** (n - 1)) for n, wait in enumerate(waits, 1) if n < 7)
    assert max(waits) <= LONGEST
    assert waits == [backoff(1, tries, "0:key") for tries in range(1, 12)]
    assert len({backoff(1, 1, f"0:{key}") for key in range(100)}) == 100


def test_slots_fall_once_per_round_of_many_429_and_come_back():
    async def scenario():
        slots = Slots(8)
        epochs = [await slots.take(n) for n in range(8)]
        for epoch in epochs:
            slots.limited(epoch)
        assert slots.limit == 6, "eight 429s of one round are one signal"
        for _ in range(8):
            slots.free()
        for _ in range(5):
            slots.limited(await slots.take(0))
        assert (slots.limit, slots.lowest) == (4.5, 4)
        for _ in range(40):
            slots.answered()
        assert slots.limit == 8

    asyncio.run(scenario())


@pytest.mark.parametrize(("share", "at_least", "at_most"), [(0.0, 32, 32), (0.1, 24, 32), (0.5, 1, 8), (1.0, 1, 1)])
def test_a_few_429_change_little_and_many_bring_it_down(share, at_least, at_most):
    async def scenario():
        slots, rng, seen = Slots(32), random.Random(4), []
        for _ in range(3_000):
            epoch = await slots.take(0)
            slots.limited(epoch) if rng.random() < share else slots.answered()
            slots.free()
            seen.append(slots.limit)
        assert at_least <= sum(seen[1_000:]) / 2_000 <= at_most

    asyncio.run(scenario())


def test_the_earliest_chunk_goes_first_and_a_cancelled_one_leaves_no_slot_taken():
    async def scenario():
        slots, went = Slots(1), []

        async def work(order):
            await slots.take(order)
            went.append(order)
            await asyncio.sleep(0)
            slots.free()

        await slots.take(-1)
        tasks = [asyncio.ensure_future(work(order)) for order in (5, 3, 9, 1)]
        await asyncio.sleep(0)
        tasks[1].cancel()
        slots.free()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert went == [1, 5, 9]
        assert slots.taken == 0

    asyncio.run(scenario())


@settings(max_examples=60, deadline=None)
@given(
    cap=st.integers(0, 5_000),
    requests=st.lists(st.tuples(st.integers(1, 300), st.integers(1, 700), st.floats(0, 1)), max_size=40),
    at_once=st.integers(1, 8),
)
def test_spending_never_passes_the_limit_and_stops_within_one_request_of_it(cap, requests, at_once):
    async def scenario():
        meter, gate = Meter(Budget(tokens=cap), Prices([])), asyncio.Semaphore(at_once)
        refused = []

        async def work(prompt, completion, share):
            worst = Spent(1, prompt, completion)
            async with gate:
                if not await meter.reserve(worst):
                    refused.append(worst.tokens)
                    return
                await asyncio.sleep(0)
                meter.settle(worst, Spent(1, prompt, int(completion * share)))

        await asyncio.gather(*(work(*request) for request in requests))
        assert meter.spent.tokens <= cap
        assert meter.promised == Spent()
        if refused:
            assert meter.reached == "tokens"
            assert any(meter.spent.tokens + tokens > cap for tokens in refused)

    asyncio.run(scenario())


def test_a_lost_answer_is_held_against_the_limit_but_not_reported():
    async def scenario():
        prices = Prices([Endpoint(model="m", price=Price(prompt=0, completion=1_000))])
        asked = Question(OPENAI, "m", (), temperature=0, max_tokens=600, seed=0, schema={})
        meter, worst, actual = (
            Meter(Budget(money=1.0), prices),
            prices.bill(asked, 100, 600),
            prices.bill(asked, 90, 200),
        )
        assert meter.typical(worst) == worst
        assert await meter.reserve(worst)
        meter.settle(worst, actual)
        assert meter.typical(worst) == actual
        assert await meter.reserve(worst)
        meter.settle(worst, Spent(1), held=meter.typical(worst))
        assert (meter.money, meter.spent.requests) == (0.2, 2)
        assert await meter.reserve(worst), "200 spent, 200 held, 600 to come"
        meter.settle(worst, Spent(1), held=worst)
        assert not await meter.reserve(worst)
        assert (meter.reached, meter.money) == ("money", 0.2)

    asyncio.run(scenario())


def test_earlier_tries_of_a_dataset_count(tmp_path):
    store = open_store(parse_uri(str(tmp_path)))

    for _ in range(2):
        purse = Purse(store)
        purse.record([Outlay(Spent(n, 10 * n, 5 * n), Spent(3, 30)) for n in range(1, 4)])
        purse.record([Outlay(Spent(n, 10 * n, 5 * n), Spent(1, 20)) for n in range(4, 8)])
    assert Purse(store).before() == Outlay(Spent(14, 140, 70), Spent(2, 40))


def test_what_was_under_way_at_a_kill_is_held_against_the_limits_of_dataset_and_run():
    async def scenario():
        killed = Outlay(Spent(1, 100, 100), lost=Spent(2, 200, 600))
        alone = Meter(Budget(tokens=1_500), Prices([]), killed)
        assert await alone.reserve(Spent(1, 100, 400)), "200 spent, 800 in doubt, 500 to come"
        assert alone.outlay == Outlay(Spent(), Spent(1, 100, 400)), "noted before it is sent"
        alone.settle(Spent(1, 100, 400), Spent(1, 100, 50))
        assert (alone.outlay, alone.doubtful) == (Outlay(Spent(1, 100, 50)), killed.lost)
        assert not await alone.reserve(Spent(1, 100, 400))
        assert (alone.reached, alone.spent) == ("tokens", Spent(2, 200, 150))
        other = Meter(Budget(), Prices([]), Outlay(), Budget(requests=4), killed)
        assert await other.reserve(Spent(1))
        other.settle(Spent(1), Spent(1))
        assert not await other.reserve(Spent(1)), "one spent and two in doubt by another stage, one of its own"

    asyncio.run(scenario())


def test_a_request_is_written_down_before_it_is_sent(instruct, llm):
    """A server that looks into the purse at each request, and never answers one of them."""
    noted = []

    async def look(target, headers, data, writer):
        (purse,) = instruct.runner.folder.glob("cache/spent/tonight/*.json")
        written = json.loads(purse.read_bytes().splitlines()[-1])
        noted.append((llm.under_way, written[0], written[4]))
        await LlmServer._handle(llm, target, headers, data, writer)

    llm._handle = look
    made = instruct("made", env={"NOCTURNE_RUN": "tonight"}, concurrency=3)
    assert len(noted) == 6
    assert all(spent + sent >= number for number, (_, spent, sent) in enumerate(noted, 1))
    assert all(sent <= 3 for _, _, sent in noted)
    assert made.manifest.metrics["in_flight_at_kills"] == 0


def test_of_a_purse_the_last_whole_line_counts(tmp_path):
    store = open_store(parse_uri(str(tmp_path)))
    for name, data in {
        "a": b"[1,2,3,4,0,0,0,0]\n[2,4,6,8,0,1,2,3]\n[3,6",
        "b": b"[5,0,0,0,0,0,0,1]",
        "c": b"[7",
        "d": b"",
    }.items():
        store.write(f"spent/{name}.json", data)
    assert Purse(store).before() == Outlay(Spent(7, 4, 6, 8), Spent(0, 1, 2, 4))


def test_work_without_threads_is_done_at_once():
    async def scenario():
        many = Batches(lambda items: [2 * item for item in items], 0, None)
        doing = many.do(3)
        with pytest.raises(StopIteration, match="6"):
            doing.send(None)

    asyncio.run(scenario())


def test_blocking_work_is_handed_over_in_batches_and_each_gets_its_own_result():
    async def scenario():
        batches = []

        def double(items):
            batches.append(items)
            if -1 in items:
                raise RemoteTrouble("the store does not answer")
            return [2 * item for item in items]

        with ThreadPoolExecutor(4) as pool:
            many = Batches(double, 2, pool)
            gone = asyncio.ensure_future(many.do(7))
            asked = [asyncio.ensure_future(many.do(n)) for n in range(100)]
            await asyncio.sleep(0)
            gone.cancel()
            assert await asyncio.gather(*asked) == [2 * n for n in range(100)]
            assert len(batches) == 2, "two threads, so two hand-overs for all that came at once"
            with pytest.raises(RemoteTrouble):
                await many.do(-1)
            assert await many.do(3) == 6, "a failure ends nothing but its own batch"

    asyncio.run(scenario())


def test_results_come_in_order_from_a_bounded_window():
    async def scenario():
        under_way, most, rng = 0, 0, random.Random(1)

        async def work(number, item):
            nonlocal under_way, most
            under_way += 1
            most = max(most, under_way)
            await asyncio.sleep(rng.random() / 200)
            under_way -= 1
            return item * 2

        assert [r async for r in in_order(range(100), work, 7)] == [2 * n for n in range(100)]
        assert most == 7

    asyncio.run(scenario())


def test_the_first_are_under_way_before_all_are_prepared():
    async def scenario():
        begun, read = [], []

        def items():
            for number in range(1_000):
                read.append(number)
                yield number

        async def work(number, item):
            begun.append((number, len(read)))

        assert len([r async for r in in_order(items(), work, 1_000)]) == 1_000
        assert begun[0][1] < 20
        assert max(ahead - number for number, ahead in begun) < 20

    asyncio.run(scenario())


def test_a_broken_source_of_items_ends_all():
    async def scenario():
        def items():
            yield 1
            raise RemoteTrouble("the dataset is gone")

        async def work(number, item):
            await asyncio.sleep(60)

        with pytest.raises(RemoteTrouble, match="is gone"):
            [r async for r in in_order(items(), work, 5)]

    asyncio.run(asyncio.wait_for(scenario(), 5))


def test_one_failure_ends_all_at_once():
    async def scenario():
        ended = []

        async def work(number, item):
            try:
                await asyncio.sleep(0.01 if number == 3 else 60)
                raise RemoteTrouble("dead")
            finally:
                ended.append(number)

        with pytest.raises(RemoteTrouble):
            [r async for r in in_order(range(10), work, 5)]
        assert sorted(ended) == [0, 1, 2, 3, 4]

    asyncio.run(asyncio.wait_for(scenario(), 5))


@pytest.mark.parametrize(
    "text",
    [
        '{"a": [1]}',
        'Sure! Here it is:\n```json\n{"a": [1]}\n```\nAnything else?',
        'Here: {"a": [1]} - done',
        '{"a": [1,],}',
    ],
)
def test_json_is_found_in_what_models_wrap_it_in(text):
    assert parse(text) == {"a": [1]}


def test_line_breaks_inside_strings_are_forgiven():
    assert parse('{"a": "one\ntwo"}') == {"a": "one\ntwo"}


@pytest.mark.parametrize("text", ["", "no", "{", '{"a": [1', "nul"])
def test_what_is_no_json_says_so(text):
    with pytest.raises(ValueError, match=r"."):
        parse(text)


def test_whole_objects_are_saved_from_a_cut_off_text():
    text = '{"pairs": [{"q": "1", "a": "{x}"}, {"q": "2", "a": "y"}, {"q": "3", "a'
    assert salvage(text, frozenset("qa")) == [{"q": "1", "a": "{x}"}, {"q": "2", "a": "y"}]


@pytest.mark.parametrize(
    ("text", "refused"),
    [
        ("I'm sorry, but I can't help with that.", True),
        ("I’m sorry, but as an AI I cannot", True),
        ("Sorry, I can't do that", True),
        ("I cannot assist with this request.", True),
        ("As an AI language model, I", True),
        ("Unfortunately, I am unable", True),
        ("Przykro mi, ale nie mogę w tym pomóc.", True),
        ("Jako model językowy nie mam zdania.", True),
        ("Nie mogę się doczekać wiosny, pisał autor.", False),
        ("I'm sorry for the delay in the pipeline, said the author.", False),
        ("I can provide three examples.", False),
        ('{"pairs": [{"instruction": "Why does he say I\'m sorry, but I can\'t?"}]}', False),
        ("I cannot stress enough how important backups are.", False),
    ],
)
def test_refusals_are_told_from_answers(text, refused):
    assert declines(text) is refused


QUESTION = Question(
    server="http://a/v1",
    model="m",
    messages=(Message(role="user", content="x"),),
    temperature=0.7,
    max_tokens=10,
    seed=0,
    schema={"type": "object"},
)
OTHERS = {
    "server": "http://b/v1",
    "model": "n",
    "messages": (Message(role="user", content="y"),),
    "temperature": 0.8,
    "max_tokens": 11,
    "seed": 1,
    "schema": {"type": "array"},
}


def test_everything_that_determines_an_answer_is_in_its_key():
    assert OTHERS.keys() == {field.name for field in fields(Question)}
    keys = {replace(QUESTION, **{name: value}).key for name, value in OTHERS.items()} | {QUESTION.key}
    assert len(keys) == len(OTHERS) + 1


@given(content=st.text(st.characters()), seed=st.integers(0, 2**31 - 1), temperature=st.floats(0, 2))
def test_a_key_is_the_digest_of_the_question_as_plain_values(content, seed, temperature):
    messages = (Message(role="system", content="x"), Message(role="user", content=content))
    question = replace(QUESTION, messages=messages, seed=seed, temperature=temperature)
    assert question.key == digest(question.identity)
    assert question.prompt_hash == digest(question.wire_messages)


@given(st.text(st.characters(codec="ascii")) | st.text())
def test_words_are_the_same_the_short_way(text):
    assert list(words(text)) == WORD.findall(text.lower())


def test_a_server_has_one_name(monkeypatch):
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    assert server_name("HTTP://Host:1/V1/") == server_name("http://host:1/V1") != server_name("http://host:1/v1")
    assert server_name(None) == "https://api.openai.com/v1"
    monkeypatch.setenv("OPENAI_BASE_URL", "http://Own:8000/v1/")
    assert server_name(None) == "http://own:8000/v1"
    assert server_name("http://other/v1") == "http://other/v1"


def test_of_two_answers_to_one_question_the_first_is_used(tmp_path):
    cache = AnswerCache(open_store(parse_uri(str(tmp_path))), LOG)
    first, second = Answer(text="one", prompt_tokens=1), Answer(text="two")
    assert cache.get(QUESTION) is None
    assert cache.put(QUESTION, first) == first
    assert cache.put(QUESTION, second) == first
    assert cache.get(QUESTION) == first


@pytest.mark.parametrize(
    ("text", "tokens"), [("", 0), ("abc def ghi", 4), ("2026-11-23", 10), ("лиса", 4), ("if x: y()", 5), ("狐狸", 2)]
)
def test_tokens_are_estimated_on_the_safe_side(text, tokens):
    assert text_tokens(text) == tokens

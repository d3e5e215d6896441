"""What waits for quiet moments: it never waits for good, never out of order, and never before what is urgent."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from contract.keys import canonical_json, digest
from generate.canonical import plain_digest, plain_json
from generate.llm.quiet import QuietMoments
from generate.llm.slots import BUNCH, Slots

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters()),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(PLAIN)
def test_plain_json_is_the_canonical_one(value):
    assert plain_json(value) == canonical_json(value).encode("utf-8", "surrogatepass")
    assert plain_digest(value) == digest(value)


async def after_busy_turns(most: int, cancelled: int | None = None) -> tuple[int, list[int]]:
    """Of twenty who wait: how many went on in fifty busy turns, and all who went on at last, in order."""
    quiet, went = QuietMoments(most), []

    async def wait(number):
        await quiet.come()
        went.append(number)

    tasks = [asyncio.ensure_future(wait(number)) for number in range(20)]
    for _ in range(50):
        quiet.urgent()
        await asyncio.sleep(0)
    meanwhile = len(went)
    if cancelled is not None:
        tasks[cancelled].cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return meanwhile, went


def test_those_who_wait_go_on_one_by_one_after_what_is_urgent():
    meanwhile, went = asyncio.run(asyncio.wait_for(after_busy_turns(100, cancelled=5), 5))
    assert meanwhile <= 1, "all turns were busy"
    assert went == [number for number in range(20) if number != 5]


def test_too_many_do_not_wait_for_a_quiet_moment():
    meanwhile, went = asyncio.run(asyncio.wait_for(after_busy_turns(5), 5))
    assert 15 <= meanwhile <= 16
    assert went == [*range(20)]


def test_slots_are_given_some_at_a_time_and_all_in_the_end():
    async def scenario():
        slots, went = Slots(100), []

        async def work(order):
            await slots.take(order)
            went.append(order)

        tasks = [asyncio.ensure_future(work(order)) for order in range(100)]
        most = before = 0
        while not all(task.done() for task in tasks):
            await asyncio.sleep(0)
            most, before = max(most, len(went) - before), len(went)
        assert most <= 2 * BUNCH
        assert (sorted(went), slots.taken) == (list(range(100)), 100)

    asyncio.run(asyncio.wait_for(scenario(), 5))

"""Work is shared with processes and comes back in order."""

import os
import time
from itertools import count, takewhile

import pytest

from curate.processes import in_order


class Work:
    def __init__(self, fails_at: int = -1) -> None:
        self.fails_at = fails_at

    def __call__(self, number: int) -> tuple[int, int]:
        time.sleep(0.002)
        if number == self.fails_at:
            raise ValueError(f"no {number}")
        return number, os.getpid()


def test_results_come_in_order_from_this_process_and_from_helpers():
    by: set[int] = set()
    items = takewhile(lambda number: len(by) < 3, count())  # as long as it takes two helpers to start
    numbers = []
    for number, process in in_order(Work, (), items, workers=3):
        numbers.append(number)
        by.add(process)
    assert numbers == list(range(len(numbers)))
    assert os.getpid() in by


@pytest.mark.parametrize("fails_at", [0, 150])
def test_a_failure_ends_the_work_and_the_processes(fails_at):
    results = in_order(Work, (fails_at,), range(10_000), workers=2)
    with pytest.raises(ValueError, match=f"no {fails_at}"):
        assert [number for number, _ in results] == list(range(fails_at))

"""Attributes that are computed once."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from curate.once import Once


class Batch:
    def __init__(self, meeting=None):
        self.meeting, self.asked = meeting, 0

    @Once
    def measure(self):
        """What is measured."""
        self.asked += 1
        if self.meeting:
            self.meeting.wait(timeout=30)
        return object()


def test_it_is_computed_once_for_each_object():
    one, other = Batch(), Batch()
    assert one.measure is one.measure
    assert one.measure is not other.measure
    assert (one.asked, other.asked) == (1, 1)
    assert Batch.measure.__doc__ == "What is measured."


def test_two_threads_compute_at_the_same_time():
    both = Barrier(2)
    with ThreadPoolExecutor(2) as threads:
        made = list(threads.map(lambda batch: batch.measure, [Batch(both), Batch(both)]))
    assert len(set(made)) == 2

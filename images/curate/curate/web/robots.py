"""robots.txt as RFC 9309 has it: 4xx allows everything, a server that does not answer forbids everything for now."""

import threading
from collections import defaultdict
from collections.abc import Callable

from protego import Protego

from curate.web.addresses import origin
from curate.web.fetch import AGENT, Failed
from curate.web.pace import Pace

LARGEST = 500 << 10


class Forbidden(Exception):
    """robots.txt keeps our agent out of this address."""


class Robots:
    """The rules of every origin met, each fetched once. `load` gives a file's text, or None where there is none."""

    def __init__(self, load: Callable[[str], bytes | None], pace: Pace) -> None:
        self._load, self._pace = load, pace
        self._rules: dict[str, Protego | Failed] = {}
        self._locks: dict[str, threading.Lock] = defaultdict(threading.Lock)

    def check(self, url: str) -> None:
        """Pass only where the address may be fetched.

        Raises `Forbidden` where the rules say no, and `Failed` where nobody can know them now.
        """
        place = origin(url)
        with self._locks[place]:
            rules = self._rules.get(place) or self._learn(place)
        if isinstance(rules, Failed):
            raise Failed(f"robots.txt: {rules}", lasting=rules.lasting)
        if not rules.can_fetch(url, AGENT):
            raise Forbidden(url)

    def _learn(self, place: str) -> Protego | Failed:
        try:
            text = self._load(f"{place}/robots.txt") or b""
        except Failed as failure:
            self._rules[place] = failure
            return failure
        rules = Protego.parse(text[:LARGEST].decode("utf-8", "replace"))
        self._rules[place] = rules
        if delay := rules.crawl_delay(AGENT):
            self._pace.slow_down(place, float(delay))
        return rules

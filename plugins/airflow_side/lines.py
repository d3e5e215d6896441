"""A stage's output as Airflow log lines: live, at their own level, and the last few kept for the failure message."""

import logging
import re
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow.sdk.types import Logger

TAIL = 15
LONGEST = 8_000  # characters of one line; Airflow's log page stalls on much longer ones
IN_TAIL = 400
STAGE_LINE = re.compile(r"^(?:\d{4}-\d\d-\d\dT[\d:.]+Z? )?(DEBUG|INFO|WARNING|ERROR|CRITICAL) +(.*)$")
RESULT_LINE = '{"uri":'


class StageLog:
    """Passes lines on to a logger. `tail` holds the last ones."""

    def __init__(self, log: "Logger") -> None:
        self.log = log
        self.tail: deque[str] = deque(maxlen=TAIL)
        self._level = logging.INFO

    def __call__(self, raw: str) -> None:
        """Take one line of output.

        A line without a level, such as one of a traceback, has the level of the line before it. Of a progress bar drawn
        by carriage returns only the last state counts. The result's line is left out: it is the XCom.
        """
        line = raw.rstrip().rpartition("\r")[2]
        if not line or line.startswith(RESULT_LINE):
            return
        if found := STAGE_LINE.match(line):
            self._level, line = getattr(logging, found[1]), found[2]
        self.log.log(self._level, "%s", line[:LONGEST])
        self.tail.append(line[:IN_TAIL])

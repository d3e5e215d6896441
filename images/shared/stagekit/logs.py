"""Structured logs on standard error: time, level, what happened, then key=value."""

import json
import logging
import sys
import time


class _Lines(logging.Formatter):
    converter = staticmethod(time.gmtime)

    def format(self, record: logging.LogRecord) -> str:
        head = f"{self.formatTime(record, '%Y-%m-%dT%H:%M:%SZ')} {record.levelname:<7} {record.getMessage()}"
        fields = getattr(record, "fields", {})
        line = head + "".join(f" {name}={_value(value)}" for name, value in fields.items())
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


def _value(value: object) -> str:
    text = str(value)
    return json.dumps(text, ensure_ascii=False) if any(c in text for c in ' "\n=') else text


def set_up_logs() -> logging.Logger:
    """Send the `nocturne` logger to standard error, one line per event, and return it."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Lines())
    log = logging.getLogger("nocturne")
    log.handlers, log.propagate = [handler], False
    log.setLevel(logging.INFO)
    return log

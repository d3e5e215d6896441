"""How long to wait before the next try."""

import random
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

LONGEST = 60.0


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds that the server asks to wait: `Retry-After-Ms`, or `Retry-After` as seconds or as an HTTP date."""
    if (milliseconds := _number(headers.get("retry-after-ms"))) is not None:
        return milliseconds / 1_000
    text = headers.get("retry-after")
    if (seconds := _number(text)) is not None:
        return seconds
    try:
        date = parsedate_to_datetime(text or "")
    except ValueError:
        return None
    return max(0.0, ((date if date.tzinfo else date.replace(tzinfo=UTC)) - now).total_seconds())


def backoff(first: float, tries: int, seed: str) -> float:
    """Seconds to wait after `tries` tries: doubling from `first`, capped, with half of it drawn by lot.

    The lot is drawn from `seed`: equal runs wait equally, and requests that fail together do not return together.
    """
    full = min(LONGEST, first * 2.0 ** (tries - 1))
    return full * random.Random(f"{seed}:{tries}").uniform(0.5, 1.0)


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if 0 <= number < float("inf") else None

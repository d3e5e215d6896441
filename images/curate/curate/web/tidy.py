"""The cache cleans itself: what none of the last snapshots of a source holds goes, so that nights do not pile up.

A run reads the snapshot that it has made itself a moment ago; the ones before are kept for runs that began earlier and
for a source that two recipes read in different ways. Where a run comes too late all the same, it is told to run again.
"""

from collections.abc import Iterable

from curate.web.cache import PageCache, history_of

KEPT = 5
"""Snapshots of a source that stay, the newest ones that differ."""


def tidy(cache: PageCache, uri: str, newest: str, replaced: Iterable[str] = ()) -> int:
    """Put a source's newest snapshot to its history; let go of what fell out of it and is held by no other snapshot.

    `replaced` are bodies for which other ones came tonight, such as yesterday's feed. Returns the bodies let go of.
    """
    histories = cache.histories()
    known = [newest, *(name for name in histories.get(history_of(uri), []) if name != newest)]
    stay, go = known[:KEPT], known[KEPT:]
    cache.keep_history(uri, stay)
    live = {name for history in (histories | {history_of(uri): stay}).values() for name in history}
    gone = dict.fromkeys(replaced, "") | {
        sha256: url for name in go if name not in live for sha256, url in _bodies(cache, name).items()
    }
    if gone:
        held = {sha256 for name in live for sha256 in _bodies(cache, name)}
        gone = {sha256: url for sha256, url in gone.items() if sha256 not in held}
    for sha256, url in gone.items():
        cache.forget_body(sha256, url)
    for name in set(go) - live:
        cache.forget_snapshot(name)
    return len(gone)


def _bodies(cache: PageCache, name: str) -> dict[str, str]:
    """The bodies of a snapshot, each with an address that had it."""
    snapshot = cache.snapshot(name)
    return {page.sha256: page.url for page in snapshot.pages} if snapshot else {}

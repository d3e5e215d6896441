"""Texts by name on disk: references and opponents' answers, of which any row may need any one."""

import sqlite3
from collections.abc import Iterable
from pathlib import Path


class Shelf:
    """Keeps texts under two keys, a kind and a name; memory stays the same however many there are."""

    def __init__(self, folder: Path) -> None:
        self._file = sqlite3.connect(folder / "shelf.sqlite")
        self._file.execute("pragma journal_mode = off")
        self._file.execute("pragma synchronous = off")
        self._file.execute("create table texts (kind text, name text, text text, primary key (kind, name))")

    def put(self, kind: str, texts: Iterable[tuple[str, str]]) -> int:
        """Add named texts; of two with one name the first stays. Returns how many were new."""
        before = self._file.total_changes
        rows = ((kind, name, text) for name, text in texts)
        self._file.executemany("insert or ignore into texts values (?, ?, ?)", rows)
        return self._file.total_changes - before

    def get(self, kind: str, name: str | None) -> str | None:
        """The text of that name, or None."""
        found = self._file.execute("select text from texts where kind = ? and name = ?", (kind, name)).fetchone()
        return found[0] if found else None

    def close(self) -> None:
        """Forget everything."""
        self._file.close()

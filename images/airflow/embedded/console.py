"""Plain lines for whoever waits; on a terminal also one line that changes in place."""

import sys


class Console:
    """Standard output. `status` shows what is going on now and is overwritten; `say` stays."""

    def __init__(self) -> None:
        self._live = sys.stdout.isatty()
        self._shown = ""

    def say(self, text: str = "") -> None:
        """A line that stays."""
        self._clear()
        sys.stdout.write(text + "\n")
        sys.stdout.flush()

    def status(self, text: str) -> None:
        """What is going on now; nothing where output is not a terminal."""
        if self._live and text != self._shown:
            self._clear()
            sys.stdout.write(text)
            sys.stdout.flush()
            self._shown = text

    def _clear(self) -> None:
        if self._shown:
            sys.stdout.write("\r\x1b[2K")
            self._shown = ""

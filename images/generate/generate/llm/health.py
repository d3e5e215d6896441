"""Whether it makes sense to go on asking: the circuit breaker."""

import time

from contract.failures import BadConfig, Failure, RemoteTrouble

IN_A_ROW = 3


class Health:
    """Gives up on a server that answers nothing, so that a dead one costs minutes and not a night.

    Opens when three requests in a row failed for good with no answer to anything in between, when nothing was answered
    for `patience` seconds, or (as a mistake in the config) when the first three requests were all refused as malformed.
    """

    def __init__(self, server: str, patience: float) -> None:
        self.server, self.patience = server, patience
        self.gave_up: Failure | None = None
        """Why this run asks the server no more."""
        self._last_answer = 0.0
        self._failed = 0
        self._refused = 0
        self._answered_any = False

    def answered(self) -> None:
        """An answer came."""
        self._last_answer, self._failed, self._answered_any = time.monotonic(), 0, True

    def failed(self, why: str) -> None:
        """A request failed for good. Raises `RemoteTrouble` when that is the third in a row."""
        self._failed += 1
        if self._failed >= IN_A_ROW:
            raise self.trouble(f"does not answer: {why}")

    def refused(self, why: str) -> None:
        """A request was refused as malformed. Raises `BadConfig` when nothing else ever happened."""
        self._refused += 1
        if self._refused >= IN_A_ROW and not self._answered_any:
            raise BadConfig(
                f"the server refused every request so far: {why}",
                where=self.server,
                hint="check `model`, `max_tokens` and what the server's log says",
            )

    def out_of_patience(self, asked: float, troubled: float, wait: float, why: str) -> bool:
        """Whether another wait of `wait` seconds is too much for a request first asked and first in trouble then.

        Where others were answered meanwhile it is the request's own trouble, such as one too long for the rate limit.
        Raises `RemoteTrouble` where nothing was.
        """
        if time.monotonic() + wait - max(troubled, self._last_answer) <= self.patience:
            return False
        if self._last_answer > asked:
            return True
        raise self.trouble(
            f"gave no answer for {self.patience:g} s ({why}; it would take another wait of {wait:.3g} s)"
        )

    def trouble(self, what: str) -> RemoteTrouble:
        """The failure to raise for a server in trouble."""
        return RemoteTrouble(
            f"the language model's server {what}",
            where=self.server,
            hint="check that the server runs, then run again: answers so far are kept and are not paid twice",
        )

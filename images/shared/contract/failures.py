"""Every way a stage can fail, and the exit code that says so.

    Failure
    |-- BadConfig       10   the recipe, a config or the command line is wrong
    |-- BadInput        11   the data handed in is not what the stage needs
    |-- EmptyResult     12   everything was dropped; the ledger says why
    |-- RemoteTrouble   13   a server, a disk or memory; worth another try
    |-- BudgetReached   14   the money, token or request limit is spent
    `-- DamagedData     15   stored data does not match its manifest

Anything else that escapes a stage is a bug: exit code 1, with its traceback.
"""

BUG = 1


class Failure(Exception):
    """A failure to be read by a person: what was found, what was expected, where, what to try.

    `exit_code` tells the caller what kind it is without reading the message.
    """

    exit_code: int

    def __init__(self, found: str, *, expected: str = "", where: str = "", hint: str = "") -> None:
        self.found, self.expected, self.where, self.hint = found, expected, where, hint
        super().__init__(self.sentence())

    def sentence(self) -> str:
        """The whole message on one line."""
        parts = [self.found]
        if self.expected:
            parts.append(f"expected {self.expected}")
        if self.where:
            parts.append(f"in {self.where}")
        text = "; ".join(parts)
        return f"{text}. Try: {self.hint}" if self.hint else text


class BadConfig(Failure):
    """The recipe, a stage's config or the command line is wrong; a retry cannot help."""

    exit_code = 10


class BadInput(Failure):
    """The data handed in is missing, empty or malformed; a retry cannot help."""

    exit_code = 11


class EmptyResult(Failure):
    """The stage ran and nothing was left; the dataset written has a ledger that says why."""

    exit_code = 12


class RemoteTrouble(Failure):
    """A server did not answer, or disk or memory ran out; a later try may succeed."""

    exit_code = 13


class BudgetReached(Failure):
    """The limit on money, tokens or requests is spent; answers paid for are kept in the cache."""

    exit_code = 14


class DamagedData(Failure):
    """A stored shard or manifest is not what was written; a retry cannot help."""

    exit_code = 15


FAILURES: tuple[type[Failure], ...] = (BadConfig, BadInput, EmptyResult, RemoteTrouble, BudgetReached, DamagedData)
BY_EXIT_CODE: dict[int, type[Failure]] = {failure.exit_code: failure for failure in FAILURES}

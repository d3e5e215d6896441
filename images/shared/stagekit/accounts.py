"""Counting where everything went: the books behind the conservation law."""

from collections import Counter

from contract.manifest import Account, Status


class Books:
    """Open accounts of one run. `rules` gives each counter its one-line description."""

    def __init__(self) -> None:
        self.totals: dict[str, int] = {}
        self.rules: dict[str, str] = {}
        self._counts: Counter[tuple[str, Status, str]] = Counter()

    def open(self, account: str, total: int = 0) -> None:
        """Start an account, or add to one: `total` more came in."""
        self.totals[account] = self.totals.get(account, 0) + total

    def count(self, account: str, status: Status, rule: str, number: int) -> None:
        """Book `number` of an account's entries as ended in `status` by `rule`."""
        if account not in self.totals:
            raise KeyError(f"account {account!r} was never opened; open ones: {sorted(self.totals)}")
        if status != "kept" and rule not in self.rules:
            raise KeyError(f"rule {rule!r} has no description; described ones: {sorted(self.rules)}")
        if number:
            self._counts[account, status, rule] += number

    def close(self) -> dict[str, Account]:
        """All accounts. Raises `ValueError` when one does not conserve: that is a bug in the stage."""
        return {name: self._close(name, total) for name, total in self.totals.items()}

    def _close(self, name: str, total: int) -> Account:
        by_status = {
            status: {
                rule: n for (account, s, rule), n in sorted(self._counts.items()) if (account, s) == (name, status)
            }
            for status in ("dropped", "failed", "skipped")
        }
        return Account(total=total, kept=self._counts[name, "kept", ""], **by_status)

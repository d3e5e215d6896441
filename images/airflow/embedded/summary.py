"""What a person wants to know after the demo: the funnel, where everything is, what the tuned model learned."""

from pathlib import Path
from typing import Any

from contract.manifest import MANIFEST, Account, Manifest, parse_manifest
from contract.uris import parse_uri

Results = dict[str, dict[str, Any]]


def folder(result: dict[str, Any]) -> Path:
    """Where a dataset of a local store is."""
    return Path(parse_uri(result["uri"]).path)


def load(result: dict[str, Any]) -> Manifest:
    """The manifest of a dataset of a local store."""
    return parse_manifest((folder(result) / MANIFEST).read_bytes(), where=result["uri"])


def funnel(results: Results) -> list[str]:
    """One line for each step that has rows: rows in and out, and what was dropped by which rule."""
    rows = [("step", "rows in", "rows out", "not kept, by rule")]
    for name, result in results.items():
        manifest = load(result)
        if manifest.record:
            came_in = manifest.rows_in if manifest.accounts else manifest.rows_out
            rows.append((name, f"{came_in:,}", f"{manifest.rows_out:,}", losses(manifest)))
    return table(rows)


def losses(manifest: Manifest) -> str:
    """Everything that did not go on, of every account, by rule."""
    found = []
    for name, account in manifest.accounts.items():
        unit = "" if account is manifest.main_account else f"{name}: "
        found += [f"{unit}{rule} {number:,}" for rule, number in by_rule(account).items()]
    return ", ".join(found)


def by_rule(account: Account) -> dict[str, int]:
    """An account's losses of all kinds."""
    return account.dropped | account.failed | account.skipped


def table(rows: list[tuple[str, str, str, str]]) -> list[str]:
    """Aligned columns, numbers to the right, a rule under the head."""
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    lines = [f"  {a:<{widths[0]}}  {b:>{widths[1]}}  {c:>{widths[2]}}  {d}".rstrip() for a, b, c, d in rows]
    return [lines[0], "  " + "-" * (len(lines[0]) - 2), *lines[1:]]

"""The way of the rows through the steps before, from their manifests and previews."""

import json
import re
from collections.abc import Sequence
from typing import Any

from contract.manifest import Account, Manifest, Preview, PreviewRow
from stagekit.dataset import Dataset

TEXT = 600  # characters of an example
TEXT_BEGINS = re.compile(r'"(?:text|content)":"')
UNITS = {"Document": "documents", "Chunk": "chunks", "Sample": "samples", "Preference": "preferences"}


def funnel(steps: Sequence[Dataset], examples: int) -> list[dict[str, Any]]:
    """One entry per step: rows in and out, and for each account where everything in it went."""
    taken = "records"
    entries = []
    for step in steps:
        entries.append(_entry(step.manifest, step.preview(), taken, examples))
        taken = entries[-1]["unit_out"]
    return entries


def _entry(manifest: Manifest, preview: Preview, unit_in: str, examples: int) -> dict[str, Any]:
    return {
        "step": manifest.stage,
        "rows_in": manifest.rows_in,
        "unit_in": unit_in,
        "rows_out": manifest.rows_out,
        "unit_out": UNITS.get(manifest.record or "", unit_in),
        "accounts": [
            {
                "name": name,
                "total": account.total,
                "kept": account.kept,
                "rules": _rules(name, account, manifest, preview, examples),
            }
            for name, account in manifest.accounts.items()
        ],
    }


def _rules(name: str, account: Account, manifest: Manifest, preview: Preview, examples: int) -> list[dict[str, Any]]:
    """What went no further, the most frequent rule first."""
    counts = [
        (status, rule, count)
        for status in ("dropped", "failed", "skipped")
        for rule, count in getattr(account, status).items()
    ]
    return [
        {
            "rule": rule,
            "status": status,
            "count": count,
            "description": manifest.rules.get(rule, ""),
            "examples": [_example(row) for row in preview.ledger.get(f"{name}/{status}/{rule}", [])[:examples]],
        }
        for status, rule, count in sorted(counts, key=lambda item: (-item[2], item[1]))
    ]


def _example(row: PreviewRow) -> dict[str, Any]:
    entry = row.entry or {}
    shown = {name: entry.get(name) for name in ("id", "value", "threshold", "partner", "detail")}
    if shown["detail"] == shown["id"]:  # a record that has no id is known by its place
        del shown["detail"]
    return {name: value for name, value in shown.items() if value} | {"text": _text(entry.get("row"))}


def _text(row: str | None) -> str:
    """What a person wants to see of a row: its text or its messages, else all of it."""
    if not row:
        return ""
    try:
        value = json.loads(row)
    except ValueError:
        return _shortened(_from_cut_off(row))
    if isinstance(value, dict) and isinstance(value.get("messages"), list):
        return _shortened("\n\n".join(f"{turn['role']}: {turn['content']}" for turn in value["messages"]))
    return _shortened(str(value["text"]) if isinstance(value, dict) and value.get("text") else row)


def _from_cut_off(row: str) -> str:
    """The text inside a row that the preview cut short, or the raw record that was never JSON."""
    start = next((match.end() for match in TEXT_BEGINS.finditer(row)), None)
    for end in range(start + TEXT, start + TEXT - 6, -1) if start is not None else ():  # an escape has 6 characters
        try:
            return str(json.loads('"' + row[start:end] + '"', strict=False)) + " …"
        except ValueError:
            continue
    return row


def _shortened(text: str) -> str:
    return text if len(text) <= TEXT else f"{text[:TEXT]} …"

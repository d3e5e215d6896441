"""What the pages show, worked out from manifests and previews; no HTML here."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from airflow_side.catalog import Catalog
from airflow_side.pages.run_view import total
from contract.manifest import Cost, File, Manifest, Preview, PreviewRow
from contract.release import Release
from contract.stages import BY_NAME

VIEWABLE = {"html": "text/html", "json": "application/json", "md": "text/plain", "txt": "text/plain"}
TITLE = 160  # characters of a row's heading
BAR = 1_000  # width of a full bar in the funnel's own units


@dataclass(frozen=True)
class RecipeRow:
    """One line of the list of datasets."""

    name: str
    versions: int
    latest: Release | None
    review: bool


@dataclass(frozen=True)
class FunnelRow:
    """One stage of the way to a dataset. `kept` and `lost` are bar lengths out of `BAR`."""

    stage: str
    page: str
    record: str
    manifest: Manifest
    kept: int
    lost: int

    @property
    def losses(self) -> list[tuple[str, int]]:
        """What went no further, by rule, most first."""
        account = self.manifest.main_account
        rules = [*account.dropped.items(), *account.failed.items(), *account.skipped.items()]
        return sorted(rules, key=lambda item: (-item[1], item[0]))


@dataclass(frozen=True)
class Example:
    """A row that a rule took out, or one that was kept."""

    title: str
    text: str
    facts: dict[str, str] = field(default_factory=dict)
    messages: list[dict[str, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Rule:
    """What one rule took out of one account."""

    account: str
    status: str
    name: str
    doc: str
    count: int
    examples: list[Example]


@dataclass(frozen=True)
class Relative:
    """A parent or child. `page` is empty for what lies outside the store's datasets."""

    input: str
    name: str
    page: str
    content_hash: str = ""
    rows: int | None = None


@dataclass(frozen=True)
class DatasetView:
    """Everything about one dataset."""

    recipe: str
    stage: str
    key: str
    uri: str
    manifest: Manifest
    seconds: int
    funnel: list[FunnelRow]
    rules: list[Rule]
    samples: list[Example]
    parents: list[Relative]
    children: list[Relative]
    files: list[tuple[File, bool]]
    reports: list[str]
    cost: Cost | None
    config: str


def recipe_rows(catalog: Catalog) -> list[RecipeRow]:
    """All recipes with a dataset in the store."""
    return [
        RecipeRow(name, len(catalog.releases(name)), catalog.release(name, "latest"), catalog.has(name, "review"))
        for name in catalog.recipes()
    ]


def dataset_view(catalog: Catalog, recipe: str, stage: str, key: str) -> DatasetView | None:
    """Everything about one dataset, or None where there is no such dataset."""
    manifest = catalog.manifest(recipe, stage, key)
    if manifest is None:
        return None
    preview = catalog.preview(recipe, stage, key)
    funnel = _funnel(catalog, recipe, stage, manifest)
    return DatasetView(
        recipe=recipe,
        stage=stage,
        key=manifest.key,
        uri=str(catalog.root.child(recipe, stage, manifest.key)),
        manifest=manifest,
        seconds=_seconds(manifest),
        funnel=funnel,
        rules=_rules(manifest, preview),
        samples=[_kept(row) for row in preview.kept if row.row],
        parents=[_parent(catalog, parent) for parent in manifest.parents],
        children=[
            Relative("", f"{found} {key[:8]}", f"{recipe}/{found}/{key}")
            for found, key in catalog.children(recipe, manifest.content_hash)
        ],
        files=[(file, file.path.rpartition(".")[2] in VIEWABLE) for file in manifest.files],
        reports=[file.path for file in manifest.files if file.path.endswith(".html")],
        cost=total([row.manifest.cost for row in funnel if row.manifest.cost]),
        config=json.dumps(manifest.config, indent=2, ensure_ascii=False),
    )


def _funnel(catalog: Catalog, recipe: str, stage: str, manifest: Manifest) -> list[FunnelRow]:
    """The way of the rows, from the first stage to this one."""
    way = [(recipe, stage, manifest), *_ancestors(catalog, stage, manifest)][::-1]
    longest = max((max(m.main_account.total, m.rows_out) for _, _, m in way), default=0) or 1
    return [
        FunnelRow(
            stage=step,
            page=f"{owner}/{step}/{m.key}",
            record=m.record or "",
            manifest=m,
            kept=BAR * m.rows_out // longest,
            lost=BAR * m.dropped // longest,
        )
        for owner, step, m in way
    ]


def _ancestors(catalog: Catalog, stage: str, manifest: Manifest) -> Iterator[tuple[str, str, Manifest]]:
    """The datasets that the rows came from, nearest first: of each stage, what fed its first input."""
    for _ in range(100):  # no recipe is that long; a damaged store may hold a circle
        main = BY_NAME[stage].inputs[:1]
        parent = next((p for p in manifest.parents if main and p.input == main[0].name), None)
        names = catalog.names_of(parent.uri) if parent else None
        found = catalog.manifest(*names) if names else None
        if not names or not found:
            return
        yield names[0], names[1], found
        stage, manifest = names[1], found


def _rules(manifest: Manifest, preview: Preview) -> list[Rule]:
    found = [
        Rule(
            account=account,
            status=status,
            name=rule,
            doc=manifest.rules.get(rule, ""),
            count=count,
            examples=[_lost(row) for row in preview.ledger.get(f"{account}/{status}/{rule}", [])],
        )
        for account, books in manifest.accounts.items()
        for status in ("dropped", "failed", "skipped")
        for rule, count in getattr(books, status).items()
    ]
    return sorted(found, key=lambda rule: (-rule.count, rule.account, rule.name))


def _kept(shown: PreviewRow) -> Example:
    row = shown.row or {}
    asked = next((str(turn.get("content")) for turn in row.get("messages") or [] if turn.get("role") == "user"), "")
    return _example((asked or str(row.get("title") or row.get("id") or ""))[:TITLE], row)


def _lost(shown: PreviewRow) -> Example:
    entry = shown.entry or {}
    row = _row(entry.get("row"))
    example = _example(str(entry.get("id", "")), row)
    names = ("value", "threshold", "partner", "detail", "also")
    return Example(example.title, example.text, {n: _text(entry[n]) for n in names if entry.get(n)}, example.messages)


def _example(title: str, row: dict[str, Any]) -> Example:
    if isinstance(row.get("messages"), list):
        turns = [{"role": str(turn.get("role")), "content": str(turn.get("content"))} for turn in row["messages"]]
        return Example(title, "", {}, turns)
    return Example(title, str(row["text"]) if "text" in row else json.dumps(row, ensure_ascii=False, indent=1))


def _row(text: Any) -> dict[str, Any]:
    """A ledger entry's row, which was cut short where it was long and then is no JSON any more."""
    try:
        found = json.loads(text or "{}")
    except ValueError:
        return {"text": text}
    return found if isinstance(found, dict) else {"text": str(found)}


def _text(value: Any) -> str:
    return ", ".join(str(item) for item in value) if isinstance(value, list) else str(value)


def _parent(catalog: Catalog, parent: Any) -> Relative:
    names = catalog.names_of(parent.uri)
    known = names is not None and names[1] in BY_NAME
    name = f"{names[1]} {names[2][:8]}" if names and known else parent.uri
    return Relative(parent.input, name, "/".join(names) if names and known else "", parent.content_hash, parent.rows)


def _seconds(manifest: Manifest) -> int:
    started, finished = (datetime.fromisoformat(time) for time in (manifest.started, manifest.finished))
    return int((finished - started).total_seconds())

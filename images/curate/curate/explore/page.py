"""The report as one HTML page that needs nothing else: no script, no font, no image from anywhere."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from contract.records import Sample

FOLDER = Path(__file__).parent
WIDTH, HEIGHT = 520, 150


def page(title: str, statistics: dict[str, Any], steps: Sequence[dict[str, Any]], samples: Sequence[Sample]) -> str:
    """Render the report; every value is escaped."""
    environment = Environment(loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined)
    environment.filters |= {"bars": bars, "number": number, "share": share, "width": width}
    template = environment.get_template("report.html.j2")
    style = (FOLDER / "report.css").read_text(encoding="utf-8")
    charts = {"width": WIDTH, "height": HEIGHT}
    values = {"data": statistics, "steps": steps, "samples": samples}
    return str(template.render(title=title, style=style, charts=charts, **values))


def bars(histogram: Sequence[dict[str, int]]) -> list[dict[str, Any]]:
    """A histogram's bars in pixels of a chart of `WIDTH` x `HEIGHT`, with the words for each."""
    top = max((entry["count"] for entry in histogram), default=0) or 1
    step = WIDTH / max(len(histogram), 1)
    return [
        {
            "x": round(place * step + 1, 1),
            "width": round(max(step - 2, 1), 1),
            "y": round(HEIGHT - HEIGHT * entry["count"] / top, 1),
            "height": round(HEIGHT * entry["count"] / top, 1),
            "label": f"{entry['from']} to {entry['to']} words: {entry['count']:,}",
        }
        for place, entry in enumerate(histogram)
    ]


def number(value: float | None) -> str:
    """A figure for people: thousands separated, at most one decimal."""
    if value is None:
        return "–"
    return f"{value:,.1f}".removesuffix(".0") if isinstance(value, float) else f"{value:,}"


def share(part: float, whole: float) -> str:
    """A share in per cent, for people: a small one is not nothing, and a large one not all."""
    if not whole or part in (0, whole):
        return "100%" if whole and part else "0%"
    return f"{min(max(100 * part / whole, 0.1), 99.9):.1f}%" if part >= whole / 1_000 else "< 0.1%"


def width(part: float, whole: float) -> str:
    """A share in per cent, for a bar."""
    return f"{100 * part / whole:.1f}%" if whole else "0%"

"""The report as one HTML page that needs nothing else: no script, no font, no image from anywhere."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from contract.records import Sample
from curate.explore.charts import HEIGHT, MAP_HEIGHT, MAP_WIDTH, WIDTH, bars, spots_by_topic
from curate.explore.topics import Spot

FOLDER = Path(__file__).parent
COLOURS = 12  # of topics on the map; then they come again


def page(
    title: str,
    statistics: dict[str, Any],
    steps: Sequence[dict[str, Any]],
    samples: Sequence[Sample],
    spots: Sequence[Spot] = (),
) -> str:
    """Render the report; every value is escaped."""
    environment = Environment(loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined)
    environment.filters |= {"bars": bars, "number": number, "score": score, "share": share, "width": width}
    template = environment.get_template("report.html.j2")
    style = (FOLDER / "report.css").read_text(encoding="utf-8")
    charts = {"width": WIDTH, "height": HEIGHT, "map_width": MAP_WIDTH, "map_height": MAP_HEIGHT, "colours": COLOURS}
    values = {"data": statistics, "steps": steps, "samples": samples, "spots": spots_by_topic(spots)}
    return str(template.render(title=title, style=style, charts=charts, **values))


def number(value: float | None) -> str:
    """A figure for people: thousands separated, at most one decimal."""
    if value is None:
        return "–"
    return f"{value:,.1f}".removesuffix(".0") if isinstance(value, float) else f"{value:,}"


def score(value: float) -> str:
    """A score for people: three significant digits, more where it is large."""
    return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.3g}"


def share(part: float, whole: float) -> str:
    """A share in per cent, for people: a small one is not nothing, and a large one not all."""
    if not whole or part in (0, whole):
        return "100%" if whole and part else "0%"
    return f"{min(max(100 * part / whole, 0.1), 99.9):.1f}%" if part >= whole / 1_000 else "< 0.1%"


def width(part: float, whole: float) -> str:
    """A share in per cent, for a bar."""
    return f"{100 * part / whole:.1f}%" if whole else "0%"

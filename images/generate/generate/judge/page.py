"""The report as one HTML page that needs nothing else."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

FOLDER = Path(__file__).parent


def as_html(facts: dict[str, Any]) -> str:
    """The page; every text is escaped by the template."""
    environment = Environment(loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined)
    environment.filters |= {"figure": figure, "percent": percent, "points": points}
    style = (FOLDER / "report.css").read_text(encoding="utf-8")
    return str(environment.get_template("report.html.j2").render(style=style, **facts))


def figure(value: float | None) -> str:
    """A number with two digits, or a dash where it is not defined."""
    return "–" if value is None else f"{value:.2f}"


def percent(value: float | None) -> str:
    """A share in per cent."""
    return "–" if value is None else f"{100 * value:.1f} %"


def points(value: float | None) -> str:
    """A difference of shares in points, with its sign."""
    return "–" if value is None else f"{100 * value:+.1f}"

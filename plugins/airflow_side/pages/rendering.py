"""From a template to an answer that allows no foreign script and can be framed by Airflow's own UI only."""

from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined

HERE = Path(__file__).parent
STATIC = {"style.css": "text/css", "theme.js": "text/javascript", "review.js": "text/javascript"}
PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; frame-src 'self'; "
    "frame-ancestors 'self'; base-uri 'none'; form-action 'none'"
)
FORM_POLICY = PAGE_POLICY.replace("form-action 'none'", "form-action 'self'")
REPORT_POLICY = (
    "sandbox allow-scripts; default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
    "img-src data: blob:; font-src data:; frame-ancestors 'self'; base-uri 'none'; form-action 'none'"
)

templates = Environment(loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined)
templates.filters["number"] = lambda value: f"{value:,}" if isinstance(value, int) else f"{value:,.4g}"
templates.filters["money"] = lambda value: "unknown" if value is None else f"${value:.4f}"
templates.filters["size"] = lambda count: f"{count / 1e6:,.1f} MB" if count >= 1e6 else f"{count / 1e3:,.1f} kB"
templates.filters["share"] = lambda value: "–" if value is None else f"{value:.0%}"
templates.filters["kappa"] = lambda value: "–" if value is None else f"{value:.2f}"


def message(request: Request, status: int, title: str, text: str, depth: int) -> Response:
    """A page that says one thing."""
    return page(request, "message.html", depth, status, title=title, text=text)


def page(request: Request, template: str, depth: int, status: int = 200, **values: Any) -> Response:
    """Render a page that lies `depth` folders below the pages' root."""
    html = templates.get_template(template).render(root="../" * depth or "./", **values)
    return guarded(HTMLResponse(html, status), PAGE_POLICY)


def form_page(request: Request, template: str, depth: int, status: int = 200, **values: Any) -> Response:
    """Render a page with a form that may be sent to where it came from.

    Its referrer policy lets a browser say where a form was sent from, which `no-referrer` would make unknown.
    """
    response = page(request, template, depth, status, **values)
    response.headers["Content-Security-Policy"] = FORM_POLICY
    response.headers["Referrer-Policy"] = "same-origin"
    return response


def guarded(response: Response, policy: str) -> Response:
    """The answer with the headers that every page has."""
    response.headers["Content-Security-Policy"] = policy
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cache-Control"] = "no-store"
    return response


def static_file(name: str) -> bytes:
    """A style sheet or script of the house."""
    return (HERE / "static" / name).read_bytes()

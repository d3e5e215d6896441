"""The demo's articles: the long descriptions of every Python distribution that the locks name, from their METADATA.

Some 300 projects' own READMEs: real texts of many authors, already on the machine once it is set up.
"""

import json
import re
from collections.abc import Iterator
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any

IMAGES = ("airflow", "curate", "generate", "finetune", "mlflow")
UNKNOWN = {"", "UNKNOWN"}
PREFERRED_LINKS = ("homepage", "home", "repository", "source", "source code", "github", "documentation")


def write_articles(root: Path, target: Path) -> tuple[int, bool]:
    """Gather the articles into one JSONL file, sorted by name.

    Returns how many there are and whether the file changed; an unchanged file is not touched.
    """
    articles = {article["id"]: article for article in gather(root)}
    text = "".join(json.dumps(articles[name], ensure_ascii=False) + "\n" for name in sorted(articles))
    data = text.encode("utf-8", "replace")
    if target.exists() and target.read_bytes() == data:
        return len(articles), False
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}")
    temporary.write_bytes(data)
    temporary.replace(target)
    return len(articles), True


def gather(root: Path) -> Iterator[dict[str, Any]]:
    """One article for each locked distribution that describes itself; the first image that has it counts.

    Only locked ones, so that tools which somebody adds to an environment do not change the dataset.
    """
    seen: set[str] = set()
    for image in IMAGES:
        locked = locked_names(root / "images" / image / "requirements.lock") - seen
        places = [str(path) for path in (root / ".venv" / image / "lib").glob("python3.*/site-packages")]
        for distribution in sorted(distributions(path=places), key=lambda item: normal(item.name or "")):
            name = normal(distribution.name or "")
            if name in locked and name not in seen:
                seen.add(name)
                yield from article(name, distribution)


def locked_names(lock: Path) -> set[str]:
    """The names in a lock."""
    lines = lock.read_text(encoding="utf-8").splitlines()
    return {normal(line.partition("==")[0]) for line in lines if "==" in line and not line.startswith("#")}


def normal(name: str) -> str:
    """A distribution's name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def article(name: str, distribution: Distribution) -> Iterator[dict[str, Any]]:
    """The article of one distribution; nothing where there is no long description."""
    fields = distribution.metadata.json
    text = str(fields.get("description", "")).strip()
    if text in UNKNOWN:
        return
    yield {
        "id": name,
        "name": distribution.name,
        "version": distribution.version.partition("+")[0],
        "summary": fields.get("summary"),
        "text": text,
        "url": home(fields),
        "license": license_of(fields),
        "author": without_address(str(fields.get("author") or fields.get("author_email") or "")),
    }


def home(fields: dict[str, Any]) -> str | None:
    """The project's page: its home page, else the best of its labelled links."""
    if page := fields.get("home_page"):
        return str(page)
    parts = [str(link).partition(",") for link in fields.get("project_url", [])]
    links = {label.strip().lower(): url.strip() for label, _, url in parts}
    return next((links[label] for label in PREFERRED_LINKS if label in links), next(iter(links.values()), None))


def license_of(fields: dict[str, Any]) -> str | None:
    """An SPDX expression, else the classifier's name, else the first line of the licence field where it is short."""
    if expression := fields.get("license_expression"):
        return str(expression)
    classifiers = [str(item) for item in fields.get("classifier", []) if str(item).startswith("License :: ")]
    if classifiers:
        return classifiers[0].rpartition(" :: ")[2]
    lines = str(fields.get("license") or "").strip().splitlines()
    return lines[0].strip() if lines and len(lines[0]) <= 60 else None


def without_address(author: str) -> str | None:
    """`Jane <jane@example.org>` as `Jane`; an address alone is not a name."""
    name = re.sub(r"<[^>]*>", "", author).strip(" ,\"'")
    return name if name and "@" not in name else None

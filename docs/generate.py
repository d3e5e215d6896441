"""`make docs`: write the generated parts of the documentation from the contract; `--check` only says what is stale.

    README.md        the way through the house, between its two marks
    docs/recipe.md   every field of a recipe
    docs/stages.md   every stage's command line

Everything comes from `contract/stages.py`, `contract/steps.py` and the config classes; nothing is written twice.
"""

import argparse
import re
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "images" / "shared"))

from contract.config.base import Config  # noqa: E402
from contract.recipe import Recipe  # noqa: E402
from contract.stage import Stage  # noqa: E402
from contract.stages import IMAGES, STAGES, stages_of  # noqa: E402
from stagekit.cli_help import config_fields, image_help, stage_help  # noqa: E402

BEGIN, END = "<!-- stages: made by `make docs` -->\n", "<!-- end of stages -->"
MADE = "<!-- Made by `make docs` from the contract; do not edit. -->\n\n"


def stage_table() -> str:
    """The order of the house, one row for each stage."""
    lines = ["| # | stage | image | reads | writes | what it does |", "|---|---|---|---|---|---|"]
    for number, stage in enumerate(STAGES, 1):
        lines.append(
            f"| {number} | `{stage.name}` | {stage.image} | {reads(stage)} | {writes(stage)} | {sentence(stage.doc)} |"
        )
    return "\n".join(lines) + "\n"


def reads(stage: Stage) -> str:
    """A stage's inputs, in words."""
    ports = [f"{port.doc}{' (optional)' * port.optional}" for port in stage.inputs]
    return "; ".join(ports) or "files and folders"


def writes(stage: Stage) -> str:
    """What comes out of a stage, in words."""
    if stage.output == "same":
        return "the rows it keeps"
    return f"{stage.output.__name__.lower()}s" if stage.output else "files"


def sentence(text: str) -> str:
    """Text that may stand in a table's cell."""
    return " ".join(text.replace("|", "\\|").split())


def field_table(config: type[Config]) -> str:
    """Every field of a config class."""
    lines = ["| field | default | meaning |", "|---|---|---|"]
    for name, doc, default, allowed in config_fields(config):
        # A sentence that gives the range already needs no bounds after it.
        meaning = sentence(doc if not allowed or re.search(r"\d to [\d,.]+", doc) else f"{doc} ({allowed.strip()})")
        lines.append(f"| `{name}` | {cell(default)} | {meaning} |")
    return "\n".join(lines) + "\n"


def cell(default: str) -> str:
    """A default as code; long ones are in the config class."""
    if default in ("required", "see below"):
        return default
    return f"`{sentence(default)}`" if len(default) <= 60 else "see `--help`"


def readme() -> str:
    """The README with its table made anew."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    head, _, rest = text.partition(BEGIN)
    _, mark, tail = rest.partition(END)
    if not mark:
        raise SystemExit(f"README.md has no place for the table: expected {BEGIN.strip()} and {END}")
    return head + BEGIN + stage_table() + END + tail


def recipe_page() -> str:
    """docs/recipe.md."""
    head = (
        "# Recipe reference\n\nOne YAML file in `dags/recipes/` for each dataset. Only `name` and `ingest.sources` are "
        "required; an unknown field\nis an error. `[]` marks a list, whose entries have the fields below it.\n\n"
    )
    return MADE + head + field_table(Recipe)


def stages_page() -> str:
    """docs/stages.md."""
    parts = [MADE + "# Stages on the command line\n\nThe same in a container and in a virtual environment.\n"]
    for image in IMAGES:
        parts.append(f"\n## {image}\n\n```\n{image_help(image)}\n```\n")
        parts += [f"\n### {stage.name}\n\n```\n{stage_help(stage)}\n```\n" for stage in stages_of(image)]
    return "".join(parts)


PAGES: dict[str, Callable[[], str]] = {
    "README.md": readme,
    "docs/recipe.md": recipe_page,
    "docs/stages.md": stages_page,
}


def main() -> int:
    """Write what is stale, or with `--check` name it and fail."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a page is stale")
    check = parser.parse_args().check
    stale = [name for name, page in PAGES.items() if not is_current(ROOT / name, page())]
    for name in stale:
        if check:
            sys.stderr.write(f"{name} is not what the contract says. Try: make docs\n")
        else:
            (ROOT / name).write_text(PAGES[name](), encoding="utf-8")
            sys.stdout.write(f"wrote {name}\n")
    return 1 if check and stale else 0


def is_current(path: Path, text: str) -> bool:
    """Whether a page already says this."""
    return path.exists() and path.read_text(encoding="utf-8") == text


if __name__ == "__main__":
    sys.exit(main())

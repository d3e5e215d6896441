"""The import rules hold, and each of them can be seen to hold: a planted violation is caught."""

import ast
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LINTER = Path(sys.executable).with_name("lint-imports")
HEAVY = ("pyarrow", "torch", "airflow", "openai", "httpx", "numpy", "mlflow", "minio")
PLACES = {
    "contract": "images/shared",
    "stagekit": "images/shared",
    "curate": "images/curate",
    "generate": "images/generate",
    "finetune": "images/finetune",
    "embedded": "images/airflow",
    "airflow_side": "plugins",
}
# What breaks each rule: the start of its name, a module to change, and a line that may not stand there.
PLANTED = [
    ("contract imports nothing of the house", "contract/keys.py", "import stagekit.shards"),
    ("contract is the standard library", "contract/uris.py", "import pyarrow"),
    ("stagekit knows the contract only", "stagekit/shards.py", "from curate.chunk import stage"),
    ("nothing that runs in a stage's container knows Airflow", "curate/clean/stage.py", "import airflow.sdk"),
    ("images never import each other", "finetune/plan/stage.py", "import generate.instruct"),
    ("the Airflow side imports the contract", "airflow_side/settings.py", "from stagekit.store import open_store"),
    ("the embedded stack talks to Airflow", "embedded/stack.py", "import airflow_side.settings"),
    ("a stage never imports another stage", "curate/chunk/stage.py", "from curate.clean import stage"),
]


def contracts() -> list[str]:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    return [contract["name"] for contract in settings["tool"]["importlinter"]["contracts"]]


def lint(root: Path) -> subprocess.CompletedProcess[str]:
    """Run import-linter over the tree below `root`."""
    paths = os.pathsep.join(str(root / place) for place in sorted(set(PLACES.values())))
    env = os.environ | {"PYTHONPATH": paths, "COLUMNS": "400", "NO_COLOR": "1"}
    return subprocess.run([LINTER, "--no-cache"], cwd=root, env=env, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def copy(tmp_path_factory) -> Path:
    """A copy of everything that the rules are about."""
    root = tmp_path_factory.mktemp("tree")
    shutil.copy(ROOT / "pyproject.toml", root)
    for package, place in PLACES.items():
        shutil.copytree(ROOT / place / package, root / place / package, ignore=shutil.ignore_patterns("__pycache__"))
    return root


def test_the_import_rules_hold():
    done = lint(ROOT)
    assert done.returncode == 0, done.stdout
    assert f"{len(contracts())} kept, 0 broken" in done.stdout


def test_every_rule_has_a_violation_to_catch():
    assert len(PLANTED) == len(contracts())
    for name in contracts():
        assert sum(name.startswith(start) for start, _, _ in PLANTED) == 1, name


@pytest.mark.parametrize(("rule", "module", "line"), PLANTED, ids=[rule for rule, _, _ in PLANTED])
def test_a_planted_violation_is_caught(copy, rule, module, line):
    path = copy / PLACES[module.partition("/")[0]] / module
    before = path.read_text()
    path.write_text(f"{before}\n{line}\n")
    try:
        done = lint(copy)
    finally:
        path.write_text(before)
    assert done.returncode == 1
    broken = [text for text in done.stdout.splitlines() if text.rstrip().endswith("BROKEN")]
    assert any(text.startswith(rule) for text in broken), done.stdout


def test_importing_the_contract_loads_nothing_heavy():
    """The scheduler imports every module of the contract each time it reads the DAGs."""
    modules = [
        path.relative_to(ROOT / "images/shared").with_suffix("").as_posix().replace("/", ".").removesuffix(".__init__")
        for path in sorted((ROOT / "images/shared/contract").rglob("*.py"))
    ]
    code = f"import sys, {', '.join(modules)}\nprint(*[name for name in {HEAVY} if name in sys.modules])"
    env = os.environ | {"PYTHONPATH": str(ROOT / "images/shared")}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    assert len(modules) > 15
    assert done.stdout.strip() == ""


def imported(path: Path) -> set[str]:
    """Top-level names that a file imports, anywhere in it."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}
    return {name.partition(".")[0] for name in names}


def test_dags_and_the_plugin_import_airflow_and_the_airflow_side_only():
    files = [*(ROOT / "dags").glob("*.py"), *(ROOT / "plugins").glob("*.py")]
    allowed = {"airflow", "airflow_side", "contract"} | set(sys.stdlib_module_names)
    assert files
    for path in files:
        assert imported(path) <= allowed, path


DISTRIBUTIONS = {
    "yaml": "pyyaml",
    "sklearn": "scikit-learn",
    "markdown_it": "markdown-it-py",
    "fasttext": "fasttext-community",
    "stdnum": "python-stdnum",
}
# Imported beside the packages that bring them, whose versions they follow, where an image does not name them itself.
BROUGHT = {
    "urllib3": ("minio",),
    "httpx2": ("openai", "transformers", "huggingface-hub"),
    "jinja2": ("torch",),
    "tokenizers": ("transformers",),
    "huggingface_hub": ("transformers",),
    "threadpoolctl": ("scikit-learn",),
    "llvmlite": ("numba",),
}

# Left out of the image on purpose: plan refuses what needs it, and says how to add it.
OPTIONAL = {"deepspeed"}


def declared(image: str) -> set[str]:
    """Normalised names of an image's direct dependencies."""
    project = tomllib.loads((ROOT / "images" / image / "pyproject.toml").read_text())["project"]
    names = {
        item.partition("[")[0].split(">")[0].split("=")[0].split("<")[0].split("!")[0].strip()
        for item in project["dependencies"]
    }
    return {name.lower().replace("_", "-") for name in names}


def _distribution(name: str, there: set[str]) -> str:
    """The package that has to be declared for a module."""
    own = DISTRIBUTIONS.get(name, name).replace("_", "-")
    return next((package for package in (own, *BROUGHT.get(name, ())) if package in there), own)


@pytest.mark.parametrize("image", ["shared", "curate", "generate", "finetune"])
def test_every_package_that_is_imported_is_declared(image):
    """What the kit needs, every image needs too: one that forgets it fails in its container only."""
    own = set(PLACES)
    needed = {
        _distribution(name, declared(image))
        for package in ([image] if image != "shared" else ["contract", "stagekit"])
        for path in (ROOT / "images" / image / package).rglob("*.py")
        for name in imported(path) - own - OPTIONAL - set(sys.stdlib_module_names)
    }
    assert needed <= declared(image), f"images/{image}/pyproject.toml lacks {needed - declared(image)}"
    assert declared("shared") <= declared(image), f"the kit needs {declared('shared') - declared(image)}"

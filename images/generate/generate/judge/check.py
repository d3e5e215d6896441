"""`make judge-check`: how far a judge agrees with people, on a gold set.

It runs the stage without rows, so prompt, cache, budget and report are those of a recipe, and what was answered once is
not paid again.
"""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from contract.failures import BadConfig, Failure
from contract.manifest import Manifest
from contract.stage import Stage
from contract.stages import BY_NAME
from contract.uris import Address
from stagekit.logs import set_up_logs
from stagekit.request import build_request, find_reusable

SETS: dict[str, dict[str, Any]] = yaml.safe_load((Path(__file__).parent / "gold_sets.yaml").read_text(encoding="utf-8"))
FIGURES = ("items", "percent", "kappa", "weighted_kappa")
OUT = ".nocturne/judge-check/"


def main(arguments: Sequence[str]) -> int:
    """Judge a gold set and print the agreement; returns the exit code of the stage."""
    set_up_logs()
    options = _parser().parse_args(arguments)
    try:
        request = build_request(stage_without_rows(), json.dumps(config_of(options)), [], options.out)
        manifest = find_reusable(request)
        if manifest is None:
            from stagekit.run import run_stage  # pyarrow and the model's client load only now

            manifest = run_stage(request)
        sys.stdout.write(summary(_report(request.address, manifest), f"{request.address}/judge.html"))
    except Failure as failure:
        sys.stderr.write(f"{failure.sentence()}\n")
        return failure.exit_code
    return 0


def stage_without_rows() -> Stage:
    """The stage as it judges its gold set only; what comes out is the report."""
    return replace(BY_NAME["judge"], inputs=(), output=None)


def config_of(options: argparse.Namespace) -> dict[str, Any]:
    """The stage's config from a known set, the command line, and what `--config` adds."""
    config: dict[str, Any] = dict(SETS[options.set]["config"])
    config |= _object(options.config)
    gold = SETS[options.set]["config"]["gold"] | (config["gold"] or {})
    server = {"base_url": options.base_url} if options.base_url else {}
    judges = [{"model": name} | server for model in options.model.split(",") if (name := model.strip())]
    if not judges or not options.gold:
        raise BadConfig("no model or no gold set", expected="MODEL=name GOLD=file", where="make judge-check")
    budget = {"budget": {"requests": options.requests}} if options.requests is not None else {}
    place = str(Path(options.gold).resolve()) if "://" not in options.gold else options.gold
    return config | budget | {"judges": judges, "gold": gold | {"uri": place}}


def summary(report: dict[str, Any], page: str) -> str:
    """The report's figures as lines of text."""
    lines = []
    for each in report["criteria"]:
        gold, length = each["gold"], each["length"]
        lines += ["", f"{each['rubric']} ({report['method']}): {gold['gate']['reason']}"]
        lines.append(f"{'judge':<40} {'answers':>8} {'equal':>8} {'95 % interval':>16} {'kappa':>7} {'weighted':>9}")
        jury = [gold | {"judge": "jury"}] if len(gold["by_judge"]) > 1 else []
        lines += [_row(row) for row in jury + gold["by_judge"]]
        lines += [_order(row) for row in each["orders"]]
        lines.append(f"length: score above people's {_figure(length['error_per_doubling'])} per doubling")
        if report["method"] == "pairwise":
            lines.append(f"length: {_percent(length['bias'])} of verdicts decided by it alone")
    missing = {judge["judge"]: judge["missing"] for judge in report["judges"] if judge["missing"]}
    lines += [
        f"missing: {name}: {', '.join(f'{rule} {n}' for rule, n in why.items())}" for name, why in missing.items()
    ]
    return "\n".join([*lines[1:], f"report: {page}", ""])


def _row(row: dict[str, Any]) -> str:
    interval = row["percent_interval"]
    between = f"{_percent(interval[0])} to {_percent(interval[1])}" if interval else "-"
    return (
        f"{row['judge']:<40} {row['items']:>8,} {_percent(row['percent']):>8} {between:>16} "
        f"{_figure(row['kappa']):>7} {_figure(row['weighted_kappa']):>9}"
    )


def _order(row: dict[str, Any]) -> str:
    return (
        f"order: {row['judge']} says the same in both orders on {_percent(row['consistency'])} of {row['pairs']:,} "
        f"pairs; {_percent(row['bias'])} of verdicts go to the first by its place alone"
    )


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.1f} %"


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _report(address: Address, manifest: Manifest) -> dict[str, Any]:
    from stagekit.dataset import Dataset
    from stagekit.store import open_store

    text = Dataset(address, open_store(address), manifest).file("judge.json").read_bytes()
    found: dict[str, Any] = json.loads(text)
    return found


def _object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise BadConfig(f"not JSON: {error}", where="--config") from None
    if not isinstance(value, dict):
        raise BadConfig(f"a {type(value).__name__}", expected="an object of the stage's fields", where="--config")
    return value


def _parser() -> argparse.ArgumentParser:
    sets = "\n".join(f"  {name:<11} {known['about']}" for name, known in SETS.items())
    parser = argparse.ArgumentParser(
        prog="make judge-check",
        description=__doc__.partition("\n\n")[0] if __doc__ else "",
        epilog=f"sets:\n{sets}\n\nThe key of the server is taken from OPENAI_API_KEY.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--model", required=True, help="model that judges; several with commas make a jury")
    parser.add_argument(
        "--base-url", default=os.environ.get("OPENAI_BASE_URL"), help="server; OpenAI's own if left out"
    )
    parser.add_argument("--gold", required=True, help="file of the gold set")
    parser.add_argument("--set", choices=SETS, default="scores", help="which layout the file has [scores]")
    parser.add_argument("--requests", type=int, help="most requests sent; the rest of the set stays unjudged")
    parser.add_argument("--config", default="{}", help="more fields of the stage's config, as JSON")
    parser.add_argument("--out", default=OUT, help=f"folder for the report [{OUT}]")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

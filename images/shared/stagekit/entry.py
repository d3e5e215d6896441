"""The one entry point of every stage: command line in, one line of JSON out, an exit code that says why.

    python -m <image> <stage> --config JSON|@file --input NAME=URI ... --output URI

Logs go to standard error. The last line of standard output is the result; the same object is written to the file that
`NOCTURNE_RESULT` names, where a failure is written too.
"""

import argparse
import errno
import importlib
import importlib.util
import json
import logging
import os
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from contract.failures import BUG, BadConfig, EmptyResult, Failure, RemoteTrouble
from contract.manifest import Manifest, Result
from contract.stage import Stage
from contract.stages import stages_of
from stagekit.cli_help import image_help, stage_help
from stagekit.logs import set_up_logs
from stagekit.request import Request, build_request, find_reusable

FULL_DISK = {errno.ENOSPC, errno.EDQUOT}
TERMINATED = 128 + signal.SIGTERM
INTERRUPTED = 128 + signal.SIGINT


def main(image: str, arguments: Sequence[str]) -> int:
    """Run one command of an image; returns the exit code. The only place that catches everything."""
    log = set_up_logs()
    signal.signal(signal.SIGTERM, _terminate)
    try:
        return _command(image, arguments, log)
    except Failure as failure:
        return _give_up(failure, log)
    except MemoryError:
        return _give_up(RemoteTrouble("out of memory", hint="give the stage more, or lower `shard_rows`"), log)
    except OSError as error:
        if error.errno not in FULL_DISK:
            return _bug(log, error)
        return _give_up(_full_disk(error), log)
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:  # the one broad except: whatever it is, the exit code must say that it is a bug
        return _bug(log, error)


def _command(image: str, arguments: Sequence[str], log: logging.Logger) -> int:
    if not arguments or arguments[0] in ("-h", "--help"):
        print(image_help(image))
        return 0
    stage = next((stage for stage in stages_of(image) if stage.name == arguments[0]), None)
    if stage is None:
        names = ", ".join(stage.name for stage in stages_of(image))
        raise BadConfig(f"no stage {arguments[0]!r} in image {image}", expected=f"one of {names}")
    options = _parser(stage).parse_args(arguments[1:])
    if options.help or options.print_config_schema:
        print(
            json.dumps(stage.config.model_json_schema(), indent=1) if options.print_config_schema else stage_help(stage)
        )
        return 0
    if not options.output:
        raise BadConfig("--output is missing", expected="the URI of the dataset to write", where=stage.name)
    return _execute(build_request(stage, options.config, options.input, options.output), log)


def _execute(request: Request, log: logging.Logger) -> int:
    manifest = find_reusable(request)
    reused = manifest is not None
    if manifest is None:
        log.info("run", extra={"fields": {"stage": request.stage.name, "key": request.key, "output": request.address}})
        from stagekit.run import run_stage  # pyarrow and the stage's own libraries load only now

        manifest = run_stage(request)
    _conclude(request, manifest)
    result = _result(request, manifest, reused)
    log.info(
        "reused" if reused else "done",
        extra={"fields": {"rows": result.rows, "dropped": result.dropped} | manifest.metrics},
    )
    if manifest.record and not manifest.rows_out and not request.stage.may_be_empty:
        raise EmptyResult(
            f"nothing is left of {manifest.rows_in} rows: {_reasons(manifest)}",
            where=str(request.address),
            hint=f"the ledger under dropped/ names the rule for each row; loosen the config of {request.stage.name}",
        )
    _write_result(result.model_dump_json())
    print(result.model_dump_json(), flush=True)
    return 0


def _conclude(request: Request, manifest: Manifest) -> None:
    """What a stage does after its dataset stands, new or reused, such as moving `latest`. Must be idempotent."""
    name = f"{request.stage.image}.{request.stage.name}.conclude"
    if importlib.util.find_spec(name):
        importlib.import_module(name).conclude(request.address, manifest)


def _result(request: Request, manifest: Manifest, reused: bool) -> Result:
    return Result(
        uri=str(request.address),
        content_hash=manifest.content_hash,
        rows=manifest.rows_out,
        dropped=manifest.dropped,
        metrics=manifest.metrics,
        links=manifest.links,
        reused=reused,
    )


def _reasons(manifest: Manifest) -> str:
    account = manifest.main_account
    return ", ".join(
        f"{rule} {n}" for rules in (account.dropped, account.failed, account.skipped) for rule, n in rules.items()
    )


def _write_result(text: str) -> None:
    if path := os.environ.get("NOCTURNE_RESULT"):
        Path(path).write_text(text, encoding="utf-8")


def _give_up(failure: Failure, log: logging.Logger) -> int:
    log.error(failure.sentence(), extra={"fields": {"failure": type(failure).__name__, "exit": failure.exit_code}})
    _write_result(json.dumps({"failure": type(failure).__name__, "message": failure.sentence()}))
    return failure.exit_code


def _bug(log: logging.Logger, error: Exception) -> int:
    log.exception("bug: %s", error)
    _write_result(json.dumps({"failure": type(error).__name__, "message": f"bug: {error}"}))
    return BUG


def _full_disk(error: OSError) -> RemoteTrouble:
    """Arrow says that a disk is full, but not which one."""
    where = error.filename or f"the folder of the output, or the one for temporary files ({tempfile.gettempdir()})"
    said = os.strerror(error.errno or errno.ENOSPC)
    return RemoteTrouble(f"disk full: {said}", where=str(where), hint="free space, then run again")


def _terminate(number: int, frame: FrameType | None) -> None:
    """Leave by the normal way, so that half-written folders are removed."""
    sys.exit(TERMINATED)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> None:  # type: ignore[override]
        raise BadConfig(message, where="the command line", hint="--help shows the usage")


def _parser(stage: Stage) -> argparse.ArgumentParser:
    parser = _Parser(prog=f"python -m {stage.image} {stage.name}", add_help=False, allow_abbrev=False)
    parser.add_argument("-h", "--help", action="store_true")
    parser.add_argument("--print-config-schema", action="store_true")
    parser.add_argument("--config", default="{}")
    parser.add_argument("--input", action="append", default=[])
    parser.add_argument("--output")
    return parser

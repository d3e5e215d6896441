"""`python -m finetune.serve`: a registered model, or an exported folder, behind OpenAI's protocol.

python -m finetune.serve --model champion --into FOLDER            fetch, serve, and check itself before it is ready
python -m finetune.serve --model champion --into FOLDER --fetch    only fetch, for another server to load
python -m finetune.serve --model FOLDER --check URL                check a server that loaded this folder
"""

import argparse
import logging
import signal
import sys
import threading
from collections.abc import Sequence
from http.server import ThreadingHTTPServer
from pathlib import Path

import finetune.__main__  # noqa: F401  the settings that libraries read when they are imported
from contract.failures import Failure, RemoteTrouble
from stagekit.logs import set_up_logs

READY = "ready"


def main(arguments: Sequence[str]) -> int:
    """Run one command; returns the exit code of `contract/failures.py`."""
    log = set_up_logs()
    options = parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    try:
        folder, names = _folder(options)
        if options.fetch:
            log.info("fetched", extra={"fields": {"folder": folder}})
        elif options.check:
            _check(options.check, options.name or names[0], folder, options.exact, log)
        else:
            _serve(options, folder, names, log)
    except Failure as failure:
        log.error(failure.sentence())
        return failure.exit_code
    except KeyboardInterrupt:
        log.info("stopped")
    return 0


def parser() -> argparse.ArgumentParser:
    """The command line."""
    found = argparse.ArgumentParser(
        prog="python -m finetune.serve", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    found.add_argument("--model", default="champion", help="champion, NAME@ALIAS, NAME/VERSION or a folder [champion]")
    found.add_argument("--into", type=Path, default=Path("served"), help="where registered models are kept [served]")
    found.add_argument("--name", default="", help="what clients call the model [as it was asked for, and its own name]")
    found.add_argument("--host", default="127.0.0.1", help="address to listen on [127.0.0.1]")
    found.add_argument("--port", type=int, default=8000, help="port to listen on, 0 for a free one [8000]")
    found.add_argument("--fetch", action="store_true", help="fetch the model and end")
    found.add_argument("--check", metavar="URL", help="compare the server at URL with this model and end")
    found.add_argument("--exact", action="store_true", help="with --check: the answers must be the same too")
    return found


def _folder(options: argparse.Namespace) -> tuple[Path, tuple[str, ...]]:
    if (folder := Path(options.model)).is_dir():
        return folder, tuple(filter(None, (options.name, folder.resolve().name)))
    from finetune.serve.find import fetch, find_model

    model = find_model(options.model)
    return fetch(model, options.into), tuple(filter(None, (options.name, *model.names)))


def _serve(options: argparse.Namespace, folder: Path, names: tuple[str, ...], log: logging.Logger) -> None:
    from finetune.model import quiet
    from finetune.serve.answering import load_served
    from finetune.serve.server import Endpoint, make_server

    quiet()
    served = load_served(folder)
    try:
        server = make_server(Endpoint(served, names), options.host, options.port)
    except OSError as error:
        where = f"{options.host}:{options.port}"
        raise RemoteTrouble(f"cannot listen: {error.strerror}", where=where, hint="another --port") from None
    with server:
        threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True).start()
        url = _url(server)
        _check(url, names[0], folder, served.model.device.type == "cpu", log)
        log.info(READY, extra={"fields": {"url": f"{url}/v1", "models": ", ".join(names)}})
        threading.Event().wait()


def _check(url: str, name: str, folder: Path, exact: bool, log: logging.Logger) -> None:
    from finetune.exported import read_parity
    from finetune.serve.parity import check_parity, require

    exchanges = read_parity(folder)
    if not exchanges:
        log.warning("this model brings no conversations to check with: it was exported before they were kept")
        return
    parity = check_parity(url, name, exchanges)
    fields = {"asked": parity.asked, "same_ids": parity.same_ids, "same_answers": parity.same_answers}
    log.info("parity", extra={"fields": fields})
    require(parity, url, exact)


def _url(server: ThreadingHTTPServer) -> str:
    host, port = server.server_address[:2]
    return f"http://{'127.0.0.1' if host == '0.0.0.0' else host!s}:{port}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Does what the first source's URI says, such as `exit=13,write` or `sleep=60`; logs like a real stage."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

RESULT = {"uri": "", "content_hash": "ab" * 32, "rows": 3, "dropped": 1, "metrics": {}, "links": {}, "reused": False}


def say(level, message):
    print(f"2026-01-01T00:00:00Z {level:<7} {message}", file=sys.stderr, flush=True)


def main(stage, *arguments):
    config = json.loads(arguments[arguments.index("--config") + 1])
    output = arguments[arguments.index("--output") + 1]
    wishes = dict(wish.partition("=")[::2] for wish in config["sources"][0]["uri"].split(","))
    result = Path(os.environ["NOCTURNE_RESULT"])
    say("INFO", f"{stage} starts as {os.getpid()}")
    if "mark" in wishes:
        with open(wishes["mark"], "a") as file:
            file.write(f"{os.getpid()}\n")
    if "deaf" in wishes:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if "child" in wishes:
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    if "tell" in wishes:
        say("WARNING", " ".join(os.environ.get(name, "-") for name in wishes["tell"].split("+")))
    if "eat" in wishes:
        hoard = bytearray(int(wishes["eat"]) << 20)
        say("INFO", f"holding {len(hoard)} bytes")
    time.sleep(float(wishes.get("sleep", 0)))
    code = int(wishes.get("exit", 0))
    if code:
        say("ERROR", "the last thing it said")
        result.write_text(json.dumps({"failure": "Some", "message": f"found this; expected that (code {code})"}))
    elif "silent" not in wishes:
        result.write_text(json.dumps(RESULT | {"uri": f"{output}{'0' * 20}"}))
    sys.exit(code)


main(*sys.argv[1:])

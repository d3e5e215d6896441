"""`python -m embedded demo|ui|serve|stop`: what the targets of the same names in the Makefile call."""

import argparse
import signal
import sys
import time

from embedded.airflow_api import AirflowAnswer, DagNotLoaded
from embedded.console import Console
from embedded.demo import demo
from embedded.lock import Busy, ask_holder_to_stop, exclusive
from embedded.serve import serve
from embedded.services import ServiceFailed, stop_left_over
from embedded.settings import USER, Home, NoPort
from embedded.stack import register, running_stack
from embedded.watch import RunFailed

INTERRUPTED = 130


def main() -> int:
    """Run one command; whatever was started is stopped before this returns."""
    parser = argparse.ArgumentParser(prog="python -m embedded", description=__doc__)
    parser.add_argument("command", choices=("demo", "ui", "serve", "stop"))
    parser.add_argument("--runner", choices=("process", "docker"), default="process")
    parser.add_argument("--model", default="champion")
    parser.add_argument("--port", type=int, default=8000)
    options = parser.parse_args()
    console, home = Console(), Home()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda received, _: sys.exit(128 + received))
    try:
        if options.command == "demo":
            demo(home, options.runner, console)
        elif options.command == "ui":
            ui(home, options.runner, console)
        elif options.command == "serve":
            serve(home, options.model, options.port, console)
        else:
            stop(home, console)
    except (Busy, ServiceFailed, RunFailed, DagNotLoaded, AirflowAnswer, NoPort) as trouble:
        console.say(f"\n{trouble}")
        return 1
    except KeyboardInterrupt:
        console.say("Stopped.")
        return 0 if options.command == "ui" else INTERRUPTED
    return 0


def ui(home: Home, runner: str, console: Console) -> None:
    """The stack in the foreground, until Ctrl-C."""
    with running_stack(home, runner, console, "ui") as stack:
        console.say(f"Airflow  {stack.ports.airflow_url}   user {USER}, password {stack.password}")
        console.say(f"MLflow   {stack.ports.mlflow_url}")
        console.say("Ctrl-C stops both. Airflow's home page shows the triggerer in red: nothing here needs one.")
        while True:
            stack.services.check()
            time.sleep(1)


def stop(home: Home, console: Console) -> None:
    """Stop what another command runs, or what a killed one left behind."""
    if holder := ask_holder_to_stop(home.path):
        console.say(f"Stopped {holder}.")
        return
    with exclusive(home.path, "stop"):
        number = stop_left_over(register(home))
    console.say(f"Stopped {number} services that were left over." if number else "Nothing was left running.")


if __name__ == "__main__":
    sys.exit(main())

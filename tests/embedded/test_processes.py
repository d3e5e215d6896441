"""Nothing that a service started outlives it: not its children, not their groups, not what ignores the first signal."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from embedded import processes
from embedded.lock import Busy, ask_holder_to_stop, exclusive
from embedded.services import Running, Service, ServiceFailed, stop_left_over

# A leader with a child in a group of its own, which has a child in a session of its own: as a scheduler's task has.
FAMILY = """
import os, subprocess, sys, time
DEEP = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
CHILD = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {DEEP!r}], start_new_session=True)"
subprocess.Popen([sys.executable, "-c", CHILD], process_group=0)
time.sleep(60)
"""


@pytest.fixture
def leader():
    process = subprocess.Popen([sys.executable, "-c", FAMILY], start_new_session=True, stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"up\n"
    yield process
    process.kill()
    process.wait()


def living(members) -> list[int]:
    return [process.pid for process in processes.alive(members)]


@pytest.mark.parametrize("read", [processes.from_proc, processes.from_ps])
def test_both_process_tables_show_a_whole_family(leader, read, monkeypatch):
    if read is processes.from_ps:
        monkeypatch.setattr(processes, "PROC", processes.PROC / "not-there")
    family = processes.family([leader.pid])
    assert len(family) == 3
    assert leader.pid in {process.pid for process in family}
    assert os.getpid() not in {process.pid for process in family}


def soon_over(family) -> bool:
    """Whether all have ended within a few seconds: the kernel reaps them in its own time."""
    deadline = time.monotonic() + 5
    while living(family) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not living(family)


def test_a_family_ends_whole(leader, monkeypatch):
    monkeypatch.setattr(processes, "GRACE_SECONDS", 1.0)
    family = processes.family([leader.pid])
    processes.end([leader.pid])
    assert soon_over(family)


def test_what_a_killed_command_left_is_found_again_by_number_and_start(leader, tmp_path, monkeypatch):
    monkeypatch.setattr(processes, "GRACE_SECONDS", 1.0)
    register = tmp_path / "services.json"
    started = processes.table()[leader.pid].started
    family = processes.family([leader.pid])

    register.write_text(json.dumps({leader.pid: f"{started}0"}))
    assert stop_left_over(register) == 0  # the number belongs to another process now
    assert len(living(family)) == 3

    register.write_text(json.dumps({leader.pid: started}))
    assert stop_left_over(register) == 1
    assert soon_over(family)
    assert not register.exists()


def test_a_service_that_ends_by_itself_is_reported_with_its_last_words(tmp_path):
    services = Running(tmp_path / "services.json")
    command = (sys.executable, "-c", "print('no such port'); raise SystemExit(3)")
    service = Service("web", command, dict(os.environ), tmp_path / "web.log", "http://127.0.0.1:9/")
    services.start(service)
    with pytest.raises(ServiceFailed, match=r"web ended with exit code 3.\n  \| no such port"):
        services.wait_ready("web", seconds=30)
    services.stop()
    assert not (tmp_path / "services.json").exists()


HOLD = """
import signal, sys, time
from pathlib import Path
from embedded.lock import exclusive
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
with exclusive(Path(sys.argv[1]), "ui"):
    print("held", flush=True)
    time.sleep(60)
"""


def test_one_command_at_a_time_and_another_can_end_it(tmp_path):
    env = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], env=env, stdout=subprocess.PIPE)
    assert holder.stdout.readline() == b"held\n"
    said = rf"make ui \(process {holder.pid}\) is running here already"
    with pytest.raises(Busy, match=said), exclusive(tmp_path, "demo"):
        pass
    assert ask_holder_to_stop(tmp_path) == "make ui"
    assert holder.wait() == 128 + signal.SIGTERM
    assert ask_holder_to_stop(tmp_path) == ""

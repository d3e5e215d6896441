"""A review's folder through Argilla's own client and back: drawn, created, answered, read by decide, applied.

    PYTHONPATH=images/shared:images/curate:tests .venv/curate/bin/python tests/bench/check_argilla.py \\
        --peer-python PATH

The peer's Python needs argilla 2 (and requests, which its 2.8 imports but does not name).
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from contract.records import Decision, Sample
from curate_texts import read, sample, write_dataset
from every_field import run

PEER = Path(__file__).with_name("argilla_peer.py")
ROWS, DRAWN = 50, 20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--peer-python", required=True, help="a Python that has argilla")
    python = parser.parse_args().peer_python
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows = [sample(n, f"Question {n}", f"Answer {n}\n\n- with *Markdown*") for n in range(ROWS)]
        rows_uri = write_dataset(folder / "rows", rows, Sample)
        drawn = read(run("review", {"sample": DRAWN}, [f"rows={rows_uri}"], folder / "review").uri)
        back = folder / "back"
        back.mkdir()
        command = [python, str(PEER), str(drawn.folder("review/argilla")), str(back / "records.json")]
        said = subprocess.run(command, capture_output=True, text=True, check=False, env={"HOME": name})
        if said.returncode:
            sys.exit(said.stderr)
        decided = read(run("decide", {"sources": [{"uri": str(back)}]}, [], folder / "decide").uri)
        inputs = [f"rows={rows_uri}", f"decisions={decided.uri}"]
        applied = read(run("review", {"sample": DRAWN}, inputs, folder / "applied").uri)
        decisions, samples = list(decided.records(Decision)), list(applied.records(Sample))
    edited = sum(row.answer == "A better answer." for row in samples)
    sys.stdout.write(f"the client said   {said.stdout}")
    sys.stdout.write(f"decisions read    {len(decisions)} of {DRAWN}\nsamples edited    {edited} of {DRAWN}\n")
    sys.exit(0 if len(decisions) == edited == DRAWN else 1)


if __name__ == "__main__":
    main()

"""The whole instruct stage against a server, run by bench_llm_concurrency.py in a process of its own.

    python llm_ours.py URL CONCURRENCY NUMBER CHUNKS FOLDER      prints, as JSON, wall and CPU seconds of the stage

Everything between the chunks on disk and the committed dataset counts; only the imports do not. FOLDER gets the cache
of answers, the purse and the dataset. With CHUNKS `make`, writes NUMBER chunks into FOLDER instead and prints the path.
"""

import json
import os
import sys
import time
from pathlib import Path

from contract.stages import BY_NAME
from llm_chunks import synthetic_chunks, write_chunks
from stagekit.request import build_request
from stagekit.run import run_stage

EACH = 10


def write(url: str, concurrency: int, number: int, chunks: str, folder: str) -> None:
    import generate.instruct.by_model  # noqa: F401  imports do not count

    os.environ |= {"NOCTURNE_STORE": folder, "OPENAI_API_KEY": "none-needed"}
    config = {
        "provider": "openai",
        "model": "bench",
        "base_url": url,
        "concurrency": concurrency,
        "price": {"prompt": 0.15, "completion": 0.6},
        "budget": {"money": 1_000},
    }
    wall, cpu = time.monotonic(), time.process_time()
    request = build_request(BY_NAME["instruct"], json.dumps(config), [f"chunks={chunks}"], f"{folder}/instruct/")
    manifest = run_stage(request)
    wall, cpu = time.monotonic() - wall, time.process_time() - cpu
    assert manifest.accounts["requests"].kept == number
    print(json.dumps({"wall": wall, "cpu": cpu}))


if __name__ == "__main__":
    address, at_once, count, data, place = sys.argv[1:]
    if data == "make":
        print(write_chunks(Path(place), synthetic_chunks(int(count) // EACH, EACH), f"chunks-{count}"))
    else:
        write(address, int(at_once), int(count), data, place)

"""`python -m finetune <stage> ...`."""

import logging
import os
import sys

from stagekit.entry import main

# Libraries read these when they are imported; progress bars and advice on standard error would drown the stage's log.
for name, value in {
    "HF_DATASETS_DISABLE_PROGRESS_BARS": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "TOKENIZERS_PARALLELISM": "false",
}.items():
    os.environ.setdefault(name, value)
logging.getLogger("bitsandbytes").setLevel(logging.ERROR)  # it regrets at import that a GPU's kernels are not here

if __name__ == "__main__":
    sys.exit(main("finetune", sys.argv[1:]))

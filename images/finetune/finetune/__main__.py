"""`python -m finetune <stage> ...`."""

import logging
import os
import sys

from stagekit.entry import main

# Libraries read these when they are imported. Progress bars and advice on standard error would drown the stage's log;
# threads that spin while they wait were measured to make a training ten times slower beside other work.
for name, value in {
    "HF_DATASETS_DISABLE_PROGRESS_BARS": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "OMP_WAIT_POLICY": "PASSIVE",
    "TOKENIZERS_PARALLELISM": "false",
}.items():
    os.environ.setdefault(name, value)
logging.getLogger("bitsandbytes").setLevel(logging.ERROR)  # it regrets at import that a GPU's kernels are not here

if __name__ == "__main__":
    sys.exit(main("finetune", sys.argv[1:]))

"""`python -m finetune <stage> ...`."""

import logging
import sys

from stagekit.entry import main

logging.getLogger("bitsandbytes").setLevel(logging.ERROR)  # it regrets at import that a GPU's kernels are not here

if __name__ == "__main__":
    sys.exit(main("finetune", sys.argv[1:]))

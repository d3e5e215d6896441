"""`python -m finetune <stage> ...`."""

import sys

from stagekit.entry import main

if __name__ == "__main__":
    sys.exit(main("finetune", sys.argv[1:]))

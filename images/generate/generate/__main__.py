"""`python -m generate <stage> ...`."""

import sys

from stagekit.entry import main

if __name__ == "__main__":
    sys.exit(main("generate", sys.argv[1:]))

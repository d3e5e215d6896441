"""`python -m curate <stage> ...`."""

import sys

from stagekit.entry import main

if __name__ == "__main__":
    sys.exit(main("curate", sys.argv[1:]))

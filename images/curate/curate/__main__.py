"""`python -m curate <stage> ...`."""

import sys

from curate.light import light_start

with light_start():
    from stagekit.entry import main

if __name__ == "__main__":
    sys.exit(main("curate", sys.argv[1:]))

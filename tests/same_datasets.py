"""Whether two stores hold the same datasets: `python tests/same_datasets.py STORE STORE`, such as one of each runner.

Compares recipe, stage, key and content hash of every manifest; prints what differs and exits with 1.
"""

import json
import sys
from pathlib import Path


def datasets(store: Path) -> set[tuple[str, str]]:
    """Address within the store and content hash of each dataset."""
    found = store.glob("*/*/*/manifest.json")
    return {(str(path.parent.relative_to(store)), json.loads(path.read_text())["content_hash"]) for path in found}


def main() -> int:
    """Print the verdict; the exit code."""
    left, right = (datasets(Path(argument)) for argument in sys.argv[1:3])
    for mark, some in (("<", left - right), (">", right - left)):
        for address, content_hash in sorted(some):
            print(f"{mark} {address} {content_hash}")
    print(f"{len(left & right)} datasets with the same keys and content hashes, {len(left ^ right)} that differ")
    return int(left != right or not left)


if __name__ == "__main__":
    sys.exit(main())

"""Wait for the object store, then make the buckets that are named as arguments where they are not there yet.

The store's own image may hold no client to probe it with, so this doubles as its health check. Reads NOCTURNE_S3_*.
"""

import os
import sys
import time
from urllib.parse import urlsplit

import urllib3
from minio import Minio
from minio.error import S3Error

PATIENCE = 120  # seconds


def connect() -> Minio:
    """A client of the store; one quick try per call, because `wait_for` repeats it."""
    endpoint = urlsplit(os.environ["NOCTURNE_S3_ENDPOINT"])
    http = urllib3.PoolManager(timeout=5, retries=False)
    access, secret = os.environ["NOCTURNE_S3_ACCESS_KEY"], os.environ["NOCTURNE_S3_SECRET_KEY"]
    secure = endpoint.scheme == "https"
    return Minio(endpoint.netloc, access_key=access, secret_key=secret, secure=secure, http_client=http)


def wait_for(store: Minio) -> set[str]:
    """The names of the buckets, once the store answers. Raises S3Error for keys that it does not accept."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return {bucket.name for bucket in store.list_buckets()}
        except (urllib3.exceptions.HTTPError, S3Error) as error:
            refused = isinstance(error, S3Error) and error.code in ("InvalidAccessKeyId", "SignatureDoesNotMatch")
            if refused or time.monotonic() > deadline:
                raise
            print(f"waiting for {os.environ['NOCTURNE_S3_ENDPOINT']}: {type(error).__name__}", flush=True)
            time.sleep(1)


def main() -> None:
    """Make the buckets that are named on the command line."""
    store = connect()
    there = wait_for(store)
    for name in sys.argv[1:]:
        if name not in there:
            store.make_bucket(name)
        print(f"bucket {name}: {'there' if name in there else 'made'}", flush=True)


if __name__ == "__main__":
    main()

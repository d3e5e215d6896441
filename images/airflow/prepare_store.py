"""Wait for the object store, then make what the stack expects in it: two buckets and the demo's articles.

The store's own image may hold no client to probe it with, so this doubles as its health check. Reads NOCTURNE_S3_*.
"""

import io
import json
import os
import time
from importlib.metadata import distributions
from urllib.parse import urlsplit

import urllib3
from corpus import article, normal
from minio import Minio
from minio.error import S3Error

PATIENCE = 120  # seconds
BUCKETS = ("nocturne", "mlflow")
ARTICLES = "raw/demo/articles.jsonl"


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


def articles() -> bytes:
    """The long descriptions of this image's own distributions, one JSON line each, sorted by name."""
    found = {normal(item.name): item for item in distributions()}
    lines = [json.dumps(one, ensure_ascii=False) for name in sorted(found) for one in article(name, found[name])]
    return "".join(f"{line}\n" for line in lines).encode("utf-8", "replace")


def stored(store: Minio, bucket: str, key: str) -> bytes | None:
    """An object's bytes; None where there is no such object."""
    try:
        answer = store.get_object(bucket, key)
    except S3Error as error:
        if error.code != "NoSuchKey":
            raise
        return None
    with answer:
        return answer.read()


def main() -> None:
    """Make what is missing; leave what is there."""
    store = connect()
    there = wait_for(store)
    for name in BUCKETS:
        if name not in there:
            store.make_bucket(name)
        print(f"bucket {name}: {'there' if name in there else 'made'}", flush=True)
    data = articles()
    if stored(store, BUCKETS[0], ARTICLES) != data:
        store.put_object(BUCKETS[0], ARTICLES, io.BytesIO(data), len(data))
        print(f"wrote {data.count(bytes([10]))} articles to s3://{BUCKETS[0]}/{ARTICLES}", flush=True)


if __name__ == "__main__":
    main()

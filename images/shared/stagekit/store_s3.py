"""A store in an S3 bucket, through the `minio` SDK; any S3 server will do.

Environment: `NOCTURNE_S3_ENDPOINT` (such as http://s3:9000), `NOCTURNE_S3_ACCESS_KEY`, `NOCTURNE_S3_SECRET_KEY`,
`NOCTURNE_S3_REGION` [us-east-1].
"""

import io
import os
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import ParamSpec, TypeVar
from urllib.parse import urlsplit

import urllib3
from minio import Minio
from minio.commonconfig import Tags
from minio.error import InvalidResponseError, S3Error, ServerError

from contract.failures import BadConfig, BadInput, Failure, RemoteTrouble
from contract.uris import Address
from stagekit.store import Entry

NAME_END = 50  # characters of an object's name that its copy keeps, its ending among them: files have shorter names
ABSENT = {"NoSuchKey", "NoSuchObject"}
UNTAGGED = {"NotImplemented", "MethodNotAllowed", "AccessDenied"}
REFUSED = {"AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch"}
P = ParamSpec("P")
T = TypeVar("T")


class S3Store:
    """Objects are S3 objects. One conditional PUT (`If-None-Match: *`) is what makes `create` safe between writers."""

    def __init__(self, root: Address) -> None:
        self.root = root
        self._pool = _pool()
        self.client = _client(self._pool)

    def read(self, name: str) -> bytes | None:
        """The whole object, or None where there is none."""
        return self._try(self._read, name)

    def stat(self, name: str) -> Entry | None:
        """The object's name, size and tag, or None where there is none."""
        stat = self._try(self.client.stat_object, self.root.bucket, self._key(name))
        return None if stat is None else Entry(name, stat.size or 0, stat.etag or "")

    def fetch(self, name: str, folder: Path) -> Path | None:
        """A copy of the object in `folder`."""
        target = folder / f"{uuid.uuid4().hex}-{Path(name).name[-NAME_END:]}"
        found = self._try(self.client.fget_object, self.root.bucket, self._key(name), str(target))
        return None if found is None else target

    def write(self, name: str, data: bytes) -> None:
        """Write or replace an object."""
        self._must(self.client.put_object, self.root.bucket, self._key(name), io.BytesIO(data), len(data))

    def create(self, name: str, data: bytes, synced: bool = True) -> bool:
        """Write an object only if there is none.

        The SDK's `put_object` takes no conditional header, so the PUT goes through a presigned URL of the same client.
        """
        url = self._must(self.client.get_presigned_url, "PUT", self.root.bucket, self._key(name))
        answer = self._must(self._pool.request, "PUT", url, body=data, headers={"If-None-Match": "*"})
        if answer.status == 412:
            return False
        if answer.status >= 300:
            raise RemoteTrouble(f"S3 answered {answer.status} to a conditional PUT", where=str(self.root.child(name)))
        return True

    def upload(self, name: str, path: Path) -> None:
        """Write or replace an object from a local file, in parts where it is large."""
        self._must(self.client.fput_object, self.root.bucket, self._key(name), str(path))

    def list(self, prefix: str = "") -> Iterator[Entry]:
        """All objects whose name starts with `prefix`, sorted by name (S3 lists in that order)."""
        skip = len(self._key(""))
        found = self._must(lambda: list(self.client.list_objects(self.root.bucket, self._key(prefix), recursive=True)))
        yield from (Entry(item.object_name[skip:], item.size or 0, item.etag or "") for item in found)

    def delete(self, name: str) -> None:
        """Remove an object."""
        self._try(self.client.remove_object, self.root.bucket, self._key(name))

    def label(self, name: str, labels: Mapping[str, str]) -> bool:
        """Replace an object's tags; False where the server or its policy does not let them be set."""
        return bool(self._try(self._label, name, labels))

    def _key(self, name: str) -> str:
        return f"{self.root.path}/{name}" if self.root.path else name

    def _read(self, name: str) -> bytes:
        response = self.client.get_object(self.root.bucket, self._key(name))
        try:
            return response.read()
        finally:
            response.close()
            response.release_conn()

    def _label(self, name: str, labels: Mapping[str, str]) -> bool:
        tags = Tags.new_object_tags()
        tags.update(labels)
        try:
            self.client.set_object_tags(self.root.bucket, self._key(name), tags)
        except S3Error as error:
            if error.code not in UNTAGGED:
                raise
            return False
        return True

    def _try(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | None:
        try:
            return call(*args, **kwargs)
        except S3Error as error:
            if error.code in ABSENT:
                return None
            raise self._failure(error) from None
        except (urllib3.exceptions.HTTPError, ServerError, InvalidResponseError) as error:
            raise self._unreachable(error) from None

    def _must(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        result = self._try(call, *args, **kwargs)
        if result is None:
            raise RemoteTrouble("the object vanished while it was used", where=str(self.root))
        return result

    def _failure(self, error: S3Error) -> Failure:
        if error.code in REFUSED:
            return BadConfig(
                f"S3 refused the credentials ({error.code})",
                where=str(self.root),
                hint="check NOCTURNE_S3_ACCESS_KEY and NOCTURNE_S3_SECRET_KEY",
            )
        if error.code == "NoSuchBucket":
            return BadInput(f"there is no bucket {self.root.bucket!r}", where=str(self.root), hint="create it first")
        return RemoteTrouble(f"S3 answered {error.code}: {error.message}", where=str(self.root))

    def _unreachable(self, error: Exception) -> RemoteTrouble:
        return RemoteTrouble(
            f"the S3 server does not answer ({type(error).__name__})",
            where=os.environ["NOCTURNE_S3_ENDPOINT"],
            hint="check that it runs and that NOCTURNE_S3_ENDPOINT is right",
        )


def _client(pool: urllib3.PoolManager) -> Minio:
    names = ("NOCTURNE_S3_ENDPOINT", "NOCTURNE_S3_ACCESS_KEY", "NOCTURNE_S3_SECRET_KEY")
    if missing := [name for name in names if not os.environ.get(name)]:
        raise BadConfig(f"{', '.join(missing)} not set", expected="an S3 endpoint and credentials in the environment")
    endpoint, access, secret = (os.environ[name] for name in names)
    parts = urlsplit(endpoint)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise BadConfig(f"NOCTURNE_S3_ENDPOINT is {endpoint!r}", expected="http://host:port or https://host")
    region = os.environ.get("NOCTURNE_S3_REGION", "us-east-1")
    return Minio(
        parts.netloc,
        access_key=access,
        secret_key=secret,
        secure=parts.scheme == "https",
        region=region,
        http_client=pool,
    )


def _pool() -> urllib3.PoolManager:
    retries = urllib3.Retry(total=5, backoff_factor=0.2, status_forcelist=[500, 502, 503, 504], raise_on_status=False)
    timeout = urllib3.Timeout(connect=5, read=60)
    return urllib3.PoolManager(maxsize=32, timeout=timeout, retries=retries)

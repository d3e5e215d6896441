"""The catalog's small files in an S3 bucket, through the `minio` SDK."""

import contextlib
import io
from collections.abc import Iterator
from urllib.parse import urlsplit

import urllib3
from minio import Minio
from minio.error import MinioException, S3Error

from airflow_side.secrets import S3_NAMES, resolve_secrets
from contract.failures import BadConfig, RemoteTrouble
from contract.uris import Address


class S3Files:
    """A bucket's prefix, through the `minio` SDK."""

    def __init__(self, root: Address) -> None:
        env = resolve_secrets(S3_NAMES)
        if missing := [name for name in S3_NAMES[:3] if name not in env]:
            raise BadConfig(f"{', '.join(missing)} not set", expected="these, or the connection nocturne_s3")
        endpoint = urlsplit(env["NOCTURNE_S3_ENDPOINT"])
        self.root = root
        patience = urllib3.PoolManager(timeout=urllib3.Timeout(connect=3, read=20), retries=urllib3.Retry(total=2))
        self.client = Minio(
            endpoint.netloc,
            access_key=env["NOCTURNE_S3_ACCESS_KEY"],
            secret_key=env["NOCTURNE_S3_SECRET_KEY"],
            secure=endpoint.scheme == "https",
            region=env.get("NOCTURNE_S3_REGION", "us-east-1"),
            http_client=patience,
        )

    def read(self, name: str) -> bytes | None:
        """The whole object, or None where there is none."""
        with _s3_trouble(self.root):
            try:
                response = self.client.get_object(self.root.bucket, self._key(name))
            except S3Error as error:
                if error.code in ("NoSuchKey", "NoSuchObject"):
                    return None
                raise
            try:
                return bytes(response.read())
            finally:
                response.close()
                response.release_conn()

    def folders(self, name: str) -> list[str]:
        """Common prefixes directly below."""
        return [found for found, is_folder in self._below(name) if is_folder and not found.startswith(".")]

    def names(self, name: str) -> list[str]:
        """Objects directly below."""
        return [found for found, is_folder in self._below(name) if not is_folder]

    def write(self, name: str, data: bytes) -> None:
        """Put an object; S3 shows the old or the new one, never a part."""
        with _s3_trouble(self.root):
            self.client.put_object(self.root.bucket, self._key(name), io.BytesIO(data), len(data))

    def delete(self, name: str) -> None:
        """Remove an object; S3 says nothing where there is none."""
        with _s3_trouble(self.root):
            self.client.remove_object(self.root.bucket, self._key(name))

    def _below(self, name: str) -> Iterator[tuple[str, bool]]:
        prefix = f"{self._key(name)}/".lstrip("/")
        with _s3_trouble(self.root):
            for item in self.client.list_objects(self.root.bucket, prefix):
                yield item.object_name[len(prefix) :].rstrip("/"), item.is_dir

    def _key(self, name: str) -> str:
        return "/".join(part for part in (self.root.path, name) if part)


@contextlib.contextmanager
def _s3_trouble(root: Address) -> Iterator[None]:
    try:
        yield
    except S3Error as error:
        raise RemoteTrouble(f"S3 answered {error.code}: {error.message}", where=str(root)) from None
    except (urllib3.exceptions.HTTPError, MinioException) as error:
        raise RemoteTrouble(f"the S3 server does not answer ({type(error).__name__})", where=str(root)) from None

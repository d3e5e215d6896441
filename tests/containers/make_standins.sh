#!/bin/bash
# Make every image that cannot be pulled here, and say by which variables the build and the stack use them.
#   eval "$(tests/containers/make_standins.sh)"      then `make images`, `make up`
set -euo pipefail
cd "$(dirname "$0")"
python=nocturne-local/python:3.11-slim-bookworm debian=nocturne-local/debian:trixie-slim
postgres=nocturne-local/postgres:15 s3=nocturne-local/s3:ceph
./make_base.sh bookworm $python python3 python3-venv >&2
./make_base.sh trixie $debian >&2
docker build -q --build-arg BASE_IMAGE=$python -t $postgres standins/postgres >&2
docker build -q --build-arg BASE_IMAGE=$debian -t $s3 standins/s3 >&2
printf 'export %s\n' BASE_IMAGE=$python POSTGRES_IMAGE=$postgres S3_IMAGE=$s3

#!/bin/bash
# Make a local stand-in for a slim base image from Debian packages, for machines that reach no image registry.
#   make_base.sh SUITE TAG [PACKAGE...]      needs root, mmdebstrap and a Docker engine; does nothing when TAG is there
# The image trusts the certificate authorities that the host trusts; python is a venv at /usr/local, laid out like the
# official python images.
set -euo pipefail
suite=$1 tag=$2
shift 2
if docker image inspect "$tag" >/dev/null 2>&1; then exit 0; fi

packages=$(IFS=,; echo "ca-certificates,netbase,tzdata,usr-is-merged${*:+,$*}")
pip_conf='[global]\ncert = /etc/ssl/certs/ca-certificates.crt\ndisable-pip-version-check = true\nroot-user-action = ignore\n'
log=$(mktemp)
trap 'rm -f "$log"' EXIT
mmdebstrap --quiet --variant=minbase --hook-dir=/usr/share/mmdebstrap/hooks/merged-usr --include="$packages" \
  --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/info/*' \
  --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
  --dpkgopt='path-include=/usr/share/doc/*/copyright' \
  --aptopt='APT::Install-Recommends "false"' --aptopt='Acquire::Languages "none"' \
  --customize-hook='cp /usr/local/share/ca-certificates/*.crt "$1"/usr/local/share/ca-certificates/ 2>/dev/null || true' \
  --customize-hook='chroot "$1" update-ca-certificates' \
  --customize-hook="printf '$pip_conf' > \"\$1\"/etc/pip.conf" \
  --customize-hook='[ ! -e "$1"/usr/bin/python3 ] || chroot "$1" python3 -m venv /usr/local' \
  "$suite" - 2>"$log" \
  | docker import -c 'ENV PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin' -c 'ENV LANG=C.UTF-8' - "$tag" \
  || { echo "make_base.sh: could not make $tag from $suite:" >&2; tail -20 "$log" >&2; exit 1; }

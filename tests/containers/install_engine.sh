#!/bin/bash
# Install on Debian 12 what building and running the stack takes: Docker's engine, compose 2 and mmdebstrap.
# Compose 2 is only in the next Debian release; its package needs nothing else from there.
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends docker.io iptables mmdebstrap >/dev/null
if docker compose version >/dev/null 2>&1; then exit 0; fi

newer=/etc/apt/sources.list.d/newer pin=/etc/apt/preferences.d/newer
trap 'rm -f "$newer.sources" "$newer.list" "$pin"' EXIT
if own=$(grep -l '^Suites:.*bookworm' /etc/apt/sources.list.d/*.sources 2>/dev/null | head -1) && [ -n "$own" ]; then
  awk 'BEGIN{RS=""} NR==1' "$own" | sed 's/^Suites:.*/Suites: trixie/' > "$newer.sources"
else
  grep -m1 '^deb .*bookworm ' /etc/apt/sources.list | sed 's/bookworm/trixie/' > "$newer.list"
fi
printf 'Package: *\nPin: release n=trixie\nPin-Priority: 50\n' > "$pin"
apt-get update -qq
apt-get install -y -qq --no-install-recommends docker-compose/trixie docker-buildx/trixie >/dev/null

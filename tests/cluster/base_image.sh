#!/usr/bin/env bash
# Makes debian:bookworm-slim from Debian's own packages (no Docker Hub here) and loads it into Docker.
set -euo pipefail
: "${TAR:=/var/cache/base-bookworm.tar}"
export DEBIAN_FRONTEND=noninteractive
dpkg -s mmdebstrap >/dev/null 2>&1 || apt-get -q -y -o DPkg::Lock::Timeout=600 install --no-install-recommends mmdebstrap >/dev/null
# shellcheck disable=SC2016  # a variable of mmdebstrap
[ -s "$TAR" ] || mmdebstrap --quiet --variant=minbase --include=ca-certificates \
  --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
  --dpkgopt='path-include=/usr/share/doc/*/copyright' --customize-hook='rm -rf "$1"/var/lib/apt/lists/*' bookworm "$TAR"
docker image inspect debian:bookworm-slim >/dev/null 2>&1 || docker import --change 'CMD ["bash"]' "$TAR" debian:bookworm-slim

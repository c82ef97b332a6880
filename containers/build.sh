#!/usr/bin/env bash
# Builds the images, runs the health check of each, and prints their sizes; with Apptainer on PATH also a file of each
# under .gibbsflow/images, where the profiles apptainer and singularity look for them.
#
#   containers/build.sh [core|cuda|md|dft|ml]...    all where none is named
#
# BASE      base image (default debian:bookworm-slim)
# CA        certificates that the package registries need beyond Debian's own; a build secret, not kept in the image
# DOCKER    docker (20.10 or later, default) or podman
# REGISTRY  prefix of the images' names, as for --registry; PUSH=1 pushes them and leaves their digests in
#           .gibbsflow/images/published-VERSION.yml, a file for -params-file
# FORMATS   what is made: "docker apptainer" (the second only where there is Apptainer)
set -euo pipefail
cd "$(dirname "$0")/.."
: "${BASE:=debian:bookworm-slim}" "${DOCKER:=docker}" "${REGISTRY:=}" "${CA:=}" "${PUSH:=0}" "${FORMATS:=docker apptainer}"
export DOCKER_BUILDKIT=1
version=$(sed -n 's/^__version__ = "\(.*\)"/\1/p' python/src/gibbsflow/version.py)
prefix=${REGISTRY:+$REGISTRY/}gibbsflow-
files=${GIBBSFLOW_HOME:-.gibbsflow}/images
given=()
[[ -z $CA ]] || given=(--secret "id=ca,src=$CA")
# Podman's own format knows no health check
[[ $DOCKER != *podman ]] || given+=(--format docker)

# name, and what the build is given
build() {
  local name=$1
  shift
  echo "building $prefix$name:$version" >&2
  "$DOCKER" build --quiet --file "containers/$name/Dockerfile" --tag "$prefix$name:$version" "${given[@]}" "$@" . >/dev/null
}

# As tasks run it: not as root, with a file system that is read-only but for /tmp. What is run is the last instruction of
# each Dockerfile; engines differ in where an image's own copy of it is to be found.
check() {
  local name=$1 test
  test=$(sed -n '/^HEALTHCHECK/,$ { s/^HEALTHCHECK.* CMD //; p }' "containers/$name/Dockerfile")
  # shellcheck disable=SC2016  # for the container's shell
  "$DOCKER" run --rm --no-healthcheck --read-only --tmpfs /tmp:rw,exec,mode=1777 "$prefix$name:$version" \
    sh -c 'test "$(id -u)" != 0 && ! touch /usr/written 2>/dev/null && touch ~/written && '"$test" | sed 's/^/    /'
}

apptainer_file() {
  local target=$files/gibbsflow-$1-$version.img source=docker-daemon:$prefix$1:$version id
  type -P apptainer >/dev/null || { echo "    no Apptainer on PATH: no file for it" && return 0; }
  id=$("$DOCKER" image inspect --format '{{.Id}}' "$prefix$1:$version")
  if [[ ! -s $target || ! -s $target.id || $(<"$target.id") != "$id" ]]; then
    mkdir -p "$files"
    if [[ $DOCKER != *docker ]]; then
      source=docker-archive:$files/$1.tar
      "$DOCKER" save --output "$files/$1.tar" "$prefix$1:$version"
    fi
    apptainer --quiet build --force --mksquashfs-args '-comp zstd -Xcompression-level 1' "$target.partial" "$source"
    rm -f "$files/$1.tar"
    mv "$target.partial" "$target"
    printf '%s' "$id" >"$target.id"
  fi
  printf '    %s: %s GB\n' "$target" "$(size "$(stat -c %s "$target")")"
}

# The digest of each image that was pushed.
published() {
  local file=$files/published-$version.yml digest
  digest=$("$DOCKER" image inspect --format '{{range .RepoDigests}}{{println .}}{{end}}' "$prefix$1:$version" |
    grep -m 1 "^$prefix$1@sha256:")
  mkdir -p "$files"
  { [[ ! -s $file ]] || grep -v "^image_$1:" "$file" || true; } >"$file.partial"
  echo "image_$1: $digest" >>"$file.partial"
  mv "$file.partial" "$file"
  echo "    $digest"
}

size() { awk -v bytes="$1" 'BEGIN { printf "%.2f", bytes / 1e9 }'; }

images=("$@")
((${#images[@]})) || images=(core cuda md dft ml)
jobs=()
build environment --build-arg "BASE=$BASE"
for name in "${images[@]}"; do
  build "$name" --build-arg "ENVIRONMENT=${prefix}environment:$version" --build-arg "VERSION=$version"
  printf '%s: %s GB\n' "$prefix$name:$version" "$(size "$("$DOCKER" image inspect --format '{{.Size}}' "$prefix$name:$version")")"
  check "$name"
  if [[ $FORMATS == *apptainer* ]]; then
    # Apptainer compresses on one core, so the next image is built meanwhile
    apptainer_file "$name" &
    jobs+=($!)
  fi
  if [[ $PUSH == 1 ]]; then
    "$DOCKER" push --quiet "$prefix$name:$version"
    published "$name"
  fi
done
for job in "${jobs[@]}"; do wait "$job"; done

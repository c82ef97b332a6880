#!/usr/bin/env bash
# All of it on this machine, segment by segment: run-local.bash [FOLDER...]. Called again it goes on. What fails is tried
# with safer settings; where that fails too, the others are still run, and the code is 70.
[ -n "${BASH_VERSION:-}" ] || exec bash -- "$0" "$@" # called by another shell
set -euo pipefail
unset CDPATH # with it cd may print, and go elsewhere
home=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
cd -- "$home"
to_the_end() { # FOLDER COMMAND...
  local code place=$1 tries
  shift
  while :; do
    code=0
    bash "$@" || code=$?
    ((code == 0 || code == 70)) || exit "$code"
    [[ $code == 0 && -e $place/FINISHED ]] && return 0
    tries=0
    if [[ -s $place/attempts ]]; then tries=$(<"$place/attempts"); fi
    if ((code == 70 && tries >= 3)); then return 70; fi
  done
}
if [[ -e groupfile-001 ]]; then
  to_the_end . run-exchange.bash
  exit
fi
worst=0
if (($# == 0)); then mapfile -t folders <folders; else folders=("$@"); fi
for folder in "${folders[@]}"; do
  to_the_end "$folder" run-segment.bash "$folder" || worst=$?
done
exit "$worst"

#!/usr/bin/env bash
# One run of a folder, such as run-segment.bash window_03: the next in its file `steps`. One that was cut is done anew.
# FINISHED: all are done, in full. FAILED: the next call tries again with half the time step, three times in all; what
# failed is in attempt-NNN. Remove FAILED to begin again after that. AMBER_PROGRAM names another program.
# shellcheck disable=SC1091,SC2034,SC2154 # names that steps.bash shares
[ -n "${BASH_VERSION:-}" ] || exec bash -- "$0" "$@" # called by another shell
set -euo pipefail
unset CDPATH # with it cd may print, and go elsewhere
home=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
folder=${1:-}
. "$home/steps.bash"
[[ $folder =~ ^[a-z]+(_[0-9]+)?$ && -e $home/$folder/steps ]] || quit 65 "no folder with a file 'steps' beside this script"
cd -- "$home/$folder"
program=${AMBER_PROGRAM:-$(<"$home/program")}
hold
settle .
[[ -e FINISHED ]] && exit 0
if next_step; then
  redo_damaged .
  run_step
fi
if next_step; then exit 0; fi
point .
sentinel FINISHED "$(steps_done)" '' ''

#!/usr/bin/env bash
# The whole leg on this machine, segment by segment; stops at the first that fails, and goes on when it is called again.
set -euo pipefail
unset CDPATH # with it cd may print, and go elsewhere
home=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
cd -- "$home"
if [[ -e groupfile-001 ]]; then
  until [[ -e FINISHED ]]; do bash run-exchange.bash; done
else
  for window in window_*; do
    until [[ -e $window/FINISHED ]]; do bash run-window.bash "$window"; done
  done
fi

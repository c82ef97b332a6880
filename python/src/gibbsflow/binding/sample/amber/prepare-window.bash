#!/usr/bin/env bash
# Minimise, warm up and relax one window: prepare-window.bash window_NN. What is done is not done again.
# PMEMD names the program (pmemd.cuda).
set -euo pipefail
unset CDPATH # with it cd may print, and go elsewhere
window=${1:-}
[[ $window =~ ^window_[0-9]+$ ]] || { echo "prepare-window.bash: window_NN, not '$window'" >&2; exit 65; }
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/$window"
[[ -e relax.done ]] && exit 0
common=(-p ../topology.prmtop -inf mdinfo)
"${PMEMD:-pmemd.cuda}" -O -i minimise.in -c start.inpcrd -o minimise.out -r minimise.rst7 "${common[@]}"
"${PMEMD:-pmemd.cuda}" -O -i warm.in -c minimise.rst7 -o warm.out -r warm.rst7 "${common[@]}"
"${PMEMD:-pmemd.cuda}" -O -i relax.in -c warm.rst7 -o relax.out -r md-000.rst7 "${common[@]}"
if ! grep -q '^   5\.  TIMINGS' relax.out || grep -q 'EPtot.*NaN' relax.out; then
  echo "$window: relax.out is not whole" >&2
  exit 70
fi
ln -sfn md-000.rst7 md-current.rst7
touch relax.done

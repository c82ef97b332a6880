#!/usr/bin/env bash
# One segment of one window: run-window.bash window_NN. Called again it goes on; a segment that was cut is done anew.
# FINISHED: all segments are there. FAILED: three attempts of a segment failed; remove it, and md-NNN.attempts, to try again.
set -euo pipefail
unset CDPATH # with it cd may print, and go elsewhere
window=${1:-}
[[ $window =~ ^window_[0-9]+$ ]] || { echo "run-window.bash: window_NN, not '$window'" >&2; exit 65; }
home=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
cd -- "$home/$window"
exec 9>.lock
flock -n 9 || { echo "$window: another run holds it" >&2; exit 75; }
[[ -e FINISHED ]] && exit 0
[[ -e FAILED ]] && { echo "$window: FAILED" >&2; exit 70; }

attempt() { # of a stage: counts, and gives up after three
  local tries=0
  [[ -s $1.attempts ]] && tries=$(<"$1.attempts")
  [[ $tries =~ ^[0-9]+$ ]] || tries=0
  echo $((tries + 1)) >"$1.attempts"
  (( tries < 3 )) || { echo "$1: three attempts failed" >FAILED; echo "$window: $(<FAILED)" >&2; exit 70; }
}

if [[ ! -e relax.done ]]; then
  attempt relax
  bash "$home/prepare-window.bash" "$window"
fi
inputs=(md-[0-9][0-9][0-9].in)
count=${#inputs[@]}
for ((n = 1; n <= count; n++)); do
  printf -v this 'md-%03d' "$n"
  [[ -e $this.done ]] || break
done
if ((n <= count)); then
  printf -v before 'md-%03d' "$((n - 1))"
  attempt "$this"
  "${PMEMD:-pmemd.cuda}" -O -i "$this.in" -p ../topology.prmtop -c "$before.rst7" \
    -o "$this.out" -r "$this.rst7" -x "$this.nc" -inf mdinfo || { echo "$window: $this failed" >&2; exit 70; }
  grep -q '^   5\.  TIMINGS' "$this.out" && ! grep -q 'EPtot.*NaN' "$this.out" && [[ -s $this.rst7 ]] ||
    { echo "$window: $this is not whole" >&2; exit 70; }
  touch "$this.done"
  ln -sfn "$before.rst7" md-previous.rst7
  ln -sfn "$this.rst7" md-current.rst7
  ((n < 2)) || { printf -v older 'md-%03d' "$((n - 2))"; rm -f "$older.rst7"; }
  echo "$window: segment $n of $count"
fi
((n < count)) || echo "{\"segments\": $count}" >FINISHED

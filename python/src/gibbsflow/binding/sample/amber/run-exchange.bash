#!/usr/bin/env bash
# One segment of all windows, which exchange λ: run-exchange.bash. Called again it goes on.
# PMEMD_MPI names the program (pmemd.cuda.MPI), MPIRUN what starts it (mpirun).
set -euo pipefail
unset CDPATH # with it cd may print, and go elsewhere
home=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
cd -- "$home"
exec 9>.lock
flock -n 9 || { echo "another run holds this leg" >&2; exit 75; }
[[ -e FINISHED ]] && exit 0
[[ -e FAILED ]] && { echo "FAILED" >&2; exit 70; }
windows=(window_*)
for window in "${windows[@]}"; do bash "$home/prepare-window.bash" "$window"; done
groups=(groupfile-[0-9][0-9][0-9])
count=${#groups[@]}
for ((n = 1; n <= count; n++)); do
  printf -v this '%03d' "$n"
  [[ -e md-$this.done ]] || break
done
if ((n <= count)); then
  tries=0
  [[ -s md-$this.attempts ]] && tries=$(<"md-$this.attempts")
  [[ $tries =~ ^[0-9]+$ ]] || tries=0
  echo $((tries + 1)) >"md-$this.attempts"
  ((tries < 3)) || { echo "segment $n: three attempts failed" >FAILED; exit 70; }
  "${MPIRUN:-mpirun}" -np "${#windows[@]}" "${PMEMD_MPI:-pmemd.cuda.MPI}" -ng "${#windows[@]}" \
    -groupfile "groupfile-$this" -rem 3 -remlog "rem-$this.log" || { echo "segment $n failed" >&2; exit 70; }
  for window in "${windows[@]}"; do
    out=$window/md-$this.out
    grep -q '^   5\.  TIMINGS' "$out" && ! grep -q 'EPtot.*NaN' "$out" && [[ -s $window/md-$this.rst7 ]] ||
      { echo "$out is not whole" >&2; exit 70; }
  done
  touch "md-$this.done"
  printf -v before '%03d' "$((n - 1))"
  for window in "${windows[@]}"; do
    ln -sfn "md-$before.rst7" "$window/md-previous.rst7"
    ln -sfn "md-$this.rst7" "$window/md-current.rst7"
    ((n < 2)) || { printf -v older '%03d' "$((n - 2))"; rm -f "$window/md-$older.rst7"; }
  done
  echo "segment $n of $count"
fi
((n < count)) || echo "{\"segments\": $count}" >FINISHED

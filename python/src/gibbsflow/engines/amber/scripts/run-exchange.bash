#!/usr/bin/env bash
# One segment of all windows, which exchange λ: run-exchange.bash. Called again it goes on; the first call prepares them.
# Sentinels as of run-segment.bash, for all windows together. AMBER_PROGRAM, AMBER_MPI_PROGRAM and MPIRUN name programs.
# shellcheck disable=SC1091,SC2034,SC2154 # names that steps.bash shares
[ -n "${BASH_VERSION:-}" ] || exec bash -- "$0" "$@" # called by another shell
set -euo pipefail
unset CDPATH # with it cd may print, and go elsewhere
home=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
folder=$(basename -- "$home")
. "$home/steps.bash"
cd -- "$home"
program=${AMBER_PROGRAM:-$(<program)}
mpi_program=${AMBER_MPI_PROGRAM:-$program.MPI}
hold
windows=(window_*)
settle . "${windows[@]}"
[[ -e FINISHED ]] && exit 0
prepare() { # WINDOW: all that it runs for itself, anew from where a restart was cut short since
  cd -- "$1"
  folder=$1
  next_step || true
  redo_damaged .
  while next_step; do run_step ..; done
}
if next_step; then
  redo_damaged "${windows[@]}"
  if [[ $before == start.inpcrd ]]; then # the first segment, which starts from the preparation
    for window in "${windows[@]}"; do (prepare "$window"); done
  fi
  group=$(<"groupfile-${name#md-}")
  if ((attempt > 1)); then
    for window in "${windows[@]}"; do input_of "$window/$name" >/dev/null; done
    group=${group//"/$name.in "/"/$name.attempt-$attempt "}
  fi
  put "$name.group" "$group"
  run "$name.log" "${MPIRUN:-mpirun}" -np "${#windows[@]}" "$mpi_program" -ng "${#windows[@]}" \
    -groupfile "$name.group" -rem 3 -remlog "rem-${name#md-}.log"
  for window in "${windows[@]}"; do
    one=$window/$name
    [[ -e $one.attempt-$attempt ]] && input=$one.attempt-$attempt || input=$one.in
    wrong=$(fault "$input" "$one.out" "$one.rst7")
    [[ -n $wrong ]] || continue
    check_taken "$mpi_program" "$one.out" "$name.log"
    failed "$one: $wrong; $(said "$one.out" "$name.log")"
  done
  put "$name.done" "$((steps * ${#windows[@]})) $(total_length "$name.rst7" "${windows[@]}")"
  point "${windows[@]}"
  for window in "${windows[@]}"; do
    [[ $older == start.inpcrd || -z $older ]] || rm -f -- "$window/$older"
  done
  echo "$name is done"
fi
if next_step; then exit 0; fi
point "${windows[@]}"
sentinel FINISHED "$(steps_done)" '' ''

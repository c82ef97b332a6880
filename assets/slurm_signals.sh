# Sourced by Nextflow's wrapper of a SLURM job (process.beforeScript), which is the only process that SLURM warns before the
# time limit (USR1) and asks to end (TERM: scancel, preemption, TIMEOUT). By itself the wrapper would end everything below it
# at once and report a kill. Here the signal goes to the processes that save their state on it, inside a container too; their
# exit code (75: state saved, go on) becomes the job's. Where none does, TERM is handled as before.
# shellcheck shell=bash

# Python processes below $1 that catch signal number $2.
gibbsflow_savers() {
  local -A below=([$1]=1)
  local child parent name caught
  while read -r child parent name; do
    [[ -n ${below[$parent]:-} ]] || continue
    below[$child]=1
    caught=$(sed -n 's/^SigCgt:\s*//p' "/proc/$child/status" 2>/dev/null) || continue
    [[ $name == python* && $((0x${caught:-0} >> ($2 - 1) & 1)) == 1 ]] && echo "$child"
  done < <(ps -e -o pid= -o ppid= -o comm= --sort=start_time)
  return 0
}

gibbsflow_end() {
  local number=$1 savers
  trap '' USR1
  set +e
  mapfile -t savers < <(gibbsflow_savers "${pid:-$$}" "$number")
  if ((number == 15)); then
    trap '' TERM
    ((${#savers[@]})) || on_term
  fi
  ((${#savers[@]})) && kill "-$number" "${savers[@]}"
  [[ -n ${pid:-} ]] || exit 143
  while kill -0 "$pid" 2>/dev/null; do
    wait "$pid"
    nxf_main_ret=$?
  done
  nxf_unstage
  exit "$nxf_main_ret"
}

trap 'gibbsflow_end 10' USR1
trap 'gibbsflow_end 15' TERM

# Why a task was killed. Two uses:
#
#   sourced by Nextflow's wrapper of each task (process.beforeScript, conf/base.config): leaves .oom in the task's folder where
#   the kernel killed a process of its cgroup for want of memory;
#   run on the head once a task was killed (process.errorStrategy): bash kill_cause.sh FOLDER JOB RAN_S ALLOWED_S [again]
#   prints three lines: the cause in SLURM's words, nothing where it is not known; memory or time, where that was short; and what
#   that means for the next attempt. The second line is also left as .short, for the next attempt's resources. `again` says that
#   the attempt before was killed, too.
# shellcheck shell=bash

# How often the kernel has killed for want of memory in the cgroup of this process.
gibbsflow_oom_kills() {
  local controllers path files=()
  while IFS=: read -r _ controllers path; do
    case ,$controllers, in
      ,,) files+=("/sys/fs/cgroup$path/memory.events" "/sys/fs/cgroup/unified$path/memory.events") ;;
      *,memory,*) files+=("/sys/fs/cgroup/memory$path/memory.oom_control") ;;
    esac
  done </proc/self/cgroup
  sed -sn 's/^oom_kill //p' "${files[@]}" 2>/dev/null | sort -rn | head -n 1
}

# At the end of the wrapper, whose code it returns.
gibbsflow_note_oom() {
  local code=$?
  [[ $(gibbsflow_oom_kills) == "$2" ]] || : >"$1/.oom"
  return $code
}

# State of a SLURM job, in its words; it may be about to end still.
gibbsflow_job_state() {
  local state='' turn
  for turn in {1..20}; do
    state=$(timeout 10 scontrol show job -o "$1" 2>/dev/null | grep -oE '\bJobState=[A-Z_]+' | head -n 1)
    [[ -n $state ]] || state=$(timeout 10 sacct -X -n -P -o State -j "$1" 2>/dev/null | head -n 1)
    state=${state#JobState=} state=${state%% *}
    [[ $state =~ ^(PENDING|RUNNING|COMPLETING|SUSPENDED|STOPPED|SIGNALING)$ && $turn != 20 ]] || break
    sleep 0.5
  done
  echo "$state"
}

gibbsflow_kill_cause() {
  local folder=$1 job=$2 ran_s=$3 allowed_s=$4 again=$5 cause='' said short='' next=''
  if [[ $job =~ ^[0-9]+(_[0-9]+)?$ ]] && { [[ $job == *_* ]] || grep -qs '^#SBATCH ' "$folder/.command.run"; }; then
    cause=$(gibbsflow_job_state "$job")
  fi
  if [[ ! $cause =~ ^(OUT_OF_MEMORY|TIMEOUT|DEADLINE|CANCELLED|PREEMPTED|NODE_FAIL|BOOT_FAIL|REVOKED)$ ]]; then
    cause=
    said=$(grep -sE '^(slurmstepd|srun)[^:]*: error: ' "$folder/.command.log")
    case $said in
      *oom?kill* | *OOM\ Killed* | *xceeded\ *memory\ limit*) cause=OUT_OF_MEMORY ;;
      *DUE\ TO\ TIME\ LIMIT*) cause=TIMEOUT ;;
      *DUE\ TO\ PREEMPTION*) cause=PREEMPTED ;;
      *DUE\ TO\ NODE\ FAILURE*) cause=NODE_FAIL ;;
      *CANCELLED\ AT*) cause=CANCELLED ;;
    esac
    [[ -z $cause && -e $folder/.oom ]] && cause=OUT_OF_MEMORY
    [[ -z $cause ]] && ((allowed_s > 0 && ran_s * 20 >= allowed_s * 19)) && cause=TIMEOUT
  fi
  case $cause in
    OUT_OF_MEMORY) short=memory next='again with twice the memory' ;;
    TIMEOUT | DEADLINE) short=time next='again with twice the time' ;;
    '') next='why is not known: the same once more' ;;
    *) next='the same once more' ;;
  esac
  [[ -z $cause && -n $again ]] && short=time next='why is not known, for the second time: again with twice the time'
  printf '%s' "$short" >"$folder/.short"
  printf '%s\n' "$cause" "$short" "$next"
}

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then
  gibbsflow_kill_cause "$1" "${2:-}" "${3:-0}" "${4:-0}" "${5:-}"
else
  gibbsflow_task=("$PWD" "$(gibbsflow_oom_kills)") # a scratch folder may lie elsewhere
  # on_exit is the wrapper's, and looks at the code; a failing command would end the trap where `set -e` is in force
  trap 'if gibbsflow_note_oom "${gibbsflow_task[@]}"; then on_exit; else on_exit; fi' EXIT
fi

#!/usr/bin/env bash
# Stands in for SLURM's commands, by the name that it is called by: jobs run on this machine, each as it is submitted.
# $STAND_IN_SLURM holds what there is of a job: N.sbatch (its script), N.dir, N.pid, N.state (what scontrol shall say of it).
set -u
home=$PWD
cd "$STAND_IN_SLURM" || exit 1
case ${0##*/} in
  sbatch)
    exec 9>>lock && flock 9
    number=$(($(find . -name '*.sbatch' | wc -l) + 100))
    cp "$home/${!#}" "$number.sbatch" 2>/dev/null || cp "${!#}" "$number.sbatch"
    echo "$home" >"$number.dir"
    (cd "$home" && SLURM_JOB_ID=$number exec setsid bash "$STAND_IN_SLURM/$number.sbatch" </dev/null >"$home/.command.log" 2>&1 9>&-) &
    echo $! >"$number.pid"
    echo "Submitted batch job $number"
    ;;
  squeue)
    for file in *.dir; do
      number=${file%.dir}
      # one that has ended and that nobody has waited for counts as ended
      grep -qs '^State:.[^Z]' "/proc/$(cat "$number.pid" 2>/dev/null)/status" || continue
      case $* in
        *'%A|%Z'*) echo "$number|$(cat "$file")" ;;
        *--jobs*) [[ ,$*, != *[,\ ]"$number"[,\ ]* ]] || echo "$number" ;;
        *) echo "$number R" ;;
      esac
    done
    ;;
  scancel)
    for number; do
      [[ $number =~ ^[0-9]+$ ]] && echo "$number" >>cancelled && kill -TERM "-$(cat "$number.pid")" 2>/dev/null
    done
    ;;
  scontrol)
    [[ -e $4.state ]] && echo "JobId=$4 JobState=$(cat "$4.state")"
    ;;
esac
exit 0

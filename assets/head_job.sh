#!/usr/bin/env bash
#SBATCH --job-name=gibbsflow-head
#SBATCH --cpus-per-task=1
#SBATCH --mem=4G
#SBATCH --time=24:00:00
#SBATCH --signal=B:USR1@600
#SBATCH --open-mode=append
#SBATCH --output=head.log
# The head of a campaign as a SLURM job. In the launch folder, with the checkout's path and the run's own options:
#
#   sbatch --export=ALL,GIBBSFLOW_CHECKOUT=/path/to/gibbsflow /path/to/gibbsflow/assets/head_job.sh \
#       -profile slurm,apptainer --input ligands.csv --receptor host.sdf --outdir results
#
# Ten minutes before its time is up it ends the run, whose tasks save their state, and submits itself anew: -resume goes on.
set -uo pipefail
checkout=${GIBBSFLOW_CHECKOUT:?set GIBBSFLOW_CHECKOUT to the folder of the checkout}
head='' next=no

# jobs of the run are to ask for what they need, not for what this one has
for name in ${!SLURM_MEM_@} ${!SLURM_TRES_@} ${!SBATCH_@} SLURM_CPUS_PER_TASK SLURM_NTASKS SLURM_EXPORT_ENV; do unset "$name"; done
export NXF_ANSI_LOG=false NXF_OPTS=${NXF_OPTS:--Xmx3g}

# shellcheck disable=SC2329  # by the traps
end() {
  next=$1
  [[ -z $head ]] || kill -TERM "$head"
}
trap 'end yes' USR1
trap 'end no' TERM INT

"$checkout/nextfloww" run "$checkout/main.nf" "$@" -resume &
head=$!
wait "$head"
code=$?
# a signal ends the first wait; the run ends later
while kill -0 "$head" 2>/dev/null; do
  wait "$head"
  code=$?
done
if [[ $next == yes ]]; then
  exec sbatch --dependency="afterany:$SLURM_JOB_ID" "$checkout/assets/head_job.sh" "$@"
fi
exit "$code"

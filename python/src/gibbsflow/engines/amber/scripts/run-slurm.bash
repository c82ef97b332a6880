#!/usr/bin/env bash
# sbatch --array=0-LAST run-slurm.bash: one task for each line of the file `folders`, from 0; where there is none (windows
# that exchange) sbatch run-slurm.bash. Time, partition and modules are the site's: options of sbatch. Submitted again it
# goes on.
#SBATCH --job-name=gibbsflow-amber
#SBATCH --gres=gpu:1
#SBATCH --requeue
set -euo pipefail
unset CDPATH # with it cd may print, and go elsewhere
cd -- "${SLURM_SUBMIT_DIR:?submit it with sbatch from the folder that it lies in}"
[[ -e folders ]] || exec bash run-local.bash
mapfile -t folders <folders
exec bash run-local.bash "${folders[${SLURM_ARRAY_TASK_ID:?--array=0-$((${#folders[@]} - 1))}]}"

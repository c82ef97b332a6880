#!/usr/bin/env bash
# sbatch --array=0-LAST run-slurm.bash of a leg without exchange (LAST: its last window), else sbatch run-slurm.bash.
# Time, partition and modules are the site's: options of sbatch. Submitted again it goes on.
#SBATCH --job-name=gibbsflow-amber
#SBATCH --gres=gpu:1
#SBATCH --requeue
set -euo pipefail
unset CDPATH # with it cd may print, and go elsewhere
cd -- "${SLURM_SUBMIT_DIR:?submit it with sbatch from the folder of the leg}"
if [[ -e groupfile-001 ]]; then
  until [[ -e FINISHED ]]; do bash run-exchange.bash; done
else
  printf -v window 'window_%02d' "${SLURM_ARRAY_TASK_ID:?--array=0-LAST}"
  until [[ -e $window/FINISHED ]]; do bash run-window.bash "$window"; done
fi

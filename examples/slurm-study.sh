#!/bin/bash
# Four tasks of SLURM compute the cells of one study, each a part of the texts that is its own:
#   sbatch slurm-study.sh study.yaml
# Afterwards, `spanbridge study study.yaml` finds all cells done and writes the report.
#SBATCH --job-name=study
#SBATCH --array=1-4
#SBATCH --cpus-per-task=8
#SBATCH --mem=16G
#SBATCH --time=12:00:00
#SBATCH --requeue
#SBATCH --output=%x-%A-%a.log
set -eu
if [ -d .venv ]; then . .venv/bin/activate; fi
spanbridge study "$1" --shard "$SLURM_ARRAY_TASK_ID/$SLURM_ARRAY_TASK_COUNT" \
    --workers "$SLURM_CPUS_PER_TASK" --quiet

#!/bin/bash
# Twenty tasks of SLURM label one file together:
#   sbatch slurm.sh posts.txt posts.jsonl
# All take the next shard that is missing, out of posts.jsonl.work, which lies on a file system that
# the nodes share. A task that is killed, or comes late, costs a shard at most; tasks that find
# nothing left to do end. To go on after the time limit, submit the same again.
#SBATCH --job-name=label
#SBATCH --array=1-20
#SBATCH --cpus-per-task=8
#SBATCH --mem=12G
#SBATCH --time=04:00:00
#SBATCH --requeue
#SBATCH --output=%x-%A-%a.log
set -eu
if [ -d .venv ]; then . .venv/bin/activate; fi
spanbridge label "$1" -o "$2" --from es --workers "$SLURM_CPUS_PER_TASK" \
    --quiet --log "$2.$SLURM_ARRAY_TASK_ID.log.jsonl"

#!/bin/bash
# Label many posts on a laptop over night, on mains only and behind all other work:
#   bash overnight.sh posts.txt posts.jsonl
# On battery the run is stopped; on mains it goes on from the shard that it was at, and so does the
# same command in the next night. WORKERS=2 takes two processes (default: half of the cores).
set -eum
input=$1 output=$2
cores=$(getconf _NPROCESSORS_ONLN)
workers=${WORKERS:-$(((cores + 1) / 2))}
supplies=${SUPPLIES:-/sys/class/power_supply} pause=${PAUSE:-30}

on_battery() {
    if command -v pmset >/dev/null; then # macOS
        pmset -g batt | grep -q "'Battery Power'"
        return
    fi
    for one in "$supplies"/*; do
        if [ "$(cat "$one/type" 2>/dev/null)" = Mains ] && [ "$(cat "$one/online")" = 0 ]; then
            return 0
        fi
    done
    return 1
}

# the laptop stays awake meanwhile, where there is something that keeps it so
awake=()
if command -v caffeinate >/dev/null; then
    awake=(caffeinate -i)
elif systemd-inhibit true 2>/dev/null; then
    awake=(systemd-inhibit --what=idle:sleep --who=spanbridge --why="labels $input")
fi

tries=0
while [ $tries -lt 5 ]; do
    while on_battery; do sleep "$pause"; done
    ${awake[@]+"${awake[@]}"} nice -n 19 spanbridge label "$input" -o "$output" --from es \
        --workers "$workers" --log "$output.log.jsonl" &
    run=$! unplugged=
    while kill -0 -- -$run 2>/dev/null; do
        if on_battery; then
            unplugged=yes
            kill -- -$run # all processes that belong to it
            break
        fi
        sleep "$pause"
    done
    code=0
    wait $run || code=$?
    if [ $code -eq 0 ] || [ $code -eq 2 ]; then # 2: the request is wrong
        exit $code
    fi
    [ -n "$unplugged" ] || tries=$((tries + 1))
done
exit $code

#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Subshells, pipelines, substitutions, jobs, traps and coprocesses: some hundred forks.
total=0
for i in $(seq 1 40); do
    total=$((total + $(echo "$i" | (read -r n; echo $((n * 2)))) ))
done
echo "total $total"
for i in 1 2 3 4 5 6 7 8; do
    (exit "$i") &
    pids[i]=$!
done
for i in 1 2 3 4 5 6 7 8; do
    wait "${pids[i]}"
    echo "job $i: $?"
done
diff <(seq 1 50 | sort -rn | head -n 5) <(seq 46 50 | tac) && echo same
coproc upper { while read -r line; do echo "${line^^}"; done; }
echo word >&"${upper[1]}"
read -r answer <&"${upper[0]}"
echo "$answer"
eval "exec ${upper[1]}>&-"
wait
trap 'echo trapped' USR1
kill -USR1 $$
(
    trap 'echo left' EXIT
    (kill -TERM "$BASHPID")
    echo "ended by $?"
)
exec 3<<<"here"
cat <&3
ls /proc/self/fd | wc -l
set -o pipefail
false | true
echo "pipe $?"
exec bash -c 'echo last; exit 5'

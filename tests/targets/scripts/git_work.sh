#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Makes a repository in the current folder, with fixed names and dates, so that every object has the same id each time.
set -eu
export GIT_CONFIG_NOSYSTEM=1 HOME="$PWD" GIT_AUTHOR_NAME=A GIT_AUTHOR_EMAIL=a@example.org GIT_COMMITTER_NAME=A \
    GIT_COMMITTER_EMAIL=a@example.org LC_ALL=C
git init -q -b main first
cd first
i=0
while [ $i -lt 12 ]; do
    i=$((i + 1))
    export GIT_AUTHOR_DATE="2020-01-01T00:00:$((i + 10))Z" GIT_COMMITTER_DATE="2020-01-01T00:00:$((i + 10))Z"
    printf 'line %s\n' $i >>text
    seq 1 $((i * 100)) >"numbers $i"
    git add .
    git commit -q -m "Commit $i"
done
git checkout -q -b side HEAD~3
printf 'side\n' >side
git add side
git commit -q -m Side
git checkout -q main
git merge -q -m Merge side
cd ..
git clone -q --no-local first second
cd second
git log --format='%H %s' --stat | tail -n 30
git gc -q --aggressive --prune=now
git fsck --full
git repack -q -a -d
git blame text | head -n 3
git grep -c line
git diff --shortstat HEAD~5
git archive HEAD | sha256sum
git checkout -q no-such-branch || echo "as it should: $?"

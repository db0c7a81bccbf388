#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Writes a small C project into the current folder, builds it with make -j2, twice, and runs it.
set -eu
for i in 1 2 3 4 5 6 7 8 9 10; do
    printf '#include "all.h"\nint part_%s(int n) { char text[64]; snprintf(text, sizeof text, "%%d", n * %s); return atoi(text); }\n' \
        "$i" "$i" >"part_$i.c"
done
{
    echo '#include <stdio.h>'
    echo '#include <stdlib.h>'
    for i in 1 2 3 4 5 6 7 8 9 10; do echo "int part_$i(int n);"; done
} >all.h
{
    echo '#include "all.h"'
    echo 'int main(void) { int sum = 0;'
    for i in 1 2 3 4 5 6 7 8 9 10; do echo "sum += part_$i(3);"; done
    printf '%s\n' 'printf("sum %d\n", sum); return 0; }'
} >main.c
cat >Makefile <<'EOF'
objects := $(patsubst %.c,%.o,$(sort $(wildcard *.c)))
program: $(objects)
	@$(CC) -o $@ $^
%.o: %.c all.h
	@$(CC) -O1 -c -o $@ $<
broken: missing.c
	@$(CC) -o $@ $<
EOF
make -s -j2 program
./program
touch all.h
make -s -j2
./program
make -s broken || echo "as it should: $?"

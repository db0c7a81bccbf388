#!/usr/bin/perl
# SPDX-License-Identifier: GPL-3.0-or-later
# Children by fork, by pipes and by system; signals; what they return.
use strict;
use warnings;

my %wanted;
for my $i (1 .. 40) {
    my $pid = fork();
    die "fork: $!" unless defined $pid;
    if ($pid == 0) {
        my @list = map { "x" x $_ } 1 .. 500;
        exit(@list == 500 ? $i : 99);
    }
    $wanted{$pid} = $i;
}
my $right = 0;
while ((my $pid = wait()) > 0) {
    $right++ if $? >> 8 == $wanted{$pid};
}
print "children $right\n";

my $sum = 0;
for my $i (1 .. 10) {
    open(my $from, '-|', "echo $i; exit $i") or die "pipe: $!";
    $sum += <$from>;
    close($from);
    $sum += $? >> 8;
}
print "pipes $sum\n";
print "system ", system("sh -c 'exit 3'") >> 8, "\n";
print "output ", `printf '%s' text | rev`, "\n";
my $signals = 0;
local $SIG{USR1} = sub { $signals++; my @allocated = (1) x 1000; };
kill 'USR1', $$ for 1 .. 100;
print "signals $signals\n";
$| = 1;
local $SIG{CHLD} = 'IGNORE';
print "missing ", (!-e '/no/such/program' && system('/no/such/program 2>/dev/null') != 0 ? "not found" : "found"), "\n";
exec('sh', '-c', 'exit 6');

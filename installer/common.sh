# SPDX-License-Identifier: GPL-3.0-or-later
# What the scripts of this folder share. Sourced by them; does nothing by itself.

# The root of the checkout that the running script belongs to.
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)

say() { printf '%s\n' "${0##*/}: $*" >&2; }

fail() {
    say "$*"
    exit 1
}

# Goes on as the owner of the checkout when root runs the script in somebody else's, so that nothing there becomes root's.
# Usage: as_owner_of_the_checkout "$@"
as_owner_of_the_checkout() {
    owner=$(stat -c %u "$root")
    [ "$(id -u)" = 0 ] && [ "$owner" != 0 ] || return 0
    home=$(getent passwd "$owner" | cut -d: -f6)
    export HOME="${home:-$root/build/home}" XDG_RUNTIME_DIR="/run/user/$owner"
    [ -d "$XDG_RUNTIME_DIR" ] || unset XDG_RUNTIME_DIR
    exec setpriv --reuid "$owner" --regid "$(stat -c %g "$root")" --clear-groups "$0" "$@"
}

# Usage: configure PRESET
configure() {
    say "configuring build/$1"
    (cd "$root" && cmake --preset "$1" >"$(log_of "$1")" 2>&1) || fail "cmake --preset $1 failed:
$(tail -n 30 "$(log_of "$1")")"
}

# Configures a preset where that was not done, and builds. Usage: build PRESET [TARGET…]
build() {
    preset=$1
    shift
    [ -f "$root/build/$preset/build.ninja" ] || configure "$preset"
    say "building build/$preset"
    cmake --build "$root/build/$preset" --parallel "$(nproc)" ${1:+--target "$@"} >&2
}

log_of() {
    mkdir -p "$root/build/$1"
    echo "$root/build/$1/configure.log"
}

# SPDX-License-Identifier: GPL-3.0-or-later
# Completion of genprof and genesis-profiler for bash, and for zsh after `autoload bashcompinit; bashcompinit`.
#
# What there is to complete is read from `--help`, so it is always that of the installed program.

# The help of these words, each option or argument with its whole text on one line.
_genprof_help() {
    "${COMP_WORDS[0]}" "$@" --help 2> /dev/null | awk '
        /^  [^ ]/ { if (text != "") print text; text = $0; next }
        /^   / { if (text != "") { sub(/^ +/, " "); text = text $0 }; next }
        { if (text != "") print text; text = ""; print }
        END { if (text != "") print text }'
}

# Names of the commands that a help on standard input lists.
_genprof_commands() { awk '/^[^ ]/ { isList = ($0 == "Subcommands:") } isList && /^  [a-z]/ { print $1 }'; }

# Names of its options.
_genprof_options() { awk '/^  -/ { count = split($1, names, ","); for (i = 1; i <= count; ++i) print names[i] }'; }

# What it says behind this option or argument: its kind of value, and its text.
_genprof_line_of() {
    awk -v name="$1" '/^  / {
        count = split($1, names, ",")
        for (i = 1; i <= count; ++i)
            if (names[i] == name) { sub(/^ +[^ ]+ +/, ""); print; exit }
    }'
}

# Whether such a text begins with a kind of value: "FILE", "HZ|off", "full|sampled[=BYTES]", but not "Print".
_genprof_has_kind() { [[ ${1%% *} =~ ^[A-Z][A-Z:/=]*$ || ${1%% *} == *'|'* ]]; }

# The words that such a text offers: "a|b[=N]|c" or "Kind: a (default), b TEXT, or c; ...".
_genprof_values() {
    local line="$1" kind="${1%% *}"
    if [[ $kind == *'|'* && $kind == [a-z]* ]]; then
        sed -E 's/\[[^]]*\]//g; s/\|/\n/g' <<< "$kind"
        return
    fi
    sed -E 's/^[A-Z]+ +//; s/\([^)]*\)//g; s/^[^:;,]*: //; s/;.*//; s/:.*//; s/, or /, /; s/ or /, /; s/, */\n/g' <<< "$line" \
        | awk '/^[a-z][a-z_-]*( [A-Z]+)? *$/ || /^mode / { print $1 }'
}

# Offers what of the words on standard input begins like the word to be completed.
_genprof_offer() { mapfile -t COMPREPLY < <(compgen -W "$(cat)" -- "$1"); }

# Session files under the word, and folders that may hold some; any file where there are none.
_genprof_sessions() {
    mapfile -t COMPREPLY < <(compgen -f -X '!*.gprof-session' -- "$1"; compgen -d -- "$1")
    ((${#COMPREPLY[@]} > 0)) || mapfile -t COMPREPLY < <(compgen -f -- "$1")
    compopt -o filenames 2> /dev/null
}

_genprof_files() {
    mapfile -t COMPREPLY < <(compgen -f -- "$1")
    compopt -o filenames 2> /dev/null
}

_genprof() {
    local word="${COMP_WORDS[COMP_CWORD]}" before="${COMP_WORDS[COMP_CWORD - 1]}" help option i
    local -a command=() given=()
    COMPREPLY=()

    # Which command it is, and what stands behind it; behind "--" stands a command of the user's.
    for ((i = 1; i < COMP_CWORD; ++i)); do
        if [[ ${COMP_WORDS[i]} == -- ]]; then
            if declare -F _command_offset > /dev/null; then
                _command_offset $((i + 1))
            elif ((i + 1 == COMP_CWORD)); then
                mapfile -t COMPREPLY < <(compgen -c -- "$word"; compgen -f -- "$word")
            else
                _genprof_files "$word"
            fi
            return
        fi
        if [[ ${COMP_WORDS[i]} == -* ]]; then
            continue
        elif ((${#command[@]} == 0)) || [[ ${command[*]} == baseline ]]; then
            command+=("${COMP_WORDS[i]}")
        elif [[ ${COMP_WORDS[i - 1]} != -* ]]; then
            given+=("${COMP_WORDS[i]}")
        elif ! _genprof_has_kind "$(_genprof_help "${command[@]}" | _genprof_line_of "${COMP_WORDS[i - 1]}")"; then
            given+=("${COMP_WORDS[i]}")
        fi
    done

    help=$(_genprof_help "${command[@]}")
    if [[ $word == -* ]]; then
        _genprof_offer "$word" < <(_genprof_options <<< "$help")
        return
    fi
    if [[ $before == -* ]]; then
        option=$(_genprof_line_of "$before" <<< "$help")
        case "${option%% *}" in
        FILE | FILE\|* | OUT | DIR | FOLDER | PATH) _genprof_files "$word" && return ;;
        VIEW | COST | FORMAT | [a-z]*\|*) _genprof_offer "$word" < <(_genprof_values "$option") && return ;;
        *) _genprof_has_kind "$option" && return ;; # a number, a time, a name: nothing to offer
        esac
    fi

    case "${command[*]}" in
    '' | baseline) _genprof_offer "$word" < <(_genprof_commands <<< "$help") ;;
    attach | doctor) ((${#given[@]} > 0)) || _genprof_offer "$word" < <(ps -u "$(id -u)" -o pid= 2> /dev/null) ;;
    ctl)
        case ${#given[@]} in
        0) _genprof_sessions "$word" ;;
        1) _genprof_offer "$word" < <(_genprof_values "$(_genprof_line_of COMMAND <<< "$help")") ;;
        2) [[ ${given[1]} != mode ]] || _genprof_offer "$word" <<< 'full sampled auto' ;;
        esac
        ;;
    record | soak | gate | 'baseline '*) ;;
    *) _genprof_sessions "$word" ;;
    esac
}

_genesis_profiler() {
    local word="${COMP_WORDS[COMP_CWORD]}"
    if [[ $word == -* ]]; then
        _genprof_offer "$word" < <("${COMP_WORDS[0]}" --help 2> /dev/null | _genprof_options)
    else
        _genprof_sessions "$word"
    fi
}

complete -F _genprof genprof
complete -F _genesis_profiler genesis-profiler

// SPDX-License-Identifier: MIT
#include "capture/tracer/own_variables.h"

#include "capture/tracer/elf_lookup.h"
#include "capture/wire/rendezvous.h"

#include <link.h>

#include <cstring>

extern char **environ;

namespace capture::tracer {

namespace {

constexpr char kPreload[] = "LD_PRELOAD";

char *const *initialEnvironment()
{
    const std::uint64_t *stack = initialStack();
    return stack != nullptr ? reinterpret_cast<char *const *>(stack + 1 + stack[0] + 1) : nullptr;
}

/// The value of `name` in a list of variables; null if it is not there.
char *valueIn(char *const *entries, const char *name)
{
    const std::size_t nameBytes = std::strlen(name);
    for (; entries != nullptr && *entries != nullptr; ++entries)
        if (std::strncmp(*entries, name, nameBytes) == 0 && (*entries)[nameBytes] == '=')
            return *entries + nameBytes + 1;
    return nullptr;
}

template <typename Change> void changeBoth(const char *name, Change change)
{
    char *first = valueIn(initialEnvironment(), name);
    char *now = valueIn(environ, name);
    if (first != nullptr)
        change(first);
    if (now != nullptr && now != first)
        change(now);
}

/// The digits behind `name:token:`; null if the recorder left no room for them.
char *restrictionDigits(char *value)
{
    char *colon = value != nullptr ? std::strchr(value, ':') : nullptr;
    colon = colon != nullptr ? std::strchr(colon + 1, ':') : nullptr;
    return colon != nullptr && std::strlen(colon + 1) == wire::kRestrictionDigits ? colon + 1 : nullptr;
}

/// Takes `entry` out of a list whose separators are the loader's.
void removeEntry(char *list, const char *entry)
{
    const std::size_t bytes = std::strlen(entry);
    const auto endsEntry = [](char c) { return c == 0 || c == ':' || c == ' '; };
    for (char *at = list; (at = std::strstr(at, entry)) != nullptr; ++at) {
        if ((at != list && !endsEntry(at[-1])) || !endsEntry(at[bytes]))
            continue;
        char *rest = at + bytes + (at[bytes] != 0 ? 1 : 0);
        std::memmove(at, rest, std::strlen(rest) + 1);
        return;
    }
}

} // namespace

const char *OwnVariables::rendezvous() { return valueIn(initialEnvironment(), wire::kRendezvousVariable); }

std::uint32_t OwnVariables::restrictions()
{
    const char *digits = restrictionDigits(valueIn(initialEnvironment(), wire::kRendezvousVariable));
    std::uint32_t value = 0;
    for (; digits != nullptr && *digits != 0; ++digits)
        value = value * 16 + static_cast<std::uint32_t>(*digits >= 'a' ? *digits - 'a' + 10 : *digits - '0');
    return value;
}

void OwnVariables::setRestrictions(std::uint32_t forbidden)
{
    changeBoth(wire::kRendezvousVariable, [=](char *value) {
        char *digits = restrictionDigits(value);
        for (std::uint32_t i = 0; digits != nullptr && i < wire::kRestrictionDigits; ++i)
            digits[i] = "0123456789abcdef"[(forbidden >> (4 * (wire::kRestrictionDigits - 1 - i))) & 15];
    });
}

void OwnVariables::stopPreloading()
{
    if (const link_map *own = ownModule())
        changeBoth(kPreload, [=](char *value) { removeEntry(value, own->l_name); });
}

} // namespace capture::tracer

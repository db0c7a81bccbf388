// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>

/// What the hostile programs share. Each is a table of cases; "--list" prints their names (! and ~ before it: see Traced), a name runs one, "--wait NAME" says
/// "ready" and runs it after a line on its stdin. A case prints what it found,
/// the same in every run, and nothing about addresses, times or process ids: what it prints and how it ends must not change
/// when it is recorded.
namespace hostile {

/// Whether the recorder can be expected to see allocations of this case.
enum class Traced {
    Yes,
    Partly, ///< not all, as the program allows no more: what is missing is counted
    No,
};

struct Case
{
    const char *name;
    int (*run)(); ///< its result is the exit status
    Traced traced = Traced::Yes;
};

/// The path of this program, for cases that execute it again; its first argument then names another case.
inline const char *g_self = nullptr;

template <std::size_t N> int runCase(int argc, char **argv, const Case (&cases)[N])
{
    g_self = "/proc/self/exe";
    if (argc > 2 && std::strcmp(argv[1], "--wait") == 0) {
        std::puts("ready");
        std::fflush(stdout);
        ++argv;
        while (std::getchar() != '\n') { }
    }
    const char *wanted = argc > 1 ? argv[1] : "";
    for (const Case &one : cases) {
        if (std::strcmp(wanted, "--list") == 0 && one.name[0] != '-')
            std::printf("%s%s\n", one.traced == Traced::No ? "!" : one.traced == Traced::Partly ? "~" : "", one.name);
        else if (std::strcmp(wanted, one.name) == 0)
            return one.run();
    }
    return std::strcmp(wanted, "--list") == 0 ? 0 : 99;
}

inline void *volatile g_sink;

/// Allocates and frees `count` blocks of many sizes; blocks keep what was written. Returns how many did not.
inline int churn(int count)
{
    int bad = 0;
    unsigned char *kept[16] = {};
    for (int i = 0; i < count; ++i) {
        unsigned char *&place = kept[i % 16];
        if (place != nullptr && *place != static_cast<unsigned char>((i - 16) % 251))
            ++bad;
        std::free(place);
        place = static_cast<unsigned char *>(std::malloc(static_cast<std::size_t>(i % 700 + 1)));
        g_sink = place;
        if (place == nullptr)
            ++bad;
        else
            *place = static_cast<unsigned char>(i % 251);
    }
    for (unsigned char *block : kept)
        std::free(block);
    return bad;
}

} // namespace hostile

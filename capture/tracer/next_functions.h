// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

struct link_map;

namespace capture::tracer {

/// The functions that calls are passed on to: for each hook the next definition in link-map order. Null where there is none.
struct NextFunctions
{
#define HOOK(result, name, parameters) result(*name) parameters = nullptr;
#define HOOK_OPTIONAL HOOK
#include "capture/tracer/hooked_functions.def"
#undef HOOK_OPTIONAL
#undef HOOK
};
extern NextFunctions g_next __attribute__((visibility("hidden")));

/// What a hook is to do with a call.
enum class Way : std::uint32_t {
    Unknown = 0, ///< the functions that it goes on to have not been looked up
    PassOn = 1,  ///< nobody records: go on at once, and leave no trace in the thread's words
    Record = 2,  ///< somebody may: go the whole way
};
/// Looked at first in each hook, so that one which nobody listens to costs a load and a jump. Follows Tracing's phase once the functions are
/// known.
extern constinit std::atomic<Way> g_way __attribute__((visibility("hidden")));
void setWay(Way way);

/// Looks all of them up, when the first call comes; false if the allocator cannot be found yet. No lock: threads
/// that meet here find the same. Allocates nothing.
bool findNextFunctions();

/// The same where this library was loaded into a running program: calls go on to the first definition, not to the one
/// behind us. To be called with the loader's lock held, before anything leads to a hook.
bool findPresentFunctions();

/// The module that serves malloc; null until found. Its symbols may lead to our hooks by now: see redirectSymbols() before one is looked up.
const link_map *mallocModule();

/// What else was found of it then, where the list of modules stood still and no symbol had been changed. False until found.
struct AllocatorTraits
{
    /// The operators that calls go on to are its own. Else they call malloc themselves, and are counted there.
    bool hasOwnOperators = false;
    /// No module behind it has a malloc, too, to which a library may bind, of those that came with the program.
    bool isLast = false;
    /// It is tcmalloc, or mimalloc. What else has these interfaces is not recorded by them.
    bool isTcmalloc = false, isMimalloc = false;
};
/// Whether a function of HOOK_FAMILY is mimalloc's; else it is tcmalloc's.
constexpr bool isOfMimalloc(const char *name) { return name[0] == 'm'; }
extern AllocatorTraits g_allocator __attribute__((visibility("hidden")));

/// Where ld.so lies: a free from there may be the end of a module.
extern std::uint64_t g_loaderBegin __attribute__((visibility("hidden")));
extern std::uint64_t g_loaderBytes __attribute__((visibility("hidden")));

} // namespace capture::tracer

// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

/// Small programs with one defect each, as it is found in real ones, and their fixed twins: the same work, done as the advice says. Both
/// print the same; what they do is fixed, so that their cost can be compared.
namespace seeded {

enum class Twin : std::uint8_t { Defect, Fixed };

struct Case
{
    const char *name;
    const char *rule;                ///< that must find it
    const char *place;               ///< the function that it must name; empty: the process
    std::uint64_t (*run)(Twin twin); ///< a checksum, the same for both twins
    int rounds = 4;                  ///< how often, for a second or two in all
};

std::span<const Case> stringCases();
std::span<const Case> containerCases();
std::span<const Case> memoryCases();
std::span<const Case> threadCases();
std::span<const Case> libraryCases();
/// Defects that only system calls or waits show: --syscalls --waits.
std::span<const Case> systemCases();
/// Programs without a defect that our data could see; `rule` is empty.
std::span<const Case> cleanCases();

/// What a program does besides: about `units` × 1 ms of calculation, spread evenly over sixteen functions.
std::uint64_t ordinaryWork(int units);

/// A number that follows from `value` alone, and looks random.
std::uint64_t mixed(std::uint64_t value);

/// Keeps a value from being optimised away.
template <typename T> inline void keep(const T &value) { asm volatile("" : : "r,m"(value) : "memory"); }

} // namespace seeded

#define SEEDED_PLACE __attribute__((noinline, noclone))

// SPDX-License-Identifier: GPL-3.0-or-later
// advice_seeded --list: "NAME RULE PLACE" a line, "-" for nothing; advice_seeded NAME defect|fixed: runs one and prints its checksum.
#include "tests/targets/advice/seeded.h"

#include <array>
#include <cstdio>
#include <cstring>
#include <utility>

namespace seeded {

std::uint64_t mixed(std::uint64_t value)
{
    value += 0x9e3779b97f4a7c15ull;
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9ull;
    value = (value ^ (value >> 27)) * 0x94d049bb133111ebull;
    return value ^ (value >> 31);
}

namespace {

template <std::size_t Step> SEEDED_PLACE std::uint64_t calculate(std::uint64_t value)
{
    for (std::size_t i = 0; i < 16'000; ++i)
        value = mixed(value + Step + i);
    return value;
}

template <std::size_t... Steps> std::uint64_t calculateAll(std::uint64_t value, std::index_sequence<Steps...>)
{
    ((value = calculate<Steps>(value)), ...);
    return value;
}

const char *orDash(const char *text) { return *text == '\0' ? "-" : text; }

} // namespace

std::uint64_t ordinaryWork(int units)
{
    std::uint64_t value = 1;
    for (int i = 0; i < units; ++i)
        value = calculateAll(value, std::make_index_sequence<16>());
    return value;
}

} // namespace seeded

int main(int argc, char **argv)
{
    using namespace seeded;
    const bool isList = argc == 2 && std::strcmp(argv[1], "--list") == 0;
    if (!isList && argc != 3) {
        std::fputs("usage: advice_seeded --list | NAME defect|fixed\n", stderr);
        return 2;
    }
    for (const std::span<const Case> cases :
        {stringCases(), containerCases(), memoryCases(), threadCases(), libraryCases(), systemCases(), cleanCases()})
        for (const Case &one : cases) {
            if (isList) {
                std::printf("%s %s %s\n", one.name, orDash(one.rule), orDash(one.place));
            } else if (std::strcmp(argv[1], one.name) == 0) {
                std::uint64_t sum = 0;
                for (int i = 0; i < one.rounds; ++i)
                    sum += one.run(std::strcmp(argv[2], "fixed") == 0 ? Twin::Fixed : Twin::Defect);
                std::printf("%llu\n", static_cast<unsigned long long>(sum));
                return 0;
            }
        }
    return isList ? 0 : 3;
}

// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/targets/advice/seeded.h"

#include <array>
#include <charconv>
#include <cstring>
#include <regex>
#include <sstream>
#include <string>
#include <string_view>
#include <unordered_set>

namespace seeded {

namespace {

std::string textOf(std::size_t words)
{
    std::string text;
    for (std::size_t i = 0; i < words; ++i)
        text += "identifier_of_some_length_" + std::to_string(mixed(i) % 5000) + ' ';
    return text;
}

struct ViewHash
{
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
};
using Names = std::unordered_set<std::string, ViewHash, std::equal_to<>>;

template <typename Word> std::uint64_t countKnown(const std::string &text, const Names &known)
{
    std::uint64_t count = 0;
    for (std::size_t begin = 0; begin < text.size();) {
        const std::size_t end = text.find(' ', begin);
        const Word word(text.data() + begin, end - begin);
        count += known.find(word) != known.end() ? 1 : 0;
        begin = end + 1;
    }
    return count;
}
SEEDED_PLACE std::uint64_t countWithCopies(const std::string &text, const Names &known)
{
    return countKnown<std::string>(text, known);
}
SEEDED_PLACE std::uint64_t countWithViews(const std::string &text, const Names &known)
{
    return countKnown<std::string_view>(text, known);
}

std::uint64_t temporaryStrings(Twin twin)
{
    const std::string text = textOf(20'000);
    Names known;
    for (std::size_t i = 0; i < 100; ++i)
        known.insert("identifier_of_some_length_" + std::to_string(i * 50));
    std::uint64_t sum = 0;
    for (int i = 0; i < 300; ++i)
        sum += twin == Twin::Defect ? countWithCopies(text, known) : countWithViews(text, known);
    return sum + ordinaryWork(100);
}

SEEDED_PLACE bool isVersion(const std::string &text, Twin twin)
{
    static const std::regex once("v([0-9]+)\\.([0-9]+)(-[a-z]+)?");
    if (twin == Twin::Fixed)
        return std::regex_match(text, once);
    const std::regex each("v([0-9]+)\\.([0-9]+)(-[a-z]+)?");
    return std::regex_match(text, each);
}

std::uint64_t regexInLoop(Twin twin)
{
    std::uint64_t count = 0;
    for (std::uint64_t i = 0; i < 12'000; ++i)
        count += isVersion("v1." + std::to_string(i) + (i % 3 == 0 ? "-beta" : "."), twin) ? 1 : 0;
    return count + ordinaryWork(150);
}

SEEDED_PLACE std::size_t writeNumber(std::uint64_t number, Twin twin)
{
    static std::ostringstream shared;
    if (twin == Twin::Fixed) {
        shared.seekp(0);
        shared << number;
        return static_cast<std::size_t>(shared.tellp());
    }
    std::ostringstream out;
    out << number;
    return static_cast<std::size_t>(out.tellp());
}

std::uint64_t streamInLoop(Twin twin)
{
    std::uint64_t sum = 0;
    for (std::uint64_t i = 0; i < 1'500'000; ++i)
        sum += writeNumber(i % 1000, twin);
    return sum + ordinaryWork(150);
}

SEEDED_PLACE std::uint64_t countVowels(const char *text, Twin twin)
{
    std::uint64_t count = 0;
    const auto isVowel = [](char c) { return c == 'a' || c == 'e' || c == 'i' || c == 'o' || c == 'u'; };
    if (twin == Twin::Fixed) {
        const std::size_t length = std::strlen(text);
        for (std::size_t i = 0; i < length; ++i)
            count += isVowel(text[i]) ? 1 : 0;
        return count;
    }
    for (std::size_t i = 0; i < std::strlen(text); ++i) {
        keep(text); // as after any call that the compiler cannot see into
        count += isVowel(text[i]) ? 1 : 0;
    }
    return count;
}

std::uint64_t repeatedLength(Twin twin)
{
    const std::string text = textOf(250);
    std::uint64_t sum = 0;
    for (int i = 0; i < 700; ++i)
        sum += countVowels(text.c_str(), twin);
    return sum + ordinaryWork(150);
}

SEEDED_PLACE std::string joined(std::size_t pieces, Twin twin)
{
    std::string all;
    for (std::size_t i = 0; i < pieces; ++i) {
        if (twin == Twin::Fixed)
            (all += "field=") += "value;";
        else
            all = all + "field=" + "value;";
    }
    return all;
}

std::uint64_t stringBuilding(Twin twin)
{
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < 160; ++i)
        sum += joined(3000, twin).size();
    return sum + ordinaryWork(120);
}

SEEDED_PLACE std::uint64_t readNumbers(const std::string &line, Twin twin)
{
    std::uint64_t sum = 0;
    if (twin == Twin::Fixed) {
        const char *at = line.data();
        const char *end = at + line.size();
        while (at < end) {
            std::uint64_t number = 0;
            at = std::from_chars(at, end, number).ptr + 1;
            sum += number;
        }
        return sum;
    }
    std::istringstream in(line);
    std::uint64_t number = 0;
    while (in >> number)
        sum += number;
    return sum;
}

std::uint64_t streamParsing(Twin twin)
{
    std::string line;
    for (std::size_t i = 0; i < 10'000; ++i)
        line += std::to_string(mixed(i) % 1'000'000) + ' ';
    std::uint64_t sum = 0;
    for (int i = 0; i < 1200; ++i)
        sum += readNumbers(line, twin);
    return sum + ordinaryWork(150);
}

constexpr std::array kCases{
    Case{"temporary_strings", "temporary_allocations", "countKnown", temporaryStrings},
    Case{"regex_in_loop", "regex_compiled", "isVersion", regexInLoop, 2},
    Case{"stream_in_loop", "stream_construction", "writeNumber", streamInLoop},
    Case{"repeated_length", "string_length", "countVowels", repeatedLength},
    Case{"string_building", "string_concatenation", "joined", stringBuilding, 5},
    Case{"stream_parsing", "number_parsing", "readNumbers", streamParsing},
};

} // namespace

std::span<const Case> stringCases() { return kCases; }

} // namespace seeded

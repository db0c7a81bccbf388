// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/targets/advice/seeded.h"

#include <array>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace seeded {

namespace {

SEEDED_PLACE std::uint64_t writeLog(int lines, Twin twin)
{
    std::FILE *file = std::tmpfile();
    if (file == nullptr)
        return 0;
    for (int i = 0; i < lines; ++i) {
        std::fputs("a line of a log, written as it happens\n", file);
        if (twin == Twin::Defect)
            std::fflush(file);
    }
    const long written = std::ftell(file);
    std::fclose(file);
    return static_cast<std::uint64_t>(written);
}

std::uint64_t flushEachLine(Twin twin) { return writeLog(600'000, twin) + ordinaryWork(120); }

struct NotFound : std::runtime_error
{
    using std::runtime_error::runtime_error;
};

SEEDED_PLACE std::uint64_t findOrThrow(std::uint64_t key)
{
    if (key % 2 == 0)
        throw NotFound("no such key");
    return key;
}
SEEDED_PLACE bool findOrFail(std::uint64_t key, std::uint64_t &found)
{
    found = key;
    return key % 2 != 0;
}

SEEDED_PLACE std::uint64_t sumFound(std::uint64_t keys, Twin twin)
{
    std::uint64_t sum = 0;
    for (std::uint64_t i = 0; i < keys; ++i) {
        if (twin == Twin::Fixed) {
            std::uint64_t found = 0;
            sum += findOrFail(i, found) ? found : 1;
            continue;
        }
        try {
            sum += findOrThrow(i);
        } catch (const NotFound &) {
            ++sum;
        }
    }
    return sum;
}

std::uint64_t exceptionsAsFlow(Twin twin) { return sumFound(900'000, twin) + ordinaryWork(120); }

struct Shape
{
    virtual ~Shape() = default;
    virtual std::uint64_t area() const = 0;
};
struct Solid : Shape
{
};
struct Square : Solid
{
    std::uint64_t side = 2;
    std::uint64_t area() const override { return side * side; }
};
struct Bar : Solid
{
    std::uint64_t length = 3;
    std::uint64_t area() const override { return length; }
};

SEEDED_PLACE std::uint64_t sumAreas(const std::vector<std::unique_ptr<Shape>> &shapes, Twin twin)
{
    std::uint64_t sum = 0;
    for (const std::unique_ptr<Shape> &shape : shapes) {
        if (twin == Twin::Fixed)
            sum += shape->area();
        else if (const auto *square = dynamic_cast<const Square *>(shape.get()))
            sum += square->side * square->side;
        else if (const auto *bar = dynamic_cast<const Bar *>(shape.get()))
            sum += bar->length;
    }
    return sum;
}

std::uint64_t dynamicCasts(Twin twin)
{
    std::vector<std::unique_ptr<Shape>> shapes;
    for (std::uint64_t i = 0; i < 10'000; ++i) {
        if (mixed(i) % 2 == 0)
            shapes.push_back(std::make_unique<Square>());
        else
            shapes.push_back(std::make_unique<Bar>());
    }
    std::uint64_t sum = 0;
    for (int i = 0; i < 2000; ++i)
        sum += sumAreas(shapes, twin);
    return sum + ordinaryWork(120);
}

SEEDED_PLACE std::uint64_t waitForDeadline(std::uint64_t steps, Twin twin)
{
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::hours(1);
    std::uint64_t value = 0;
    for (std::uint64_t i = 0; i < steps; ++i) {
        value = mixed(value);
        const bool isAsked = twin == Twin::Defect || i % 1024 == 0;
        if (isAsked && std::chrono::steady_clock::now() > deadline)
            break;
    }
    return value;
}

std::uint64_t clockReads(Twin twin) { return waitForDeadline(9'000'000, twin) + ordinaryWork(120); }

/// A stamp for a log line: worked out each time, or once a second.
class Stamp
{
public:
    SEEDED_PLACE const char *textOf(std::time_t when, Twin twin)
    {
        if (twin == Twin::Defect || when != m_when) {
            m_when = when;
            std::tm parts{};
            localtime_r(&when, &parts);
            std::strftime(m_text.data(), m_text.size(), "%H:%M:%S", &parts);
        }
        return m_text.data();
    }

private:
    std::time_t m_when = -1;
    std::array<char, 16> m_text{};
};

std::uint64_t timeStamps(Twin twin)
{
    Stamp stamp;
    std::uint64_t sum = 0;
    for (std::uint64_t i = 0; i < 4'000'000; ++i)
        sum += static_cast<unsigned char>(stamp.textOf(1'700'000'000 + static_cast<std::time_t>(i / 1000), twin)[7]);
    return sum + ordinaryWork(120);
}

SEEDED_PLACE std::size_t printNumbers(std::uint64_t count, Twin twin)
{
    std::size_t bytes = 0;
    std::array<char, 64> text{};
    for (std::uint64_t i = 0; i < count; ++i) {
        if (twin == Twin::Fixed)
            bytes += static_cast<std::size_t>(
                std::to_chars(text.data(), text.data() + text.size(), mixed(i)).ptr - text.data());
        else
            bytes += static_cast<std::size_t>(
                std::snprintf(text.data(), text.size(), "%llu", static_cast<unsigned long long>(mixed(i))));
        keep(text);
    }
    return bytes;
}

std::uint64_t formattedNumbers(Twin twin) { return printNumbers(6'000'000, twin) + ordinaryWork(120); }

constexpr std::array kCases{
    Case{"flush_each_line", "flushed_writes", "writeLog", flushEachLine},
    Case{"exceptions_as_flow", "exceptions", "findOrThrow", exceptionsAsFlow},
    Case{"dynamic_casts", "dynamic_casts", "sumAreas", dynamicCasts},
    Case{"clock_reads", "clock_reads", "waitForDeadline", clockReads},
    Case{"time_stamps", "date_conversion", "Stamp::textOf", timeStamps},
    Case{"formatted_numbers", "formatting", "printNumbers", formattedNumbers},
};

} // namespace

std::span<const Case> libraryCases() { return kCases; }

} // namespace seeded

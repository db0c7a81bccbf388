// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/heap/scope_text.h"

#include "model/aggregate/own_code.h"
#include "model/base/format_units.h"

#include <fmt/format.h>

#include <algorithm>

namespace capture {

namespace {

constexpr std::size_t kMostLines = 8; // of a stack

using Quantity = ScopeExcess::Quantity;

std::string plural(std::uint64_t count, std::string_view one, std::string_view many)
{
    return fmt::format("{} {}", count, count == 1 ? one : many);
}

std::string amount(Quantity quantity, std::uint64_t value)
{
    switch (quantity) {
    case Quantity::Allocations:
        return plural(value, "allocation", "allocations");
    case Quantity::LeftBlocks:
        return plural(value, "block", "blocks") + " not freed";
    case Quantity::Bytes:
        return plural(value, "byte", "bytes") + " allocated";
    case Quantity::PeakBytes:
        return plural(value, "byte", "bytes") + " live at once";
    case Quantity::LeftBytes:
        return plural(value, "byte", "bytes") + " not freed";
    }
    return {};
}

std::string headline(const ScopeExcess &excess)
{
    std::string text = amount(excess.quantity, excess.value);
    if (excess.limit == 0)
        return text;
    return fmt::format("{}, {} more than the limit of {}", text, excess.value - excess.limit, excess.limit);
}

bool isOfLibrary(const SourceFrame &frame)
{
    return model::isAllocator(frame.function) || frame.file.find("/include/c++/") != std::string::npos;
}

/// What runs before main().
bool isOfStart(const SourceFrame &frame)
{
    return frame.function == "_start" || frame.function.starts_with("__libc_start");
}

std::string stackText(const ScopeStack &stack, bool isOfAllocations, const NamedStack &frames)
{
    std::string text = fmt::format("  {}, {}:\n",
        isOfAllocations ? plural(stack.blocks, "allocation", "allocations") : plural(stack.blocks, "block", "blocks"),
        plural(stack.bytes, "byte", "bytes"));
    auto first = std::find_if_not(frames.begin(), frames.end(), isOfLibrary);
    if (first == frames.end())
        first = frames.begin();
    std::size_t lines = 0;
    for (; first != frames.end() && lines < kMostLines && (lines == 0 || !isOfStart(*first)); ++first, ++lines) {
        const std::string place = model::shortPlace(first->file, first->line);
        text += fmt::format(
            "    {}{}{}\n", model::shortFunctionName(first->function), place.empty() ? "" : "  at ", place);
    }
    if (frames.empty())
        text += "    (its stack could not be read)\n";
    return text;
}

} // namespace

std::string scopeText(const ScopeAnswer &answer, const std::vector<NamedStack> &stacks)
{
    std::string text;
    std::size_t next = 0;
    static const NamedStack kNone;
    for (const ScopeExcess &excess : answer.excesses) {
        text += headline(excess) + '\n';
        const bool isOfAllocations = excess.quantity == Quantity::Allocations || excess.quantity == Quantity::Bytes;
        for (const ScopeStack &stack : excess.stacks) {
            text += stackText(stack, isOfAllocations, next < stacks.size() ? stacks[next] : kNone);
            ++next;
        }
        if (excess.otherStacks > 0)
            text += fmt::format("  and {}\n", plural(excess.otherStacks, "more stack", "more stacks"));
    }
    if (!text.empty())
        text.pop_back(); // whoever prints it ends the line
    return text;
}

} // namespace capture

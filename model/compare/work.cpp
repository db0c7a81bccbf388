// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/compare/work.h"

#include <fmt/format.h>

#include <set>

namespace model {

namespace {

/// Names for a message, a few of them.
std::string listed(const std::set<std::string> &names)
{
    constexpr std::size_t kMost = 8;
    std::string text;
    std::size_t count = 0;
    for (const std::string &name : names) {
        if (count++ == kMost)
            return text + ", …";
        text += (text.empty() ? "\"" : ", \"") + name + '"';
    }
    return text.empty() ? "none" : text;
}

Result<double> counted(
    std::size_t count, const char *what, const Normalisation &wish, const std::set<std::string> &names)
{
    if (count > 0)
        return static_cast<double>(count);
    return Error(
        fmt::format("There is no {} \"{}\" in the selected time; there are: {}", what, wish.name, listed(names)));
}

} // namespace

Result<double> workOf(const Snapshot &snapshot, const Normalisation &normalisation)
{
    std::set<std::string> names;
    std::size_t count = 0;
    switch (normalisation.per) {
    case PerWork::Nothing:
        return 1.0;
    case PerWork::Second:
        if (snapshot.span.isEmpty())
            return Error("The recording lasted no time, so nothing can be divided by it");
        return snapshot.span.length().seconds();
    case PerWork::Mark:
        for (const Mark &mark : snapshot.marks) {
            if (mark.when < snapshot.span.begin || snapshot.span.end < mark.when)
                continue;
            names.insert(mark.text);
            count += mark.text == normalisation.name ? 1 : 0;
        }
        return counted(count, "mark", normalisation, names);
    case PerWork::Phase:
        for (const Phase &phase : snapshot.phases) {
            if (!phase.end || *phase.end < snapshot.span.begin || snapshot.span.end < *phase.end)
                continue;
            names.insert(phase.name);
            count += phase.name == normalisation.name ? 1 : 0;
        }
        return counted(count, "phase", normalisation, names);
    }
    return 1.0;
}

std::string perWorkText(const Normalisation &normalisation)
{
    switch (normalisation.per) {
    case PerWork::Nothing:
        return {};
    case PerWork::Second:
        return "per second";
    case PerWork::Mark:
        return fmt::format("per mark \"{}\"", normalisation.name);
    case PerWork::Phase:
        return fmt::format("per phase \"{}\"", normalisation.name);
    }
    return {};
}

} // namespace model

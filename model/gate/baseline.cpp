// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/gate/baseline.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

namespace model {

namespace {

constexpr std::string_view kFirstLine = "genprof-baseline 2";
constexpr std::string_view kOldFirstLine = "genprof-baseline 1"; // without a last line

/// The texts of an origin with their names, in the order of the file.
template <typename Origin> auto textsOf(Origin &origin)
{
    using Named = std::pair<std::string_view, decltype(&origin.command)>;
    return std::array<Named, 6>{{{"command", &origin.command}, {"date", &origin.date}, {"branch", &origin.branch},
        {"commit", &origin.commit}, {"machine", &origin.machine}, {"reason", &origin.reason}}};
}

/// A text that fits into one line and one field.
std::string oneLine(std::string_view text)
{
    std::string line(text);
    std::replace_if(
        line.begin(), line.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
    return line;
}

/// Cuts off and returns what stands before `end`.
std::string_view take(std::string_view &text, char end)
{
    const std::size_t at = text.find(end);
    const std::string_view part = text.substr(0, at);
    text.remove_prefix(at == std::string_view::npos ? text.size() : at + 1);
    return part;
}

template <typename Number> bool read(std::string_view text, Number &value)
{
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
    return code == std::errc() && end == text.data() + text.size();
}

std::string stackLine(std::string_view word, const BaselineStack &costs, std::string_view stack)
{
    std::string line(word);
    for (const std::int64_t cost : costs)
        line += fmt::format(" {}", cost);
    return line + (stack.empty() ? "" : " ") + std::string(stack) + '\n';
}

bool readCosts(std::string_view &line, BaselineStack &costs)
{
    return std::all_of(costs.begin(), costs.end(), [&line](std::int64_t &cost) { return read(take(line, ' '), cost); });
}

bool readLine(std::string_view line, Baseline &baseline)
{
    const std::string_view word = take(line, ' ');
    for (const auto &[name, text] : textsOf(baseline.origin))
        if (word == name) {
            *text = std::string(line);
            return true;
        }
    if (word == "rest")
        return readCosts(line, baseline.rest);
    if (word == "stack") {
        BaselineStack costs{};
        if (!readCosts(line, costs) || line.empty())
            return false;
        BaselineStack &sum = baseline.stacks[std::string(line)];
        for (std::size_t i = 0; i < costs.size(); ++i)
            sum[i] += costs[i];
        return true;
    }
    const auto key = word == "value" ? gateKeyOf(take(line, ' ')) : std::nullopt;
    if (!key || line.empty())
        return false;
    while (!line.empty()) {
        double value = 0;
        if (!read(take(line, ' '), value) || !std::isfinite(value))
            return false;
        baseline.values[*key].push_back(value);
    }
    return true;
}

} // namespace

std::string baselineText(const Baseline &baseline)
{
    std::string text(kFirstLine);
    text += '\n';
    for (const auto &[name, value] : textsOf(baseline.origin))
        if (!value->empty())
            text += fmt::format("{} {}\n", name, oneLine(*value));
    for (const auto &[key, values] : baseline.values) {
        text += fmt::format("value {}", gateKeyInfo(key).name);
        for (const double value : values)
            text += fmt::format(" {:.0f}", value);
        text += '\n';
    }
    text += stackLine("rest", baseline.rest, {});
    for (const auto &[stack, costs] : baseline.stacks)
        text += stackLine("stack", costs, stack);
    return text + fmt::format("end {}\n", std::count(text.begin(), text.end(), '\n') + 1);
}

Result<Baseline> readBaseline(std::string_view text)
{
    Baseline baseline;
    const std::string_view firstLine = take(text, '\n');
    if (firstLine != kFirstLine && firstLine != kOldFirstLine)
        return Error(fmt::format("This is no baseline of this version: its first line is not \"{}\"", kFirstLine));
    bool hasEnd = firstLine == kOldFirstLine;
    for (std::size_t number = 2; !text.empty(); ++number) {
        std::string_view line = take(text, '\n');
        if (line.starts_with("<<<<<<<") || line.starts_with("=======") || line.starts_with(">>>>>>>"))
            return Error(
                fmt::format("Line {} is a conflict of a merge; keep one side, or save the baseline anew", number));
        if (constexpr std::string_view kEnd = "end "; firstLine == kFirstLine && line.starts_with(kEnd)) {
            std::size_t lines = 0;
            line.remove_prefix(kEnd.size());
            if (!read(line, lines) || lines != number || !text.empty())
                return Error(fmt::format("Its last line says \"end {}\", and it is line {}: lines were lost or added; "
                                         "save the baseline anew",
                    line.substr(0, 20), number));
            hasEnd = true;
            continue;
        }
        if (!line.empty() && !readLine(line, baseline))
            return Error(fmt::format("Line {} is damaged: \"{}\"", number, line.substr(0, 80)));
    }
    if (!hasEnd)
        return Error(
            "It is cut off: its last line, \"end\" and the count of its lines, is missing; save the baseline anew");
    return baseline;
}

std::string historyLine(const Baseline &baseline)
{
    std::string line;
    for (const auto &[name, value] : textsOf(baseline.origin))
        if (name != "command" && !value->empty())
            line += (line.empty() ? "" : "\t") + fmt::format("{}={}", name, oneLine(*value));
    for (const auto &[key, values] : baseline.values) {
        std::vector<double> sorted(values);
        std::sort(sorted.begin(), sorted.end());
        const double median = (sorted[(sorted.size() - 1) / 2] + sorted[sorted.size() / 2]) / 2;
        line += fmt::format("\t{}={:.0f}", gateKeyInfo(key).name, median);
    }
    return line + '\n';
}

History readHistory(std::string_view text)
{
    History history;
    std::vector<std::string_view> seen;
    while (!text.empty()) {
        const std::string_view line = take(text, '\n');
        if (line.empty() || std::find(seen.begin(), seen.end(), line) != seen.end())
            continue;
        seen.push_back(line);
        HistoryEntry entry;
        std::string_view rest = line;
        while (!rest.empty()) {
            std::string_view field = take(rest, '\t');
            const std::string_view name = take(field, '=');
            double value = 0;
            if (const auto key = gateKeyOf(name); key && read(field, value))
                entry.values[*key] = value;
            for (const auto &[known, slot] : textsOf(entry.origin))
                if (name == known)
                    *slot = std::string(field);
        }
        if (entry.values.empty() || entry.origin.date.empty())
            ++history.unreadable;
        else
            history.entries.push_back(std::move(entry));
    }
    std::stable_sort(history.entries.begin(), history.entries.end(),
        [](const HistoryEntry &a, const HistoryEntry &b) { return a.origin.date < b.origin.date; });
    return history;
}

} // namespace model

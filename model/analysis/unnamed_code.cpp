// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/analysis/unnamed_code.h"

#include "model/aggregate/function_index.h"
#include "model/aggregate/own_code.h"
#include "model/base/format_units.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

namespace model {

namespace {

using State = FrameSymbols::State;

constexpr double kLeastShare = 0.05;
constexpr std::array kSystemFolders{std::to_array<std::string_view>({"/usr/", "/lib", "/bin/", "/sbin/"})};

enum class Reason : std::uint8_t { OfPackage, OfOwnBuild, NotReadable, Replaced, BrokenOff };

/// Finds the function of a stack that a reader wants to know: the one it ends in, and the innermost one of the program's own.
class UnnamedFrames
{
public:
    explicit UnnamedFrames(const ProgramTables &tables)
        : m_tables(tables)
        , m_own(tables.stacks.size())
    {
        std::vector<bool> isLibrary;
        for (const Module &module : tables.modules)
            isLibrary.push_back(module.kind != ModuleKind::File || isSystemLibrary(tables.text(module.path)));
        for (std::size_t node = 0; node < tables.stacks.size(); ++node) {
            const auto &[parent, frame] = tables.stacks[node];
            const ModuleId module = frame.isValid() ? tables.frames.at(frame.index()).module : ModuleId();
            if (module.isValid() && !isLibrary.at(module.index()))
                m_own[node] = frame;
            else if (parent.isValid())
                m_own[node] = m_own.at(parent.index());
        }
    }

    /// That of the two that has no name, the end before the own one; invalid where both have one.
    FrameId of(StackId stack) const
    {
        for (const FrameId frame : {m_tables.stacks.at(stack.index()).frame, m_own.at(stack.index())})
            if (frame.isValid() && !isNamed(frame))
                return frame;
        return {};
    }

private:
    /// What only call-frame information tells has a line, "server+0x1159", and no name.
    bool isNamed(FrameId frame) const
    {
        const ModuleId module = m_tables.frames.at(frame.index()).module;
        if (!module.isValid() || m_tables.modules.at(module.index()).kind != ModuleKind::File)
            return true;
        return frame.index() >= m_tables.symbols.size()
            || (m_tables.symbols[frame.index()].count > 0 && m_tables.symbols[frame.index()].state == State::Resolved);
    }

    const ProgramTables &m_tables;
    std::vector<FrameId> m_own; ///< by node; invalid where there is none
};

Reason reasonOf(const ProgramTables &tables, FrameId frame)
{
    switch (tables.symbols[frame.index()].state) {
    case State::NoFile:
        return Reason::NotReadable;
    case State::FileChanged:
        return Reason::Replaced;
    case State::Pending:
        return Reason::BrokenOff;
    case State::Resolved:
    case State::NoSymbol:
        break;
    }
    const std::string &path = tables.text(tables.modules[tables.frames[frame.index()].module.index()].path);
    const bool isSystem = !path.starts_with("/usr/local/")
        && std::any_of(kSystemFolders.begin(), kSystemFolders.end(),
            [&path](std::string_view folder) { return path.starts_with(folder); });
    return isSystem ? Reason::OfPackage : Reason::OfOwnBuild;
}

/// `path`: of the costliest file.
std::string remedyOf(Reason reason, const std::string &path)
{
    switch (reason) {
    case Reason::OfPackage:
        return fmt::format(
            "install the debug symbols of the package (on Debian the -dbgsym package that find-dbgsym-packages "
            "{} names) and record again",
            path);
    case Reason::OfOwnBuild:
        return "build with -g, and leave the symbols in (no strip, no -s), then record again";
    case Reason::NotReadable:
        return path.empty()
            ? "record as root, or as a user who can read the program"
            : "their files could not be read when the recording ended; keep them where they are until then";
    case Reason::Replaced:
        return "their files were replaced while they ran; record again";
    case Reason::BrokenOff:
        return "naming was broken off; record again, and wait for its end";
    }
    return {};
}

/// By costs of the CPU and the heap.
struct Costs
{
    std::array<std::int64_t, 2> of{};

    double most(const Costs &all) const
    {
        double share = 0;
        for (std::size_t i = 0; i < of.size(); ++i)
            share = std::max(share, all.of[i] > 0 ? static_cast<double>(of[i]) / static_cast<double>(all.of[i]) : 0);
        return share;
    }
};

std::string sharesText(const Costs &costs, const Costs &all)
{
    constexpr std::array kNames{"CPU time", "allocations"};
    std::string text;
    for (std::size_t i = 0; i < kNames.size(); ++i)
        if (costs.of[i] > 0)
            text += fmt::format(
                "{}{} of the {}", text.empty() ? "" : ", ", formatShareOf(costs.of[i], all.of[i]), kNames[i]);
    return text;
}

/// The kernel does not say which file a program is that its user may run and not read.
std::string fileText(const std::string &path)
{
    return path.empty() ? "a program that you cannot read" : std::string(fileNameOf(path));
}

/// "git", "git and libssl.so.3", "git, libssl.so.3 and 4 more"; the costliest first.
std::string namesText(const std::vector<std::string> &paths)
{
    constexpr std::size_t kShown = 2;
    std::string text = fileText(paths.front());
    if (paths.size() == kShown)
        return fmt::format("{} and {}", text, fileText(paths[1]));
    return paths.size() < kShown ? text
                                 : fmt::format("{}, {} and {} more", text, fileText(paths[1]), paths.size() - kShown);
}

} // namespace

std::vector<UnnamedCode> unnamedCode(const Snapshot &snapshot)
{
    const ProgramTables &tables = *snapshot.tables;
    const UnnamedFrames frames(tables);
    Costs all;
    std::map<Reason, std::map<std::string, Costs>> files;
    const auto add = [&](StackId stack, std::size_t source, std::int64_t cost) {
        all.of[source] += cost;
        if (const FrameId frame = frames.of(stack); frame.isValid())
            files[reasonOf(tables, frame)]
                 [tables.text(tables.modules[tables.frames[frame.index()].module.index()].path)]
                     .of[source]
                += cost;
    };
    for (const CpuCost &cost : snapshot.cpu)
        add(cost.stack, 0, cost.samples);
    for (const HeapCost &cost : snapshot.heap)
        add(cost.stack, 1, cost.allocations);
    std::vector<std::pair<double, UnnamedCode>> found;
    for (const auto &[reason, costsOfFiles] : files) {
        Costs sum;
        std::vector<std::pair<double, std::string>> order;
        for (const auto &[path, costs] : costsOfFiles) {
            for (std::size_t i = 0; i < sum.of.size(); ++i)
                sum.of[i] += costs.of[i];
            order.emplace_back(-costs.most(all), path);
        }
        if (sum.most(all) < kLeastShare)
            continue;
        std::sort(order.begin(), order.end());
        std::vector<std::string> paths;
        for (const auto &[share, path] : order)
            paths.push_back(path);
        found.emplace_back(-sum.most(all),
            UnnamedCode{fmt::format("Functions of {} have no names ({})", namesText(paths), sharesText(sum, all)),
                remedyOf(reason, paths.front())});
    }
    std::stable_sort(found.begin(), found.end(), [](const auto &a, const auto &b) { return a.first < b.first; });
    std::vector<UnnamedCode> result;
    for (auto &[share, item] : found)
        result.push_back(std::move(item));
    return result;
}

} // namespace model

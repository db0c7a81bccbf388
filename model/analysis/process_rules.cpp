// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/analysis/rules.h"
#include "model/analysis/share_interval.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace model {

namespace {

constexpr Duration kShortLife = Duration::fromMs(1000);
constexpr std::int64_t kLeastProcesses = 50;
constexpr double kLeastRate = 10; ///< a second
constexpr std::int64_t kLeastSamples = 100;
constexpr double kLeastShare = 0.1; ///< of the CPU time in short-lived processes, lower end

/// Programs whose work is to start others.
constexpr std::array kBuildTools{std::to_array<std::string_view>({"make", "gmake", "ninja", "ninja-build", "samu",
    "cmake", "ctest", "cpack", "meson", "scons", "bazel", "buck2", "cargo", "rustc", "go", "gcc", "g++", "cc", "c++",
    "clang", "clang++", "ccache", "distcc", "collect2", "dpkg-buildpackage", "rpmbuild", "debuild", "xmake", "waf"})};
/// And these do what they were told to by who started them, as the shell of a recipe.
constexpr std::array kShells{
    std::to_array<std::string_view>({"sh", "bash", "dash", "zsh", "ksh", "env", "nice", "xargs"})};

struct Children
{
    std::int64_t count = 0;
    std::vector<bool> isShort; ///< by process
    ProcessId parent;          ///< of most of them
    std::int64_t forks = 0;    ///< of its: run the same program as it, started without an exec
    std::int64_t own = 0;      ///< its
};

/// The program that a process ran last; empty where that is not known.
std::string_view lastProgram(const Snapshot &snapshot, ProcessId process)
{
    std::string_view name;
    for (const Image &image : snapshot.tables->images)
        if (image.process == process)
            if (const std::string_view file = snapshot.tables->programName(image); !file.empty())
                name = file;
    return name;
}

/// The file that each process ran last; empty text where that is not known.
std::vector<StringId> lastFiles(const ProgramTables &tables)
{
    std::vector<StringId> files(tables.processes.size(), StringId(0u));
    for (const Image &image : tables.images)
        files.at(image.process.index()) = image.executable;
    return files;
}

/// "g++-12" and "x86_64-linux-gnu-gcc" are compilers too.
bool isBuildTool(std::string_view name)
{
    while (!name.empty() && (name.back() == '.' || (name.back() >= '0' && name.back() <= '9')))
        name.remove_suffix(1);
    if (name.ends_with('-'))
        name.remove_suffix(1);
    return std::any_of(kBuildTools.begin(), kBuildTools.end(), [name](std::string_view tool) {
        return name == tool
            || (name.ends_with(tool) && name.substr(0, name.size() - tool.size()).ends_with("linux-gnu-"));
    });
}

/// Whether a process is a build tool, or a shell that one started.
bool isOfBuild(const Snapshot &snapshot, ProcessId process)
{
    const std::vector<Process> &all = snapshot.tables->processes;
    for (std::size_t steps = 0; process.isValid() && steps < all.size(); ++steps) {
        const std::string_view name = lastProgram(snapshot, process);
        if (isBuildTool(name))
            return true;
        if (std::find(kShells.begin(), kShells.end(), name) == kShells.end())
            return false;
        process = all.at(process.index()).parent;
    }
    return false;
}

Children shortLived(const Snapshot &snapshot)
{
    const std::vector<Process> &processes = snapshot.tables->processes;
    Children children{.isShort = std::vector<bool>(processes.size())};
    std::vector<std::int64_t> byParent(processes.size());
    for (std::size_t i = 0; i < processes.size(); ++i) {
        const Process &process = processes[i];
        const bool isStarted = process.parent.isValid() && snapshot.span.begin < process.start;
        if (!isStarted || !process.end || *process.end - process.start > kShortLife)
            continue;
        children.isShort[i] = true;
        ++children.count;
        ++byParent.at(process.parent.index());
    }
    if (children.count == 0)
        return children;
    const auto most = std::max_element(byParent.begin(), byParent.end());
    children.parent = ProcessId(static_cast<std::uint32_t>(most - byParent.begin()));
    children.own = *most;
    const std::vector<StringId> files = lastFiles(*snapshot.tables);
    const std::string &file = snapshot.tables->text(files[children.parent.index()]);
    for (std::size_t i = 0; i < processes.size(); ++i)
        children.forks += children.isShort[i] && processes[i].parent == children.parent && !file.empty()
                && snapshot.tables->text(files[i]) == file
            ? 1
            : 0;
    return children;
}

/// Samples that were due but not taken of threads that ended between two: those of short-lived processes, by their share of the threads that were
/// so short. Of a process that lives for less than the period there is hardly another trace.
std::int64_t missedSamples(const Snapshot &snapshot, const Children &children)
{
    std::int64_t ofChildren = 0;
    std::int64_t all = 0;
    for (const Thread &thread : snapshot.tables->threads)
        if (thread.end && *thread.end - thread.start <= kShortLife) {
            ++all;
            ofChildren += children.isShort.at(thread.process.index()) ? 1 : 0;
        }
    std::int64_t missed = 0;
    for (const LossTotal &loss : snapshot.losses)
        missed += loss.kind == LossKind::SamplesMissed ? loss.count : 0;
    return all > 0 ? missed * ofChildren / all : 0;
}

} // namespace

bool findProcessChurn(const RuleInput &input, Recommendations &found)
{
    const Snapshot &snapshot = input.snapshot;
    if (snapshot.selection.thread)
        return true; // of processes, not of one of their threads
    const Children children = shortLived(snapshot);
    const double rate = static_cast<double>(children.count) / std::max(snapshot.span.length().seconds(), 1e-3);
    if (children.count < kLeastProcesses || rate < kLeastRate)
        return true;
    if (isOfBuild(snapshot, children.parent))
        return true; // to start commands is what it is for
    const std::string_view name = lastProgram(snapshot, children.parent);
    const std::string program(name.empty() ? "the process" : name);
    std::int64_t samples = missedSamples(snapshot, children);
    const std::int64_t all = snapshot.cpuSummary.samples + samples;
    if (all < kLeastSamples) {
        found.notLookedAt.push_back(
            fmt::format("Processes for small tasks: {} starts {} a second, what they cost needs --cpu 999 to say.",
                program, formatCount(static_cast<std::int64_t>(rate))));
        return true;
    }
    for (const CpuCost &row : snapshot.cpu) {
        const Image &image = snapshot.tables->images.at(row.image.index());
        if (children.isShort[image.process.index()])
            samples += row.samples;
    }
    const Interval share = wilsonInterval(samples, all);
    if (share.low < kLeastShare)
        return true;
    const std::string text = shareText(static_cast<double>(samples) / static_cast<double>(all), share);
    Recommendation item = itemOf(kProcessChurnRule, program,
        fmt::format("{} short-lived processes a second, which take {} of the CPU time",
            formatCount(static_cast<std::int64_t>(rate)), text));
    if (2 * children.forks > children.own) // it does the work itself already, in a process for each task
        item.advice = fmt::format("Let a process do more than one task before it ends: {} forks itself for each. Keep "
                                  "workers, or, where one is started for each connection, keep connections open (a "
                                  "pool).",
            program);
    item.gainKind = GainKind::CpuShare;
    item.gain = amdahl(share, kProcessChurnRule.speedUp);
    item.evidence.push_back({"processes", static_cast<double>(children.count), {}, Unit::Count,
        fmt::format("{} that lived less than {}", formatCount(children.count), formatDuration(kShortLife))});
    item.evidence.push_back({"their share of the CPU time", (share.low + share.high) * 50,
        Interval{share.low * 100, share.high * 100}, Unit::Percent, text});
    found.items.push_back(std::move(item));
    return !input.stop.stop_requested();
}

} // namespace model

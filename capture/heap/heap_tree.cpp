// SPDX-License-Identifier: GPL-3.0-or-later
// HeapInstrument's part in attaching to the processes of a tree: those that it has already, and those that come.
#include "capture/heap/heap_instrument.h"
#include "capture/monotonic_clock.h"
#include "capture/proc/proc_reader.h"
#include "capture/target/attach_preflight.h"

#include <fmt/format.h>
#include <linux/kcmp.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <set>
#include <utility>

namespace capture {

namespace {

/// All are stopped one after the other, each for some milliseconds; a tree in which many cannot be must not keep the recording from beginning.
constexpr std::chrono::seconds kLongestAttach{30};
/// Who is forked while the tree is gone through is found by another look, until its parents have the tracer themselves.
constexpr int kMostLooks = 10;

/// A child of vfork runs in its parent's memory until it executes a program: there is nothing of its own to load a tracer into.
bool sharesMemory(const TreeProcess &process)
{
    return process.parentPid > 0 && ::syscall(SYS_kcmp, process.pid, process.parentPid, KCMP_VM, 0, 0) == 0;
}

} // namespace

void HeapInstrument::allowUserOf(std::int32_t pid)
{
    struct stat status = {};
    if (::stat(("/proc/" + std::to_string(pid)).c_str(), &status) == 0)
        m_server->allowUser(status.st_uid);
}

/// Whether it has met this recorder since then.
bool HeapInstrument::isTraced(std::int32_t pid, std::int64_t sinceNs)
{
    const std::lock_guard lock(m_mutex);
    takeMessages();
    return std::any_of(m_images.begin(), m_images.end(), [=](const auto &image) {
        return image->channel.pid() == pid && !image->hasEnded && image->arrival.monotonicNs >= sinceNs;
    });
}

/// Why it has no tracer now; empty if it has, or has ended. `sinceNs`: CLOCK_MONOTONIC when it ran the program that it runs now.
std::string HeapInstrument::attachDescendant(
    std::int32_t pid, std::int64_t sinceNs, const StepHandler &onStep, InjectionReport &sum)
{
    allowUserOf(pid);
    std::string obstacle = attachObstacle(probeAttach(pid, m_tracerPath));
    if (obstacle.empty()) {
        const auto report = m_attachment->include(pid, onStep);
        if (report) {
            sum.interruptedCalls += report->interruptedCalls;
            sum.longestStopNs = std::max(sum.longestStopNs, report->longestStopNs);
            sum.answer.slotsElsewhere += report->answer.slotsElsewhere;
            sum.answer.slotsFailed += report->answer.slotsFailed;
            return {};
        }
        obstacle = report.error().text();
    }
    if (!isRunning(pid))
        return {};
    if (!isTraced(pid, sinceNs))
        return obstacle;
    m_attachment->joined(pid); // forked by one that had the tracer by then, and has it from that one
    return {};
}

TreeInjection HeapInstrument::attachDescendants(std::int32_t pid, const StepHandler &onStep)
{
    TreeInjection tree;
    tree.sum = m_attachment->report(pid);
    std::set<std::int32_t> seen{pid};
    const auto begin = std::chrono::steady_clock::now();
    bool isNew = true;
    for (int look = 0; look < kMostLooks && isNew; ++look) {
        isNew = false;
        for (const TreeProcess &process : processTree(pid)) {
            if (seen.contains(process.pid) || sharesMemory(process))
                continue;
            seen.insert(process.pid);
            isNew = true;
            const bool isLate = std::chrono::steady_clock::now() - begin > kLongestAttach;
            std::string why = isLate
                ? "There was no time left for it: loading the tracer into those before took half a minute."
                : attachDescendant(process.pid, 0, onStep, tree.sum);
            if (!why.empty())
                tree.leftOut.push_back(leftOutProcess(process.pid, std::move(why)));
        }
    }
    m_unattached = tree.leftOut;
    return tree;
}

/// On the thread of LateAttach.
LateAttach::Answer HeapInstrument::includeLate(std::int32_t pid)
{
    const std::int64_t now = monotonicNs();
    const auto maps = readProcFile(fmt::format("/proc/{}/maps", pid));
    const std::string name = m_tracerPath.substr(m_tracerPath.rfind('/') + 1);
    const auto text = readProcFile(fmt::format("/proc/{}/stat", pid));
    const auto stat = text ? parseStat(*text) : std::nullopt;
    // One that was forked by one that has it meets the recorder when it has something to tell. It may also be there from another recording, asleep.
    const bool hasTracer = maps && maps->find("/" + name) != std::string::npos;
    if (!isRunning(pid) || (hasTracer && (isTraced(pid, 0) || (stat && isTraced(stat->parentPid, 0)))))
        return {};
    if (stat && sharesMemory({pid, stat->parentPid}))
        return {{}, LateAttach::Outcome::NotReady, {}};
    if (std::string obstacle = attachObstacleByNature(probeAttach(pid, m_tracerPath));
        !obstacle.empty() && !hasTracer && isRunning(pid))
        return {{}, LateAttach::Outcome::Refused, std::move(obstacle), true};
    InjectionReport report;
    std::string why = attachDescendant(pid, now, {}, report);
    return {{}, why.empty() ? LateAttach::Outcome::Settled : LateAttach::Outcome::Refused, std::move(why)};
}

/// Why an image is not traced although its process ran when its tree was attached to.
std::string HeapInstrument::attachFailureOf(const model::Process &process, std::uint32_t epoch) const
{
    if (!m_attachFailure.empty() && process.parent.isValid())
        return "Not attached to, as the process that it descends from cannot be traced: " + m_attachFailure;
    if (!m_attachFailure.empty())
        return m_attachFailure;
    const auto found = std::find_if(m_unattached.begin(), m_unattached.end(),
        [&](const LeftOutProcess &leftOut) { return leftOut.pid == process.pid; });
    return epoch == 0 && found != m_unattached.end() ? found->why : std::string();
}

} // namespace capture

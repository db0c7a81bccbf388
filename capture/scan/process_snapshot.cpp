// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/scan/process_snapshot.h"

#include "capture/pidfd.h"
#include "capture/proc/proc_reader.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <string_view>
#include <utility>

namespace capture {

namespace {

constexpr int kEndLimitMs = 2000;
constexpr std::int64_t kReadableLimitNs = 500'000'000;
constexpr std::int64_t kSlackTicks = 2; ///< start times are coarse

std::int64_t clockNs(clockid_t clock)
{
    timespec now{};
    ::clock_gettime(clock, &now);
    return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

/// The lines of a status file that say whose a process is.
std::string owners(std::int32_t pid)
{
    std::string result;
    if (const auto text = readProcFile(fmt::format("/proc/{}/status", pid)))
        forEachField(*text, [&](std::string_view name, std::string_view rest) {
            if (name == "Uid" || name == "Gid")
                result += rest;
        });
    return result;
}

bool isYoungerThan(std::int32_t pid, std::int64_t ageNs)
{
    const auto text = readProcFile(fmt::format("/proc/{}/stat", pid));
    const auto stat = text ? parseStat(*text) : std::nullopt;
    if (!stat)
        return false;
    const std::int64_t nsPerTick = 1'000'000'000 / ::sysconf(_SC_CLK_TCK);
    return stat->startTicks >= (clockNs(CLOCK_BOOTTIME) - ageNs) / nsPerTick - kSlackTicks;
}

/// It lets itself be read as soon as it has run for a moment.
bool waitUntilReadable(std::int32_t pid, std::uint64_t address)
{
    std::uint64_t word = 0;
    const iovec local{&word, sizeof word};
    const iovec remote{reinterpret_cast<void *>(static_cast<std::uintptr_t>(address)), sizeof word};
    const std::int64_t begin = clockNs(CLOCK_MONOTONIC);
    while (::process_vm_readv(pid, &local, 1, &remote, 1, 0) != sizeof word) {
        if (errno != EPERM || clockNs(CLOCK_MONOTONIC) - begin > kReadableLimitNs)
            return false;
        const timespec aMoment{0, 50'000};
        ::nanosleep(&aMoment, nullptr);
    }
    return true;
}

/// When memory gets short, it is the copy that has to go.
void offerToKiller(std::int32_t pid)
{
    const FileDescriptor file(::open(fmt::format("/proc/{}/oom_score_adj", pid).c_str(), O_WRONLY | O_CLOEXEC));
    constexpr std::string_view kFirst = "1000";
    if (file.isOpen())
        static_cast<void>(!::write(file.get(), kFirst.data(), kFirst.size()));
}

} // namespace

model::Result<ProcessSnapshot> ProcessSnapshot::take(
    std::int32_t original, const wire::SnapshotCommand &answer, std::int64_t beginNs)
{
    if (answer.helper <= 0)
        return answer.helper == -ECHILD
            ? model::Error("it takes in orphaned processes, and so would get a child that it does not know of")
            : model::systemError("it cannot be forked", -answer.helper);
    if (answer.snapshot <= 0)
        return model::systemError("it cannot be forked", -answer.snapshot);
    const std::int32_t pid = answer.snapshot;
    FileDescriptor descriptor(openPidfd(pid));
    const std::string owner = owners(pid);
    if (!descriptor.isOpen() || pid == original || pid == ::getpid() || owner.empty() || owner != owners(original)
        || !isYoungerThan(pid, clockNs(CLOCK_MONOTONIC) - beginNs))
        return model::Error("what it says of its copy is not so");
    ProcessSnapshot snapshot(pid, std::move(descriptor), beginNs);
    offerToKiller(pid);
    if (!waitUntilReadable(pid, answer.context))
        return model::systemError("its copy may not be read", errno);
    return snapshot;
}

ProcessSnapshot::ProcessSnapshot(ProcessSnapshot &&other) noexcept
    : m_pid(other.m_pid)
    , m_descriptor(std::move(other.m_descriptor))
    , m_beginNs(other.m_beginNs)
    , m_endNs(other.m_endNs)
{
}

ProcessSnapshot &ProcessSnapshot::operator=(ProcessSnapshot &&other) noexcept
{
    if (this == &other)
        return *this;
    end();
    m_pid = other.m_pid;
    m_descriptor = std::move(other.m_descriptor);
    m_beginNs = other.m_beginNs;
    m_endNs = other.m_endNs;
    return *this;
}

bool ProcessSnapshot::isGone() const
{
    pollfd entry{m_descriptor.get(), POLLIN, 0};
    return ::poll(&entry, 1, 0) != 0;
}

std::int64_t ProcessSnapshot::copiedBytes() const
{
    std::int64_t bytes = 0;
    if (const auto text = readProcFile(fmt::format("/proc/{}/smaps_rollup", m_pid)))
        forEachField(*text, [&](std::string_view name, std::string_view rest) {
            if (name == "Private_Dirty")
                bytes = parseNumber(rest).value_or(0) * 1024;
        });
    return bytes;
}

std::int64_t ProcessSnapshot::end()
{
    if (!m_descriptor.isOpen())
        return m_endNs;
    sendPidfdSignal(m_descriptor.get(), SIGKILL);
    pollfd entry{m_descriptor.get(), POLLIN, 0};
    ::poll(&entry, 1, kEndLimitMs);
    ::waitpid(m_pid, nullptr, WNOHANG | __WALL); // where orphans are ours to adopt
    m_descriptor = FileDescriptor();
    m_endNs = clockNs(CLOCK_MONOTONIC);
    return m_endNs;
}

} // namespace capture

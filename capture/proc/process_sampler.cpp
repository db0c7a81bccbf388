// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/proc/process_sampler.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <climits>

namespace capture {

namespace {

constexpr std::string_view kDeleted = " (deleted)";

/// Calls `entry(number)` for each numbered entry of a directory.
template <typename Entry> bool forEachNumber(int parent, const char *name, Entry &&entry)
{
    const int fd = ::openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return false;
    DIR *directory = ::fdopendir(fd);
    if (!directory) {
        ::close(fd);
        return false;
    }
    while (const dirent *item = ::readdir(directory)) {
        const std::string_view text = item->d_name;
        std::int32_t number = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
        if (error == std::errc() && end == text.data() + text.size())
            entry(number);
    }
    ::closedir(directory);
    return true;
}

} // namespace

std::optional<ProcessSampler> ProcessSampler::open(const std::string &procRoot, std::int32_t pid, bool keepsFilesOpen)
{
    const std::string path = procRoot + '/' + std::to_string(pid);
    FileDescriptor directory(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!directory.isOpen())
        return std::nullopt;
    return ProcessSampler(pid, std::move(directory), keepsFilesOpen);
}

ProcessSampler::ProcessSampler(std::int32_t pid, FileDescriptor directory, bool keepsFilesOpen)
    : m_pid(pid)
    , m_keepsFilesOpen(keepsFilesOpen)
    , m_directory(std::move(directory))
    , m_speakerTid(pid)
{
}

bool ProcessSampler::read(const char *name, std::string &text, FileDescriptor *kept)
{
    return readAt(m_directory.get(), name, text, kept);
}

/// What only a thread that has not ended can tell.
bool ProcessSampler::readSpoken(const char *name, std::string &text, FileDescriptor *kept)
{
    return readAt(spoken(), name, text, kept);
}

bool ProcessSampler::readAt(int directory, const char *name, std::string &text, FileDescriptor *kept)
{
    if (kept && kept->isOpen())
        return rereadProcFile(kept->get(), text);
    FileDescriptor fd(::openat(directory, name, O_RDONLY | O_CLOEXEC));
    if (!fd.isOpen() || !rereadProcFile(fd.get(), text))
        return false;
    if (kept && m_keepsFilesOpen)
        *kept = std::move(fd);
    return true;
}

void ProcessSampler::forgetSpeaker()
{
    m_speaker.reset();
    m_status.reset();
    m_speakerTid = m_pid;
}

/// Looks for a thread that still has the memory; false if there is none but the first.
bool ProcessSampler::findSpeaker()
{
    forgetSpeaker();
    for (const std::int32_t tid : taskIds()) {
        if (tid == m_pid)
            continue;
        const std::string name = "task/" + std::to_string(tid);
        m_speaker.reset(::openat(m_directory.get(), name.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
        const bool isRead = m_speaker.isOpen() && readSpoken("status", m_statusText, &m_status);
        m_speakerTid = tid;
        if (isRead && parseStatus(m_statusText).residentBytes)
            return true;
        forgetSpeaker();
    }
    return false;
}

std::optional<ProcStat> ProcessSampler::speakersStat()
{
    for (const bool isAgain : {false, true}) {
        if ((isAgain || !m_speaker.isOpen()) && !findSpeaker())
            break;
        const auto stat = readSpoken("stat", m_text) ? parseStat(m_text) : std::nullopt;
        if (stat && stat->startCode != 0) // else it has just ended
            return stat;
    }
    return std::nullopt;
}

std::optional<ProcStat> ProcessSampler::stat()
{
    auto stat = read("stat", m_text, &m_stat) ? parseStat(m_text) : std::nullopt;
    if (!stat)
        return stat;
    if (stat->state != 'Z' && stat->state != 'X') {
        if (m_speaker.isOpen()) // another thread has called exec, and is the first now
            forgetSpeaker();
    } else if (stat->threads > 1) {
        if (const auto other = speakersStat()) {
            stat->virtualBytes = other->virtualBytes;
            stat->residentPages = other->residentPages;
            stat->startCode = other->startCode;
            stat->startStack = other->startStack;
        }
    }
    return stat;
}

bool ProcessSampler::status(StatusReading &reading)
{
    const auto readIt = [&] {
        const bool isRead = readSpoken("status", m_statusText, &m_status);
        if (isRead)
            reading = parseStatus(m_statusText);
        return isRead;
    };
    if (readIt() && reading.residentBytes)
        return true;
    findSpeaker();
    return readIt();
}

std::optional<IoReading> ProcessSampler::io() { return read("io", m_text, &m_io) ? parseIo(m_text) : std::nullopt; }

std::optional<std::int64_t> ProcessSampler::pssBytes()
{
    // Never kept open: an open smaps_rollup stays with the address space it was opened on, and an exec makes another.
    return readSpoken("smaps_rollup", m_text) ? kilobyteField(m_text, "Pss") : std::nullopt;
}

std::optional<std::string> ProcessSampler::smaps()
{
    return readSpoken("smaps", m_text) ? std::optional(m_text) : std::nullopt;
}

std::optional<std::int64_t> ProcessSampler::openFiles() const
{
    struct stat status = {};
    // Since Linux 6.2 the directory's size is the number of descriptors.
    if (::fstatat(spoken(), "fd", &status, 0) == 0 && status.st_size > 0)
        return status.st_size;
    std::int64_t count = 0;
    if (!forEachNumber(spoken(), "fd", [&](std::int32_t) { ++count; }))
        return std::nullopt;
    return count;
}

ProcessLimits ProcessSampler::limits()
{
    ProcessLimits limits = read("limits", m_text, nullptr) ? parseLimits(m_text) : ProcessLimits();
    struct stat owner = {};
    if (::fstatat(m_directory.get(), "stat", &owner, 0) != 0 || owner.st_uid == 0)
        limits.userThreads.reset();
    return limits;
}

std::vector<std::string> ProcessSampler::writtenFiles(std::size_t most) const
{
    std::vector<std::string> paths;
    std::size_t seen = 0;
    forEachNumber(spoken(), "fd", [&](std::int32_t number) {
        const std::string name = "fd/" + std::to_string(number);
        struct stat link = {};
        char target[PATH_MAX];
        // The link's own mode says how the file was opened (proc(5)); nothing of the file itself is touched.
        if (++seen > most || ::fstatat(spoken(), name.c_str(), &link, AT_SYMLINK_NOFOLLOW) != 0
            || (link.st_mode & S_IWUSR) == 0)
            return;
        const ssize_t length = ::readlinkat(spoken(), name.c_str(), target, sizeof target);
        const std::string_view path(target, static_cast<std::size_t>(std::max<ssize_t>(length, 0)));
        if (path.starts_with('/') && !path.starts_with("/memfd:") && !path.starts_with("/SYSV"))
            paths.emplace_back(path);
    });
    return paths;
}

std::string ProcessSampler::executable() const
{
    char target[PATH_MAX];
    const ssize_t length = ::readlinkat(spoken(), "exe", target, sizeof target);
    if (length <= 0)
        return {};
    std::string_view path(target, static_cast<std::size_t>(length));
    if (path.ends_with(kDeleted))
        path.remove_suffix(kDeleted.size());
    return std::string(path);
}

std::string ProcessSampler::commandLine()
{
    return readSpoken("cmdline", m_text) ? quotedCommandLine(m_text) : std::string();
}

std::vector<std::int32_t> ProcessSampler::taskIds() const
{
    std::vector<std::int32_t> tids;
    forEachNumber(m_directory.get(), "task", [&](std::int32_t tid) { tids.push_back(tid); });
    return tids;
}

void ProcessSampler::readThread(std::int32_t tid, Thread &thread)
{
    const std::string name = "task/" + std::to_string(tid) + "/status";
    if (!read(name.c_str(), m_text, nullptr))
        return; // it ended just now
    const StatusReading reading = parseStatus(m_text);
    thread.name = reading.name;
    thread.voluntarySwitches = reading.voluntarySwitches;
    thread.involuntarySwitches = reading.involuntarySwitches;
}

bool ProcessSampler::readThreads(std::size_t most)
{
    ++m_threadReading;
    const std::vector<std::int32_t> tids = taskIds();
    const bool readsAll = tids.size() <= most;
    for (const std::int32_t tid : tids) {
        const auto [it, isNew] = m_threads.try_emplace(tid);
        it->second.seenAt = m_threadReading;
        if (readsAll || isNew)
            readThread(tid, it->second);
    }
    return readsAll;
}

std::vector<std::uint64_t> ProcessSampler::stackPointers()
{
    std::vector<std::uint64_t> pointers;
    for (auto &[tid, thread] : m_threads) {
        const std::string name = "task/" + std::to_string(tid) + "/syscall";
        if (read(name.c_str(), m_text, nullptr))
            thread.stackPointer = stackPointerOf(m_text).value_or(thread.stackPointer);
        if (thread.stackPointer != 0)
            pointers.push_back(thread.stackPointer);
    }
    return pointers;
}

std::vector<std::int32_t> ProcessSampler::children()
{
    std::vector<std::int32_t> pids;
    for (const std::int32_t tid : taskIds()) {
        const std::string name = "task/" + std::to_string(tid) + "/children";
        if (!read(name.c_str(), m_text, nullptr))
            continue;
        for (std::string_view rest = m_text; !rest.empty();) {
            if (const auto pid = parseNumber(rest))
                pids.push_back(static_cast<std::int32_t>(*pid));
            const std::size_t blank = rest.find(' ', rest.find_first_not_of(' '));
            rest = blank == std::string_view::npos ? std::string_view() : rest.substr(blank + 1);
        }
    }
    return pids;
}

} // namespace capture

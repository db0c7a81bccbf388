// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/recording/recorder_usage.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <string_view>

namespace capture {

namespace {

std::int64_t toNs(const timeval &time)
{
    return std::int64_t{time.tv_sec} * 1'000'000'000 + std::int64_t{time.tv_usec} * 1'000;
}

/// Second field of /proc/self/statm, in bytes.
std::int64_t residentBytes()
{
    const int fd = ::open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    std::array<char, 128> text{};
    const ssize_t length = ::read(fd, text.data(), text.size());
    ::close(fd);
    if (length <= 0)
        return 0;
    const std::string_view line(text.data(), static_cast<std::size_t>(length));
    const std::size_t space = line.find(' ');
    std::int64_t pages = 0;
    if (space != std::string_view::npos)
        std::from_chars(line.data() + space + 1, line.data() + line.size(), pages);
    return pages * ::sysconf(_SC_PAGESIZE);
}

} // namespace

RecorderUsage recorderUsage()
{
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    return {toNs(usage.ru_utime) + toNs(usage.ru_stime), residentBytes()};
}

} // namespace capture

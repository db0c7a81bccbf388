// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/perf/tracepoint.h"

#include "capture/file_descriptor.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>

namespace capture {

namespace {

/// A tracefs of our own, mounted on no folder, for where nobody has mounted one; not open where that is not allowed (it takes CAP_SYS_ADMIN), or before
/// Linux 5.2.
FileDescriptor ownTracefs()
{
    const FileDescriptor context(::fsopen("tracefs", FSOPEN_CLOEXEC));
    if (!context.isOpen() || ::fsconfig(context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) != 0)
        return {};
    return FileDescriptor(::fsmount(context.get(), FSMOUNT_CLOEXEC, 0));
}

/// The number in a file below `folder`.
std::optional<std::uint64_t> numberAt(int folder, const std::string &path)
{
    const FileDescriptor file(::openat(folder, path.c_str(), O_RDONLY | O_CLOEXEC));
    std::array<char, 24> text{};
    const ssize_t bytes = file.isOpen() ? ::read(file.get(), text.data(), text.size()) : -1;
    std::uint64_t number = 0;
    if (bytes <= 0 || std::from_chars(text.data(), text.data() + bytes, number).ec != std::errc())
        return std::nullopt;
    return number;
}

} // namespace

std::optional<std::uint64_t> tracepointId(const std::string &name)
{
    const std::string path = "events/" + name + "/id";
    for (const char *folder : {"/sys/kernel/tracing/", "/sys/kernel/debug/tracing/"})
        if (const auto id = numberAt(AT_FDCWD, folder + path))
            return id;
    const FileDescriptor own = ownTracefs();
    return own.isOpen() ? numberAt(own.get(), path) : std::nullopt;
}

std::string tracepointObstacle()
{
    if (access("/sys/kernel/tracing/events", F_OK) == 0)
        return "may not be read";
    return errno == EACCES ? "may not be read" : "is not there (tracefs is not mounted)";
}

} // namespace capture

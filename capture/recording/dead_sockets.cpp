// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/recording/dead_sockets.h"

#include "capture/file_descriptor.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>

#include <cerrno>
#include <filesystem>
#include <string_view>
#include <system_error>

namespace capture {

namespace {

constexpr std::size_t kMostFiles = 2000;
constexpr time_t kLeastAgeSeconds = 60; ///< a younger one may be bound and not listened at yet

/// As ControlServer and RendezvousServer call theirs.
bool isRecorders(std::string_view name)
{
    return name.starts_with("genesis-profiler-") || (name.starts_with("genprof-") && name.ends_with(".sock"));
}

bool isOldSocketOfOurs(const std::string &path)
{
    struct stat status = {};
    return ::lstat(path.c_str(), &status) == 0 && S_ISSOCK(status.st_mode) && status.st_uid == ::geteuid()
        && ::time(nullptr) - status.st_mtime >= kLeastAgeSeconds;
}

/// Asked with a type of socket that neither is of: who listens is not disturbed, and answers EPROTOTYPE.
bool isDeaf(const std::string &path)
{
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    if (path.size() >= sizeof name.sun_path)
        return false;
    path.copy(name.sun_path, path.size());
    const FileDescriptor socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    return socket.isOpen() && ::connect(socket.get(), reinterpret_cast<const sockaddr *>(&name), sizeof name) != 0
        && errno == ECONNREFUSED;
}

} // namespace

std::size_t removeDeadSockets(const std::string &folder)
{
    std::size_t removed = 0, looked = 0;
    std::error_code error;
    for (std::filesystem::directory_iterator at(folder, error), end; !error && at != end && looked < kMostFiles;
         at.increment(error), ++looked) {
        const std::string path = at->path().string();
        if (isRecorders(at->path().filename().string()) && isOldSocketOfOurs(path) && isDeaf(path)
            && ::unlink(path.c_str()) == 0)
            ++removed;
    }
    return removed;
}

} // namespace capture

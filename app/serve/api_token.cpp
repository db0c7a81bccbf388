// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/serve/api_token.h"

#include "capture/file_descriptor.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sodium.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <system_error>

namespace app {

namespace {

constexpr std::size_t kRandomBytes = 32;
constexpr std::size_t kLeastLength = 16;
constexpr std::size_t kMostLength = 4096;

model::Result<std::string> makeFile(const std::string &file)
{
    if (::sodium_init() < 0)
        return model::Error("Cannot make a token: this machine gives no random numbers");
    std::array<unsigned char, kRandomBytes> random{};
    ::randombytes_buf(random.data(), random.size());
    std::array<char, kRandomBytes * 2 + 1> text{};
    ::sodium_bin2hex(text.data(), text.size(), random.data(), random.size());
    std::error_code ignored;
    std::filesystem::create_directories(std::filesystem::path(file).parent_path(), ignored);
    const capture::FileDescriptor fd(::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
    const std::string line = std::string(text.data()) + '\n';
    if (!fd.isOpen() && errno == EEXIST)
        return std::string(); // another program was as fast, or it is a link to nowhere
    if (!fd.isOpen() || ::write(fd.get(), line.data(), line.size()) != static_cast<ssize_t>(line.size()))
        return model::systemError("Cannot write the token file " + file, errno);
    return std::string(text.data());
}

/// What is wrong with a token file: whoever owns or reads it knows the token; a pipe or a device keeps no secret, and may never answer.
std::optional<model::Error> whyNotTrusted(const struct stat &status, const std::string &file)
{
    if (!S_ISREG(status.st_mode))
        return model::Error(fmt::format("The token file {} is no regular file: name another one", file));
    if (status.st_uid != ::geteuid() && status.st_uid != 0)
        return model::Error(
            fmt::format("The token file {} belongs to another user (uid {}), who knows the token: name a "
                        "file of your own, or one that does not exist to get a random token",
                file, status.st_uid));
    if ((status.st_mode & 077) != 0)
        return model::Error(fmt::format(
            "The token file {} can be read by others: chmod 600 it, and change the token if others were on this "
            "machine",
            file));
    return std::nullopt;
}

} // namespace

model::Result<std::string> ApiToken::defaultFile()
{
    const char *config = std::getenv("XDG_CONFIG_HOME");
    const char *home = std::getenv("HOME");
    if (config != nullptr && config[0] == '/')
        return std::string(config) + "/genesis-profiler/api-token";
    if (home != nullptr && home[0] == '/')
        return std::string(home) + "/.config/genesis-profiler/api-token";
    return model::Error("There is no home folder to keep the token in: name a file with --token-file");
}

model::Result<ApiToken> ApiToken::load(const std::string &file)
{
    // Not to wait for the writer of a pipe: serving has its signals blocked by then.
    constexpr int kFlags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
    capture::FileDescriptor fd(::open(file.c_str(), kFlags));
    if (!fd.isOpen() && errno == ENOENT) {
        auto made = makeFile(file);
        if (!made)
            return made.error();
        if (!made->empty())
            return ApiToken(std::move(*made));
        fd = capture::FileDescriptor(::open(file.c_str(), kFlags));
        if (!fd.isOpen() && errno == ENOENT)
            return model::Error(fmt::format(
                "The token file {} is a link to a file that does not exist: remove the link to get a random token",
                file));
    }
    struct stat status = {};
    if (!fd.isOpen() || ::fstat(fd.get(), &status) != 0)
        return model::systemError("Cannot read the token file " + file, errno);
    if (auto why = whyNotTrusted(status, file))
        return std::move(*why);
    std::string text(kMostLength, '\0');
    const ssize_t count = ::read(fd.get(), text.data(), text.size());
    if (count < 0)
        return model::systemError("Cannot read the token file " + file, errno);
    text.resize(static_cast<std::size_t>(count));
    text.resize(std::min(text.size(), text.find_first_of("\r\n")));
    if (text.size() < kLeastLength)
        return model::Error(
            fmt::format("The token in {} has {} characters, {} are the least: remove the file to get a random one",
                file, text.size(), kLeastLength));
    return ApiToken(std::move(text));
}

bool ApiToken::isIn(std::string_view authorization) const
{
    constexpr std::string_view kScheme = "Bearer ";
    // RFC 9110, section 11.1: the scheme is written in either case.
    if (authorization.size() < kScheme.size()
        || ::strncasecmp(authorization.data(), kScheme.data(), kScheme.size()) != 0)
        return false;
    authorization.remove_prefix(kScheme.size());
    return authorization.size() == m_text.size()
        && ::sodium_memcmp(authorization.data(), m_text.data(), m_text.size()) == 0;
}

} // namespace app

// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/follow.h"

#include "app/exit_code.h"
#include "storage/follow/follow_copy.h"
#include "storage/follow/follow_source.h"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <string>
#include <thread>
#include <vector>

namespace app {

namespace {

constexpr std::size_t kBufferBytes = 256 * 1024;
constexpr std::chrono::milliseconds kPollInterval(250);

int fail(const std::string &text)
{
    fmt::print(stderr, "genprof: {}\n", text);
    return kExitFailure;
}

model::Result<void> writeAll(std::string_view bytes)
{
    while (!bytes.empty()) {
        const ssize_t count = ::write(STDOUT_FILENO, bytes.data(), bytes.size());
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0 && errno == EPIPE)
            return model::Error("Nobody reads the stream any more. Start the same pipeline again to go on");
        if (count < 0)
            return model::systemError("Cannot write the stream", errno);
        bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return {};
}

int streamSession(const FollowOptions &options)
{
    if (::isatty(STDOUT_FILENO) == 1)
        return fail("The stream is not for a terminal: ssh HOST genprof follow FILE | genprof follow --into COPY");
    ::signal(SIGPIPE, SIG_IGN);
    const auto key = keyOf(options.file, options.passphrase);
    if (!key)
        return fail(key.error().text());
    auto source = storage::FollowSource::open(options.file, *key);
    if (!source)
        return fail(source.error().text());
    std::string buffer;
    const auto output = [&buffer](std::string_view bytes) {
        buffer += bytes;
        return buffer.size() < kBufferBytes ? model::Result<void>() : writeAll(std::exchange(buffer, {}));
    };
    for (;;) {
        const auto more = source->poll(output);
        // What came before a failure is whole batches, and the rest of one, which the other side drops.
        if (const auto done = writeAll(std::exchange(buffer, {})); !done)
            return fail(done.error().text());
        if (!more)
            return fail(more.error().text());
        if (!*more)
            return kExitOk;
        std::this_thread::sleep_for(kPollInterval);
    }
}

int copyStream(const FollowOptions &options)
{
    storage::SealKeyPointer key;
    if (options.isSealed) {
        // A copy that is there already has its own salt.
        auto made = storage::isSealed(options.into) ? keyOf(options.into, options.passphrase)
                                                    : newSealKey(options.passphrase);
        if (!made)
            return fail(made.error().text());
        key = std::move(*made);
    }
    storage::FollowCopy copy(options.into, std::move(key));
    std::vector<char> bytes(kBufferBytes);
    while (!copy.hasEnded()) {
        const ssize_t count = ::read(STDIN_FILENO, bytes.data(), bytes.size());
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return fail(model::systemError("Cannot read the stream", errno).text());
        if (count == 0)
            break;
        const std::int64_t before = copy.batches();
        if (const auto done = copy.feed({bytes.data(), static_cast<std::size_t>(count)}); !done) {
            static_cast<void>(copy.finish());
            return fail(done.error().text());
        }
        if (before == 0 && copy.batches() > 0 && !options.isQuiet)
            fmt::print(stderr, "genprof: {} grows; genesis-profiler {} shows it\n", options.into, options.into);
    }
    const bool hasEnded = copy.hasEnded(), isComplete = copy.isComplete(), hasRows = copy.batches() > 0;
    if (const auto done = copy.finish(); !done)
        return fail(done.error().text());
    if (!hasRows)
        return fail("The stream held no session: what was to write it says why");
    if (!hasEnded)
        return fail(fmt::format(
            "The stream ended before the recording did; what came is in {}. Start the same pipeline again to go on",
            options.into));
    if (!isComplete)
        fmt::print(stderr,
            "genprof: The recorder ended without completing the session; {} holds all that it had written\n",
            options.into);
    return kExitOk;
}

} // namespace

int runFollow(const FollowOptions &options)
{
    return options.into.empty() ? streamSession(options) : copyStream(options);
}

} // namespace app

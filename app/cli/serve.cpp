// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/serve.h"

#include "app/exit_code.h"
#include "app/serve/serving.h"

#include <fmt/format.h>
#include <signal.h>

#include <cstdio>

namespace app {

int runServe(const ServeOptions &options)
{
    const auto fail = [](const std::string &text) {
        fmt::print(stderr, "genprof: {}\n", text);
        return kExitFailure;
    };
    // The threads of the server inherit this: the signals are for the wait below.
    sigset_t ends;
    ::sigemptyset(&ends);
    ::sigaddset(&ends, SIGINT);
    ::sigaddset(&ends, SIGTERM);
    ::pthread_sigmask(SIG_BLOCK, &ends, nullptr);
    const auto key = keyOf(options.file, options.passphrase);
    if (!key)
        return fail(key.error().text());
    const auto server = startServing(options.file, *key, options, [&options](const std::string &text) {
        if (!options.isQuiet)
            fmt::print(stderr, "genprof: {}\n", text);
    });
    if (!server)
        return fail(server.error().text());
    int received = 0;
    ::sigwait(&ends, &received);
    return kExitOk;
}

} // namespace app

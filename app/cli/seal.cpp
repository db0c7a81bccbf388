// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/seal.h"

#include "app/exit_code.h"
#include "storage/sealing.h"

#include <fmt/format.h>

#include <cstdio>

namespace app {

namespace {

model::Result<void> copy(const SealOptions &options)
{
    if (options.isUnseal) {
        if (!storage::isSealed(options.in))
            return storage::unsealSession(options.in, options.out, {}); // says what is wrong
        const auto key = keyOf(options.in, options.passphrase);
        return key ? storage::unsealSession(options.in, options.out, *key) : model::Result<void>(key.error());
    }
    const auto key = newSealKey(options.passphrase);
    return key ? storage::sealSession(options.in, options.out, *key) : model::Result<void>(key.error());
}

} // namespace

int runSeal(const SealOptions &options)
{
    const auto done = copy(options);
    if (!done) {
        fmt::print(stderr, "genprof: {}\n", done.error().text());
        return kExitFailure;
    }
    if (!options.isUnseal)
        fmt::print(stderr,
            "genprof: {} is sealed; {} is still there in clear. Without the passphrase nobody can open the copy, you "
            "neither\n",
            options.out, options.in);
    return kExitOk;
}

} // namespace app

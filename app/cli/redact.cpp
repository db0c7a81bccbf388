// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/redact.h"

#include "app/exit_code.h"
#include "model/base/format_units.h"
#include "storage/redaction.h"

#include <fmt/format.h>

#include <cstdio>

namespace app {

int runRedact(const RedactOptions &options)
{
    const auto key = keyOf(options.in, options.passphrase);
    const auto done = key ? storage::redactSession(options.in, options.out, {options.keepsFunctions}, *key)
                          : model::Result<storage::RedactionResult>(key.error());
    if (!done) {
        fmt::print(stderr, "genprof: {}\n", done.error().text());
        return kExitFailure;
    }
    fmt::print(stderr,
        "genprof: {} names were replaced; look through {} before you give it away: genprof sql {} \"SELECT * FROM "
        "string\"\n",
        model::formatCount(done->texts), options.out, options.out);
    return kExitOk;
}

} // namespace app

// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/cli/options.h"
#include "app/serve/http_server.h"
#include "storage/seal/seal_key.h"

#include <functional>
#include <string>

namespace app {

/// Serves the session at `file` as `options` want it; `say` gets what a person should know: where, with which token, and who could listen.
/// Fails with a sentence.
model::Result<HttpServer> startServing(const std::string &file, storage::SealKeyPointer key,
    const ServeOptions &options, const std::function<void(const std::string &)> &say);

} // namespace app

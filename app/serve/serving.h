// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/command_options.h"
#include "app/serve/http_server.h"
#include "storage/seal/seal_key.h"

#include <functional>
#include <string>

namespace app {

/// Whether options can be served as far as that is known beforehand: address, certificate, token; makes the token's file where it is missing. A port
/// that is taken is no failure here. Fails with a sentence.
model::Result<void> checkServing(const ServeOptions &options);

/// Serves the session at `file` as `options` want it; `say` gets what a person should know: where, with which token, and who could listen.
/// Fails with a sentence.
model::Result<HttpServer> startServing(const std::string &file, storage::SealKeyPointer key,
    const ServeOptions &options, const std::function<void(const std::string &)> &say);

} // namespace app

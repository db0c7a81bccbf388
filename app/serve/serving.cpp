// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/serve/serving.h"

#include <fmt/format.h>

namespace app {

model::Result<HttpServer> startServing(const std::string &file, storage::SealKeyPointer key,
    const ServeOptions &options, const std::function<void(const std::string &)> &say)
{
    auto address = options.listen.empty() ? ListenAddress() : parseListenAddress(options.listen);
    if (!address)
        return address.error();
    if (options.certificate.empty() != options.certificateKey.empty())
        return model::Error("TLS needs both --tls-cert and --tls-key");
    address->certificate = options.certificate;
    address->key = options.certificateKey;
    const auto tokenFile = options.tokenFile.empty() ? ApiToken::defaultFile() : model::Result(options.tokenFile);
    if (!tokenFile)
        return tokenFile.error();
    auto token = ApiToken::load(*tokenFile);
    if (!token)
        return token.error();
    auto service = SessionService::open(file, std::move(key), {std::move(*token), options.areMetricsOpen});
    if (!service)
        return service.error();
    auto server = HttpServer::start(std::move(*service), *address);
    if (!server)
        return server.error();
    say(fmt::format("{}/metrics and /api/v1; the token is in {}", server->url(), *tokenFile));
    if (!isLoopback(*address) && address->certificate.empty())
        say("Other machines can reach this, and the token crosses the network unencrypted: give --tls-cert and "
            "--tls-key, "
            "or listen at 127.0.0.1 behind a proxy");
    return server;
}

} // namespace app

// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/serve/serving.h"

#include <fmt/format.h>
#include <sys/stat.h>

namespace app {

namespace {

/// Where to listen, with the certificate.
model::Result<ListenAddress> addressOf(const ServeOptions &options)
{
    auto address = options.listen.empty() ? ListenAddress() : parseListenAddress(options.listen);
    if (!address)
        return model::Error(address.error().text() + fmt::format(" ({})", options.addressOption));
    if (options.certificate.empty() != options.certificateKey.empty())
        return model::Error("TLS needs both --tls-cert and --tls-key");
    address->certificate = options.certificate;
    address->key = options.certificateKey;
    return address;
}

model::Result<std::string> tokenFileOf(const ServeOptions &options)
{
    return options.tokenFile.empty() ? ApiToken::defaultFile() : model::Result(options.tokenFile);
}

} // namespace

model::Result<void> checkServing(const ServeOptions &options)
{
    const auto address = addressOf(options);
    if (!address)
        return address.error();
    const auto tokenFile = tokenFileOf(options);
    if (!tokenFile)
        return tokenFile.error();
    if (const auto token = ApiToken::load(*tokenFile); !token)
        return token.error();
    return HttpServer::check(*address);
}

model::Result<HttpServer> startServing(const std::string &file, storage::SealKeyPointer key,
    const ServeOptions &options, const std::function<void(const std::string &)> &say)
{
    const auto address = addressOf(options);
    if (!address)
        return address.error();
    const auto tokenFile = tokenFileOf(options);
    if (!tokenFile)
        return tokenFile.error();
    auto token = ApiToken::load(*tokenFile);
    if (!token)
        return token.error();
    auto service = SessionService::open(file, std::move(key), {std::move(*token), options.areMetricsOpen});
    if (!service)
        return service.error();
    if (const auto checked = HttpServer::check(*address); !checked)
        return checked.error();
    auto server = HttpServer::start(std::move(*service), *address);
    if (!server)
        return model::Error(
            server.error().text() + fmt::format("; choose another with {} HOST:PORT", options.addressOption));
    say(fmt::format("{}/metrics and /api/v1; the token is in {}", server->url(), *tokenFile));
    if (struct stat status = {}; !address->key.empty() && ::stat(address->key.c_str(), &status) == 0
        && (status.st_mode & (S_IRGRP | S_IROTH)) != 0)
        say(fmt::format(
            "The key {} can be read by others, who can then pass for this server: chmod 600 it, and make a new "
            "certificate if others were on this machine",
            address->key));
    if (!isLoopback(*address) && address->certificate.empty())
        say("Other machines can reach this, and the token crosses the network unencrypted: give --tls-cert and "
            "--tls-key, "
            "or listen at 127.0.0.1 behind a proxy");
    return server;
}

} // namespace app

// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/serve/session_service.h"
#include "model/base/result.h"

#include <memory>
#include <string>

namespace app {

/// Where to listen.
struct ListenAddress
{
    std::string host = "127.0.0.1";
    int port = 9464;         ///< 0: any that is free
    std::string certificate; ///< PEM file; with it and `key`, TLS
    std::string key;
};

/// Understands "PORT", "HOST:PORT", "[::1]:PORT" or "HOST"; fails with a sentence.
model::Result<ListenAddress> parseListenAddress(const std::string &text);
/// Whether only programs of this machine can reach it.
bool isLoopback(const ListenAddress &address);

/// Serves a SessionService over HTTP/1.1 in threads of its own until it is destroyed. A body may have 64 KiB and is read only where the head shows the
/// token; a connection that sends no request for 20 s is ended, for a second where many do. Six requests for the session are answered at a time, and
/// four for /metrics; more get 503, so that those who read slowly do not keep /healthz waiting.
class HttpServer
{
public:
    /// Whether the address is one of this machine that may be used, and the certificate is one. A port that is taken is no failure here.
    static model::Result<void> check(const ListenAddress &address);
    /// Binds and begins to serve. Fails with a sentence that names the address.
    static model::Result<HttpServer> start(std::unique_ptr<SessionService> service, const ListenAddress &address);

    HttpServer(HttpServer &&) noexcept;
    HttpServer &operator=(HttpServer &&) = delete;
    /// Ends all connections and waits for the requests that are being answered: a scan takes its time.
    ~HttpServer();

    /// "http://127.0.0.1:9464"
    const std::string &url() const;

private:
    struct Private;
    explicit HttpServer(std::unique_ptr<Private> made);
    std::unique_ptr<Private> d;
};

} // namespace app

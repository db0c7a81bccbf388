// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/serve/http_server.h"

#include "app/serve/connection_guard.h"
#include "app/serve/http_answer.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <httplib.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <optional>
#include <thread>
#include <utility>

namespace app {

namespace {

constexpr std::size_t kThreads = 16;
/// What waits for the session or for a slow client has these threads; the others answer /healthz, refuse, and wait for requests. Of those that wait,
/// five or more have a second (connection_guard.h).
constexpr int kPlaces = 6;
constexpr int kMetricsPlaces = 4;          ///< beside them: reports do not keep a scrape away
constexpr const char *kRetrySeconds = "5"; ///< as long as a client that does not read keeps its place
constexpr std::size_t kMostBodyBytes = 64 * 1024;
constexpr std::time_t kRequestSeconds = 5;
constexpr std::size_t kRequestsOfConnection = 100;
constexpr std::chrono::milliseconds kLongestPause(200);

ServiceRequest requestOf(const httplib::Request &request)
{
    ServiceRequest asked{.method = request.method == "HEAD" ? "GET" : request.method,
        .path = request.path,
        .authorization = request.get_header_value("Authorization"),
        .body = request.body};
    for (const auto &[key, value] : request.params)
        asked.query.emplace_back(key, value);
    return asked;
}

/// Whether a body belongs to the request; RFC 9112, section 6.3: without one of these headers it has none.
bool hasBody(const httplib::Request &request)
{
    return request.has_header("Transfer-Encoding") || request.get_header_value_count("Content-Length") > 1
        || (request.has_header("Content-Length") && request.get_header_value("Content-Length") != "0");
}

/// What the library refuses before SessionService is asked.
std::string refusalOf(int status)
{
    switch (status) {
    case 400:
        return "This is no whole HTTP request: its first line, its headers or the body that they announce are not as "
               "they should be";
    case 404:
        return "Only GET and POST are known here";
    case 411:
        return "A body needs its length: send Content-Length, and no Transfer-Encoding";
    case 413:
        return fmt::format("A request may have {} KiB", kMostBodyBytes / 1024);
    case 414:
        return "The address is too long";
    case 416:
        return "The range of bytes is not one of this answer";
    default:
        return "The request cannot be answered";
    }
}

/// The status with which the body that the head announces is refused unread: the library would keep any number of chunks in memory, and read a body
/// that is too long to its end. 0: it may be read.
int refusalOfBody(const httplib::Request &request)
{
    if (request.has_header("Transfer-Encoding"))
        return 411;
    const std::string length = request.get_header_value("Content-Length");
    if (request.get_header_value_count("Content-Length") != 1 || length.empty()
        || length.find_first_not_of("0123456789") != std::string::npos)
        return 400;
    std::size_t bytes = 0;
    const auto [end, error] = std::from_chars(length.data(), length.data() + length.size(), bytes);
    return error != std::errc() || bytes > kMostBodyBytes ? 413 : 0;
}

} // namespace

struct HttpServer::Private
{
    std::unique_ptr<SessionService> service;
    std::unique_ptr<httplib::Server> server;
    std::string url;
    std::unique_ptr<ConnectionGuard> guard;
    AnswerPlaces places{kPlaces};
    AnswerPlaces metricsPlaces{kMetricsPlaces};
    std::atomic<bool> hasEnded = false;
    std::thread thread;

    /// What an answer holds until its last byte is written.
    struct Held
    {
        Held(ConnectionGuard &guard, int clientPort)
            : answering(guard, clientPort)
        {
        }

        std::shared_ptr<const void> ending; // after the others
        ConnectionGuard::Answering answering;
        std::shared_ptr<const void> place;
    };

    /// Ends the connection when it is destroyed. The library does so only where it asked for a body that fails, which it does not for HEAD.
    std::shared_ptr<const void> ending(const httplib::Request &request)
    {
        return {this, [this, address = request.remote_addr, port = request.remote_port](const Private *) {
                    guard->end(address, port);
                }};
    }

    void answer(const httplib::Request &request, httplib::Response &response, AfterAnswer after)
    {
        const auto held = std::make_shared<Held>(*guard, request.remote_port);
        if (after == AfterAnswer::End)
            held->ending = ending(request);
        const ServiceRequest asked = requestOf(request);
        if (asked.path != "/healthz" && !service->refusal(asked)) {
            held->place = (asked.path == "/metrics" ? metricsPlaces : places).take();
            if (!held->place) {
                ServiceReply busy
                    = SessionService::failure(503, "Too much is being answered: ask again in some seconds");
                busy.headers["Retry-After"] = kRetrySeconds;
                if (request.method == "HEAD")
                    held->ending = ending(request);
                return setAnswer(request, response, std::move(busy), held, AfterAnswer::End);
            }
        }
        setAnswer(request, response, service->handle(asked), held, after);
    }

    /// Answers what can be answered by the head alone; a body that is left unread ends the connection. The others are left to the library, which reads
    /// the body.
    httplib::Server::HandlerResponse answerByHead(const httplib::Request &request, httplib::Response &response)
    {
        using Handled = httplib::Server::HandlerResponse;
        if (!hasBody(request)) {
            if (request.method != "POST")
                return Handled::Unhandled;
            answer(request, response, AfterAnswer::Keep); // the library would wait for the end of a body
            return Handled::Handled;
        }
        const int status = refusalOfBody(request);
        std::optional<ServiceReply> refusal;
        if (status == 0)
            refusal = service->refusal(requestOf(request));
        else
            refusal = SessionService::failure(status, refusalOf(status));
        if (!refusal && request.method == "POST")
            return Handled::Unhandled;
        if (refusal)
            setAnswer(request, response, std::move(*refusal), ending(request), AfterAnswer::End);
        else
            answer(request, response, AfterAnswer::End);
        return Handled::Handled;
    }
};

model::Result<ListenAddress> parseListenAddress(const std::string &text)
{
    ListenAddress address;
    const auto wrong = [&text] {
        return model::Error(fmt::format("\"{}\" is no address to listen at: say PORT, HOST:PORT or [IPV6]:PORT", text));
    };
    std::string host = text, port;
    const bool isBracketed = text.starts_with('[');
    const std::size_t colon = isBracketed ? text.find("]:") : text.rfind(':');
    if (colon != std::string::npos) {
        host = text.substr(isBracketed ? 1 : 0, isBracketed ? colon - 1 : colon);
        port = text.substr(colon + (isBracketed ? 2 : 1));
        if (port.empty())
            return wrong();
    } else if (isBracketed && text.ends_with(']')) {
        host = text.substr(1, text.size() - 2);
    } else if (!text.empty() && text.find_first_not_of("0123456789") == std::string::npos) {
        host.clear();
        port = text;
    }
    if (!host.empty())
        address.host = host == "*" ? "0.0.0.0" : host;
    if (!port.empty()) {
        const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), address.port);
        if (error != std::errc() || end != port.data() + port.size() || address.port < 0 || address.port > 65535)
            return wrong();
    }
    if (text.empty() || host.find_first_of(" /") != std::string::npos)
        return wrong();
    return address;
}

bool isLoopback(const ListenAddress &address)
{
    in_addr v4{};
    if (::inet_pton(AF_INET, address.host.c_str(), &v4) == 1)
        return (ntohl(v4.s_addr) >> 24) == 127;
    return address.host == "localhost" || address.host == "::1";
}

namespace {

std::string addressText(const ListenAddress &address)
{
    const bool isV6 = address.host.find(':') != std::string::npos;
    return fmt::format("{}{}{}:{}", isV6 ? "[" : "", address.host, isV6 ? "]" : "", address.port);
}

/// A server with the certificate, which answers nothing and listens nowhere yet.
model::Result<std::unique_ptr<httplib::Server>> emptyServer(const ListenAddress &address)
{
    if (address.certificate.empty())
        return std::make_unique<httplib::Server>();
    std::unique_ptr<httplib::Server> server
        = std::make_unique<httplib::SSLServer>(address.certificate.c_str(), address.key.c_str());
    if (!server->is_valid())
        return model::Error(
            fmt::format("Cannot use the certificate {} with the key {}: both must be PEM files that belong together",
                address.certificate, address.key));
    return server;
}

} // namespace

model::Result<void> HttpServer::check(const ListenAddress &address)
{
    if (const auto server = emptyServer(address); !server)
        return server.error();
    const std::string where = "Cannot listen at " + addressText(address);
    addrinfo wanted{};
    wanted.ai_flags = AI_PASSIVE;
    wanted.ai_socktype = SOCK_STREAM;
    addrinfo *resolved = nullptr;
    if (const int failure = ::getaddrinfo(address.host.c_str(), nullptr, &wanted, &resolved); failure != 0)
        return model::Error(fmt::format("{}: {}; give an address of this machine", where, ::gai_strerror(failure)));
    const std::unique_ptr<addrinfo, void (*)(addrinfo *)> first(resolved, ::freeaddrinfo);
    if (first->ai_family == AF_INET6)
        reinterpret_cast<sockaddr_in6 *>(first->ai_addr)->sin6_port = htons(static_cast<std::uint16_t>(address.port));
    else
        reinterpret_cast<sockaddr_in *>(first->ai_addr)->sin_port = htons(static_cast<std::uint16_t>(address.port));
    const int socket = ::socket(first->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (socket < 0)
        return model::systemError(where, errno);
    const int yes = 1;
    ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    const int failure = ::bind(socket, first->ai_addr, first->ai_addrlen) == 0 ? 0 : errno;
    ::close(socket);
    if (failure == EADDRNOTAVAIL)
        return model::Error(where
            + ": it is no address of this machine; 127.0.0.1 is for this machine alone, 0.0.0.0 for all networks");
    if (failure == EACCES)
        return model::Error(where + ": ports below 1024 need more rights; choose one above");
    return failure == 0 || failure == EADDRINUSE ? model::Result<void>() : model::systemError(where, failure);
}

model::Result<HttpServer> HttpServer::start(std::unique_ptr<SessionService> service, const ListenAddress &address)
{
    auto made = std::make_unique<Private>();
    made->service = std::move(service);
    const bool hasTls = !address.certificate.empty();
    auto empty = emptyServer(address);
    if (!empty)
        return empty.error();
    made->server = std::move(*empty);
    httplib::Server &server = *made->server;
    server.new_task_queue = [] { return new httplib::ThreadPool(kThreads); }; // owned by the server
    server.set_payload_max_length(kMostBodyBytes);
    server.set_read_timeout(kRequestSeconds);
    server.set_write_timeout(kRequestSeconds);
    server.set_keep_alive_max_count(kRequestsOfConnection);
    // Not SO_REUSEPORT, which the library sets: another process could take half of the requests.
    server.set_socket_options([](socket_t socket) {
        const int yes = 1;
        ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    });
    const auto answer = [state = made.get()](const httplib::Request &request, httplib::Response &response) {
        state->answer(request, response, AfterAnswer::Keep);
    };
    server.set_pre_routing_handler([state = made.get()](const httplib::Request &request, httplib::Response &response) {
        return state->answerByHead(request, response);
    });
    const httplib::Server::HandlerWithResponse refuse = [](const httplib::Request &, httplib::Response &response) {
        if (!response.body.empty() || response.content_provider_)
            return httplib::Server::HandlerResponse::Unhandled;
        const ServiceReply reply = SessionService::failure(response.status, refusalOf(response.status));
        response.set_content(reply.body, reply.type);
        return httplib::Server::HandlerResponse::Handled;
    };
    server.set_error_handler(refuse);
    server.Get(".*", answer).Post(".*", answer).Put(".*", answer).Patch(".*", answer).Delete(".*", answer);
    int port = address.port;
    if (port == 0)
        port = server.bind_to_any_port(address.host);
    else if (!server.bind_to_port(address.host, port))
        port = -1;
    if (port <= 0)
        return model::Error(fmt::format("Cannot listen at {}: the port is taken", addressText(address)));
    made->url = fmt::format("{}://{}", hasTls ? "https" : "http", addressText({.host = address.host, .port = port}));
    made->guard = std::make_unique<ConnectionGuard>(port);
    made->thread = std::thread([state = made.get()] {
        state->server->listen_after_bind();
        state->hasEnded = true;
    });
    return HttpServer(std::move(made));
}

HttpServer::HttpServer(std::unique_ptr<Private> made)
    : d(std::move(made))
{
}

HttpServer::HttpServer(HttpServer &&) noexcept = default;

HttpServer::~HttpServer()
{
    if (!d)
        return;
    while (!d->server->is_running() && !d->hasEnded)
        std::this_thread::yield(); // stop() is not heard before listen_after_bind() runs
    d->server->stop();
    // Nobody new is accepted; who is connected hears the end, again and again, as some may still have waited for a thread.
    for (std::chrono::milliseconds pause(5); !d->hasEnded; pause = std::min(pause * 2, kLongestPause)) {
        d->guard->endAll();
        std::this_thread::sleep_for(pause);
    }
    d->thread.join();
}

const std::string &HttpServer::url() const { return d->url; }

} // namespace app

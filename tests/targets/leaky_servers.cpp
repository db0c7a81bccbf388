// SPDX-License-Identifier: GPL-3.0-or-later
// Services that answer requests: connections, sessions, parsers, jobs.
#include "tests/targets/leaky_services.h"

#include <queue>

#include <cstdlib>
#include <cstring>
#include <deque>
#include <stdexcept>
#include <string>

namespace services {

namespace {

/// A parser in the manner of C; when it leaks, it returns early without freeing its buffer.
class RequestParser : public Service
{
public:
    explicit RequestParser(std::uint64_t per10000)
        : m_per10000(per10000)
    {
    }
    const char *name() const override { return "error path"; }
    std::vector<const char *> leakingFunctions() const override { return {"RequestParser::copyBody"}; }
    void handle(const Request &request) override
    {
        char *body = copyBody(request);
        m_sum += static_cast<unsigned char>(body[0]);
        if (request.happens(m_per10000, 11)) {
            ++leaked;
            return; // "malformed": the caller is told, the body forgotten
        }
        std::free(body);
    }

private:
    [[gnu::noinline]] static char *copyBody(const Request &request)
    {
        const std::size_t size = 64 + request.dice % 512;
        auto *body = static_cast<char *>(std::malloc(size));
        if (body == nullptr)
            std::abort();
        std::memset(body, 'b', size);
        return body;
    }

    std::uint64_t m_per10000;
    std::uint64_t m_sum = 0;
};

/// Connections with buffers; when it leaks, aborted ones keep theirs.
class Connections : public Service
{
public:
    explicit Connections(std::uint64_t per10000)
        : m_per10000(per10000)
    {
    }
    const char *name() const override { return "connection buffers"; }
    std::vector<const char *> leakingFunctions() const override { return {"Connections::attachBuffer"}; }
    void handle(const Request &request) override
    {
        m_open.push(
            {request.number + 1 + request.dice % (request.life + 1), attachBuffer(), request.happens(m_per10000, 12)});
        while (!m_open.empty() && m_open.top().until <= request.number) {
            const Connection connection = m_open.top();
            m_open.pop();
            if (connection.isAborted)
                ++leaked;
            else
                delete[] connection.buffer;
        }
    }

private:
    struct Connection
    {
        std::uint64_t until;
        char *buffer;
        bool isAborted;
        bool operator<(const Connection &other) const { return until > other.until; }
    };

    [[gnu::noinline]] static char *attachBuffer()
    {
        auto *buffer = new char[2048];
        buffer[0] = 'c';
        return buffer;
    }

    std::uint64_t m_per10000;
    std::priority_queue<Connection> m_open;
};

/// Web sessions that expire; when it leaks, some have no expiry.
class WebSessions : public Service
{
public:
    explicit WebSessions(std::uint64_t per10000)
        : m_per10000(per10000)
    {
    }
    const char *name() const override { return "sessions"; }
    std::vector<const char *> leakingFunctions() const override
    {
        return {"WebSessions::begin", "WebSessions::Session::Session"};
    }
    void handle(const Request &request) override
    {
        auto session = begin(request);
        if (request.happens(m_per10000, 13)) {
            m_endless.push_back(std::move(session));
            ++leaked;
        } else {
            m_sessions.push_back(std::move(session));
        }
        while (!m_sessions.empty() && m_sessions.front()->until <= request.number)
            m_sessions.pop_front();
    }

private:
    struct Session
    {
        explicit Session(const Request &request)
            : until(request.number + request.life)
            , user("a-user-with-some-name-" + std::to_string(request.dice % 1000))
        {
        }
        std::uint64_t until;
        std::string user;
        char cart[200] = {};
    };
    [[gnu::noinline]] static std::unique_ptr<Session> begin(const Request &request)
    {
        return std::make_unique<Session>(request);
    }

    std::uint64_t m_per10000;
    std::deque<std::unique_ptr<Session>> m_sessions;
    std::deque<std::unique_ptr<Session>> m_endless;
};

/// Jobs with timers; when it leaks, timers of cancelled jobs stay.
class Timers : public Service
{
public:
    explicit Timers(std::uint64_t per10000)
        : m_per10000(per10000)
    {
    }
    const char *name() const override { return "cancelled timers"; }
    std::vector<const char *> leakingFunctions() const override { return {"Timers::arm"}; }
    void handle(const Request &request) override
    {
        Timer *timer = arm(request);
        if (request.happens(m_per10000, 14)) {
            timer->next = m_cancelled;
            m_cancelled = timer;
            ++leaked;
        } else {
            m_armed.push_back(timer);
        }
        while (!m_armed.empty() && m_armed.front()->due <= request.number) {
            delete m_armed.front();
            m_armed.pop_front();
        }
    }

private:
    struct Timer
    {
        std::uint64_t due;
        Timer *next;
        char closure[48];
    };
    [[gnu::noinline]] static Timer *arm(const Request &request)
    {
        return new Timer{request.number + request.life / 4, nullptr, {}};
    }

    std::uint64_t m_per10000;
    std::deque<Timer *> m_armed;
    Timer *m_cancelled = nullptr;
};

/// A decoder that throws; when it leaks, what it had allocated before is lost on the way.
class Decoder : public Service
{
public:
    explicit Decoder(std::uint64_t per10000)
        : m_per10000(per10000)
    {
    }
    const char *name() const override { return "exception"; }
    std::vector<const char *> leakingFunctions() const override { return {"Decoder::makePlane"}; }
    void handle(const Request &request) override
    {
        try {
            decode(request);
        } catch (const std::runtime_error &) {
            ++leaked;
        }
    }

private:
    struct Plane
    {
        unsigned char pixels[700];
    };
    [[gnu::noinline]] static Plane *makePlane() { return new Plane{}; }
    void decode(const Request &request) const
    {
        Plane *plane = makePlane();
        plane->pixels[request.dice % 700] = 1;
        if (request.happens(m_per10000, 15))
            throw std::runtime_error("damaged picture");
        delete plane;
    }

    std::uint64_t m_per10000;
};

} // namespace

std::vector<std::unique_ptr<Service>> makeServers(std::uint64_t per10000)
{
    std::vector<std::unique_ptr<Service>> all;
    all.push_back(std::make_unique<RequestParser>(per10000));
    all.push_back(std::make_unique<Connections>(per10000));
    all.push_back(std::make_unique<WebSessions>(per10000));
    all.push_back(std::make_unique<Timers>(per10000));
    all.push_back(std::make_unique<Decoder>(per10000));
    return all;
}

} // namespace services

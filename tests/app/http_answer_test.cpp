// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/serve/connection_guard.h"
#include "app/serve/http_answer.h"

#include <QTest>

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <thread>

using namespace app;
using namespace std::chrono_literals;

/// How answers reach clients over real connections.
class HttpAnswerTest : public QObject
{
    Q_OBJECT

private:
    /// A server whose answers may wait `writeLimit` for a client, and its guard.
    class Server
    {
    public:
        Server(const ServiceReply &reply, std::chrono::milliseconds writeLimit)
        {
            m_server.new_task_queue = [] { return new httplib::ThreadPool(8); }; // owned by the server
            m_server.set_write_timeout(writeLimit);
            m_server.Get(".*", [this, reply](const httplib::Request &request, httplib::Response &response) {
                setAnswer(request, response, reply,
                    std::make_shared<ConnectionGuard::Answering>(*m_guard, request.remote_port));
            });
            port = m_server.bind_to_any_port("127.0.0.1");
            m_guard = std::make_unique<ConnectionGuard>(port);
            m_thread = std::thread([this] { m_server.listen_after_bind(); });
            while (!m_server.is_running())
                std::this_thread::yield();
        }
        Server(const Server &) = delete;
        Server &operator=(const Server &) = delete;
        ~Server()
        {
            m_server.stop();
            m_guard->endAll();
            m_thread.join();
        }

        int port = 0;

    private:
        httplib::Server m_server;
        std::unique_ptr<ConnectionGuard> m_guard;
        std::thread m_thread;
    };

    static int connectedTo(int port, int receiveBytes = 0)
    {
        const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (receiveBytes > 0)
            ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receiveBytes, sizeof receiveBytes);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(static_cast<std::uint16_t>(port));
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        if (::connect(fd, reinterpret_cast<const sockaddr *>(&address), sizeof address) != 0)
            qWarning("no connection");
        return fd;
    }

    static void ask(int fd)
    {
        static constexpr char kRequest[] = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
        if (::send(fd, kRequest, sizeof kRequest - 1, MSG_NOSIGNAL) != sizeof kRequest - 1)
            qWarning("not asked");
    }

private Q_SLOTS:
    void isWholeForAClientThatReadsSlowly()
    {
        constexpr std::size_t kBytes = 24 << 20;
        const Server server({.body = std::string(kBytes, 'x')}, 5s);
        const int fd = connectedTo(server.port, 256 * 1024);
        ask(fd);
        // Five that ask for nothing: from then on a connection on which nothing is answered has one second.
        std::vector<int> idle;
        for (int i = 0; i < 5; ++i)
            idle.push_back(connectedTo(server.port));
        std::string bytes(256 * 1024, '\0');
        std::size_t got = 0;
        for (ssize_t count = 1; count > 0 && got < kBytes;) {
            count = ::recv(fd, bytes.data(), bytes.size(), 0);
            got += static_cast<std::size_t>(std::max<ssize_t>(count, 0));
            std::this_thread::sleep_for(20ms); // 2 s in all
        }
        QVERIFY2(got >= kBytes, qPrintable(QString::number(got)));
        for (const int other : idle)
            ::close(other);
        ::close(fd);
    }

    void isCompressedForThoseWhoTakeIt()
    {
        const Server server({.type = "text/plain", .body = std::string(100'000, 'x')}, 5s);
        httplib::Client client("127.0.0.1", server.port);
        client.set_decompress(false);
        const auto sizeFor = [&client](const char *accepted) {
            const auto reply = client.Get("/", {{"Accept-Encoding", accepted}});
            return reply ? reply->body.size() : 0;
        };
        QCOMPARE(sizeFor("identity"), std::size_t(100'000));
        QCOMPARE(sizeFor("br, gzip;q=0"), std::size_t(100'000));
        QVERIFY(sizeFor("br;q=1.0, gzip;q=0.8") < 1000);
        client.set_decompress(true);
        const auto reply = client.Get("/", {{"Accept-Encoding", "deflate, gzip"}});
        QVERIFY(reply && reply->body == std::string(100'000, 'x'));
    }

    void givesUpAClientThatDrips()
    {
        ReadingPace::Clock::time_point now{};
        ReadingPace pace(now);
        QVERIFY(!pace.isTooSlow(0, now += 9s));
        QVERIFY(!pace.isTooSlow(160 * 1024, now += 1s)); // just fast enough
        QVERIFY(!pace.isTooSlow(16 * 1024, now += 5s));
        QVERIFY(pace.isTooSlow(16 * 1024, now += 5s)); // what it took before does not count
    }

    void hasPlacesForSoManyAnswers()
    {
        AnswerPlaces places(2);
        auto first = places.take();
        const auto second = places.take();
        QVERIFY(first && second && !places.take() && !places.take());
        first.reset();
        QVERIFY(places.take());
    }
};

QTEST_GUILESS_MAIN(HttpAnswerTest)
#include "http_answer_test.moc"

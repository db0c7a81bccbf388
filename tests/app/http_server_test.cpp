// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/serve/http_server.h"
#include "tests/storage/sample_session.h"

#include <QElapsedTimer>
#include <QFile>
#include <QTemporaryDir>
#include <QTest>

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <vector>

using namespace app;

/// What clients can do to the server over real connections.
class HttpServerTest : public QObject
{
    Q_OBJECT

private:
    QTemporaryDir m_folder;
    QByteArray m_token;
    std::optional<HttpServer> m_server;
    int m_port = 0;

    enum class Reader { Fast, Stalling };

    int connected(Reader reader = Reader::Fast) const
    {
        const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        const timeval most{10, 0};
        ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &most, sizeof most);
        if (reader == Reader::Stalling) {
            // Small packets: then the kernel takes some 10 KiB of an answer for a client that does not read, else megabytes.
            const int receiveBytes = 2048, packetBytes = 512;
            ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receiveBytes, sizeof receiveBytes);
            ::setsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &packetBytes, sizeof packetBytes);
        }
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(static_cast<std::uint16_t>(m_port));
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        if (::connect(fd, reinterpret_cast<const sockaddr *>(&address), sizeof address) != 0)
            qWarning("no connection");
        return fd;
    }

    static bool sent(int fd, const QByteArray &bytes)
    {
        return ::send(fd, bytes.constData(), static_cast<std::size_t>(bytes.size()), MSG_NOSIGNAL) == bytes.size();
    }

    /// What the server answers until it ends the connection, or says nothing for 10 s ("late" is put behind then), or resets it ("reset").
    QByteArray replyTo(const QByteArray &request) const { return rest(connected(), request); }

    /// The same in a connection, which it closes.
    static QByteArray rest(int fd, const QByteArray &request)
    {
        QByteArray reply = sent(fd, request) ? QByteArray() : QByteArray("not sent");
        char bytes[4096];
        ssize_t got = 1;
        while ((got = ::recv(fd, bytes, sizeof bytes, 0)) > 0)
            reply.append(bytes, got);
        if (got < 0)
            reply += errno == ECONNRESET ? "reset" : "late";
        ::close(fd);
        return reply;
    }

private Q_SLOTS:
    void initTestCase()
    {
        const std::string file = m_folder.filePath(QStringLiteral("s.gprof-session")).toStdString();
        const std::string tokenFile = m_folder.filePath(QStringLiteral("token")).toStdString();
        SampleSession sample;
        sample.info().config.command.emplace_back(512 * 1024, 'x'); // for a report that does not fit into a socket
        QVERIFY(sample.make(file, 6));
        auto token = ApiToken::load(tokenFile);
        QVERIFY(token.has_value());
        QFile read(QString::fromStdString(tokenFile));
        QVERIFY(read.open(QIODevice::ReadOnly));
        m_token = "Authorization: Bearer " + read.readLine().trimmed() + "\r\n";
        auto service = SessionService::open(file, {}, {std::move(*token)});
        QVERIFY(service.has_value());
        auto server = HttpServer::start(std::move(*service), {.port = 0});
        QVERIFY(server.has_value());
        m_server.emplace(std::move(*server));
        m_port = QString::fromStdString(m_server->url()).section(QLatin1Char(':'), -1).toInt();
    }

    void refusesBodiesUnread()
    {
        const QByteArray stop = "POST /api/v1/stop HTTP/1.1\r\nHost: x\r\n";
        QElapsedTimer timer;
        timer.start();
        const QByteArray chunked = replyTo(stop + m_token + "Transfer-Encoding: chunked\r\n\r\n");
        QVERIFY2(chunked.startsWith("HTTP/1.1 411 ") && chunked.contains("\"error\""), chunked.constData());
        const QByteArray large = replyTo(stop + m_token + "Content-Length: 9999999999\r\n\r\n");
        QVERIFY2(large.startsWith("HTTP/1.1 413 "), large.constData());
        for (const char *odd : {"-1", "1x", "1\r\nContent-Length: 2"}) {
            const QByteArray reply = replyTo(stop + m_token + "Content-Length: " + odd + "\r\n\r\n");
            QVERIFY2(reply.startsWith("HTTP/1.1 400 "), reply.constData());
        }
        const QByteArray unknown = replyTo(stop + "Content-Length: 60000\r\n\r\n");
        QVERIFY2(unknown.startsWith("HTTP/1.1 401 "), unknown.constData());
        // The body of a request that has none would be taken for the next request.
        const QByteArray two = replyTo("GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 36\r\n\r\n"
                                       "GET /healthz HTTP/1.1\r\nHost: hidden\r\n\r\n");
        QCOMPARE(two.count("HTTP/1.1 200 "), 1);
        const int fd = connected();
        QVERIFY(sent(fd, "HEAD /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 39\r\n\r\n"));
        char byte = 0;
        QCOMPARE(::recv(fd, &byte, 1, MSG_PEEK), ssize_t{1}); // the answer: what follows comes in a packet of its own
        const QByteArray head = rest(fd, "GET /healthz HTTP/1.1\r\nHost: hidden\r\n\r\n");
        QCOMPARE(head.count("HTTP/1.1 200 "), 1);
        QVERIFY2(!head.contains("late"), head.constData());
        QVERIFY2(timer.elapsed() < 3000, qPrintable(QString::number(timer.elapsed())));
        const QByteArray good = replyTo(stop + m_token + "Content-Length: 2\r\nConnection: close\r\n\r\n{}");
        QVERIFY2(good.startsWith("HTTP/1.1 409 "), good.constData()); // the recording is over
    }

    /// A client that is told of a reset in the middle of its body may not look for an answer.
    void refusesAClientThatStillSends()
    {
        const QByteArray stop = "POST /api/v1/stop HTTP/1.1\r\nHost: x\r\n";
        const auto isHeard = [&stop, this] {
            const int fd = connected();
            bool isSent = sent(fd, stop + "Content-Length: 60000\r\n\r\n" + QByteArray(20'000, 'a'));
            char byte = 0;
            isSent = isSent && ::recv(fd, &byte, 1, MSG_PEEK) == 1; // it is answered
            for (int i = 0; i < 20 && isSent; ++i) {
                QTest::qWait(1);
                isSent = sent(fd, QByteArray(1000, 'a'));
            }
            const QByteArray reply = rest(fd, QByteArray(20'000, 'a'));
            return isSent && reply.startsWith("HTTP/1.1 401 ") && reply.endsWith("}\n");
        };
        // A machine that has much to do may need more than the 200 ms that the server waits.
        QVERIFY(isHeard() || isHeard() || isHeard() || isHeard());
    }

    void endsAHeadThatNeverEnds()
    {
        const int fd = connected();
        QVERIFY(sent(fd, "GET /healthz HTTP/1.1\r\nX: "));
        QElapsedTimer timer;
        timer.start();
        while (timer.elapsed() < 10'000 && sent(fd, QByteArray(16 * 1024, 'a')))
            QTest::qWait(2);
        QVERIFY2(timer.elapsed() < 5000, qPrintable(QString::number(timer.elapsed())));
        ::close(fd);
    }

    void answersOthersWhileClientsDoNotRead()
    {
        const QByteArray get = "GET /report.html HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + m_token + "\r\n";
        const QByteArray whole = replyTo(get);
        QVERIFY2(whole.startsWith("HTTP/1.1 200 ") && whole.size() > 512 * 1024, whole.left(200).constData());
        std::vector<int> stalled;
        for (int i = 0; i < 40; ++i) {
            stalled.push_back(connected(Reader::Stalling));
            QVERIFY(sent(stalled.back(), get));
        }
        const auto areAllAnswered = [&stalled] {
            return std::all_of(stalled.begin(), stalled.end(), [](int fd) {
                char byte = 0;
                return ::recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 1;
            });
        };
        QTRY_VERIFY_WITH_TIMEOUT(areAllAnswered(), 4000); // below the 5 s after which the first are given up
        QElapsedTimer timer;
        timer.start();
        const QByteArray health = replyTo("GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        QVERIFY2(health.startsWith("HTTP/1.1 200 "), health.constData());
        const QByteArray metrics
            = replyTo("GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + m_token + "\r\n");
        QVERIFY2(metrics.startsWith("HTTP/1.1 200 "), metrics.constData());
        const QByteArray unknown = replyTo("GET /report.html HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        QVERIFY2(unknown.startsWith("HTTP/1.1 401 "), unknown.constData());
        const QByteArray busy = replyTo(get);
        QVERIFY2(busy.startsWith("HTTP/1.1 503 ") && busy.contains("\r\nRetry-After: "), busy.left(200).constData());
        // The connection ends with it, although the client would keep it.
        for (const char *method : {"GET", "HEAD"}) {
            const QByteArray kept
                = replyTo(method + QByteArray(" /report.html HTTP/1.1\r\nHost: x\r\n") + m_token + "\r\n");
            QVERIFY2(kept.startsWith("HTTP/1.1 503 ") && kept.contains("\r\nConnection: close\r\n"),
                kept.left(200).constData());
        }
        QVERIFY2(timer.elapsed() < 1000, qPrintable(QString::number(timer.elapsed())));
        for (const int fd : stalled)
            ::close(fd);
        QTRY_VERIFY_WITH_TIMEOUT(replyTo(get).startsWith("HTTP/1.1 200 "), 5000);
    }
};

QTEST_GUILESS_MAIN(HttpServerTest)
#include "http_server_test.moc"

// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/integration/genprof_runner.h"

#include <QElapsedTimer>
#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QTest>
#include <QUrl>

#include <arpa/inet.h>
#include <httplib.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

using tests::GenprofRunner;
using tests::Ran;
using namespace Qt::StringLiterals;

/// The HTTP API over real connections: of a recording that runs, and of one that is saved.
class ServeIntegrationTest : public QObject
{
    Q_OBJECT

private:
    const GenprofRunner m_runner;
    const QString m_tokenFile = m_runner.path(u"token"_s);

    httplib::Headers token() const
    {
        QFile file(m_tokenFile);
        const bool isOpen = file.open(QIODevice::ReadOnly);
        return {{"Authorization", "Bearer " + (isOpen ? file.readLine().trimmed().toStdString() : std::string())}};
    }

    /// Reads what a genprof says when it begins to serve, up to the address.
    static std::string urlOf(QProcess &genprof)
    {
        genprof.setReadChannel(QProcess::StandardError);
        const QByteArray said = tests::readUntil(genprof, "/metrics");
        const qsizetype begin = said.indexOf("http");
        return said.mid(begin, said.indexOf("/metrics") - begin).toStdString();
    }

    /// Sends these bytes as they are, and reads one answer.
    static QByteArray rawReply(const QUrl &url, const QByteArray &request)
    {
        const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(static_cast<std::uint16_t>(url.port()));
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        QByteArray reply;
        if (::connect(fd, reinterpret_cast<const sockaddr *>(&address), sizeof address) == 0
            && ::send(fd, request.constData(), static_cast<std::size_t>(request.size()), MSG_NOSIGNAL)
                == request.size()) {
            char bytes[4096];
            for (ssize_t got = 1; got > 0 && !reply.contains("\r\n\r\n");) {
                got = ::recv(fd, bytes, sizeof bytes, 0);
                reply.append(bytes, std::max<ssize_t>(got, 0));
            }
            const QByteArray announced = QByteArray("Content-Length: ");
            const qsizetype at = reply.indexOf(announced);
            const qsizetype length = reply.mid(at + announced.size()).split('\r').first().toLongLong();
            const qsizetype whole = reply.indexOf("\r\n\r\n") + 4 + (at < 0 ? 0 : length);
            for (ssize_t got = 1; got > 0 && reply.size() < whole;) {
                got = ::recv(fd, bytes, sizeof bytes, 0);
                reply.append(bytes, std::max<ssize_t>(got, 0));
            }
        }
        ::close(fd);
        return reply;
    }

    /// A client that begins a request and does not end it.
    static int halfOpen(const QUrl &url)
    {
        const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(static_cast<std::uint16_t>(url.port()));
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        const QByteArray begun = "GET /healthz HTTP/1.1\r\nHost: a\r\n";
        if (::connect(fd, reinterpret_cast<const sockaddr *>(&address), sizeof address) != 0
            || ::send(fd, begun.constData(), static_cast<std::size_t>(begun.size()), MSG_NOSIGNAL) != begun.size())
            qWarning("no half-open connection");
        return fd;
    }

private Q_SLOTS:
    void isNotHeldUpBySlowClients()
    {
        const auto recording = m_runner.start({u"record"_s, u"-o"_s, m_runner.session(), u"--serve"_s, u"0"_s,
            u"--token-file"_s, m_tokenFile, u"--cpu"_s, u"off"_s, u"--"_s, u"sleep"_s, u"60"_s});
        const std::string url = urlOf(*recording);
        std::vector<int> slow;
        for (int i = 0; i < 40; ++i)
            slow.push_back(halfOpen(QUrl(QString::fromStdString(url))));
        httplib::Client client(url);
        client.set_read_timeout(15);
        const auto health = client.Get("/healthz");
        QVERIFY2(health, httplib::to_string(health.error()).c_str());
        QCOMPARE(health->status, 200);
        for (const int fd : slow)
            ::close(fd);
        recording->kill();
        recording->waitForFinished();
        QFile::remove(m_runner.session());
    }

    void servesARecordingThatRuns()
    {
        const auto recording = m_runner.start({u"record"_s, u"-o"_s, m_runner.session(), u"--serve"_s, u"0"_s,
            u"--token-file"_s, m_tokenFile, u"--cpu"_s, u"off"_s, u"--"_s, u"sleep"_s, u"60"_s});
        const std::string url = urlOf(*recording);
        QVERIFY2(url.starts_with("http://127.0.0.1:"), url.c_str());
        httplib::Client client(url);
        const auto closed = client.Get("/metrics");
        QVERIFY(closed && closed->status == 401);
        const auto health = client.Get("/healthz");
        QVERIFY(health && health->status == 200);
        QTRY_VERIFY_WITH_TIMEOUT(
            [&] {
                const auto metrics = client.Get("/metrics", token());
                return metrics && metrics->body.find("genesis_memory_usage_bytes{") != std::string::npos;
            }(),
            20'000);
        // What another request has read meanwhile is in the metrics too.
        const auto timeOf = [](const std::string &text, const char *key) {
            const std::size_t at = text.find(key);
            return at == std::string::npos ? -1.0 : std::stod(text.substr(at + std::strlen(key)));
        };
        const auto status = client.Get("/api/v1/status", token());
        const auto after = client.Get("/metrics", token());
        QVERIFY(status && after);
        QVERIFY(timeOf(after->body, "\ngenesis_recording_duration_seconds ") + 1e-6
            >= timeOf(status->body, "\"duration_ns\": ") / 1e9);
        const auto marked
            = client.Post("/api/v1/mark", token(), "{\"text\": \"from \\\"outside\\\"\"}", "application/json");
        QVERIFY(marked && marked->status == 200);
        const auto tooLarge = client.Post("/api/v1/mark", token(), std::string(1 << 20, 'x'), "application/json");
        QVERIFY(!tooLarge || tooLarge->status == 413);
        const auto stopped = httplib::Client(url).Post("/api/v1/stop", token(), "", "application/json");
        QVERIFY(stopped && stopped->status == 200);
        QTRY_VERIFY_WITH_TIMEOUT(!m_runner.report(u"summary"_s)[u"marks"_s].toArray().isEmpty()
                && !QFile::exists(m_runner.session() + u"-wal"_s),
            20'000);
        const QJsonArray marks = m_runner.report(u"summary"_s)[u"marks"_s].toArray();
        QVERIFY(QJsonDocument(marks).toJson().contains("from \\\"outside\\\""));
        recording->kill(); // it waits for the command, which it started
        recording->waitForFinished();
    }

    void endsThoughClientsAreSlow()
    {
        QElapsedTimer timer;
        const auto recording = m_runner.start({u"record"_s, u"-o"_s, m_runner.path(u"slow.gprof-session"_s),
            u"--serve"_s, u"0"_s, u"--token-file"_s, m_tokenFile, u"--cpu"_s, u"off"_s, u"--"_s, u"sleep"_s, u"6"_s});
        const QUrl url(QString::fromStdString(urlOf(*recording)));
        std::vector<int> slow;
        for (int i = 0; i < 20; ++i) { // more than there are threads
            const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
            sockaddr_in address{};
            address.sin_family = AF_INET;
            address.sin_port = htons(static_cast<std::uint16_t>(url.port()));
            address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
            QCOMPARE(::connect(fd, reinterpret_cast<const sockaddr *>(&address), sizeof address), 0);
            QVERIFY(::send(fd, "GET / HTTP/1.1\r\n", 16, 0) == 16);
            slow.push_back(fd);
        }
        timer.start();
        std::atomic<bool> isOver = false;
        std::thread dripping([&] {
            while (!isOver) {
                for (const int fd : slow)
                    static_cast<void>(::send(fd, "x", 1, MSG_NOSIGNAL));
                std::this_thread::sleep_for(std::chrono::milliseconds(500));
            }
        });
        const int exitCode = tests::waitForExit(*recording);
        isOver = true;
        dripping.join();
        for (const int fd : slow)
            ::close(fd);
        QCOMPARE(exitCode, 0);
        QVERIFY2(timer.elapsed() < 20'000, qPrintable(QString::number(timer.elapsed())));
        QVERIFY(!QFile::exists(m_runner.path(u"slow.gprof-session-wal"_s)));
    }

    void servesManyAtOnceUntilItIsEnded()
    {
        if (!QFile::exists(m_runner.session()))
            QCOMPARE(m_runner.record(u"-q --cpu off"_s.split(u' '), {u"true"_s}).exitCode, 0);
        const auto serving = m_runner.start({u"serve"_s, m_runner.session(), u"--listen"_s, u"0"_s, u"--token-file"_s,
            m_tokenFile, u"--open-metrics"_s});
        const std::string url = urlOf(*serving);
        std::atomic<int> good = 0;
        std::vector<std::thread> clients;
        for (int i = 0; i < 8; ++i)
            clients.emplace_back([&, i] {
                httplib::Client client(url);
                for (int k = 0; k < 5; ++k) {
                    const auto reply = i % 2 == 0 ? client.Get("/metrics") : client.Get("/api/v1/report/heap", token());
                    good += reply && reply->status == 200 ? 1 : 0;
                }
            });
        for (std::thread &client : clients)
            client.join();
        QCOMPARE(good.load(), 40);
        // As "curl -X POST" asks: no body, and no word of its length. The library alone would wait 5 s and say nothing.
        QElapsedTimer timer;
        timer.start();
        const QByteArray authorization = "Authorization: " + QByteArray::fromStdString(token().begin()->second);
        const QByteArray idle = rawReply(QUrl(QString::fromStdString(url)),
            "POST /api/v1/scan HTTP/1.1\r\nHost: x\r\n" + authorization + "\r\n\r\n");
        QVERIFY2(idle.startsWith("HTTP/1.1 409 ") && idle.contains("{\n  \"error\": \""), idle.constData());
        QVERIFY2(timer.elapsed() < 3000, qPrintable(QString::number(timer.elapsed())));
        const QByteArray unmarked = rawReply(QUrl(QString::fromStdString(url)),
            "POST /api/v1/mark HTTP/1.1\r\nHost: x\r\n" + authorization + "\r\n\r\n");
        QVERIFY2(
            unmarked.startsWith("HTTP/1.1 400 ") && unmarked.contains("A mark needs its text"), unmarked.constData());
        const QByteArray odd = rawReply(QUrl(QString::fromStdString(url)), "Hello\r\n\r\n");
        QVERIFY2(
            odd.startsWith("HTTP/1.1 400 ") && odd.contains("{\n  \"error\": \"This is no whole"), odd.constData());
        const Ran taken = m_runner.genprof({u"serve"_s, m_runner.session(), u"--token-file"_s, m_tokenFile,
            u"--listen"_s, QString::fromStdString(url).section(u"//"_s, 1)});
        QCOMPARE(taken.exitCode, 1);
        QVERIFY2(taken.err.contains("the port is taken; choose another with --listen"), taken.err.constData());
        // Of a recording the port is no reason not to record; an address that cannot be is one, before the command runs.
        const QString port = QString::fromStdString(url).section(u':', -1);
        const Ran recorded = m_runner.genprof({u"record"_s, u"-o"_s, m_runner.path(u"taken.gprof-session"_s),
            u"--cpu"_s, u"off"_s, u"--token-file"_s, m_tokenFile, u"--serve"_s, port, u"--"_s, u"echo"_s, u"ran"_s});
        QCOMPARE(recorded.exitCode, 0);
        QVERIFY2(recorded.err.contains("the port is taken; choose another with --serve"), recorded.err.constData());
        for (const QString &bad : {u"127.0.0.1:99999"_s, u"nowhere at all"_s, u"192.0.2.7:9464"_s}) {
            const Ran refused = m_runner.genprof({u"record"_s, u"-o"_s, m_runner.path(u"refused.gprof-session"_s),
                u"--token-file"_s, m_tokenFile, u"--serve"_s, bad, u"--"_s, u"echo"_s, u"ran"_s});
            QCOMPARE(refused.exitCode, 125);
            QVERIFY2(!refused.out.contains("ran") && refused.err.count('\n') == 1, refused.err.constData());
            QVERIFY(!QFile::exists(m_runner.path(u"refused.gprof-session"_s)));
        }
        ::kill(static_cast<pid_t>(serving->processId()), SIGTERM);
        QCOMPARE(tests::waitForExit(*serving), 0);
    }
};

QTEST_GUILESS_MAIN(ServeIntegrationTest)
#include "serve_integration_test.moc"

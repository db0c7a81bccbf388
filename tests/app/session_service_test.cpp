// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/serve/http_server.h"
#include "app/serve/session_service.h"
#include "tests/storage/sample_session.h"

#include <QFile>
#include <QTemporaryDir>
#include <QTest>

#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include <sstream>
#include <string>
#include <vector>

using namespace app;
using Json = nlohmann::json;

/// The HTTP API without HTTP: what each request is answered.
class SessionServiceTest : public QObject
{
    Q_OBJECT

private:
    QTemporaryDir m_folder;
    std::string m_file = m_folder.filePath(QStringLiteral("s.gprof-session")).toStdString();
    std::string m_tokenFile = m_folder.filePath(QStringLiteral("config/token")).toStdString();
    std::string m_token;
    std::unique_ptr<SessionService> m_service;

    ServiceReply ask(const std::string &method, const std::string &path,
        std::vector<std::pair<std::string, std::string>> query = {}, const std::string &body = {})
    {
        return m_service->handle({method, path, std::move(query), "Bearer " + m_token, body});
    }

    static std::vector<std::string> linesOf(const std::string &text)
    {
        std::vector<std::string> lines;
        std::istringstream in(text);
        for (std::string line; std::getline(in, line);)
            lines.push_back(line);
        return lines;
    }

    static std::string errorOf(const ServiceReply &reply)
    {
        return Json::parse(reply.body)["error"].get<std::string>();
    }

private Q_SLOTS:
    void initTestCase()
    {
        SampleSession sample;
        QVERIFY(sample.make(m_file, 6));
        auto token = ApiToken::load(m_tokenFile);
        QVERIFY2(token.has_value(), token ? "" : token.error().text().c_str());
        QFile file(QString::fromStdString(m_tokenFile));
        QVERIFY(file.open(QIODevice::ReadOnly));
        m_token = file.readLine().trimmed().toStdString();
        QCOMPARE(m_token.size(), std::size_t(64));
        QCOMPARE(file.permissions() & (QFile::ReadGroup | QFile::ReadOther | QFile::WriteOther), QFile::Permissions());
        auto service = SessionService::open(m_file, {}, {std::move(*token)});
        QVERIFY2(service.has_value(), service ? "" : service.error().text().c_str());
        m_service = std::move(*service);
    }

    void wantsTheToken()
    {
        for (const char *wrong : {"", "Bearer", "Bearer ", "Bearer 0", "bearer x", "Basic abc"})
            for (const char *path : {"/metrics", "/api/v1/status", "/report.html", "/nothing"}) {
                const ServiceReply reply = m_service->handle({"GET", path, {}, wrong, {}});
                QCOMPARE(reply.status, 401);
                QVERIFY(reply.headers.contains("WWW-Authenticate"));
            }
        std::string nearly = m_token;
        nearly.back() = nearly.back() == 'a' ? 'b' : 'a';
        QCOMPARE(m_service->handle({"GET", "/metrics", {}, "Bearer " + nearly, {}}).status, 401);
        QCOMPARE(m_service->handle({"POST", "/api/v1/stop", {}, {}, {}}).status, 401);
        QCOMPARE(m_service->handle({"GET", "/healthz", {}, {}, {}}).body, std::string("ok\nstate complete\n"));
        QCOMPARE(ask("GET", "/metrics").status, 200);
    }

    void metricsCanBeOpen()
    {
        auto token = ApiToken::load(m_tokenFile);
        const auto service = SessionService::open(m_file, {}, {std::move(*token), true});
        QCOMPARE((*service)->handle({"GET", "/metrics", {}, {}, {}}).status, 200);
        QCOMPARE((*service)->handle({"GET", "/api/v1/status", {}, {}, {}}).status, 401);
    }

    void answersReportsAsTheCommandLineDoes()
    {
        QVERIFY(ask("GET", "/metrics").body.find("genesis_recording_duration_seconds 6") != std::string::npos);
        const Json status = Json::parse(ask("GET", "/api/v1/status").body);
        QCOMPARE(status["state"].get<std::string>(), std::string("complete"));
        for (const char *view :
            {"summary", "metrics", "heap", "cpu", "leaks", "growth", "lost", "alerts", "losses", "mappings", "pools"}) {
            const ServiceReply reply = ask("GET", std::string("/api/v1/report/") + view);
            QVERIFY2(reply.status == 200 && Json::accept(reply.body), view);
        }
        const Json heap = Json::parse(ask("GET", "/api/v1/report/heap", {{"top", "1"}, {"cost", "allocated"}}).body);
        QCOMPARE(heap["stacks"].size(), std::size_t(1));
        const Json part = Json::parse(ask("GET", "/api/v1/report/summary", {{"from", "1s"}, {"to", "3s"}}).body);
        QCOMPARE(part["selection"]["from_ns"].get<std::int64_t>(), SampleSession::kTickNs);
        QCOMPARE(ask("GET", "/report.html").type, std::string("text/html; charset=utf-8"));
        QCOMPARE(ask("GET", "/api/v1/report/heap", {{"format", "csv"}}).type, std::string("text/csv; charset=utf-8"));
    }

    void readsListsOfStacksPageByPage()
    {
        for (const std::string view : {"heap", "mappings", "cpu", "syscalls", "waits"}) {
            const std::string path = "/api/v1/report/" + view;
            const Json whole = Json::parse(ask("GET", path).body);
            const std::size_t count = whole["stacks"].size();
            QVERIFY2(view == "mappings" || count > 0, view.c_str());
            QCOMPARE(whole["stack_count"].get<std::size_t>(), count);
            const std::vector<std::string> all = linesOf(ask("GET", path, {{"format", "csv"}}).body);
            std::vector<std::string> read{all.front()};
            for (std::size_t at = 0; at <= count; ++at) {
                const std::string offset = std::to_string(at);
                const Json page = Json::parse(ask("GET", path, {{"top", "1"}, {"offset", offset}}).body);
                QCOMPARE(page["stack_count"].get<std::size_t>(), count);
                QCOMPARE(page["stacks"].size(), at < count ? std::size_t(1) : std::size_t(0));
                if (at < count)
                    QVERIFY2(page["stacks"][0]["stack_id"] == whole["stacks"][at]["stack_id"], view.c_str());
                const std::vector<std::string> rows
                    = linesOf(ask("GET", path, {{"format", "csv"}, {"top", "1"}, {"offset", offset}}).body);
                QCOMPARE(rows.front(), all.front());
                QVERIFY2(rows.size() <= 2, view.c_str());
                read.insert(read.end(), rows.begin() + 1, rows.end());
            }
            QVERIFY2(read == all, view.c_str());
        }
        const Json rest = Json::parse(ask("GET", "/api/v1/report/heap", {{"offset", "1"}}).body);
        QCOMPARE(rest["stacks"].size() + 1, rest["stack_count"].get<std::size_t>());
    }

    void saysWhatIsWrong()
    {
        QCOMPARE(ask("GET", "/api/v1/report/everything").status, 400);
        QVERIFY(errorOf(ask("GET", "/api/v1/report/everything")).find("everything") != std::string::npos);
        QCOMPARE(ask("GET", "/api/v1/report/heap", {{"top", "many"}}).status, 400);
        QVERIFY(errorOf(ask("GET", "/api/v1/report/heap", {{"top", "many"}})).find("many") != std::string::npos);
        QCOMPARE(ask("GET", "/api/v1/report/heap", {{"colour", "red"}}).status, 400);
        const auto said = [&](const char *view, const char *key, const char *value) {
            const ServiceReply reply = ask("GET", std::string("/api/v1/report/") + view, {{key, value}});
            return reply.status == 400 ? QString::fromStdString(errorOf(reply)) : QStringLiteral("was understood");
        };
        QVERIFY(said("heap", "top", "0").contains(QStringLiteral("1 or more")));
        QVERIFY(said("heap", "thread", "1").startsWith(QStringLiteral("thread belongs to what cpu")));
        QVERIFY(said("cpu", "thread", "99999").startsWith(QStringLiteral("No thread with the id 99999")));
        QVERIFY(said("cpu", "thread", "x").contains(QStringLiteral("must be a number")));
        QVERIFY(said("heap", "limit", "1GiB").startsWith(QStringLiteral("limit belongs to what forecast")));
        QCOMPARE(said("forecast", "limit", "1GiB"), QStringLiteral("was understood"));
        QVERIFY(said("metrics", "top", "3").startsWith(QStringLiteral("top has no effect here")));
        for (const char *offset : {"-1", "x", "1.5", "", "99999999999999999999"})
            QVERIFY(said("heap", "offset", offset).startsWith(QStringLiteral("\"offset\" must be a number")));
        for (const char *view : {"summary", "metrics", "leaks", "lost", "hot", "advice"})
            QVERIFY(said(view, "offset", "1").startsWith(QStringLiteral("\"offset\" has no effect here")));
        QVERIFY(said("heap", "format", "html").endsWith(QStringLiteral("it is at /report.html")));
        QVERIFY(said("cpu", "format", "prometheus").endsWith(QStringLiteral("at /metrics")));
        for (const char *path : {"/api/v1/report/heap", "/report.html"}) {
            const ServiceReply twice = ask("GET", path, {{"from", "1s"}, {"to", "3s"}, {"from", "2s"}});
            QCOMPARE(twice.status, 400);
            QCOMPARE(errorOf(twice), std::string("\"from\" is there more than once: give it once"));
        }
        QCOMPARE(ask("GET", "/api/v1/report/").status, 400);
        QVERIFY(errorOf(ask("GET", "/api/v1/report/")).find("/api/v1/report/summary") != std::string::npos);
        QCOMPARE(ask("GET", "/api/v1/report/heap", {{"process", "99999"}}).status, 400);
        QCOMPARE(ask("GET", "/api/v1/report/heap", {{"from", "2h"}}).status, 400);
        QCOMPARE(ask("GET", "/etc/passwd").status, 404);
        QCOMPARE(ask("GET", "/api/v1/stop").status, 405);
        QCOMPARE(ask("DELETE", "/api/v1/status").status, 405);
        QCOMPARE(ask("POST", "/metrics").status, 405);
        QCOMPARE(ask("POST", "/api/v1/report/heap").headers["Allow"], std::string("GET"));
        QCOMPARE(ask("POST", "/nothing").status, 404);
        QVERIFY(errorOf(ask("POST", "/api/v1/mark", {}, R"({"text": "a\u0000b"})")).find("NUL") != std::string::npos);
        QCOMPARE(ask("POST", "/api/v1/mark", {}, "no json").status, 400);
        QCOMPARE(ask("POST", "/api/v1/mark", {}, R"({"text": 5})").status, 400);
        const auto refused = [this](const char *command, const char *body) {
            const ServiceReply reply = ask("POST", std::string("/api/v1/") + command, {}, body);
            return reply.status == 400 ? QString::fromStdString(errorOf(reply)) : QStringLiteral("was understood");
        };
        QCOMPARE(refused("scan", R"({"min_age": 3})"),
            QStringLiteral("There is no field \"min_age\": confirm, confirm_after_ns and min_age_ns are known"));
        QCOMPARE(refused("scan", R"({"confirm": "yes"})"), QStringLiteral("\"confirm\" must be true or false"));
        for (const char *age : {"-1", "1.5", "\"60s\"", "3600000000001", "18446744073709551615"})
            QVERIFY(refused("scan", ("{\"min_age_ns\": " + std::string(age) + "}").c_str())
                        .startsWith(QStringLiteral("\"min_age_ns\" must be a number of nanoseconds")));
        QVERIFY(refused("scan", "[1]").contains(QStringLiteral("JSON object")));
        QVERIFY(refused("stop", R"({"text": "x"})").startsWith(QStringLiteral("There is no field \"text\"")));
        QVERIFY(refused("mark", R"({"text": "x", "at": 3})").startsWith(QStringLiteral("There is no field \"at\"")));
        QVERIFY(refused("mark", R"({"text": ""})").startsWith(QStringLiteral("A mark needs its text")));
        QCOMPARE(ask("POST", "/api/v1/scan", {}, R"({"min_age_ns": 0, "confirm": false})").status, 409);
        QVERIFY(errorOf(ask("POST", "/api/v1/scan")).find("has ended") != std::string::npos); // not: one is under way
        // The recording is over: nobody can stop it any more.
        QCOMPARE(ask("POST", "/api/v1/stop").status, 409);
    }

    void refusesATokenThatOthersKnow()
    {
        const QString path = m_folder.filePath(QStringLiteral("known"));
        QFile file(path);
        QVERIFY(file.open(QIODevice::WriteOnly));
        file.write("0123456789abcdef0123456789abcdef\n");
        file.close();
        QVERIFY(file.setPermissions(QFile::ReadOwner | QFile::WriteOwner | QFile::ReadOther));
        const auto open = ApiToken::load(path.toStdString());
        QVERIFY(!open && open.error().text().find("chmod 600") != std::string::npos);
        QVERIFY(file.setPermissions(QFile::ReadOwner | QFile::WriteOwner));
        QVERIFY(ApiToken::load(path.toStdString())->isIn("Bearer 0123456789abcdef0123456789abcdef"));
        QVERIFY(file.open(QIODevice::WriteOnly | QIODevice::Truncate));
        file.write("short\n");
        file.close();
        QVERIFY(!ApiToken::load(path.toStdString()));
        QVERIFY(!ApiToken::load("/proc/nothing/token"));
    }

    void refusesATokenFileThatIsNoFileOfOnesOwn()
    {
        const auto refusal = [&](const char *name) {
            const auto token = ApiToken::load(m_folder.filePath(QString::fromUtf8(name)).toStdString());
            return QString::fromStdString(token ? "accepted" : token.error().text());
        };
        const auto path = [&](const char *name) { return m_folder.filePath(QString::fromUtf8(name)).toStdString(); };
        QCOMPARE(::symlink(path("gone").c_str(), path("dangling").c_str()), 0);
        QVERIFY2(refusal("dangling").contains(QStringLiteral("link to a file that does not exist")),
            qPrintable(refusal("dangling")));
        QVERIFY(!QFile::exists(QString::fromStdString(path("gone")))); // somebody else may have made the link
        QCOMPARE(::mkfifo(path("pipe").c_str(), 0600), 0);
        QVERIFY2(refusal("pipe").contains(QStringLiteral("no regular file")), qPrintable(refusal("pipe")));
        QVERIFY(!ApiToken::load("/dev/null"));
        if (::geteuid() != 0)
            QSKIP("Only root can give a file to another user");
        QFile file(QString::fromStdString(path("theirs")));
        QVERIFY(file.open(QIODevice::WriteOnly));
        file.write("0123456789abcdef0123456789abcdef\n");
        file.close();
        QCOMPARE(::chmod(path("theirs").c_str(), 0600), 0);
        QCOMPARE(::chown(path("theirs").c_str(), 65534, 65534), 0);
        QVERIFY2(refusal("theirs").contains(QStringLiteral("another user")), qPrintable(refusal("theirs")));
    }

    void understandsAddresses()
    {
        const auto is = [](const char *text, const char *host, int port) {
            const auto address = parseListenAddress(text);
            return address && address->host == host && address->port == port;
        };
        QVERIFY(is("9000", "127.0.0.1", 9000));
        QVERIFY(is("0", "127.0.0.1", 0));
        QVERIFY(is("0.0.0.0:80", "0.0.0.0", 80));
        QVERIFY(is("*:80", "0.0.0.0", 80));
        QVERIFY(is("[::1]:8080", "::1", 8080));
        QVERIFY(is("[::1]", "::1", 9464));
        QVERIFY(is("localhost", "localhost", 9464));
        for (const char *wrong : {"", ":", "host:", "host:port", "host:70000", "host:-1", "a b:1", "http://host:80"})
            QVERIFY2(!parseListenAddress(wrong), wrong);
        QVERIFY(isLoopback(*parseListenAddress("9000")) && !isLoopback(*parseListenAddress("*:80")));
        QVERIFY(!isLoopback(*parseListenAddress("127.0.0.1.example.com"))
            && isLoopback(*parseListenAddress("127.1.2.3:9")));
    }
};

QTEST_GUILESS_MAIN(SessionServiceTest)
#include "session_service_test.moc"

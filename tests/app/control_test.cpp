// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/control_client.h"
#include "capture/recording/control_server.h"
#include "capture/recording/dead_sockets.h"
#include "tests/capture/no_more_files.h"

#include <QDir>
#include <QTemporaryDir>
#include <QTest>

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <thread>

using app::ControlClient;
using capture::ControlCommand;
using capture::ControlReply;
using capture::ControlRequest;
using capture::ControlServer;

namespace {

/// A server with a thread that serves it until it is closed or the deadline has passed.
class RunningServer
{
public:
    explicit RunningServer(ControlServer::Handler handler)
        : m_handler(std::move(handler))
        , m_server(*ControlServer::listen(
              m_directory.path().toStdString(), [this](const ControlRequest &request) { return answer(request); }))
    {
        m_info.controlAddress = m_server.address();
        m_info.recorderPid = 4711;
        m_thread = std::jthread([this](const std::stop_token &stop) { serve(stop); });
    }

    const model::SessionInfo &info() const { return m_info; }
    void join() { m_thread.join(); }

private:
    ControlReply answer(const ControlRequest &request)
    {
        m_isStopping = request.command == ControlCommand::Stop;
        return m_handler(request);
    }

    void serve(const std::stop_token &stop)
    {
        while (!stop.stop_requested() && !m_isStopping) {
            std::vector<pollfd> polled;
            for (const int fd : m_server.descriptors())
                polled.push_back({fd, POLLIN, 0});
            ::poll(polled.data(), polled.size(), 10);
            m_server.service();
        }
        ControlReply last;
        last.status.state = model::SessionState::Complete;
        m_server.close(last);
    }

    QTemporaryDir m_directory;
    ControlServer::Handler m_handler;
    ControlServer m_server;
    bool m_isStopping = false;
    model::SessionInfo m_info;
    std::jthread m_thread;
};

bool connectTo(int fd, const std::string &address)
{
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    std::memcpy(name.sun_path, address.c_str(), address.size() + 1);
    return ::connect(fd, reinterpret_cast<const sockaddr *>(&name), sizeof(name)) == 0;
}

int rawConnection(const std::string &address)
{
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return connectTo(fd, address) ? fd : -1;
}

} // namespace

class ControlTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void carriesARequestAndItsAnswer();
    void answersAStopAgainWhenTheSessionIsComplete();
    void tellsWhyARequestIsRefused();
    void answersNonsenseWithAnError();
    void disconnectsWhoNeverEndsALine();
    void turnsAwayForWhomThereIsNoDescriptor();
    void saysThatTheRecorderIsGone();
    void saysThatTheFileWasMoved();
    void saysThatACopyIsFollowed();
    void saysThatTheRecordingHasEnded();
    void removesItsSocket();
    void keepsSocketsInAFolderOfThisUserAlone();
    void removesWhatKilledRecordersLeft();
    void roundTripsEveryFieldOfAStatus();
};

void ControlTest::carriesARequestAndItsAnswer()
{
    std::string marked;
    std::int64_t agoNs = 0;
    RunningServer server([&](const ControlRequest &request) {
        marked = request.text;
        agoNs = request.agoNs;
        ControlReply reply;
        reply.status.ticks = 7;
        return reply;
    });
    auto client = ControlClient::connect(server.info());
    QVERIFY(client.has_value());
    const auto reply = client->request({ControlCommand::Mark, "über \"alles\"\n", {}, 5'000'000'000});
    QVERIFY2(reply.has_value(), reply ? "" : reply.error().text().c_str());
    QCOMPARE(reply->error, std::string());
    QCOMPARE(reply->status.ticks, 7);
    QCOMPARE(marked, std::string("über \"alles\"\n"));
    QCOMPARE(agoNs, std::int64_t{5'000'000'000});
    // Nobody marks what was long before.
    QCOMPARE(capture::decodeRequest(R"({"command":"mark","text":"x","ago_ns":9000000000000000})")->agoNs,
        capture::kLongestAgoNs);
    QCOMPARE(capture::decodeRequest(R"({"command":"mark","text":"x","ago_ns":-5})")->agoNs, std::int64_t{0});
}

void ControlTest::answersAStopAgainWhenTheSessionIsComplete()
{
    RunningServer server([](const ControlRequest &) {
        ControlReply reply;
        reply.status.state = model::SessionState::Stopping;
        return reply;
    });
    auto client = ControlClient::connect(server.info());
    const auto first = client->request({ControlCommand::Stop, {}});
    QVERIFY(first && first->status.state == model::SessionState::Stopping);
    const auto last = client->waitForEnd(std::chrono::seconds(5));
    QVERIFY(last && last->status.state == model::SessionState::Complete);
}

void ControlTest::tellsWhyARequestIsRefused()
{
    RunningServer server([](const ControlRequest &) { return ControlReply{"The recording is paused already", {}}; });
    auto client = ControlClient::connect(server.info());
    const auto reply = client->request({ControlCommand::Pause, {}});
    QVERIFY(reply.has_value());
    QCOMPARE(reply->error, std::string("The recording is paused already"));
}

void ControlTest::answersNonsenseWithAnError()
{
    RunningServer server([](const ControlRequest &) { return ControlReply(); });
    for (const char *line :
        {"nonsense\n", "{}\n", "[1]\n", "{\"command\":\"dance\"}\n", "{\"command\":\"mark\"}\n", "\xff\n"}) {
        const int fd = rawConnection(server.info().controlAddress);
        QVERIFY(fd >= 0);
        QCOMPARE(::send(fd, line, std::strlen(line), MSG_NOSIGNAL), static_cast<ssize_t>(std::strlen(line)));
        char answer[4096] = {};
        QVERIFY(::recv(fd, answer, sizeof(answer) - 1, 0) > 0);
        QVERIFY2(std::strstr(answer, "\"ok\":false"), answer);
        ::close(fd);
    }
}

void ControlTest::disconnectsWhoNeverEndsALine()
{
    RunningServer server([](const ControlRequest &) { return ControlReply(); });
    const int fd = rawConnection(server.info().controlAddress);
    const std::string flood(capture::kControlLineBytes + 1, 'x');
    ::send(fd, flood.data(), flood.size(), MSG_NOSIGNAL);
    char byte = 0;
    QVERIFY(::recv(fd, &byte, 1, 0) <= 0);
    ::close(fd);
    QVERIFY(ControlClient::connect(server.info())->request({ControlCommand::Status, {}, {}}).has_value());
}

void ControlTest::turnsAwayForWhomThereIsNoDescriptor()
{
    RunningServer server([](const ControlRequest &) { return ControlReply(); });
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    {
        const NoMoreFiles limit;
        QVERIFY(connectTo(fd, server.info().controlAddress));
        char byte = 0;
        pollfd polled{fd, POLLIN, 0};
        QCOMPARE(::poll(&polled, 1, 5000), 1);
        QCOMPARE(::recv(fd, &byte, 1, MSG_DONTWAIT), ssize_t{0});
    }
    ::close(fd);
    auto client = ControlClient::connect(server.info());
    QVERIFY(client.has_value());
    QVERIFY(client->request({ControlCommand::Status, {}, {}}).has_value());
}

void ControlTest::saysThatTheRecorderIsGone()
{
    model::SessionInfo info;
    info.controlAddress = "/nonexistent/socket";
    info.recorderPid = 4711;
    const auto client = ControlClient::connect(info);
    QVERIFY(!client.has_value());
    QVERIFY(client.error().text().find("pid 4711) is gone") != std::string::npos);
}

void ControlTest::saysThatTheFileWasMoved()
{
    const RunningServer server([](const ControlRequest &) { return ControlReply(); });
    model::SessionInfo info = server.info();
    info.state = model::SessionState::Unfinished; // nobody holds the file at its new path
    info.recorderPid = ::getpid();
    const std::string moved = ControlClient::connect(info).error().text();
    QVERIFY2(moved.find("was moved") != std::string::npos, moved.c_str());
    QVERIFY(moved.ends_with("kill -INT " + std::to_string(::getpid())));
    info.recorderPid = 1; // another process has the address now
    QVERIFY(ControlClient::connect(info).error().text().find("(pid 1) is gone") != std::string::npos);
}

void ControlTest::saysThatACopyIsFollowed()
{
    model::SessionInfo info; // as follow --into leaves it
    for (const model::SessionState state : {model::SessionState::Recording, model::SessionState::Unfinished}) {
        info.state = state;
        const std::string text = ControlClient::connect(info).error().text();
        QVERIFY2(text.find("ask the original session") != std::string::npos, text.c_str());
    }
    info.state = model::SessionState::Recording;
    info.recorderPid = 4711; // has just begun
    QVERIFY(ControlClient::connect(info).error().text().find("ask the original") == std::string::npos);
}

void ControlTest::saysThatTheRecordingHasEnded()
{
    model::SessionInfo info;
    info.state = model::SessionState::Complete;
    QVERIFY(ControlClient::connect(info).error().text().find("has ended") != std::string::npos);
}

void ControlTest::removesItsSocket()
{
    const QTemporaryDir directory;
    std::string address;
    {
        auto server = ControlServer::listen(
            directory.path().toStdString(), [](const ControlRequest &) { return ControlReply(); });
        QVERIFY(server.has_value());
        address = server->address();
        struct stat status
        {
        };
        QCOMPARE(::stat(address.c_str(), &status), 0);
        QCOMPARE(status.st_mode & 0777U, 0600U);
    }
    QVERIFY(!std::filesystem::exists(address));
}

void ControlTest::keepsSocketsInAFolderOfThisUserAlone()
{
    const QTemporaryDir directory;
    const std::string own = directory.path().toStdString();
    QCOMPARE(*capture::controlDirectory(own), own);
    const auto fallback = capture::controlDirectory("/nonexistent");
    QVERIFY2(fallback.has_value(), fallback ? "" : fallback.error().text().c_str());
    struct stat status
    {
    };
    QCOMPARE(::stat(fallback->c_str(), &status), 0);
    QCOMPARE(status.st_mode & 0777U, 0700U);
    QVERIFY(*capture::controlDirectory(std::string(200, 'x')) == *fallback);
}

void ControlTest::removesWhatKilledRecordersLeft()
{
    const QTemporaryDir directory;
    const auto made = [&directory](const char *file, int type, bool isOld) {
        const std::string path = directory.filePath(QString::fromUtf8(file)).toStdString();
        sockaddr_un name{};
        name.sun_family = AF_UNIX;
        path.copy(name.sun_path, path.size());
        capture::FileDescriptor socket(::socket(AF_UNIX, type | SOCK_CLOEXEC, 0));
        if (::bind(socket.get(), reinterpret_cast<const sockaddr *>(&name), sizeof name) != 0)
            qFatal("cannot bind");
        const timespec then[2] = {{::time(nullptr) - 3600, 0}, {::time(nullptr) - 3600, 0}};
        if (isOld)
            ::utimensat(AT_FDCWD, path.c_str(), then, AT_SYMLINK_NOFOLLOW);
        return socket;
    };
    const auto living = made("genprof-1-1.sock", SOCK_STREAM, true);
    const auto alsoLiving = made("genesis-profiler-01", SOCK_SEQPACKET, true);
    QVERIFY(::listen(living.get(), 1) == 0 && ::listen(alsoLiving.get(), 1) == 0);
    for (const char *dead : {"genprof-2-2.sock", "genesis-profiler-02", "somebody-else.sock"})
        made(dead, SOCK_STREAM, true);
    made("genprof-3-3.sock", SOCK_STREAM, false); // of a recorder that is about to listen, for all that can be known
    QCOMPARE(capture::removeDeadSockets(directory.path().toStdString()), std::size_t{2});
    const QStringList left = QDir(directory.path()).entryList(QDir::System | QDir::NoDotAndDotDot, QDir::Name);
    QCOMPARE(left,
        (QStringList{QStringLiteral("genesis-profiler-01"), QStringLiteral("genprof-1-1.sock"),
            QStringLiteral("genprof-3-3.sock"), QStringLiteral("somebody-else.sock")}));
    QCOMPARE(capture::removeDeadSockets("/does/not/exist"), std::size_t{0});
}

void ControlTest::roundTripsEveryFieldOfAStatus()
{
    ControlReply reply;
    capture::RecordingStatus &status = reply.status;
    status.state = model::SessionState::Paused;
    std::int64_t next = 1;
    for (std::int64_t *field : {&status.durationNs, &status.ticks, &status.processes, &status.liveBytes,
             &status.liveBytesChange, &status.allocations, &status.frees, &status.cpuSamples, &status.eventsDropped,
             &status.samplesLost, &status.fileBytes, &status.recorderCpuNs, &status.recorderRssBytes})
        *field = next++;
    status.targetPid = 99;
    status.heapTraced = true;
    status.heapSampled = true;
    status.rssBytes = 1LL << 40;
    status.trouble = "disk";
    const std::string line = capture::encode(reply);
    QCOMPARE(capture::encode(*capture::decodeReply(line)), line);
    QVERIFY(line.find("\"state\":\"paused\"") != std::string::npos);
    QVERIFY(line.find("\"heap_sampled\":true") != std::string::npos);
    QVERIFY(line.find("\"cpu_millipercent\":null") != std::string::npos);
}

QTEST_GUILESS_MAIN(ControlTest)
#include "control_test.moc"

// SPDX-License-Identifier: GPL-3.0-or-later
// Peers that ask for memory as tracers do, and what the server tells of them.
#include "capture/heap/rendezvous_server.h"
#include "tests/capture/no_more_files.h"

#include <QtTest>

#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cstring>
#include <limits>
#include <optional>

using namespace capture;

namespace {

std::int64_t nowOf(clockid_t clock)
{
    timespec now{};
    ::clock_gettime(clock, &now);
    return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

/// A server, and what it has told.
class Server
{
public:
    explicit Server(const std::string &folder = {})
    {
        auto server = RendezvousServer::start(wire::Clock::Monotonic, 0,
            {[this](Arrival arrival) {
                 const std::lock_guard lock(m_mutex);
                 m_arrivals.push_back(std::move(arrival));
             },
                [](std::uint64_t, const std::string &) {}, [](std::int32_t) {}},
            folder);
        if (!server)
            qFatal("%s", server.error().text().c_str());
        m_server = std::move(*server);
    }

    std::string address() const { return m_server->address(); }
    std::string socketPath() const { return m_server->socketPath(); }

    /// Waits for the next one; none if it does not come.
    std::optional<Arrival> next()
    {
        std::optional<Arrival> arrival;
        const auto take = [&] {
            const std::lock_guard lock(m_mutex);
            if (m_arrivals.empty())
                return false;
            arrival.emplace(std::move(m_arrivals.front()));
            m_arrivals.erase(m_arrivals.begin());
            return true;
        };
        QDeadlineTimer deadline(5000);
        while (!take() && !deadline.hasExpired())
            QTest::qWait(1);
        return arrival;
    }

private:
    std::mutex m_mutex;
    std::vector<Arrival> m_arrivals;
    std::unique_ptr<RendezvousServer> m_server;
};

/// Connects, without a word.
FileDescriptor connectTo(const std::string &address)
{
    const std::string name = address.substr(0, address.find(':'));
    sockaddr_un place{};
    place.sun_family = AF_UNIX;
    name.copy(place.sun_path + 1, name.size());
    const auto bytes = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
    FileDescriptor socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
    if (!socket.isOpen() || ::connect(socket.get(), reinterpret_cast<const sockaddr *>(&place), bytes) != 0)
        qFatal("cannot connect");
    return socket;
}

void say(const FileDescriptor &socket, const std::string &address, std::int64_t monotonicNs, wire::Hello hello = {})
{
    hello.pid = ::getpid();
    hello.monotonicNs = monotonicNs;
    const QByteArray token
        = QByteArray::fromHex(QByteArray::fromStdString(address.substr(address.find(':') + 1, 2 * wire::kTokenBytes)));
    std::memcpy(hello.token, token.constData(), sizeof hello.token);
    QCOMPARE(::send(socket.get(), &hello, sizeof hello, 0), static_cast<ssize_t>(sizeof hello));
}

/// Makes memory under a limit of the size of files that cannot be raised; 0 if it failed with the reason, else what went wrong.
int makeMemoryUnderLimit()
{
    const rlimit limit{1 << 20, 1 << 20};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    ::signal(SIGXFSZ, SIG_DFL);
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct none[2] = {};
    if (::syscall(SYS_capset, &header, none) != 0)
        return 1;
    const auto memory = ImageMemory::create(wire::Clock::Monotonic, 1);
    if (memory)
        return 2;
    return memory.error().text().find("ulimit -f") == std::string::npos ? 3 : 0;
}

} // namespace

class RendezvousTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void anArrivalIsOfTheTimeAtWhichItAsked()
    {
        Server server;
        QTest::qWait(20); // now nobody is waiting
        const FileDescriptor first = connectTo(server.address());
        say(first, server.address(), 1);
        QVERIFY(server.next()); // its outcome is waited for, half a second at most
        const FileDescriptor peer = connectTo(server.address());
        const std::int64_t asked = nowOf(CLOCK_MONOTONIC);
        say(peer, server.address(), asked);
        const std::optional<Arrival> arrival = server.next();
        QVERIFY(arrival && arrival->memory);
        QVERIFY(nowOf(CLOCK_MONOTONIC) - asked > 300'000'000);
        QCOMPARE(arrival->monotonicNs, asked);
    }

    void aForkedChildSaysWhoseMemoryItHasCopied()
    {
        Server server;
        const FileDescriptor parent = connectTo(server.address());
        say(parent, server.address(), 1);
        QCOMPARE(server.next()->number, std::uint64_t{1});
        wire::Welcome welcome;
        QCOMPARE(::recv(parent.get(), &welcome, sizeof welcome, 0), static_cast<ssize_t>(sizeof welcome));
        QCOMPARE(welcome.image, std::uint64_t{1});
        const auto told = [&](wire::Origin origin, std::uint64_t copied) {
            const FileDescriptor peer = connectTo(server.address());
            wire::Hello hello;
            hello.origin = origin;
            hello.copiedImage = copied;
            say(peer, server.address(), 1, hello);
            const std::optional<Arrival> arrival = server.next();
            return arrival ? arrival->copiedImage : 999;
        };
        QCOMPARE(told(wire::Origin::Fork, welcome.image), welcome.image);
        QCOMPARE(told(wire::Origin::Fork, 0), std::uint64_t{0});
        QCOMPARE(told(wire::Origin::Fork, 4), std::uint64_t{0}); // its own number: no image that is there
        QCOMPARE(told(wire::Origin::Exec, 1), std::uint64_t{0}); // has copied nothing
    }

    void whoSaysNothingKeepsNobodyWaiting()
    {
        Server server;
        std::vector<FileDescriptor> silent;
        for (int i = 0; i < 40; ++i)
            silent.push_back(connectTo(server.address()));
        const FileDescriptor peer = connectTo(server.address());
        const std::int64_t asked = nowOf(CLOCK_MONOTONIC);
        say(peer, server.address(), asked);
        const std::optional<Arrival> arrival = server.next();
        QVERIFY(arrival && arrival->memory);
        const std::int64_t waited = nowOf(CLOCK_MONOTONIC) - asked;
        QVERIFY2(waited < 400'000'000, qPrintable(QString::number(waited)));
        // And is not kept for ever.
        pollfd hungUp{silent.front().get(), POLLIN, 0};
        QCOMPARE(::poll(&hungUp, 1, 5000), 1);
    }

    void strangersArePutOutForStrangersAlone()
    {
        WaitingPeers peers;
        std::vector<FileDescriptor> ends;
        const auto add = [&](uid_t user, WaitingPeers::Kind kind, std::int64_t nowNs) {
            int pair[2];
            QCOMPARE(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
            ends.emplace_back(pair[0]);
            peers.add({FileDescriptor(pair[1]), {1, user, user}, 0, nowNs}, kind);
        };
        const auto isOpen = [&](std::size_t i) {
            pollfd polled{ends[i].get(), POLLIN, 0};
            return ::poll(&polled, 1, 0) == 0;
        };
        add(1000, WaitingPeers::Kind::Expected, 1);
        add(7, WaitingPeers::Kind::Stranger, 2); // of a program of the tree that has changed its user
        for (std::size_t i = 0; i < WaitingPeers::kMostOfOneStranger + 10; ++i)
            add(8, WaitingPeers::Kind::Stranger, 3);
        QCOMPARE(peers.count(), WaitingPeers::kMostOfOneStranger + 2);
        QVERIFY(isOpen(0) && isOpen(1));
        QVERIFY(!isOpen(2) && !isOpen(11) && isOpen(12));
        QVERIFY(peers.takeReady(4).empty());

        char word = 'x';
        QCOMPARE(::send(ends[1].get(), &word, 1, 0), ssize_t{1});
        const std::vector<WaitingPeer> ready = peers.takeReady(5);
        QCOMPARE(ready.size(), std::size_t{1});
        QCOMPARE(ready.front().credentials.uid, uid_t{7});
        QVERIFY(peers.takeReady(WaitingPeers::kMostSilentNs + 5).empty());
        QCOMPARE(peers.count(), std::size_t{0}); // all were silent for too long
    }

    void isMetThroughAFolderToo()
    {
        // For who is in another network namespace.
        const QTemporaryDir folder;
        std::string path;
        {
            Server server(folder.path().toStdString());
            path = server.socketPath();
            QVERIFY(server.address().find('@' + folder.path().toStdString() + ':') != std::string::npos);
            const FileDescriptor peer(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
            sockaddr_un place{};
            place.sun_family = AF_UNIX;
            path.copy(place.sun_path, sizeof place.sun_path - 1);
            QCOMPARE(::connect(peer.get(), reinterpret_cast<const sockaddr *>(&place), sizeof place), 0);
            say(peer, server.address(), 1);
            const std::optional<Arrival> arrival = server.next();
            QVERIFY(arrival && arrival->memory);
        }
        QVERIFY(!QFile::exists(QString::fromStdString(path)));
    }

    void aFolderWhosePathDoesNotServeIsDoneWithout()
    {
        const QTemporaryDir folder;
        for (const char *name : {"with:colon", "with@mark", "long-long-long-long-long-long-long-long-long-long"}) {
            const QString path = folder.filePath(QString::fromUtf8(name));
            QVERIFY(QDir().mkpath(path));
            const Server server(path.toStdString());
            QCOMPARE(server.socketPath(), std::string());
            QVERIFY(server.address().find('@') == std::string::npos);
        }
    }

    void aTimeThatCannotBeIsNotTaken_data()
    {
        QTest::addColumn<qint64>("said");
        QTest::newRow("of the future") << std::numeric_limits<qint64>::max();
        QTest::newRow("of the past") << qint64{1};
        QTest::newRow("none") << qint64{0};
    }
    void aTimeThatCannotBeIsNotTaken()
    {
        QFETCH(qint64, said);
        Server server;
        QTest::qWait(20);
        const std::int64_t before = nowOf(CLOCK_MONOTONIC);
        const FileDescriptor peer = connectTo(server.address());
        say(peer, server.address(), said);
        const std::optional<Arrival> arrival = server.next();
        QVERIFY(arrival);
        QVERIFY(arrival->monotonicNs >= before - 100'000'000 && arrival->monotonicNs <= nowOf(CLOCK_MONOTONIC));
    }

    void whoFindsNoDescriptorIsToldOfAndTurnedAway()
    {
        Server server;
        const FileDescriptor first = connectTo(server.address()), second = connectTo(server.address());
        say(first, server.address(), 1);
        QVERIFY(server.next()->memory); // the server waits for its outcome, half a second at most
        {
            const NoMoreFiles limit;
            say(second, server.address(), 1);
            const std::optional<Arrival> arrival = server.next();
            QVERIFY(arrival);
            QVERIFY(!arrival->memory);
            QVERIFY2(arrival->failure.find("ulimit -n") != std::string::npos, arrival->failure.c_str());
            QCOMPARE(arrival->pid, ::getpid());
            QVERIFY(arrival->commandLine.find("rendezvous_test") != std::string::npos);
            wire::Welcome welcome;
            QCOMPARE(::recv(second.get(), &welcome, sizeof welcome, 0), static_cast<ssize_t>(sizeof welcome));
            QCOMPARE(welcome.accepted, 0U);
        }
        const FileDescriptor third = connectTo(server.address());
        say(third, server.address(), 1);
        QVERIFY(server.next()->memory);
    }

    void whoeverWaitsForADescriptorCostsNoProcessor()
    {
        Server server;
        QTest::qWait(20);
        const FileDescriptor peer(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
        {
            const NoMoreFiles limit;
            const std::string address = server.address(), name = address.substr(0, address.find(':'));
            sockaddr_un place{};
            place.sun_family = AF_UNIX;
            name.copy(place.sun_path + 1, name.size());
            const std::int64_t before = nowOf(CLOCK_PROCESS_CPUTIME_ID);
            QCOMPARE(::connect(peer.get(), reinterpret_cast<const sockaddr *>(&place),
                         static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size())),
                0);
            QTest::qSleep(300);
            const std::int64_t used = nowOf(CLOCK_PROCESS_CPUTIME_ID) - before;
            QVERIFY2(used < 60'000'000, qPrintable(QString::number(used)));
        }
    }

    void aLimitOfFilesIsLiftedForMemory()
    {
        rlimit before{};
        ::getrlimit(RLIMIT_FSIZE, &before);
        const rlimit low{1 << 20, before.rlim_max};
        ::setrlimit(RLIMIT_FSIZE, &low);
        const auto memory = ImageMemory::create(wire::Clock::Monotonic, 1);
        rlimit after{};
        ::getrlimit(RLIMIT_FSIZE, &after);
        ::setrlimit(RLIMIT_FSIZE, &before);
        QVERIFY2(memory, memory ? "" : memory.error().text().c_str());
        QCOMPARE(after.rlim_cur, low.rlim_cur);
    }

    /// Not by a signal, which the limit would send.
    void aLimitOfFilesThatCannotBeLiftedIsNamed()
    {
        const pid_t child = ::fork();
        if (child == 0)
            ::_exit(makeMemoryUnderLimit());
        int status = -1;
        QCOMPARE(::waitpid(child, &status, 0), child);
        QCOMPARE(status, 0);
    }
};

QTEST_GUILESS_MAIN(RendezvousTest)
#include "rendezvous_test.moc"

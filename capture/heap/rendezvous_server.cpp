// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/heap/rendezvous_server.h"

#include "capture/monotonic_clock.h"
#include "capture/proc/proc_reader.h"

#include <fmt/format.h>
#include <linux/kcmp.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iterator>

namespace capture {

namespace {

constexpr int kBacklog = 128;
constexpr const char *kTooLate
    = "it did not stay for the recorder's answer: it was killed, or waited 2 s in vain on a busy machine";

constexpr std::uint64_t kMemoryMiB = (wire::kMemoryBytes >> 20) + 1;
constexpr const char *kNoMemory = "the recorder could make no shared memory for heap tracing";
constexpr const char *kMoreFiles
    = "it may open no more files, and each traced process takes two: raise the recorder's limit (ulimit -n)";
/// To take a peer, to look at its files in /proc, and one for somebody who is faster.
constexpr std::size_t kReservedDescriptors = 3;

std::string hex(const std::uint8_t *bytes, std::size_t count)
{
    static constexpr char kDigits[] = "0123456789abcdef";
    std::string text;
    for (std::size_t i = 0; i < count; ++i) {
        text += kDigits[bytes[i] >> 4];
        text += kDigits[bytes[i] & 15];
    }
    return text;
}

/// Whether the peer has closed its end.
bool hasHungUp(int connection)
{
    pollfd polled{connection, POLLRDHUP, 0};
    return ::poll(&polled, 1, 0) == 1 && (polled.revents & (POLLHUP | POLLRDHUP | POLLERR)) != 0;
}

/// 0 if it is gone.
std::int32_t parentOf(std::int32_t pid)
{
    const auto text = readProcFile("/proc/" + std::to_string(pid) + "/stat");
    const auto stat = text ? parseStat(*text) : std::nullopt;
    return stat ? stat->parentPid : 0;
}

/// The process whose memory `pid` runs in: its parent's, which waits for it, if it was made by vfork. The tracer decides likewise.
std::int32_t memoryOwner(std::int32_t pid)
{
    const std::int32_t parent = parentOf(pid);
    return parent > 0 && ::syscall(SYS_kcmp, pid, parent, KCMP_VM, 0, 0) == 0 ? parent : pid;
}

} // namespace

model::Result<std::unique_ptr<RendezvousServer>> RendezvousServer::start(
    wire::Clock clock, std::uint64_t samplePeriodBytes, Callbacks callbacks, const std::string &folder)
{
    const int listener = ::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    const int wakeup = ::eventfd(0, EFD_CLOEXEC);
    std::unique_ptr<RendezvousServer> server(
        new RendezvousServer(clock, samplePeriodBytes, std::move(callbacks), listener, wakeup));
    std::array<std::uint8_t, 8> name{};
    if (listener < 0 || wakeup < 0 || ::getrandom(name.data(), name.size(), 0) != static_cast<ssize_t>(name.size())
        || ::getrandom(server->m_token.data(), server->m_token.size(), 0)
            != static_cast<ssize_t>(server->m_token.size()))
        return model::systemError("cannot prepare the meeting point for heap tracing", errno);
    server->m_name = "genesis-profiler-" + hex(name.data(), name.size());
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path + 1, server->m_name.data(), server->m_name.size());
    const auto bytes = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + server->m_name.size());
    if (::bind(listener, reinterpret_cast<const sockaddr *>(&address), bytes) != 0 || ::listen(listener, kBacklog) != 0)
        return model::systemError("cannot open the socket for heap tracing", errno);
    server->listenIn(folder);
    server->m_thread = std::jthread([raw = server.get()](const std::stop_token &stop) {
        ::pthread_setname_np(::pthread_self(), "heap-rendezvous");
        raw->serve(stop);
    });
    return server;
}

RendezvousServer::RendezvousServer(
    wire::Clock clock, std::uint64_t samplePeriodBytes, Callbacks callbacks, int listener, int wakeup)
    : m_clock(clock)
    , m_samplePeriodBytes(samplePeriodBytes)
    , m_callbacks(std::move(callbacks))
    , m_listener(listener)
    , m_wakeup(wakeup)
    , m_reserve(kReservedDescriptors)
    , m_emptyNs(monotonicNs())
{
}

void RendezvousServer::listenIn(const std::string &folder)
{
    const std::string path = folder + "/" + m_name;
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const bool isUsable = !folder.empty() && folder.size() <= wire::kMostFolderBytes
        && folder.find_first_of(std::string{':', wire::kFolderMark}) == std::string::npos
        && path.size() < sizeof address.sun_path;
    if (!isUsable)
        return;
    path.copy(address.sun_path, path.size());
    FileDescriptor listener(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!listener.isOpen() || ::bind(listener.get(), reinterpret_cast<const sockaddr *>(&address), sizeof address) != 0)
        return;
    m_path = path;
    if (::listen(listener.get(), kBacklog) != 0)
        return;
    m_folder = folder;
    m_inFolder = std::move(listener);
}

RendezvousServer::~RendezvousServer()
{
    m_thread.request_stop();
    const std::uint64_t one = 1;
    if (m_wakeup >= 0 && m_thread.joinable())
        while (::write(m_wakeup, &one, sizeof one) < 0 && errno == EINTR) { }
    if (m_thread.joinable())
        m_thread.join();
    for (const int descriptor : {m_listener, m_wakeup})
        if (descriptor >= 0)
            ::close(descriptor);
    if (!m_path.empty())
        ::unlink(m_path.c_str());
}

std::string RendezvousServer::address() const
{
    const std::string folder = m_folder.empty() ? std::string() : wire::kFolderMark + m_folder;
    return m_name + folder + ":" + hex(m_token.data(), m_token.size());
}

void RendezvousServer::allowUser(uid_t user)
{
    const std::lock_guard lock(m_userMutex);
    m_alsoUsers.insert(user);
}

bool RendezvousServer::isAllowed(uid_t user) const
{
    const std::lock_guard lock(m_userMutex);
    return m_alsoUsers.contains(user);
}

void RendezvousServer::waitUntilIdle() { const std::lock_guard lock(m_meeting); }

void RendezvousServer::serve(const std::stop_token &stop)
{
    while (!stop.stop_requested()) {
        const bool hasMore = takeIn();
        meetReady(stop);
        if (!hasMore)
            waitForPeers();
    }
}

/// As accept4() of whichever listener has somebody.
int RendezvousServer::acceptAny() const
{
    const int connection = ::accept4(m_listener, nullptr, nullptr, SOCK_CLOEXEC);
    if (connection >= 0 || !m_inFolder.isOpen() || (errno != EAGAIN && errno != EWOULDBLOCK))
        return connection;
    return ::accept4(m_inFolder.get(), nullptr, nullptr, SOCK_CLOEXEC);
}

/// Takes in those that ask; whether there may be more.
bool RendezvousServer::takeIn()
{
    constexpr int kMostAtOnce = 64; // then those that have spoken get their turn
    for (int i = 0; i < kMostAtOnce; ++i) {
        const std::int64_t before = monotonicNs();
        const int connection = acceptAny();
        if (connection >= 0) {
            WaitingPeer peer = newPeer(connection);
            const WaitingPeers::Kind kind = kindOf(peer.credentials);
            if (peer.credentials.pid > 0)
                m_waiting.add(std::move(peer), kind);
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            m_emptyNs = before;
            return false;
        } else if (DescriptorReserve::wasShort(errno)) {
            if (m_waiting.dropStranger(before))
                continue;
            meetFromReserve();
            return true;
        } else if (errno != EINTR && errno != ECONNABORTED) {
            pause();
            return true;
        }
    }
    return true;
}

/// With the pid 0 if nobody knows who it is.
WaitingPeer RendezvousServer::newPeer(int connection) const
{
    WaitingPeer peer{FileDescriptor(connection), {}, m_emptyNs, monotonicNs()};
    socklen_t bytes = sizeof peer.credentials;
    if (::getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer.credentials, &bytes) != 0)
        peer.credentials.pid = 0;
    return peer;
}

WaitingPeers::Kind RendezvousServer::kindOf(const ucred &credentials) const
{
    const bool isExpected
        = credentials.uid == ::geteuid() || isAllowed(credentials.uid) || credentials.uid == 0; // who may anything
    return isExpected ? WaitingPeers::Kind::Expected : WaitingPeers::Kind::Stranger;
}

/// One peer, while there are no descriptors for more: it is heard out at once.
void RendezvousServer::meetFromReserve()
{
    m_reserve.release();
    const int connection = acceptAny();
    if (connection < 0) {
        m_reserve.regain();
        return pause();
    }
    constexpr int kStrangerMs = 20, kExpectedMs = 500;
    {
        const WaitingPeer peer = newPeer(connection);
        const bool isStranger = kindOf(peer.credentials) == WaitingPeers::Kind::Stranger;
        pollfd waits{connection, POLLIN, 0};
        m_isOutOfDescriptors = true;
        if (peer.credentials.pid > 0 && ::poll(&waits, 1, isStranger ? kStrangerMs : kExpectedMs) == 1)
            meet(peer);
        m_isOutOfDescriptors = false;
    }
    m_reserve.regain();
}

/// Until somebody asks or speaks, or the server is to stop.
void RendezvousServer::waitForPeers() const
{
    std::vector<pollfd> waits{{m_listener, POLLIN, 0}, {m_wakeup, POLLIN, 0}, {m_inFolder.get(), POLLIN, 0}};
    const int limitMs = m_waiting.appendTo(waits, monotonicNs());
    ::poll(waits.data(), waits.size(), limitMs);
}

/// The listener stays readable meanwhile, so that is not waited for.
void RendezvousServer::pause() const
{
    constexpr int kPauseMs = 100;
    pollfd wait{m_wakeup, POLLIN, 0};
    ::poll(&wait, 1, kPauseMs);
}

void RendezvousServer::meetReady(const std::stop_token &stop)
{
    for (WaitingPeer &ready : m_waiting.takeReady(monotonicNs())) {
        if (stop.stop_requested())
            return;
        {
            const WaitingPeer peer = std::move(ready); // closed before the next has its turn
            meet(peer);
        }
        m_reserve.regain();
    }
}

/// Hears what a peer says that has spoken. Who does not know the token costs no more than that; who does is given half a second for the rest.
void RendezvousServer::meet(const WaitingPeer &peer)
{
    const std::lock_guard lock(m_meeting);
    const int connection = peer.connection.get();
    wire::Hello hello;
    if (::recv(connection, &hello, sizeof hello, MSG_DONTWAIT) != sizeof hello || hello.magic != wire::kMagic
        || hello.version != wire::kVersion || hello.memoryBytes != wire::kMemoryBytes
        || std::memcmp(hello.token, m_token.data(), m_token.size()) != 0)
        return;
    const timeval limit{0, 500'000};
    ::setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    ::setsockopt(connection, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    const ucred &who = peer.credentials;
    if (const std::int32_t only = m_onlyPid; only != 0 && who.pid != only)
        return turnAway(connection);
    // What it has become meanwhile is another image, which comes by itself.
    if (hasHungUp(connection))
        return m_callbacks.gaveUp(who.pid);
    // It knows the token, so it comes from the program that is recorded, and has changed its user. Root may look at anybody.
    if (::geteuid() != 0 && who.uid != ::geteuid() && !isAllowed(who.uid))
        return refuse(peer, hello,
            fmt::format(
                "it runs as another user (number {}) than the recorder: record as root, who may trace both", who.uid));
    answer(peer, hello);
}

void RendezvousServer::answer(const WaitingPeer &peer, const wire::Hello &hello)
{
    if (m_isOutOfDescriptors)
        return refuse(peer, hello, model::systemError(kNoMemory, EMFILE, kMoreFiles).text());
    const bool sharesPids = hello.pid == peer.credentials.pid;
    auto memory
        = ImageMemory::create(m_clock, sharesPids ? static_cast<std::uint32_t>(::getpid()) : 0, m_samplePeriodBytes);
    if (!memory)
        return refuse(peer, hello, memory.error().text());
    const FileDescriptor descriptor(::dup((*memory)->descriptor()));
    if (!descriptor.isOpen())
        return refuse(peer, hello, model::systemError(kNoMemory, errno, kMoreFiles).text());
    if (!m_letsWait)
        (*memory)->view().header().waitLimitMs = 0;
    // Of what had blocks before, frees are told that nobody knows the block of.
    if (hello.origin != wire::Origin::Exec)
        (*memory)->view().header().needsOrder = 1;
    Arrival arrival = arrivalOf(peer, hello);
    arrival.memory = std::move(*memory);
    const std::uint64_t number = arrival.number;
    m_callbacks.arrived(std::move(arrival));
    const int connection = peer.connection.get();
    if (welcome(connection, descriptor.get(), number))
        hearOutcome(connection, number);
    else
        m_callbacks.failed(number, kTooLate);
}

/// Who the target is must be read while it waits: it may be gone a moment after the answer.
Arrival RendezvousServer::arrivalOf(const WaitingPeer &peer, const wire::Hello &hello)
{
    const std::int32_t pid = peer.credentials.pid;
    const bool sharesPids = hello.pid == pid;
    const std::int32_t owner = hello.origin == wire::Origin::Fork ? memoryOwner(pid) : pid;
    const std::int32_t parent = owner == pid ? hello.parentPid : parentOf(owner);
    ModuleNames names(owner);
    // Nobody has copied one that is still to come.
    const bool isKnown = hello.origin == wire::Origin::Fork && hello.copiedImage <= m_arrivals;
    const std::uint64_t copied = isKnown ? hello.copiedImage : 0;
    return {++m_arrivals, owner, sharesPids, sharesPids ? parent : 0, hello.origin, copied, names.executable(),
        commandLineOf(owner), timeOf(peer, hello), names, nullptr, {}};
}

/// Lets the target go on at once, untraced, and tells of it like of any other.
void RendezvousServer::refuse(const WaitingPeer &peer, const wire::Hello &hello, const std::string &reason)
{
    m_reserve.release(); // its files in /proc are to be opened
    Arrival arrival = arrivalOf(peer, hello);
    arrival.failure = reason;
    m_callbacks.arrived(std::move(arrival));
    turnAway(peer.connection.get());
}

/// A target in another time namespace has another clock, and a hostile one says anything.
std::int64_t RendezvousServer::timeOf(const WaitingPeer &peer, const wire::Hello &hello)
{
    const std::int64_t now = monotonicNs();
    return hello.monotonicNs == 0 ? now : std::clamp(hello.monotonicNs, std::min(peer.earliestNs, now), now);
}

bool RendezvousServer::welcome(int connection, int descriptor, std::uint64_t image)
{
    wire::Welcome message;
    message.accepted = 1;
    message.image = image;
    iovec part{&message, sizeof message};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
    msghdr header{};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    header.msg_control = control;
    header.msg_controllen = sizeof control;
    cmsghdr *rights = CMSG_FIRSTHDR(&header);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(rights), &descriptor, sizeof descriptor);
    return ::sendmsg(connection, &header, MSG_NOSIGNAL) == sizeof message;
}

void RendezvousServer::turnAway(int connection)
{
    const wire::Welcome message; // not accepted
    static_cast<void>(::send(connection, &message, sizeof message, MSG_NOSIGNAL));
}

void RendezvousServer::hearOutcome(int connection, std::uint64_t arrival)
{
    wire::Outcome outcome;
    const ssize_t received = ::recv(connection, &outcome, sizeof outcome, 0);
    if (received == 0) // one that only takes its time records all the same
        m_callbacks.failed(arrival, kTooLate);
    if (received != sizeof outcome || outcome.magic != wire::kMagic)
        return;
    if (outcome.error != 0)
        m_callbacks.failed(arrival,
            model::systemError("the program could not map the memory for heap tracing", outcome.error,
                fmt::format("its address space is limited (ulimit -v). Tracing takes {} MiB of it, and so that the "
                            "program does not miss "
                            "them, only of one {} times as large: raise the limit to {} MiB (ulimit -v {}), or lift it",
                    kMemoryMiB, wire::kLeastSpareShare, kMemoryMiB * wire::kLeastSpareShare,
                    kMemoryMiB * wire::kLeastSpareShare * 1024))
                .text());
    else if (outcome.mallocIsPrograms != 0)
        m_callbacks.failed(arrival, "the program defines malloc itself, so its calls do not reach the tracer");
}

} // namespace capture

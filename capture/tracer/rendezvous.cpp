// SPDX-License-Identifier: MIT
#include "capture/tracer/rendezvous.h"

#include "capture/tracer/elf_lookup.h"
#include "capture/tracer/own_variables.h"
#include "capture/tracer/raw_syscall.h"
#include "capture/tracer/restrictions.h"
#include "capture/tracer/shared_head.h"

#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>

#include <cerrno>
#include <cstring>

namespace capture::tracer {

char g_recorderAddress[wire::kAddressBytes];

namespace {

int hexDigit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/// Where a recorder listens.
struct Place
{
    sockaddr_un address{};
    socklen_t bytes = 0; ///< 0: there is none

    void setAbstract(const char *name, std::size_t nameBytes)
    {
        address.sun_family = AF_UNIX;
        std::memcpy(address.sun_path + 1, name, nameBytes);
        bytes = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + nameBytes);
    }
    void setPath(const char *folder, std::size_t folderBytes, const char *name, std::size_t nameBytes)
    {
        if (folderBytes == 0 || folderBytes + nameBytes + 2 > sizeof address.sun_path)
            return;
        address.sun_family = AF_UNIX;
        std::memcpy(address.sun_path, folder, folderBytes);
        address.sun_path[folderBytes] = '/';
        std::memcpy(address.sun_path + folderBytes + 1, name, nameBytes);
        bytes = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + folderBytes + nameBytes + 2);
    }
};

/// Splits `name[@folder]:token`; false if it is not that.
bool parseAddress(const char *text, Place &place, Place &inFolder, std::uint8_t *token)
{
    const char *colon = std::strchr(text, ':');
    if (colon == nullptr)
        return false;
    const auto both = static_cast<std::size_t>(colon - text);
    const auto *mark = static_cast<const char *>(std::memchr(text, wire::kFolderMark, both));
    const std::size_t nameBytes = mark != nullptr ? static_cast<std::size_t>(mark - text) : both;
    if (nameBytes == 0 || nameBytes + 1 > sizeof place.address.sun_path)
        return false;
    place.setAbstract(text, nameBytes);
    if (mark != nullptr)
        inFolder.setPath(mark + 1, both - nameBytes - 1, text, nameBytes);
    for (unsigned i = 0; i < wire::kTokenBytes; ++i) {
        const int high = hexDigit(colon[1 + 2 * i]);
        const int low = high >= 0 ? hexDigit(colon[2 + 2 * i]) : -1;
        if (low < 0)
            return false;
        token[i] = static_cast<std::uint8_t>(high * 16 + low);
    }
    return true;
}

/// A descriptor that is closed with its scope.
struct Descriptor
{
    int fd = -1;

    explicit Descriptor(long value)
        : fd(failed(value) ? -1 : static_cast<int>(value))
    {
    }
    ~Descriptor()
    {
        if (fd >= 0)
            rawSyscall(SYS_close, fd);
    }
    Descriptor(const Descriptor &) = delete;
    Descriptor &operator=(const Descriptor &) = delete;
};

template <typename Call> long withoutInterruption(Call call)
{
    long result;
    do
        result = call();
    while (result == -EINTR);
    return result;
}

/// Receives Welcome and its descriptor; -1 if there is none.
int receiveMemory(int socket, wire::Welcome &welcome)
{
    iovec part{&welcome, sizeof welcome};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    const long received
        = withoutInterruption([&] { return rawSyscall(SYS_recvmsg, socket, asLong(&message), MSG_CMSG_CLOEXEC); });
    const cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (header == nullptr || header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
        return -1;
    int descriptor;
    std::memcpy(&descriptor, CMSG_DATA(header), sizeof descriptor);
    if (received == sizeof welcome && welcome.magic == wire::kMagic && welcome.version == wire::kVersion
        && welcome.accepted != 0 && welcome.memoryBytes == wire::kMemoryBytes)
        return descriptor;
    rawSyscall(SYS_close, descriptor);
    return -1;
}

long send(int socket, const void *bytes, std::size_t count)
{
    return withoutInterruption(
        [=] { return rawSyscall(SYS_sendto, socket, asLong(bytes), static_cast<long>(count), MSG_NOSIGNAL, 0, 0); });
}

long connectTo(int socket, const Place &place)
{
    return withoutInterruption(
        [&] { return rawSyscall(SYS_connect, socket, asLong(&place.address), static_cast<long>(place.bytes)); });
}

/// Abstract sockets are those of a network namespace, and may be forbidden (EPERM, EACCES): in a folder the recorder can be met from elsewhere.
bool reach(int socket, const Place &place, const Place &inFolder)
{
    const long connected = connectTo(socket, place);
    const bool isElsewhere = connected == -ECONNREFUSED || connected == -EPERM || connected == -EACCES;
    return !failed(connected) || (isElsewhere && inFolder.bytes != 0 && !failed(connectTo(socket, inFolder)));
}

/// Whether the program's address space is limited so that what we take of it may be what it misses later.
bool isScarce()
{
    rlimit64 limit{};
    const bool isKnown = !failed(rawSyscall(SYS_prlimit64, 0, RLIMIT_AS, 0, asLong(&limit)));
    return isKnown && limit.rlim_cur / wire::kLeastSpareShare < wire::kMemoryBytes;
}

} // namespace

Meeting meetRecorder(wire::Origin origin, std::uint64_t copiedImage)
{
    wire::Hello hello;
    Place place, inFolder;
    const char *variable = g_recorderAddress[0] != 0 ? g_recorderAddress : OwnVariables::rendezvous();
    if (variable == nullptr || !parseAddress(variable, place, inFolder, hello.token))
        return {};
    hello.origin = origin;
    hello.pid = static_cast<std::int32_t>(rawSyscall(SYS_getpid));
    hello.parentPid = static_cast<std::int32_t>(rawSyscall(SYS_getppid));
    hello.copiedImage = copiedImage;
    // The recorder may come to it much later. Where the clock is not to be read without a call, that may be forbidden.
    if (timespec now{}; Restrictions::allow(Ask::Clock) && clock_gettime(CLOCK_MONOTONIC, &now) == 0)
        hello.monotonicNs = std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;

    const Descriptor socket(rawSyscall(SYS_socket, AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
    if (socket.fd < 0)
        return {};
    const timeval limit{wire::kRendezvousTimeoutMs / 1000, (wire::kRendezvousTimeoutMs % 1000) * 1000};
    for (const int option : {SO_SNDTIMEO, SO_RCVTIMEO})
        rawSyscall(SYS_setsockopt, socket.fd, SOL_SOCKET, option, asLong(&limit), sizeof limit);
    if (!reach(socket.fd, place, inFolder) || send(socket.fd, &hello, sizeof hello) != sizeof hello)
        return {};

    wire::Welcome welcome;
    const Descriptor memory(receiveMemory(socket.fd, welcome));
    if (memory.fd < 0)
        return {};
    long base = isScarce() ? -ENOMEM
                           : rawSyscall(SYS_mmap, 0, static_cast<long>(wire::kMemoryBytes), PROT_READ | PROT_WRITE,
                               MAP_SHARED | MAP_NORESERVE, memory.fd, 0);
    if (!failed(base) && !SharedHead::show(memory.fd)) {
        rawSyscall(SYS_munmap, base, static_cast<long>(wire::kMemoryBytes));
        base = -ENOMEM;
    }
    wire::Outcome outcome;
    // Loaded late, this library stands behind everything, and is called through slots.
    outcome.mallocIsPrograms = g_recorderAddress[0] == 0 && isPreempted("malloc") ? 1 : 0;
    outcome.error = failed(base) ? static_cast<std::int32_t>(-base) : 0;
    send(socket.fd, &outcome, sizeof outcome);
    if (failed(base))
        return {};
    // A forked child must never write into its parent's rings: it does not even have them.
    rawSyscall(SYS_madvise, base, static_cast<long>(wire::kMemoryBytes), MADV_DONTFORK);
    const wire::MemoryView view{reinterpret_cast<unsigned char *>(base)};
    return view.header().magic == wire::kMagic ? Meeting{view, welcome.image} : Meeting{};
}

} // namespace capture::tracer

// SPDX-License-Identifier: MIT
#pragma once

#include "capture/wire/layout.h"

#include <cstdint>

/// How a new program image gets its memory: three messages over an abstract SOCK_SEQPACKET socket.
/// target → Hello; recorder → Welcome with the memfd as SCM_RIGHTS; target → Outcome; both close.
namespace capture::wire {

/// The variable that names the recorder: `<socket name without its leading NUL>[@<folder>]:<token, 32 hex digits>:<restrictions, 5 hex digits>`.
/// In the folder, where one is told, there is a socket of the same name, for who is in another network namespace, where no abstract socket
/// of ours is. The recorder writes 00000 for the last; a target whose seccomp filter forbids what the tracer asks of the kernel notes that
/// there, for what it executes.
inline constexpr char kRendezvousVariable[] = "GENESIS_TRACER";
inline constexpr char kFolderMark = '@';
inline constexpr std::uint32_t kMostFolderBytes = 48; ///< so that all fits AttachCommand::address
inline constexpr std::uint32_t kTokenBytes = 16;
inline constexpr std::uint32_t kRestrictionDigits = 5;
/// How long a target waits for each message before it gives up and runs on untraced.
inline constexpr std::uint32_t kRendezvousTimeoutMs = 2000;

/// A target whose address space is limited (RLIMIT_AS) is traced only if the shared memory is at most one part in so many of it.
inline constexpr std::uint64_t kLeastSpareShare = 64;

/// What came before this image in its process.
enum class Origin : std::uint32_t {
    Exec = 0,   ///< the image began with an exec: every allocation is seen
    Fork = 1,   ///< a forked child that runs on: blocks of the parent are not known
    Attach = 2, ///< the tracer was loaded into a running process: blocks from before are not known
};

struct Hello
{
    std::uint64_t magic = kMagic;
    std::uint32_t version = kVersion;
    Origin origin = Origin::Exec;
    std::int32_t pid = 0; ///< as the target sees itself
    std::int32_t parentPid = 0;
    std::uint8_t token[kTokenBytes] = {};
    std::uint64_t memoryBytes = kMemoryBytes;
    std::int64_t monotonicNs = 0; ///< CLOCK_MONOTONIC when it asked; 0: it may not read the clock
    /// Of a forked child: Welcome::image of the one whose memory it has copied, which may have ended long ago; 0: that was none yet.
    std::uint64_t copiedImage = 0;
};
static_assert(sizeof(Hello) == 64);

struct Welcome
{
    std::uint64_t magic = kMagic;
    std::uint32_t version = kVersion;
    std::uint32_t accepted = 0; ///< 0: go on untraced
    std::uint64_t memoryBytes = kMemoryBytes;
    std::uint64_t image = 0; ///< the recorder's number of it, from 1 on
};
static_assert(sizeof(Welcome) == 32);

/// How the target fared: `error` 0, or the errno value of the step that failed.
struct Outcome
{
    std::uint64_t magic = kMagic;
    std::int32_t error = 0;
    std::uint32_t mallocIsPrograms = 0; ///< 1: the program itself defines malloc, so calls never reach the tracer
};
static_assert(sizeof(Outcome) == 16);

} // namespace capture::wire

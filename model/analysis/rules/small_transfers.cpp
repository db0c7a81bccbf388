// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/analysis/rules/activity_rule_list.h"

#include <array>

namespace model {

namespace {

constexpr std::array kCalls{std::to_array<std::string_view>({"read", "write", "pread64", "pwrite64", "readv", "writev",
    "preadv", "pwritev", "sendto", "recvfrom", "sendmsg", "recvmsg"})};

} // namespace

const ActivityRule kSmallTransfersRule{
    .data = {.key = "small_transfers",
        .label = "Many small reads or writes",
        .title = "{place} spends {share} of its threads' time reading or writing small pieces",
        .speedUp = {1.5, 100},
        .confidence = 0.8,
        .effort = 1,
        .advice
        = "Read and write through a buffer of 64 KiB (std::ifstream, FILE, BufferedReader, or one of its own), or "
          "several pieces at once with readv, writev or sendmmsg.",
        .check = "Record again with --syscalls: fewer calls, more bytes each, the same bytes in all.",
        .caution
        = "Where each piece must arrive at once, as in a conversation over a network, it cannot wait in a buffer."},
    .calls = kCalls,
    .leastCalls = 1000,
    .leastRate = 1000,
    .mostBytesPerCall = 512,
    .leastShare = 0.02,
    .isSilentOfEvents = true,
};

} // namespace model

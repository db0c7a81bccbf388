// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "capture/wire/layout.h"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <vector>

namespace capture {

/// Sleeps until one of several targets rings its doorbell, a control word is raised, or time is up. With a kernel before
/// 5.16, or more targets than it can wait for at once, it sleeps for a short fixed time instead.
/// Made anew for each sleep; the headers must stay mapped meanwhile.
class DoorbellWait
{
public:
    explicit DoorbellWait(std::atomic<std::uint32_t> &control);
    ~DoorbellWait();
    DoorbellWait(const DoorbellWait &) = delete;
    DoorbellWait &operator=(const DoorbellWait &) = delete;

    /// Announces to the target that its doorbell is listened to. Look at its rings once more before sleep().
    void add(wire::Header &header);
    void sleep(std::chrono::microseconds time);

private:
    struct Word
    {
        std::atomic<std::uint32_t> *word;
        std::uint32_t seen;
    };
    std::vector<Word> m_words;
    std::vector<wire::Header *> m_headers;
};

/// Raises a control word and wakes who sleeps at it.
void wakeSleeper(std::atomic<std::uint32_t> &control);

} // namespace capture

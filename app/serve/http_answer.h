// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/serve/session_service.h"

#include <httplib.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>

namespace app {

/// Limits how many answers of a kind are made and written at a time, so that these leave threads to the others. Any thread; outlives what it gave.
class AnswerPlaces
{
public:
    explicit AnswerPlaces(int count);
    /// Kept until it is destroyed; null: all are taken.
    std::shared_ptr<const void> take();

private:
    std::atomic<int> m_free;
};

/// Tells a client that takes an answer by drips: each write succeeds within the library's limit, but the whole lasts for ever.
class ReadingPace
{
public:
    using Clock = std::chrono::steady_clock;
    explicit ReadingPace(Clock::time_point begin);
    /// Whether 10 s have passed in which less than 160 KiB were written; `bytes` were since it was asked last.
    bool isTooSlow(std::size_t bytes, Clock::time_point now);

private:
    Clock::time_point m_since;
    std::size_t m_bytes = 0; ///< since then
};

/// What becomes of the connection when the answer is written. The answer to a HEAD cannot end it: that is for what `held` of setAnswer ends with.
enum class AfterAnswer { Keep, End };

/// Makes `reply` the answer to `request`. `held` lives until its last byte is written or the connection is given up: the library tells that only of
/// bodies that it asks for in pieces, and it compresses none of these, so that is done here where the client wants it. A client that reads too
/// slowly is given up.
void setAnswer(const httplib::Request &request, httplib::Response &response, ServiceReply reply,
    std::shared_ptr<const void> held, AfterAnswer after = AfterAnswer::Keep);

} // namespace app

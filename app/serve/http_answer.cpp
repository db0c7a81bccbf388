// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/serve/http_answer.h"

#include "app/gzip.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>
#include <utility>

namespace app {

namespace {

/// Small, so that between two of them a slow client is noticed.
constexpr std::size_t kPieceBytes = 16 * 1024;
constexpr std::chrono::seconds kPaceOver(10);
constexpr std::size_t kLeastBytes = 160 * 1024; ///< in that time
/// Below, compressing gains no packet.
constexpr std::size_t kWorthCompressing = 1024;

/// Whether gzip is among what the client takes ("br, gzip;q=0.5"), and not by a weight of 0.
bool takesGzip(const httplib::Request &request)
{
    std::string accepted = request.get_header_value("Accept-Encoding");
    accepted.erase(
        std::remove_if(accepted.begin(), accepted.end(), [](char c) { return c == ' ' || c == '\t'; }), accepted.end());
    for (std::string_view rest = accepted; !rest.empty();) {
        const std::string_view one = rest.substr(0, rest.find(','));
        rest.remove_prefix(std::min(one.size() + 1, rest.size()));
        if (one.substr(0, one.find(';')) != "gzip")
            continue;
        const std::size_t weight = one.find("q=");
        return weight == std::string_view::npos || one.find_first_of("123456789", weight) != std::string_view::npos;
    }
    return false;
}

/// Text; a profile for pprof is compressed already.
bool isCompressible(const std::string &type) { return type != "application/octet-stream"; }

} // namespace

AnswerPlaces::AnswerPlaces(int count)
    : m_free(count)
{
}

std::shared_ptr<const void> AnswerPlaces::take()
{
    if (m_free.fetch_sub(1) > 0)
        return {this, [this](const AnswerPlaces *) { ++m_free; }};
    ++m_free;
    return nullptr;
}

ReadingPace::ReadingPace(Clock::time_point begin)
    : m_since(begin)
{
}

bool ReadingPace::isTooSlow(std::size_t bytes, Clock::time_point now)
{
    m_bytes += bytes;
    if (now - m_since < kPaceOver)
        return false;
    const bool isSlow = m_bytes < kLeastBytes;
    m_since = now;
    m_bytes = 0;
    return isSlow;
}

void setAnswer(const httplib::Request &request, httplib::Response &response, ServiceReply reply,
    std::shared_ptr<const void> held, AfterAnswer after)
{
    response.status = reply.status;
    for (const auto &[key, value] : reply.headers)
        response.set_header(key, value);
    response.set_header("Cache-Control", "no-store");
    response.set_header("X-Content-Type-Options", "nosniff");
    if (after == AfterAnswer::End)
        response.set_header("Connection", "close");
    if (reply.body.size() >= kWorthCompressing && isCompressible(reply.type) && request.ranges.empty()
        && takesGzip(request)) {
        reply.body = gzipped(reply.body);
        response.set_header("Content-Encoding", "gzip");
    }
    if (reply.body.empty())
        return;
    const std::size_t size = reply.body.size();
    response.set_content_provider(
        size, reply.type,
        [body = std::move(reply.body), after, pace = ReadingPace(ReadingPace::Clock::now())](
            std::size_t offset, std::size_t length, httplib::DataSink &sink) mutable {
            const bool isLast = length <= kPieceBytes;
            const std::size_t piece = std::min(length, kPieceBytes);
            const bool isWritten = sink.write(body.data() + offset, piece);
            if (!isWritten || isLast)
                return isWritten && after == AfterAnswer::Keep; // a failure is what ends the connection
            return !pace.isTooSlow(piece, ReadingPace::Clock::now());
        },
        [held = std::move(held)](bool) {});
}

} // namespace app

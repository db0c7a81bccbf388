// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/follow/follow_stream.h"

#include <bit>

namespace storage {

namespace {

using model::Error;
using model::Result;

constexpr std::size_t kHeadBytes = 5;
constexpr std::size_t kLongestMessage = 20 * 1024 * 1024;
constexpr std::size_t kMostColumns = 200;

void putNumber(std::string &bytes, std::uint64_t value, int count)
{
    for (int i = 0; i < count; ++i)
        bytes += static_cast<char>(value >> (8 * i));
}

/// Reads parts of a message; reading past its end makes it bad.
class Cursor
{
public:
    explicit Cursor(std::string_view bytes)
        : m_bytes(bytes)
    {
    }

    std::uint64_t number(int count)
    {
        std::uint64_t value = 0;
        if (m_bytes.size() < static_cast<std::size_t>(count)) {
            m_isBad = true;
            return 0;
        }
        for (int i = count; i-- > 0;)
            value = value << 8 | static_cast<unsigned char>(m_bytes[static_cast<std::size_t>(i)]);
        m_bytes.remove_prefix(static_cast<std::size_t>(count));
        return value;
    }

    std::int64_t integer() { return static_cast<std::int64_t>(number(8)); }

    std::string text()
    {
        const std::uint64_t size = number(4);
        if (size > m_bytes.size()) {
            m_isBad = true;
            return {};
        }
        std::string value(m_bytes.substr(0, size));
        m_bytes.remove_prefix(size);
        return value;
    }

    bool isWhole() const { return !m_isBad && m_bytes.empty(); }
    bool isBad() const { return m_isBad; }
    bool isAtEnd() const { return m_bytes.empty(); }

private:
    std::string_view m_bytes;
    bool m_isBad = false;
};

void putText(std::string &bytes, std::string_view text)
{
    putNumber(bytes, text.size(), 4);
    bytes += text;
}

struct Encoder
{
    std::string &bytes;

    char operator()(const FollowHello &hello) const
    {
        putNumber(bytes, static_cast<std::uint64_t>(hello.version), 8);
        putNumber(bytes, static_cast<std::uint64_t>(hello.uuid), 8);
        putNumber(bytes, hello.isSealed ? 1 : 0, 1);
        return 'H';
    }
    char operator()(const FollowTable &table) const
    {
        putNumber(bytes, static_cast<std::uint64_t>(table.kind), 1);
        putNumber(bytes, table.columns, 4);
        putText(bytes, table.name);
        return 'T';
    }
    char operator()(const FollowRow &row) const
    {
        for (const FollowValue &value : row.values) {
            putNumber(bytes, value.index(), 1);
            if (const auto *integer = std::get_if<std::int64_t>(&value))
                putNumber(bytes, static_cast<std::uint64_t>(*integer), 8);
            else if (const auto *real = std::get_if<double>(&value))
                putNumber(bytes, std::bit_cast<std::uint64_t>(*real), 8);
            else if (const auto *text = std::get_if<std::string>(&value))
                putText(bytes, *text);
        }
        return 'R';
    }
    char operator()(const FollowExpiry &expiry) const
    {
        putNumber(bytes, static_cast<std::uint64_t>(expiry.least), 8);
        putText(bytes, expiry.table);
        return 'X';
    }
    char operator()(FollowCommit) const { return 'C'; }
    char operator()(FollowEnd end) const
    {
        putNumber(bytes, end.isComplete ? 1 : 0, 1);
        return 'E';
    }
};

FollowRow rowOf(Cursor &cursor)
{
    FollowRow row;
    while (!cursor.isAtEnd() && !cursor.isBad() && row.values.size() < kMostColumns) {
        switch (cursor.number(1)) {
        case 0:
            row.values.emplace_back(std::monostate());
            break;
        case 1:
            row.values.emplace_back(cursor.integer());
            break;
        case 2:
            row.values.emplace_back(std::bit_cast<double>(cursor.number(8)));
            break;
        default:
            row.values.emplace_back(cursor.text());
        }
    }
    return row;
}

Result<FollowMessage> decode(char which, std::string_view bytes)
{
    Cursor cursor(bytes);
    FollowMessage message = FollowCommit{};
    switch (which) {
    case 'H': {
        FollowHello hello;
        hello.version = cursor.integer();
        hello.uuid = cursor.integer();
        hello.isSealed = cursor.number(1) != 0;
        message = hello;
        break;
    }
    case 'T': {
        FollowTable table;
        table.kind = cursor.number(1) == 0 ? FollowTable::Kind::Added : FollowTable::Kind::Whole;
        table.columns = static_cast<std::uint32_t>(cursor.number(4));
        table.name = cursor.text();
        message = table;
        break;
    }
    case 'R':
        message = rowOf(cursor);
        break;
    case 'X': {
        FollowExpiry expiry;
        expiry.least = cursor.integer();
        expiry.table = cursor.text();
        message = expiry;
        break;
    }
    case 'C':
        break;
    case 'E':
        message = FollowEnd{cursor.number(1) != 0};
        break;
    default:
        return Error(
            "The stream has a message of a kind that this program does not know; update Genesis Profiler here");
    }
    if (!cursor.isWhole())
        return Error("The stream is damaged: a message has another length than it says");
    return message;
}

} // namespace

std::string encodeFollow(const FollowMessage &message)
{
    std::string payload;
    const char which = std::visit(Encoder{payload}, message);
    std::string bytes(1, which);
    putNumber(bytes, payload.size(), 4);
    return bytes + payload;
}

Result<void> FollowDecoder::feed(
    std::string_view bytes, const std::function<Result<void>(const FollowMessage &)> &handler)
{
    m_rest += bytes;
    if (!m_hasBegun) {
        const std::size_t known = std::min(m_rest.size(), kFollowMagic.size());
        if (m_rest.compare(0, known, kFollowMagic, 0, known) != 0)
            return Error(
                "This is no stream of a session: feed it the output of \"genprof follow FILE\" (did ssh or a login "
                "script print something before it?)");
        if (m_rest.size() < kFollowMagic.size())
            return {};
        m_hasBegun = true;
        m_rest.erase(0, kFollowMagic.size());
    }
    std::size_t at = 0;
    Result<void> done;
    while (done && m_rest.size() - at >= kHeadBytes) {
        Cursor head(std::string_view(m_rest).substr(at + 1, 4));
        const auto size = static_cast<std::size_t>(head.number(4));
        if (size > kLongestMessage)
            return Error("The stream is damaged: a message is longer than any that is written");
        if (m_rest.size() - at < kHeadBytes + size)
            break;
        const auto message = decode(m_rest[at], std::string_view(m_rest).substr(at + kHeadBytes, size));
        done = message ? handler(*message) : Result<void>(message.error());
        at += kHeadBytes + size;
    }
    m_rest.erase(0, at);
    return done;
}

} // namespace storage

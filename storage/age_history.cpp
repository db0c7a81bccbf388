// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/age_history.h"

#include "storage/leb128.h"

#include <optional>

namespace storage {

namespace {

std::uint64_t zigzag(std::int64_t value)
{
    return (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63);
}

std::int64_t unzigzag(std::uint64_t value) { return static_cast<std::int64_t>((value >> 1) ^ (0 - (value & 1))); }

/// Differences of numbers that may be anything wrap around, and back.
std::int64_t difference(std::int64_t a, std::int64_t b)
{
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) - static_cast<std::uint64_t>(b));
}

class Numbers
{
public:
    explicit Numbers(std::string_view bytes)
        : m_bytes(bytes)
    {
    }

    /// The next number; 0 once there was none, see isWhole().
    std::uint64_t next()
    {
        std::uint64_t value = 0;
        if (takeLeb128(m_bytes, value))
            return value;
        m_isWhole = false;
        return 0;
    }
    /// The next number, where it is a count.
    std::int64_t count()
    {
        const auto value = static_cast<std::int64_t>(next());
        m_isWhole = m_isWhole && value >= 0;
        return value;
    }
    bool isWhole() const { return m_isWhole; }
    bool isAtEnd() const { return m_isWhole && m_bytes.empty(); }

private:
    std::string_view m_bytes;
    bool m_isWhole = true;
};

} // namespace

std::string encodeHistory(const model::StackAges &ages)
{
    std::string bytes;
    appendLeb128(bytes, ages.buckets.size());
    model::AgeBucket before;
    for (const model::AgeBucket &bucket : ages.buckets) {
        appendLeb128(bytes, static_cast<std::uint64_t>(bucket.born));
        appendLeb128(bytes, static_cast<std::uint64_t>(bucket.alive));
        appendLeb128(bytes, static_cast<std::uint64_t>(bucket.died));
        appendLeb128(bytes, zigzag(difference(bucket.liveBlocks, before.liveBlocks)));
        appendLeb128(bytes, zigzag(difference(bucket.liveBytes, before.liveBytes)));
        before = bucket;
    }
    appendLeb128(bytes, ages.examples.size());
    for (const model::LiveExample &example : ages.examples) {
        appendLeb128(bytes, static_cast<std::uint64_t>(example.size));
        appendLeb128(bytes, static_cast<std::uint64_t>(example.birth.ns));
    }
    return bytes;
}

bool decodeHistory(std::string_view bytes, model::StackAges &ages)
{
    Numbers numbers(bytes);
    const std::uint64_t buckets = numbers.next();
    if (buckets > model::kMostAgeBuckets)
        return false;
    ages.buckets.assign(buckets, {});
    model::AgeBucket before;
    for (model::AgeBucket &bucket : ages.buckets) {
        bucket.born = numbers.count();
        bucket.alive = numbers.count();
        bucket.died = numbers.count();
        bucket.liveBlocks = difference(before.liveBlocks, difference(0, unzigzag(numbers.next())));
        bucket.liveBytes = difference(before.liveBytes, difference(0, unzigzag(numbers.next())));
        before = bucket;
        model::cutToPossible(bucket);
        if (before != bucket)
            return false;
    }
    const std::uint64_t examples = numbers.next();
    if (examples > model::kMostLiveExamples)
        return false;
    ages.examples.assign(examples, {});
    for (model::LiveExample &example : ages.examples) {
        example.size = numbers.count();
        example.birth.ns = numbers.count();
    }
    return numbers.isAtEnd();
}

} // namespace storage

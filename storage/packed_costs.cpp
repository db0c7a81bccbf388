// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/packed_costs.h"

#include "storage/leb128.h"
#include "storage/loaded_session.h"

#include <algorithm>
#include <bit>
#include <tuple>

namespace storage {

namespace {

constexpr std::uint64_t kMostNumber = std::uint64_t{1} << 63; ///< what does not fit a signed number is damage
constexpr std::int64_t kLeastFreed = -(std::int64_t{1} << 62);

bool isVariance(PackedKind kind, std::size_t column) { return kind == PackedKind::Sampling && column > 0; }

/// What was freed in a span may be less than nothing: where sampling began, live became an estimate.
bool isFreed(PackedKind kind, std::size_t column) { return kind == PackedKind::Heap && (column == 2 || column == 3); }

std::int64_t possible(PackedKind kind, std::size_t column, std::int64_t value)
{
    if (isVariance(kind, column))
        return value;
    return std::max<std::int64_t>(value, isFreed(kind, column) ? kLeastFreed : 0);
}

auto keyOf(const PackedRow &row) { return std::tie(row.group, row.stack); }

std::int64_t sumOf(PackedKind kind, std::size_t column, std::int64_t a, std::int64_t b)
{
    if (isVariance(kind, column))
        return std::bit_cast<std::int64_t>(std::bit_cast<double>(a) + std::bit_cast<double>(b));
    return saturatedSum(a, b);
}

/// The bits of a variance with the lowest byte first: round numbers get short.
std::uint64_t storedNumber(PackedKind kind, std::size_t column, std::int64_t value)
{
    const auto bits = static_cast<std::uint64_t>(value);
    return isVariance(kind, column) ? __builtin_bswap64(bits) : bits;
}

} // namespace

void PackedCosts::add(const PackedRow &row)
{
    m_rows.push_back(row);
    for (std::size_t i = 0; i < numbersOf(m_kind); ++i)
        m_rows.back().numbers[i] = possible(m_kind, i, row.numbers[i]);
    // Half of the memory is for rows that are still to be merged.
    if (m_rows.size() >= 2 * m_merged + 16'384)
        merge();
}

void PackedCosts::merge()
{
    std::stable_sort(
        m_rows.begin(), m_rows.end(), [](const PackedRow &a, const PackedRow &b) { return keyOf(a) < keyOf(b); });
    std::size_t size = 0;
    for (const PackedRow &row : m_rows) {
        if (size == 0 || keyOf(m_rows[size - 1]) != keyOf(row)) {
            m_rows[size++] = row;
            continue;
        }
        for (std::size_t i = 0; i < numbersOf(m_kind); ++i)
            m_rows[size - 1].numbers[i] = sumOf(m_kind, i, m_rows[size - 1].numbers[i], row.numbers[i]);
    }
    m_rows.resize(size);
    m_merged = size;
}

std::vector<std::string> PackedCosts::pack()
{
    merge();
    std::vector<std::string> parts;
    const std::size_t columns = numbersOf(m_kind);
    for (std::size_t first = 0; first < m_rows.size();) {
        std::string rows;
        std::uint64_t stack = 0;
        std::size_t last = first;
        for (; last < m_rows.size() && m_rows[last].group == m_rows[first].group && rows.size() < kPartBytes; ++last) {
            const PackedRow &row = m_rows[last];
            appendLeb128(rows, row.stack - stack);
            stack = row.stack;
            std::uint64_t present = 0;
            for (std::size_t i = 0; i < columns; ++i)
                present |= std::uint64_t{row.numbers[i] != 0} << i;
            if (columns > 1)
                appendLeb128(rows, present);
            for (std::size_t i = 0; i < columns; ++i)
                if (columns == 1 || row.numbers[i] != 0)
                    appendLeb128(rows, storedNumber(m_kind, i, row.numbers[i]));
        }
        if (parts.empty() || parts.back().size() + rows.size() > kPartBytes)
            parts.emplace_back();
        for (const std::int64_t number : m_rows[first].group)
            appendLeb128(parts.back(), static_cast<std::uint64_t>(number));
        appendLeb128(parts.back(), last - first);
        parts.back() += rows;
        first = last;
    }
    return parts;
}

bool PackedReader::number(std::uint64_t &value)
{
    if (takeLeb128(m_left, value))
        return true;
    return m_isWhole = false;
}

bool PackedReader::beginGroup(PackedRow &row)
{
    for (std::int64_t &part : row.group) {
        std::uint64_t value = 0;
        if (!number(value))
            return false;
        part = static_cast<std::int64_t>(value);
    }
    m_group = row.group;
    m_stack = 0;
    return number(m_rowsLeft);
}

bool PackedReader::next(PackedRow &row)
{
    row.numbers = {};
    while (m_rowsLeft == 0) {
        if (m_left.empty() || !m_isWhole || !beginGroup(row))
            return false;
    }
    --m_rowsLeft;
    row.group = m_group;
    const std::size_t columns = numbersOf(m_kind);
    std::uint64_t step = 0, present = 1;
    if (!number(step) || (columns > 1 && !number(present)))
        return false;
    m_stack += step;
    if (step > UINT32_MAX || m_stack > UINT32_MAX)
        return m_isWhole = false;
    row.stack = static_cast<std::uint32_t>(m_stack);
    for (std::size_t i = 0; i < columns; ++i) {
        std::uint64_t value = 0;
        if ((present >> i & 1u) == 0)
            continue;
        if (!number(value) || (!isVariance(m_kind, i) && !isFreed(m_kind, i) && value >= kMostNumber))
            return m_isWhole = false;
        row.numbers[i] = static_cast<std::int64_t>(storedNumber(m_kind, i, static_cast<std::int64_t>(value)));
    }
    return true;
}

} // namespace storage

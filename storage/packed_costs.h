// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace storage {

/// What a packed blob holds; the numbers are those in the file.
enum class PackedKind : std::uint8_t {
    Heap = 0,     ///< group: image, period_bytes; numbers: the columns of table `heap`
    Sampling = 1, ///< group: image, period_bytes; numbers: samples and four variances, of table `heap_sampling`
    Cpu = 2,      ///< group: thread, image, period_ns; numbers: samples
    Area = 3,     ///< group: image, kind, name; numbers: the columns of table `area`
    Activity = 4, ///< group: thread, image, activity; numbers: the columns of table `activity`
};
inline constexpr std::array kPackedKinds
    = {PackedKind::Heap, PackedKind::Sampling, PackedKind::Cpu, PackedKind::Area, PackedKind::Activity};

/// The costs of one stack within a group. Numbers that a kind does not have are 0; variances stand as the bits of a double.
struct PackedRow
{
    std::array<std::int64_t, 3> group{};
    std::uint32_t stack = 0;
    std::array<std::int64_t, 6> numbers{};
};

/// How many numbers a row of a kind has.
constexpr std::size_t numbersOf(PackedKind kind)
{
    constexpr std::array<std::size_t, kPackedKinds.size()> kNumbers = {6, 5, 1, 4, 6};
    return kNumbers[static_cast<std::size_t>(kind)];
}

/// Rows of one kind added up by group and stack. Negative numbers count as 0, but for what was freed of the heap; sums saturate.
class PackedCosts
{
public:
    explicit PackedCosts(PackedKind kind)
        : m_kind(kind)
    {
    }

    void add(const PackedRow &row);

    /// The blobs that hold all of it, each readable alone and of at most about kPartBytes; none when there are no rows. See storage/README.md.
    std::vector<std::string> pack();

    static constexpr std::size_t kPartBytes = 1 << 20;

private:
    void merge();

    PackedKind m_kind;
    std::vector<PackedRow> m_rows;
    std::size_t m_merged = 0; ///< rows at the front that are in order and distinct
};

/// Reads a blob row by row.
class PackedReader
{
public:
    PackedReader(PackedKind kind, std::string_view blob)
        : m_kind(kind)
        , m_left(blob)
    {
    }

    /// The next row; false at the end, and where the blob is damaged.
    bool next(PackedRow &row);

    /// Whether the end was reached in order.
    bool isWhole() const { return m_isWhole; }

private:
    bool number(std::uint64_t &value);
    bool beginGroup(PackedRow &row);

    PackedKind m_kind;
    std::string_view m_left;
    std::array<std::int64_t, 3> m_group{};
    std::uint64_t m_rowsLeft = 0;
    std::uint64_t m_stack = 0;
    bool m_isWhole = true;
};

} // namespace storage

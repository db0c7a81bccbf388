// SPDX-License-Identifier: MIT
#pragma once

#include "capture/unwind/cfi_row.h"

#include <cstddef>
#include <cstdint>

namespace capture::unwind {

/// Reads little-endian numbers from [position, end) of a section. A read beyond the end gives 0 and makes it fail for
/// good, so that a parser may read on and look at failed() once. A value type.
class ByteCursor
{
public:
    ByteCursor(const Section &section, std::size_t position, std::size_t end)
        : m_section(&section)
        , m_position(position)
        , m_end(end <= section.size ? end : section.size)
        , m_failed(position > m_end)
    {
    }

    bool failed() const { return m_failed; }
    bool atEnd() const { return m_failed || m_position == m_end; }
    std::size_t position() const { return m_position; }
    std::size_t remaining() const { return m_failed ? 0 : m_end - m_position; }
    /// The address of the next byte.
    std::uint64_t address() const { return m_section->address + m_position; }
    void fail() { m_failed = true; }

    /// Moves by `count` bytes, forwards or back to no earlier than `first`.
    void jump(std::int64_t count, std::size_t first)
    {
        const std::int64_t target = static_cast<std::int64_t>(m_position) + count;
        if (target < static_cast<std::int64_t>(first) || target > static_cast<std::int64_t>(m_end))
            m_failed = true;
        else
            m_position = static_cast<std::size_t>(target);
    }
    void skip(std::uint64_t count)
    {
        if (m_failed || count > m_end - m_position)
            m_failed = true;
        else
            m_position += static_cast<std::size_t>(count);
    }

    /// A number of type T as it lies there.
    template <typename T> T number()
    {
        T value = 0;
        if (m_failed || m_end - m_position < sizeof(T)) {
            m_failed = true;
            return 0;
        }
        __builtin_memcpy(&value, m_section->data + m_position, sizeof(T));
        m_position += sizeof(T);
        return value;
    }
    std::uint8_t u8() { return number<std::uint8_t>(); }

    std::uint64_t uleb()
    {
        std::uint64_t value = 0;
        for (unsigned shift = 0;; shift += 7) {
            const std::uint8_t byte = u8();
            if (shift < 64)
                value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
            if ((byte & 0x80) == 0)
                return value;
        }
    }
    std::int64_t sleb()
    {
        std::uint64_t value = 0;
        for (unsigned shift = 0;;) {
            const std::uint8_t byte = u8();
            if (shift < 64)
                value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
            shift += 7;
            if ((byte & 0x80) != 0)
                continue;
            if (shift < 64 && (byte & 0x40) != 0)
                value |= ~std::uint64_t{0} << shift;
            return static_cast<std::int64_t>(value);
        }
    }

    /// A pointer in a DW_EH_PE encoding, relative to nothing, its own address, or `dataBase`. Fails for encodings that
    /// code addresses never have (indirect, relative to text or function, aligned).
    std::uint64_t pointer(std::uint8_t encoding, std::uint64_t dataBase);

private:
    const Section *m_section;
    std::size_t m_position;
    std::size_t m_end;
    bool m_failed;
};

/// DW_EH_PE_omit: there is no value.
inline constexpr std::uint8_t kEncodingOmitted = 0xff;

} // namespace capture::unwind

// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>

namespace capture {

struct PerfSample;

/// Takes numbers from a record's front and back; what is not there gives 0 and makes it fail for good.
class RecordFields
{
public:
    explicit RecordFields(std::span<const std::uint8_t> bytes)
        : m_bytes(bytes)
    {
    }
    bool failed() const { return m_failed; }
    std::size_t remaining() const { return m_bytes.size(); }

    template <typename T> T take()
    {
        T value = {};
        const std::span<const std::uint8_t> raw = bytes(sizeof(T));
        if (!m_failed)
            std::memcpy(&value, raw.data(), sizeof(T));
        return value;
    }
    std::span<const std::uint8_t> bytes(std::uint64_t count)
    {
        if (m_failed || count > m_bytes.size()) {
            m_failed = true;
            return {};
        }
        const auto result = m_bytes.first(static_cast<std::size_t>(count));
        m_bytes = m_bytes.subspan(static_cast<std::size_t>(count));
        return result;
    }
    /// Cuts `count` bytes off the end and returns them.
    std::span<const std::uint8_t> back(std::size_t count)
    {
        if (m_failed || count > m_bytes.size()) {
            m_failed = true;
            return {};
        }
        const auto result = m_bytes.last(count);
        m_bytes = m_bytes.first(m_bytes.size() - count);
        return result;
    }
    /// The text up to a 0 or the end.
    std::string text()
    {
        const auto *begin = reinterpret_cast<const char *>(m_bytes.data());
        std::string result(begin, m_bytes.empty() ? 0 : strnlen(begin, m_bytes.size()));
        m_bytes = {};
        return result;
    }

private:
    std::span<const std::uint8_t> m_bytes;
    bool m_failed = false;
};

/// Takes the user's registers (kCpuRegisters) and copied stack into `sample`; false where a size in them goes beyond the record's end.
bool decodeUserSide(RecordFields &fields, PerfSample &sample);

} // namespace capture

// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace model {

/// Builds a message of protocol buffers, field by field in any order (protobuf.dev, "Encoding"). Fields that are 0 or empty are left out,
/// as their readers take that for granted; those of repeated fields are not.
class ProtoWriter
{
public:
    void number(std::uint32_t field, std::int64_t value)
    {
        if (value != 0)
            element(field, value);
    }
    void flag(std::uint32_t field, bool value) { number(field, value ? 1 : 0); }
    /// Of a repeated field, whatever it is.
    void element(std::uint32_t field, std::int64_t value)
    {
        varint(std::uint64_t{field} << 3);
        varint(static_cast<std::uint64_t>(value));
    }
    /// A repeated number as one packed field.
    template <typename Number> void numbers(std::uint32_t field, std::span<const Number> values)
    {
        ProtoWriter packed;
        for (const Number value : values)
            packed.varint(static_cast<std::uint64_t>(value));
        bytes(field, packed.m_bytes);
    }
    /// A text, or a message within this one; of a repeated field, also where it is empty.
    void bytes(std::uint32_t field, std::string_view value)
    {
        varint(std::uint64_t{field} << 3 | 2);
        varint(value.size());
        m_bytes += value;
    }
    void message(std::uint32_t field, const ProtoWriter &inner) { bytes(field, inner.m_bytes); }

    const std::string &encoded() const { return m_bytes; }

private:
    void varint(std::uint64_t value)
    {
        for (; value >= 0x80; value >>= 7)
            m_bytes += static_cast<char>(value | 0x80);
        m_bytes += static_cast<char>(value);
    }

    std::string m_bytes;
};

} // namespace model

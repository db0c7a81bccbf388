// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

namespace storage {

/// Bytes that stay off the disk: in memory that is locked as far as RLIMIT_MEMLOCK allows, left out of core dumps and of forked children, wiped
/// when they go. Movable only.
class SecretText
{
public:
    /// Room for `capacity` bytes, of which none is used yet.
    explicit SecretText(std::size_t capacity);

    /// A copy of `text`; the original stays the caller's to wipe.
    static SecretText of(std::string_view text);

    char *data() { return m_bytes.get(); }
    std::string_view view() const { return {m_bytes.get(), m_size}; }
    std::size_t size() const { return m_size; }
    std::size_t capacity() const { return m_capacity; }
    /// How many bytes are used; at most the capacity.
    void setSize(std::size_t size) { m_size = size; }

private:
    struct Free
    {
        void operator()(char *bytes) const;
    };

    std::unique_ptr<char, Free> m_bytes;
    std::size_t m_capacity = 0;
    std::size_t m_size = 0;
};

} // namespace storage

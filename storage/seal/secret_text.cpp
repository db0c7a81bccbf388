// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/seal/secret_text.h"

#include <sodium.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>

namespace storage {

void SecretText::Free::operator()(char *bytes) const { sodium_free(bytes); }

SecretText::SecretText(std::size_t capacity)
    : m_capacity(capacity)
{
    if (sodium_init() < 0)
        std::abort();
    // Locks the pages, puts guards around them and keeps them out of core dumps.
    m_bytes.reset(static_cast<char *>(sodium_malloc(capacity)));
    if (!m_bytes)
        throw std::bad_alloc();
    const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
    const std::uintptr_t first = reinterpret_cast<std::uintptr_t>(m_bytes.get()) & ~(page - 1);
    const std::uintptr_t end = (reinterpret_cast<std::uintptr_t>(m_bytes.get()) + capacity + page - 1) & ~(page - 1);
    // A recorded program is forked from us: what it would inherit reads as zeros.
    ::madvise(reinterpret_cast<void *>(first), end - first, MADV_WIPEONFORK);
}

SecretText SecretText::of(std::string_view text)
{
    SecretText secret(text.empty() ? 1 : text.size());
    std::memcpy(secret.data(), text.data(), text.size());
    secret.setSize(text.size());
    return secret;
}

} // namespace storage

// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/seal/sealed_file.h"

#include <sodium.h>
#include <sqlite3.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace storage {

namespace {

/// A page that is being written by a checkpoint reads as broken for a moment: it is read again, this often in a row, until that never helped
/// in so many times. Then the file is damaged, and there is nothing to wait for.
constexpr int kTries = 4;
constexpr int kMostVainTries = 12;

/// What SQLite reads of a main file before it looks for a log: only the size of pages is taken from it. When the power went while the log was
/// folded in, the page may be torn and the log have it whole; the page itself is read, and checked, after the log was looked at.
constexpr std::int64_t kPeekBytes = 100;

std::array<unsigned char, 8> littleEndian(std::int64_t value)
{
    std::array<unsigned char, 8> bytes{};
    for (std::size_t i = 0; i < bytes.size(); ++i)
        bytes[i] = static_cast<unsigned char>(static_cast<std::uint64_t>(value) >> (8 * i));
    return bytes;
}

const unsigned char *bytesOf(const SecretText &text)
{
    return reinterpret_cast<const unsigned char *>(text.view().data());
}

void waitShortly()
{
    const timespec time{0, 1'000'000};
    ::nanosleep(&time, nullptr);
}

} // namespace

SealedFile::SealedFile(sqlite3_file *file, SealedLayout::Kind kind, const SealKey &key, const SealHeader &header,
    std::atomic<int> &brokenLogUnits)
    : m_file(file)
    , m_layout(kind)
    , m_header(header)
    , m_key(key.derived(header, kind == SealedLayout::Kind::Main ? SealKey::Use::Main : SealKey::Use::Log))
    , m_brokenLogUnits(brokenLogUnits)
    , m_stored(static_cast<std::size_t>(kUnitPageBytes + kUnitExtraBytes))
    , m_plain(static_cast<std::size_t>(kUnitPageBytes))
{
}

int SealedFile::storedSize(std::int64_t &size)
{
    sqlite3_int64 bytes = 0;
    const int code = m_file->pMethods->xFileSize(m_file, &bytes);
    size = bytes;
    return code;
}

SealedFile::Found SealedFile::fetch(const SealedUnit &unit, unsigned char *plain, int &code)
{
    const auto bytes = static_cast<int>(unit.bytes + kUnitExtraBytes);
    code = m_file->pMethods->xRead(m_file, m_stored.data(), bytes, unit.stored);
    if (code == SQLITE_IOERR_SHORT_READ) {
        std::int64_t size = 0;
        code = storedSize(size);
        if (code != SQLITE_OK)
            return Found::Failed;
        return size <= unit.stored ? Found::Absent : Found::Broken;
    }
    if (code != SQLITE_OK)
        return Found::Failed;
    const auto index = littleEndian(unit.index);
    const int opened = crypto_aead_xchacha20poly1305_ietf_decrypt_detached(plain, nullptr,
        m_stored.data() + kUnitExtraBytes, static_cast<unsigned long long>(unit.bytes),
        m_stored.data() + kUnitNonceBytes, index.data(), index.size(), m_stored.data(), bytesOf(m_key));
    return opened == 0 ? Found::Whole : Found::Broken;
}

int SealedFile::put(const SealedUnit &unit, const unsigned char *plain)
{
    const auto index = littleEndian(unit.index);
    randombytes_buf(m_stored.data(), static_cast<std::size_t>(kUnitNonceBytes));
    crypto_aead_xchacha20poly1305_ietf_encrypt_detached(m_stored.data() + kUnitExtraBytes,
        m_stored.data() + kUnitNonceBytes, nullptr, plain, static_cast<unsigned long long>(unit.bytes), index.data(),
        index.size(), nullptr, m_stored.data(), bytesOf(m_key));
    return m_file->pMethods->xWrite(
        m_file, m_stored.data(), static_cast<int>(unit.bytes + kUnitExtraBytes), unit.stored);
}

bool SealedFile::mayBeBeingWritten() const
{
    return m_layout.kind() == SealedLayout::Kind::Main && m_vainTries < kMostVainTries;
}

int SealedFile::read(void *into, int count, std::int64_t offset)
{
    auto *target = static_cast<unsigned char *>(into);
    auto *plain = reinterpret_cast<unsigned char *>(m_plain.data());
    const std::int64_t end = offset + count;
    // SQLite reads a log from a frame's header on when it looks for the last whole frame: there, what is not whole is the end.
    const SealedUnit first = m_layout.at(offset);
    const bool isLog = m_layout.kind() == SealedLayout::Kind::Log;
    const bool searchesEnd = isLog && first.bytes < kUnitPageBytes, peeks = !isLog && end <= kPeekBytes;
    int result = SQLITE_OK;
    for (std::int64_t at = offset; at < end;) {
        const SealedUnit unit = m_layout.at(at);
        int code = SQLITE_OK;
        Found found = fetch(unit, plain, code);
        for (int i = 1; i < kTries && found == Found::Broken && mayBeBeingWritten(); ++i) {
            waitShortly();
            found = fetch(unit, plain, code);
            m_vainTries = found == Found::Whole ? 0 : m_vainTries + 1;
        }
        if (found == Found::Failed)
            return code;
        if (found == Found::Broken && peeks)
            found = Found::Absent;
        if (found == Found::Broken && !searchesEnd)
            return SQLITE_IOERR_DATA;
        if (found == Found::Broken)
            ++m_brokenLogUnits;
        const std::int64_t stop = std::min(end, unit.plain + unit.bytes);
        const auto bytes = static_cast<std::size_t>(stop - at);
        if (found == Found::Whole) {
            std::memcpy(target + (at - offset), plain + (at - unit.plain), bytes);
        } else {
            std::memset(target + (at - offset), 0, bytes);
            if (found == Found::Absent)
                result = SQLITE_IOERR_SHORT_READ;
        }
        at = stop;
    }
    return result;
}

/// Units that SQLite skips when a file grows are there all the same, as zeros: what is not authentic is never taken for empty.
int SealedFile::fillGap(std::int64_t until)
{
    std::int64_t stored = 0;
    if (const int code = storedSize(stored); code != SQLITE_OK)
        return code;
    const std::vector<unsigned char> zeros(static_cast<std::size_t>(kUnitPageBytes), 0);
    for (std::int64_t at = m_layout.plainSize(stored); at < until;) {
        const SealedUnit unit = m_layout.at(at);
        if (const int code = put(unit, zeros.data()); code != SQLITE_OK)
            return code;
        at = unit.plain + unit.bytes;
    }
    return SQLITE_OK;
}

int SealedFile::write(const void *from, int count, std::int64_t offset)
{
    const auto *source = static_cast<const unsigned char *>(from);
    auto *plain = reinterpret_cast<unsigned char *>(m_plain.data());
    const std::int64_t end = offset + count;
    if (const int code = fillGap(m_layout.at(offset).plain); code != SQLITE_OK)
        return code;
    for (std::int64_t at = offset; at < end;) {
        const SealedUnit unit = m_layout.at(at);
        const std::int64_t stop = std::min(end, unit.plain + unit.bytes);
        const unsigned char *whole = source + (at - offset);
        if (at != unit.plain || stop != unit.plain + unit.bytes) {
            int code = SQLITE_OK;
            const Found found = fetch(unit, plain, code);
            if (found == Found::Failed)
                return code;
            if (found == Found::Broken)
                return SQLITE_IOERR_DATA;
            if (found == Found::Absent)
                std::memset(plain, 0, static_cast<std::size_t>(unit.bytes));
            std::memcpy(plain + (at - unit.plain), whole, static_cast<std::size_t>(stop - at));
            whole = plain;
        }
        if (const int code = put(unit, whole); code != SQLITE_OK)
            return code;
        at = stop;
    }
    return SQLITE_OK;
}

int SealedFile::truncate(std::int64_t size) { return m_file->pMethods->xTruncate(m_file, m_layout.storedSize(size)); }

int SealedFile::size(std::int64_t &size)
{
    std::int64_t stored = 0;
    const int code = storedSize(stored);
    size = m_layout.plainSize(stored);
    return code;
}

} // namespace storage

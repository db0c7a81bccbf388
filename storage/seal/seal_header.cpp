// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/seal/seal_header.h"

#include "storage/writer_lock.h"

#include <fcntl.h>
#include <sodium.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace storage {

namespace {

constexpr unsigned char kMagic[16] = {'G', 'e', 'n', 'e', 's', 'i', 's', 'S', 'e', 'a', 'l', 'e', 'd', 0, 0, 1};
constexpr std::size_t kNameBytes = 15; ///< of the magic, without the version
constexpr std::size_t kSumAt = 112, kSumBytes = 16;
// What a crafted header may ask for: no more than a patient user would choose.
constexpr std::uint64_t kMostOperations = 16;
constexpr std::uint64_t kMostMemory = 1024ull * 1024 * 1024;

void putNumber(unsigned char *at, std::uint64_t value)
{
    for (int i = 0; i < 8; ++i)
        at[i] = static_cast<unsigned char>(value >> (8 * i));
}

std::uint64_t numberAt(const unsigned char *at)
{
    std::uint64_t value = 0;
    for (int i = 7; i >= 0; --i)
        value = value << 8 | at[i];
    return value;
}

void sum(const SealHeader::Bytes &bytes, unsigned char *into)
{
    crypto_generichash(into, kSumBytes, bytes.data(), kSumAt, nullptr, 0);
}

} // namespace

SealHeader::SealHeader()
{
    std::memcpy(m_bytes.data(), kMagic, sizeof kMagic);
    randombytes_buf(m_bytes.data() + 32, kSaltBytes + kIdBytes);
}

bool SealHeader::isSeal(const unsigned char *bytes, std::size_t count)
{
    return count >= kNameBytes && std::memcmp(bytes, kMagic, kNameBytes) == 0;
}

model::Result<SealHeader> SealHeader::parse(const Bytes &bytes, const std::string &path)
{
    if (!isSeal(bytes.data(), bytes.size()))
        return model::Error("Cannot open " + path + ": it is not sealed");
    unsigned char expected[kSumBytes];
    sum(bytes, expected);
    if (std::memcmp(expected, bytes.data() + kSumAt, kSumBytes) != 0)
        return model::Error(
            "Cannot open " + path + ": the beginning of the file is damaged or was altered; use another copy");
    if (bytes[kNameBytes] != kMagic[kNameBytes])
        return model::Error("Cannot open " + path + ": it was sealed by a newer version; update Genesis Profiler");
    SealHeader header;
    header.m_bytes = bytes;
    const SealCost cost = header.cost();
    if (cost.operations < 1 || cost.operations > kMostOperations || cost.memoryBytes < crypto_pwhash_MEMLIMIT_MIN
        || cost.memoryBytes > kMostMemory)
        return model::Error("Cannot open " + path + ": its seal asks for more time or memory than any that is written");
    return header;
}

model::Result<SealHeader> SealHeader::read(const std::string &path)
{
    const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!file.isOpen())
        return model::systemError("Cannot open " + path, errno, "check the rights on the file");
    Bytes bytes{};
    const ssize_t count = ::pread(file.get(), bytes.data(), bytes.size(), 0);
    if (count < 0)
        return model::systemError("Cannot read " + path, errno);
    if (static_cast<std::size_t>(count) < kBytes && isSeal(bytes.data(), static_cast<std::size_t>(count)))
        return model::Error(
            "Cannot open " + path + ": it is sealed, and was cut off after " + std::to_string(count) + " bytes");
    return parse(bytes, path);
}

void SealHeader::setCost(SealCost cost)
{
    putNumber(m_bytes.data() + 16, cost.operations);
    putNumber(m_bytes.data() + 24, cost.memoryBytes);
}

void SealHeader::takeSaltAndCost(const SealHeader &other)
{
    std::copy_n(other.m_bytes.data() + 16, 16 + kSaltBytes, m_bytes.data() + 16);
}

void SealHeader::setCheck(const std::array<unsigned char, kCheckBytes> &check)
{
    std::copy(check.begin(), check.end(), m_bytes.data() + 64);
}

SealCost SealHeader::cost() const { return {numberAt(m_bytes.data() + 16), numberAt(m_bytes.data() + 24)}; }

SealHeader::Bytes SealHeader::bytes() const
{
    Bytes bytes = m_bytes;
    sum(bytes, bytes.data() + kSumAt);
    return bytes;
}

} // namespace storage

// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/seal/sealed_layout.h"

namespace storage {

namespace {

constexpr std::int64_t kLogHeader = 32, kFrameHeader = 24;
constexpr std::int64_t kFrame = kFrameHeader + kUnitPageBytes;
constexpr std::int64_t kStoredLogHeader = kLogHeader + kUnitExtraBytes;
constexpr std::int64_t kStoredFrame = kFrame + 2 * kUnitExtraBytes;
constexpr std::int64_t kStoredPage = kUnitPageBytes + kUnitExtraBytes;
constexpr std::int64_t kMainHeader = static_cast<std::int64_t>(SealHeader::kBytes);

} // namespace

SealedUnit SealedLayout::at(std::int64_t plain) const
{
    if (m_kind == Kind::Main) {
        const std::int64_t index = plain / kUnitPageBytes;
        return {index, index * kUnitPageBytes, kUnitPageBytes, kMainHeader + index * kStoredPage};
    }
    if (plain < kLogHeader)
        return {0, 0, kLogHeader, 0};
    const std::int64_t frame = (plain - kLogHeader) / kFrame;
    const std::int64_t begin = kLogHeader + frame * kFrame;
    const std::int64_t stored = kStoredLogHeader + frame * kStoredFrame;
    if (plain - begin < kFrameHeader)
        return {1 + 2 * frame, begin, kFrameHeader, stored};
    return {2 + 2 * frame, begin + kFrameHeader, kUnitPageBytes, stored + kFrameHeader + kUnitExtraBytes};
}

std::int64_t SealedLayout::plainSize(std::int64_t stored) const
{
    if (m_kind == Kind::Main)
        return stored <= kMainHeader ? 0 : (stored - kMainHeader + kStoredPage - 1) / kStoredPage * kUnitPageBytes;
    if (stored <= 0)
        return 0;
    if (stored <= kStoredLogHeader)
        return kLogHeader;
    const std::int64_t frames = (stored - kStoredLogHeader) / kStoredFrame;
    const std::int64_t rest = (stored - kStoredLogHeader) % kStoredFrame;
    const std::int64_t begun = rest == 0 ? 0 : rest <= kFrameHeader + kUnitExtraBytes ? kFrameHeader : kFrame;
    return kLogHeader + frames * kFrame + begun;
}

std::int64_t SealedLayout::storedSize(std::int64_t plain) const
{
    if (plain <= 0)
        return m_kind == Kind::Main ? kMainHeader : 0;
    const SealedUnit last = at(plain - 1);
    return last.stored + last.bytes + kUnitExtraBytes;
}

} // namespace storage

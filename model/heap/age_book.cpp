// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/heap/age_book.h"

namespace model {

AgeBook::Slot &AgeBook::slotOf(std::uint32_t account)
{
    if (account >= m_slots.size())
        m_slots.resize(std::max<std::size_t>(std::size_t{account} + 1, m_slots.size() * 2));
    return m_slots[account];
}

void AgeBook::begin(std::int64_t nowUs)
{
    m_originUs = nowUs;
    m_begins.push_back(m_beginUs);
}

std::size_t AgeBook::bucketOf(std::int64_t birthUs) const
{
    const auto last = static_cast<std::int64_t>(m_begins.size()) - 1;
    auto bucket = static_cast<std::size_t>(std::clamp<std::int64_t>((birthUs - m_originUs) / m_widthUs, 0, last));
    while (bucket > 0 && birthUs < m_begins[bucket])
        --bucket;
    while (bucket < static_cast<std::size_t>(last) && birthUs >= m_begins[bucket + 1])
        ++bucket;
    return bucket;
}

void AgeBook::diedOld(std::uint32_t account, std::int64_t birthUs)
{
    const Slot &slot = slotOf(account);
    if (slot.record == 0)
        return;
    Record &record = m_records[slot.record - 1];
    ++record.oldDied;
    record.isChanged = true;
    const std::size_t born = bucketOf(birthUs), first = record.ages.firstBucket;
    if (born < first)
        return; // from before the history began
    --record.ages.buckets[born - first].alive;
    ++record.ages.buckets[m_begins.size() - 1 - born].died;
}

void AgeBook::addTick(std::uint32_t account, std::int64_t born, std::int64_t died)
{
    Slot &slot = slotOf(account);
    if (slot.record != 0) {
        Record &record = m_records[slot.record - 1];
        record.born += born;
        record.died += died;
        record.isChanged = true;
    } else if (born > 0 && !slot.isInBucket) {
        slot.isInBucket = true;
        m_inBucket.push_back(account);
    }
}

void AgeBook::offerExample(std::uint32_t account, std::uint64_t pointer, std::int64_t size, std::int64_t birthUs)
{
    const Slot &slot = slotOf(account);
    if (slot.record == 0)
        return;
    // By its address, so that what is shown does not depend on the order in which blocks are looked at, and changes seldom.
    m_records[slot.record - 1].examples[(pointer >> 4) % kMostLiveExamples] = {pointer, size, birthUs};
}

void AgeBook::noteCohort(std::uint32_t account, std::int64_t liveBlocks)
{
    Slot &slot = m_slots[account];
    slot.isInBucket = false;
    if (slot.record != 0 || liveBlocks <= 0)
        return;
    slot.cohorts = std::min<std::uint8_t>(static_cast<std::uint8_t>(slot.cohorts + 1), kLeastCohorts + 1);
    if (slot.cohorts < kLeastCohorts)
        return;
    if (m_records.size() >= kMostFollowed) {
        m_tooMany += slot.cohorts == kLeastCohorts ? 1 : 0; // counted once
        return;
    }
    Record &record = m_records.emplace_back();
    slot.record = static_cast<std::uint32_t>(m_records.size());
    record.account = account;
    record.ages.firstBucket = static_cast<std::uint32_t>(m_begins.size());
    record.isChanged = true;
}

void AgeBook::restart()
{
    for (Record &record : m_records) {
        record.ages.buckets.clear();
        record.ages.firstBucket = static_cast<std::uint32_t>(m_begins.size());
        record.isChanged = true; // what is known of it elsewhere is of before
    }
}

void AgeBook::endBucket(Record &record, const HeapLevel &level)
{
    if (record.ages.buckets.empty()) {
        record.born = record.died = record.oldDied = 0; // it begins with the next bucket
        return;
    }
    const std::int64_t diedYoung = std::clamp<std::int64_t>(record.died - record.oldDied, 0, record.born);
    AgeBucket &bucket = record.ages.buckets.back();
    bucket.born = record.born;
    bucket.alive = record.born - diedYoung;
    bucket.liveBlocks = level.blocks;
    bucket.liveBytes = level.bytes;
    record.ages.buckets.front().died += diedYoung;
    record.born = record.died = record.oldDied = 0;
}

void AgeBook::beginBucket(std::int64_t nowUs)
{
    // Whatever was told of before belongs to the bucket that has ended, so no block is counted in one and dies in another.
    m_beginUs = std::max(nowUs, m_lastUs + 1);
    m_begins.push_back(m_beginUs);
    if (m_begins.size() > kMostAgeBuckets)
        mergePairs();
    for (Record &record : m_records)
        record.ages.buckets.emplace_back();
}

void AgeBook::mergePairs()
{
    for (std::size_t i = 0; i < m_begins.size(); i += 2)
        m_begins[i / 2] = m_begins[i];
    m_begins.resize(m_begins.size() / 2 + m_begins.size() % 2);
    m_widthUs *= 2;
    for (Record &record : m_records)
        doubleBucket(record.ages);
    forgetDormant();
}

/// Makes room: a stack that holds nothing and made nothing in the second half of the time is not followed further.
void AgeBook::forgetDormant()
{
    const auto isDormant = [](const Record &record) {
        const std::vector<AgeBucket> &buckets = record.ages.buckets;
        if (buckets.size() < kMostAgeBuckets / 4 || buckets.back().liveBlocks > 0 || record.isChanged)
            return false;
        return std::all_of(buckets.end() - kMostAgeBuckets / 4, buckets.end(),
            [](const AgeBucket &bucket) { return bucket.born == 0; });
    };
    for (const Record &record : m_records)
        if (isDormant(record))
            m_slots[record.account] = {};
    std::erase_if(m_records, isDormant);
    for (std::size_t i = 0; i < m_records.size(); ++i)
        m_slots[m_records[i].account].record = static_cast<std::uint32_t>(i + 1);
}

AgeClock AgeBook::clock() const
{
    return {.origin = {m_originUs * 1000},
        .bucket = {m_widthUs * 1000},
        .buckets = static_cast<std::uint32_t>(m_begins.empty() ? 0 : m_begins.size() - 1),
        .followed = static_cast<std::int64_t>(m_records.size()),
        .tooMany = m_tooMany};
}

} // namespace model

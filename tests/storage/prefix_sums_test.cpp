// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/loaded_session.h"

#include <QTest>

using namespace storage;

namespace {

/// A row a tick, of the key (tick % 1,000, tick); one costs one allocation. Counts what is fetched.
struct Rows
{
    std::size_t tickCount = 3000;
    std::vector<PrefixSums<HeapKey, HeapSums, KeyHash>::Stored> stored{};
    mutable std::size_t fetched = 0;

    template <typename Row> bool fetch(std::size_t first, std::size_t last, const Row &row) const
    {
        for (std::size_t tick = first; tick < last; ++tick, ++fetched)
            row(HeapKey{static_cast<std::uint32_t>(tick % 1000), 7}, HeapSums{.allocations = 1});
        return true;
    }
    template <typename Row> bool total(std::int64_t, const Row &) const { return false; }
    std::int64_t distance(std::size_t a, std::size_t b) const { return static_cast<std::int64_t>(b - a); }
};

} // namespace

class PrefixSumsTest : public QObject
{
    Q_OBJECT
private Q_SLOTS:
    void givesSlotsInOrderOfFirstSight();
    void addsUpAndGoesBack();
    void sharesASumThatIsKnown();
};

void PrefixSumsTest::givesSlotsInOrderOfFirstSight()
{
    KeySlots<HeapKey, KeyHash> slots;
    std::vector<HeapKey> seen;
    QVERIFY(!slots.find({1, 1}));
    for (std::uint32_t i = 0; i < 20'000; ++i) {
        const HeapKey key{i * 2'654'435'761u % 977, i * 40'503u % 4099};
        if (!slots.find(key))
            seen.push_back(key);
        const std::size_t slot = slots.slotOf(key);
        QCOMPARE(slot, *slots.find(key));
        QVERIFY(seen[slot] == key);
    }
    QVERIFY(slots.keys() == seen);
    for (std::size_t slot = 0; slot < seen.size(); ++slot)
        QCOMPARE(slots.slotOf(seen[slot]), slot);
}

void PrefixSumsTest::addsUpAndGoesBack()
{
    PrefixSums<HeapKey, HeapSums, KeyHash> sums;
    decltype(sums)::Shared end, before;
    QVERIFY(sums.until(2500, Rows{}, end));
    QCOMPARE((*end)[0].allocations, std::int64_t{3});
    QCOMPARE((*end)[999].allocations, std::int64_t{2});
    QVERIFY(sums.until(2400, Rows{}, before)); // backwards from what is known
    QCOMPARE((*before)[450].allocations, std::int64_t{2});
    QCOMPARE((*end)[450].allocations, std::int64_t{3});
}

void PrefixSumsTest::sharesASumThatIsKnown()
{
    PrefixSums<HeapKey, HeapSums, KeyHash> sums;
    decltype(sums)::Shared first, second;
    const Rows rows;
    QVERIFY(sums.until(2500, rows, first));
    QVERIFY(sums.until(2500, rows, second));
    QCOMPARE(rows.fetched, std::size_t{2500});
    QCOMPARE(second.get(), first.get());
}

QTEST_APPLESS_MAIN(PrefixSumsTest)
#include "prefix_sums_test.moc"

// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/heap/area_ledger.h"
#include "model/heap/mapped_ranges.h"

#include <QTest>

#include <map>
#include <random>

using model::AreaLedger;
using model::MappedRanges;

class MappedRangesTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init()
    {
        m_ranges = {};
        m_ledger = {};
    }
    void takesBackWhatWasMapped();
    void cutsAHole();
    void takesOffBothEnds();
    void newerMappingsReplaceOlderOnes();
    void removesManyAtOnce();
    void countsAsAMapOfPagesDoes();

private:
    void map(std::uint64_t begin, std::uint64_t end, std::uint32_t node = 7)
    {
        if (m_ranges.add(begin, {end, node, 0}, m_gone))
            m_ledger.allocated(node, static_cast<std::int64_t>(end - begin));
    }
    void unmap(std::uint64_t begin, std::uint64_t end) { m_ranges.remove(begin, end, m_gone); }

    MappedRanges m_ranges;
    AreaLedger m_ledger;
    MappedRanges::Gone m_gone = [this](const MappedRanges::Range &range, std::uint64_t bytes, int left) {
        m_ledger.freed(range.node, static_cast<std::int64_t>(bytes), left == 0);
        if (left == 2)
            m_ledger.split(range.node);
    };
};

void MappedRangesTest::takesBackWhatWasMapped()
{
    map(100, 200);
    QVERIFY(m_ranges.find(100) && m_ranges.find(199));
    QVERIFY(!m_ranges.find(99) && !m_ranges.find(200));
    unmap(100, 200);
    const auto tick = m_ledger.takeTick();
    QCOMPARE(tick.liveBytes, 0);
    QCOMPARE(tick.liveBlocks, 0);
    QCOMPARE(tick.mostLiveBytes, 100);
    QCOMPARE(tick.rows.at(0).second.frees, 1);
}

void MappedRangesTest::cutsAHole()
{
    map(100, 200);
    unmap(140, 160);
    QCOMPARE(m_ranges.ranges().size(), std::size_t{2});
    QVERIFY(!m_ranges.find(150) && m_ranges.find(139) && m_ranges.find(160));
    const auto tick = m_ledger.takeTick();
    QCOMPARE(tick.liveBytes, 80);
    QCOMPARE(tick.liveBlocks, 2);
}

void MappedRangesTest::takesOffBothEnds()
{
    map(100, 200);
    unmap(50, 110);
    unmap(190, 250);
    const auto tick = m_ledger.takeTick();
    QCOMPARE(tick.liveBytes, 80);
    QCOMPARE(tick.liveBlocks, 1);
    QCOMPARE(m_ranges.ranges().begin()->first, std::uint64_t{110});
}

void MappedRangesTest::newerMappingsReplaceOlderOnes()
{
    map(100, 200, 1);
    map(150, 250, 2);
    QCOMPARE(m_ranges.find(149)->node, 1u);
    QCOMPARE(m_ranges.find(150)->node, 2u);
    QCOMPARE(m_ledger.takeTick().liveBytes, 150);
}

void MappedRangesTest::removesManyAtOnce()
{
    for (std::uint64_t i = 0; i < 10; ++i)
        map(100 * i, 100 * i + 50);
    unmap(20, 830);
    QCOMPARE(m_ranges.ranges().size(), std::size_t{3});
    const auto tick = m_ledger.takeTick();
    QCOMPARE(tick.liveBytes, 20 + 20 + 50);
    QCOMPARE(tick.liveBlocks, 3);
}

void MappedRangesTest::countsAsAMapOfPagesDoes()
{
    // Against the plainest model there is: an owner for each page.
    std::minstd_rand random(7);
    std::map<std::uint64_t, std::uint32_t> pages;
    for (int i = 0; i < 20'000; ++i) {
        const std::uint64_t begin = random() % 300, end = begin + 1 + random() % 40;
        const auto node = static_cast<std::uint32_t>(10 + random() % 5);
        const bool isMap = random() % 2 == 0;
        isMap ? map(begin, end, node) : unmap(begin, end);
        for (std::uint64_t page = begin; page < end; ++page) {
            if (isMap)
                pages[page] = node;
            else
                pages.erase(page);
        }
        if (i % 500 != 0)
            continue;
        const auto tick = m_ledger.takeTick();
        QCOMPARE(tick.liveBytes, static_cast<std::int64_t>(pages.size()));
        QCOMPARE(tick.liveBlocks, static_cast<std::int64_t>(m_ranges.ranges().size()));
        for (std::uint64_t page = 0; page < 350; ++page) {
            const auto *found = m_ranges.find(page);
            QCOMPARE(found ? found->node : 0, pages.contains(page) ? pages[page] : 0);
        }
    }
}

QTEST_APPLESS_MAIN(MappedRangesTest)
#include "mapped_ranges_test.moc"

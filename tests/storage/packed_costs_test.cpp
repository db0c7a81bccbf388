// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/packed_costs.h"

#include <QTest>

#include <bit>

using namespace storage;

namespace {

std::vector<PackedRow> readBack(PackedKind kind, PackedCosts &costs)
{
    std::vector<PackedRow> rows;
    for (const std::string &blob : costs.pack()) {
        PackedReader reader(kind, blob);
        for (PackedRow row; reader.next(row);)
            rows.push_back(row);
        if (!reader.isWhole())
            qFatal("a blob that was just packed is damaged");
    }
    return rows;
}

std::int64_t bits(double value) { return std::bit_cast<std::int64_t>(value); }

} // namespace

class PackedCostsTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    /// Where sampling begins in a span, what was freed in it can be less than nothing.
    void keepsWhatWasFreedBelowNothing()
    {
        PackedCosts costs(PackedKind::Heap);
        costs.add({{1, 1, 0}, 7, {3, 300, -14, -1400, 0, 0}});
        costs.add({{1, 1, 0}, 9, {1, 100, 2, -50, 0, 0}});
        costs.add({{1, 1, 0}, 9, {1, 100, 2, 20, 1, 10}});
        const std::vector<PackedRow> rows = readBack(PackedKind::Heap, costs);
        QCOMPARE(rows.size(), std::size_t{2});
        QVERIFY((rows[0].numbers == std::array<std::int64_t, 6>{3, 300, -14, -1400, 0, 0}));
        QVERIFY((rows[1].numbers == std::array<std::int64_t, 6>{2, 200, 4, -30, 1, 10}));
    }

    void cutsWhatCannotBeNegative()
    {
        PackedCosts costs(PackedKind::Heap);
        costs.add({{1, 1, 0}, 7, {-3, -300, INT64_MIN, INT64_MAX, -1, -1}});
        const std::vector<PackedRow> rows = readBack(PackedKind::Heap, costs);
        QVERIFY((rows[0].numbers == std::array<std::int64_t, 6>{0, 0, -(std::int64_t{1} << 62), INT64_MAX, 0, 0}));
        PackedCosts areas(PackedKind::Area);
        areas.add({{1, 0, 2}, 7, {1, 2, -3, -4, 0, 0}});
        QVERIFY((readBack(PackedKind::Area, areas)[0].numbers == std::array<std::int64_t, 6>{1, 2, 0, 0, 0, 0}));
    }

    void keepsVariancesBelowNothing()
    {
        PackedCosts costs(PackedKind::Sampling);
        costs.add({{1, 512, 0}, 7, {3, bits(1.5), bits(2.25), bits(-8.5), bits(-1e20), 0}});
        const std::vector<PackedRow> rows = readBack(PackedKind::Sampling, costs);
        QCOMPARE(std::bit_cast<double>(rows[0].numbers[3]), -8.5);
        QCOMPARE(std::bit_cast<double>(rows[0].numbers[4]), -1e20);
    }
};

QTEST_APPLESS_MAIN(PackedCostsTest)
#include "packed_costs_test.moc"

// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/analysis/recommendations.h"
#include "tests/support/snapshot_builder.h"

#include <QTest>

#include <algorithm>

using namespace model;
using tests::SnapshotBuilder;

class AllocationPlaceTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    /// A small program before large libraries: everything descends from its main, whatever it is called.
    void namesNoFunctionThatEverythingDescendsFrom()
    {
        const auto found = [](const char *lines) {
            SnapshotBuilder builder;
            builder.ticks(60, Duration::fromMs(1000));
            builder.heap(lines);
            for (HeapCost &row : builder.raw().heap)
                for (std::int64_t *count :
                    {&row.allocations, &row.allocatedBytes, &row.temporaries, &row.temporaryBytes, &row.frees})
                    *count *= 50'000;
            const Recommendations all = *recommendations(builder.build());
            return std::any_of(all.items.begin(), all.items.end(),
                [](const Recommendation &item) { return item.rule == "temporary_allocations"; });
        };
        QVERIFY(!found(
            "main;libwriter.so!load;libc.so.6!malloc 32 temporary\nmain;libwriter.so!keep;libc.so.6!malloc 64\n"));
        // What it allocates itself, or by the language's own library, it can change.
        QVERIFY(found("main;libc.so.6!malloc 32 temporary\n"));
        QVERIFY(found("main;libstdc++.so.6!std::string::_M_create();libc.so.6!malloc 32 temporary\n"));
        // Not everything descends from here.
        QVERIFY(found("main;load;libwriter.so!read;libc.so.6!malloc 32 temporary\nmain;keep;libc.so.6!malloc 64\n"));
    }

    /// What a place allocates is not all temporary: each share says of what it is.
    void tellsTheTemporaryOnesFromAllOfAPlace()
    {
        SnapshotBuilder builder;
        builder.ticks(60, Duration::fromMs(1000));
        builder.heap("main;render;libc.so.6!malloc 32 temporary\nmain;render;libc.so.6!malloc 32\n"
                     "main;keep;libc.so.6!malloc 64\nmain;keep;libc.so.6!malloc 64\n");
        for (HeapCost &row : builder.raw().heap)
            for (std::int64_t *count :
                {&row.allocations, &row.allocatedBytes, &row.temporaries, &row.temporaryBytes, &row.frees})
                *count *= 50'000;
        const Recommendations all = *recommendations(builder.build());
        const auto item = std::find_if(all.items.begin(), all.items.end(),
            [](const Recommendation &each) { return each.rule == "temporary_allocations"; });
        QVERIFY(item != all.items.end());
        QCOMPARE(item->title, std::string("render makes 50 % of all allocations, 50 % of its own are temporary"));
        const auto share = std::find_if(item->evidence.begin(), item->evidence.end(),
            [](const Evidence &each) { return each.what == "temporary, of all allocations"; });
        QVERIFY(share != item->evidence.end());
        QCOMPARE(share->text, std::string("25 %"));
        QVERIFY2(item->check.find("fall by up to 25 %") != std::string::npos, item->check.c_str());
    }
};

QTEST_APPLESS_MAIN(AllocationPlaceTest)
#include "allocation_place_test.moc"

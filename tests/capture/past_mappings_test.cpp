// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/heap/past_mappings.h"

#include <QTest>

using namespace capture;

namespace {

PastMappings::Image image(std::uint64_t number, std::size_t ranges)
{
    PastMappings::Image image{number, number % 2 == 0, {}};
    for (std::size_t i = 0; i < ranges; ++i)
        image.mappings.add(0x10000 + i * 0x2000, {0x11000 + i * 0x2000, 1, 0}, [](const auto &, std::uint64_t, int) {});
    return image;
}

} // namespace

class PastMappingsTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void anImageIsFoundByItsNumber()
    {
        PastMappings past;
        past.keep(image(7, 3));
        past.keep(image(4, 0));
        QVERIFY(!past.find(0));
        QVERIFY(!past.find(5));
        QCOMPARE(past.find(7)->mappings.ranges().size(), std::size_t{3});
        QVERIFY(!past.find(7)->isWhole);
        QVERIFY(past.find(4)->isWhole);
    }

    void theLastOnesAreKept()
    {
        PastMappings past;
        for (std::uint64_t number = 1; number <= PastMappings::kMostImages + 10; ++number)
            past.keep(image(number, 1));
        QVERIFY(!past.find(10));
        QVERIFY(past.find(11));
        QVERIFY(past.find(PastMappings::kMostImages + 10));
    }

    void manyRangesPutOlderImagesOut()
    {
        PastMappings past;
        past.keep(image(1, 10));
        past.keep(image(2, 20));
        past.keep(image(3, PastMappings::kMostRanges - 20));
        QVERIFY(!past.find(1));
        QVERIFY(past.find(2));
        past.keep(image(4, PastMappings::kMostRanges));
        QVERIFY(!past.find(3));
        QVERIFY(past.find(4));
        past.keep(image(5, 1));
        QVERIFY(!past.find(4));
        QVERIFY(past.find(5));
    }
};

QTEST_APPLESS_MAIN(PastMappingsTest)
#include "past_mappings_test.moc"

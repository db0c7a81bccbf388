// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/heap/size_bins.h"

#include <QTest>

using namespace model;

class SizeBinsTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void startsEachBinAtItsLeastSize()
    {
        for (std::uint16_t bin = 1; bin < kSizeBinCount; ++bin) {
            QCOMPARE(sizeBin(sizeBinBegin(bin)), bin);
            QCOMPARE(int(sizeBin(sizeBinBegin(bin) - 1)), bin - 1);
        }
    }

    void keepsTheLargestSizesInTheLastBin()
    {
        QCOMPARE(int(sizeBin(~std::uint64_t{0})), kSizeBinCount - 1);
        QCOMPARE(int(sizeBin(0)), 0);
        QCOMPARE(int(sizeBin(1)), 0);
    }
};

QTEST_APPLESS_MAIN(SizeBinsTest)
#include "size_bins_test.moc"

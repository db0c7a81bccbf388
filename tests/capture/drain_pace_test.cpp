// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/heap/drain_pace.h"

#include <QTest>

#include <cmath>

using capture::DrainPace;

namespace {

/// What the rest comes to where a ring fills up in `fullUs`, looked at after each rest and `lookUs` more.
double settledUs(double fullUs, double lookUs, int looks = 40)
{
    DrainPace pace;
    double rest = 0;
    double filled = lookUs / fullUs;
    for (int i = 0; i < looks; ++i) {
        rest = static_cast<double>(pace.after(std::min(filled, 1.0)).count());
        filled = (rest + lookUs) / fullUs;
    }
    return rest;
}

} // namespace

class DrainPaceTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void letsTheFullestRingFillByAThird()
    {
        // A pair of 32 bytes each 150 ns fills 512 KiB in 2.4 ms.
        const double rest = settledUs(2400, 60);
        QVERIFY2(std::abs(rest + 60 - 800) < 30, qPrintable(QString::number(rest)));
    }

    void keepsToItsBounds()
    {
        QCOMPARE(settledUs(150, 20), 200.0); // a storm
        QCOMPARE(settledUs(1e6, 20), 1000.0);
    }

    void isQuickToRestLessAndSlowToRestLonger()
    {
        DrainPace pace;
        for (int i = 0; i < 20; ++i)
            pace.after(0);
        QCOMPARE(pace.after(0).count(), 1000);
        QCOMPARE(pace.after(1).count(), 500); // a burst found it resting
        QCOMPARE(pace.after(1).count(), 250);
        QCOMPARE(pace.after(1).count(), 200);
        QCOMPARE(pace.after(0).count(), 300);
    }

    void getsOverALookAtNothing()
    {
        DrainPace pace;
        QCOMPARE(pace.after(0).count(), 300);
    }
};

QTEST_GUILESS_MAIN(DrainPaceTest)
#include "drain_pace_test.moc"

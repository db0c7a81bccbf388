// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/recording/scan_plan.h"

#include <QtTest>

using namespace capture;
using model::Duration;
using model::Timestamp;

/// When scans are due.
class ScanPlanTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void nothingIsDueUnlessAskedFor()
    {
        ScanPlan plan({});
        plan.begin({0});
        QVERIFY(!plan.next());
        QVERIFY(!plan.takeDue({1'000'000'000'000}));
    }

    void scheduleBeginsOneDistanceLaterAndDoesNotCatchUp()
    {
        ScanPlan plan(Duration{100});
        plan.begin({50});
        QCOMPARE(plan.next()->ns, 150);
        QVERIFY(!plan.takeDue({149}));
        QVERIFY(plan.takeDue({480}));
        QCOMPARE(plan.next()->ns, 580);
    }

    void askedScanIsDueAtOnceAndConfirmedLater()
    {
        ScanPlan plan({});
        QVERIFY(plan.ask({10}, {{5, 30}, true}));
        QVERIFY(plan.isAsked());
        QCOMPARE(plan.next()->ns, 10);
        QCOMPARE(plan.takeDue({12})->minAgeNs, 5);
        QVERIFY(plan.isAsked());
        QCOMPARE(plan.next()->ns, 42);
        QVERIFY(!plan.takeDue({41}));
        QVERIFY(plan.takeDue({42}));
        QVERIFY(!plan.isAsked());
        QVERIFY(!plan.next());
    }

    void confirmationIsCountedFromTheStop()
    {
        ScanPlan plan({});
        QVERIFY(plan.ask({10}, {{5, 30}, true}));
        QVERIFY(plan.takeDue({12}));
        plan.begun({25});
        QCOMPARE(plan.next()->ns, 55);
        plan.begun({40}); // of another one, on a schedule
        QCOMPARE(plan.next()->ns, 55);
    }

    void wishDoesNotTakeThePlaceOfAConfirmation()
    {
        ScanPlan plan({});
        QVERIFY(plan.ask({10}, {{5, 30}, true}));
        QVERIFY(!plan.ask({11}, {{1, 0}, false})); // the first scan is not begun yet
        QCOMPARE(plan.takeDue({12})->minAgeNs, 5);
        QVERIFY(!plan.ask({13}, {{1, 0}, false}));
        QCOMPARE(plan.next()->ns, 42);
        QCOMPARE(plan.takeDue({42})->minAgeNs, 5);
        QVERIFY(plan.ask({43}, {{1, 0}, false}));
        QVERIFY(plan.ask({44}, {{2, 0}, false})); // the last one says how
        QCOMPARE(plan.takeDue({44})->minAgeNs, 2);
    }

    void wishOnTheWayIsNotForgottenByTheSchedule()
    {
        ScanPlan plan(Duration{100});
        plan.begin({0});
        QVERIFY(plan.ask({90}, {{1, 50}, true}));
        QVERIFY(plan.takeDue({90}));
        QVERIFY(plan.takeDue({100}));
        QVERIFY(plan.isAsked());
        QCOMPARE(plan.next()->ns, 140);
    }
};

QTEST_APPLESS_MAIN(ScanPlanTest)
#include "scan_plan_test.moc"

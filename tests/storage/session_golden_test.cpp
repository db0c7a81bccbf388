// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/storage/sample_session.h"

using namespace model;

/// Files of every released version (3 to 6 and 8 to 11 were never released), made once by SampleSession::make(path, 10, 60) and never again: each must stay readable.
class SessionGoldenTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void readsEachReleasedVersion_data()
    {
        QTest::addColumn<QString>("name");
        QTest::addColumn<int>("version");
        QTest::newRow("version 1") << QStringLiteral("session_v1.gprof-session") << 1;
        QTest::newRow("version 2") << QStringLiteral("session_v2.gprof-session") << 2;
        QTest::newRow("version 7") << QStringLiteral("session_v7.gprof-session") << 7;
        QTest::newRow("version 12") << QStringLiteral("session_v12.gprof-session") << 12;
        QTest::newRow("version 13") << QStringLiteral("session_v13.gprof-session") << 13;
        QTest::newRow("version 14") << QStringLiteral("session_v14.gprof-session") << 14;
        QTest::newRow("version 15") << QStringLiteral("session_v15.gprof-session") << 15;
        QTest::newRow("version 16") << QStringLiteral("session_v16.gprof-session") << 16;
    }
    void readsEachReleasedVersion()
    {
        QFETCH(QString, name);
        QFETCH(int, version);
        const QString path = qEnvironmentVariable("GENESIS_SOURCE_DIR") + QStringLiteral("/tests/golden/") + name;
        auto reader = storage::SessionReader::open(path.toStdString());
        VERIFY_RESULT(reader);
        const auto result = reader->snapshot({});
        VERIFY_RESULT(result);
        const Snapshot &snapshot = **result;
        QCOMPARE(snapshot.damage, std::string());
        QCOMPARE(snapshot.info.state, SessionState::Complete);
        QCOMPARE(snapshot.info.config.command.at(2), std::string("two words"));
        QCOMPARE(snapshot.tickEnds.size(), std::size_t{10});
        QCOMPARE(snapshot.heap.size(), std::size_t{60});
        QCOMPARE(snapshot.heapSummary.allocations, std::int64_t{10 * 60 * 61 / 2});
        QCOMPARE(snapshot.heapSummary.peakBytes, snapshot.heapSummary.liveBytes);
        QVERIFY(snapshot.heapSummary.peakIsExact);
        QCOMPARE(snapshot.cpuSummary.samples, std::int64_t{75});
        QCOMPARE(snapshot.stackQuality.truncated, std::int64_t{12});
        QCOMPARE(snapshot.metrics.at(0).values.at(9).get(Metric::Rss).value(), std::int64_t{9});
        QCOMPARE(snapshot.losses.at(0).count, std::int64_t{45});
        QCOMPARE(snapshot.marks.at(9).text, std::string("mark 9"));
        const FrameId leaf = snapshot.tables->stacks.at(snapshot.heap.at(3).stack.index()).frame;
        QCOMPARE(snapshot.tables->text(snapshot.tables->linesOf(leaf).first->function), std::string("inlined3"));
        QCOMPARE(snapshot.heap.at(3).samples, std::int64_t{version < 2 ? 0 : 10});
        QCOMPARE(snapshot.heap.at(3).liveVariance, version < 2 ? 0 : 10 * (10'000.0 - 3750.0));
        QCOMPARE(snapshot.areas.size(), std::size_t{version < 2 ? 0u : 2u});
        QCOMPARE(snapshot.phases.size(), std::size_t{version < 2 ? 0u : 10u});
        QCOMPARE(snapshot.memoryParts.size(), std::size_t{version < 2 ? 0u : 1u});
        QCOMPARE(snapshot.alerts.size(), std::size_t{version < 7 ? 0u : 10u});
        QCOMPARE(snapshot.scans.size(), std::size_t{version < 7 ? 0u : 10u});
        QCOMPARE(snapshot.activities.empty(), version < 13);
        // The last of a sample's metrics is left out.
        QCOMPARE(snapshot.metrics.at(0).values.at(9).get(Metric::WriteCalls).has_value(), version >= 15);
        if (version >= 14)
            QVERIFY(snapshot.soak && snapshot.soak->plan->period.ns > 0 && snapshot.soak->legs.at(1).beganBootNs > 0);
    }
};

QTEST_APPLESS_MAIN(SessionGoldenTest)
#include "session_golden_test.moc"

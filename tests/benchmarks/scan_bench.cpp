// SPDX-License-Identifier: GPL-3.0-or-later
// What a scan for lost memory costs the program (its pause for each GB of heap) and the recorder, and how much it finds and accuses
// wrongly, on a heap of containers some of which lose what they hold. GENESIS_SCAN_MIB: size of the heap (default 256; 1024 for the
// figures that ANALYSIS.md aims at).
#include "tests/integration/genprof_runner.h"

#include <QJsonArray>
#include <QTest>

#include <cstdio>

using tests::GenprofRunner;

class ScanBench : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void pauseAndAnswer_data()
    {
        QTest::addColumn<int>("meanBytes");
        QTest::newRow("blocks of 2 KiB") << 1000;
        QTest::newRow("blocks of 150 bytes") << 100;
    }
    void pauseAndAnswer()
    {
        QFETCH(int, meanBytes);
        const QString mib = qEnvironmentVariable("GENESIS_SCAN_MIB", QStringLiteral("256"));
        const GenprofRunner runner;
        const auto recording
            = runner.startRecording({QStringLiteral("-q"), QStringLiteral("--cpu"), QStringLiteral("off")},
                {GenprofRunner::target(QStringLiteral("lost_heap")), mib, QString::number(meanBytes)});
        const QByteArray printed = tests::readUntil(*recording, "ready");
        for (int i = 0; i < 3; ++i)
            QCOMPARE(
                runner.control({QStringLiteral("scan"), QStringLiteral("--min-age"), QStringLiteral("0s")}).exitCode,
                0);
        recording->write("\n");
        QCOMPARE(tests::waitForExit(*recording), 0);
        const QJsonObject report = runner.report(QStringLiteral("lost"));
        qint64 least = INT64_MAX, most = 0;
        for (const QJsonValue scan : report[QStringLiteral("scans")].toArray()) {
            least = std::min(least, scan[QStringLiteral("stop_ns")].toInteger());
            most = std::max(most, scan[QStringLiteral("stop_ns")].toInteger());
        }
        const QJsonObject scan = report[QStringLiteral("scans")].toArray().last().toObject();
        qint64 accused = 0, found = 0;
        for (const QJsonValue stack : scan[QStringLiteral("stacks")].toArray()) {
            QString functions;
            for (const QJsonValue frame : stack[QStringLiteral("frames")].toArray())
                functions += frame[QStringLiteral("function")].toString() + QLatin1Char(';');
            const qint64 lost = stack[QStringLiteral("definitely_lost")][QStringLiteral("blocks")].toInteger()
                + stack[QStringLiteral("indirectly_lost")][QStringLiteral("blocks")].toInteger();
            (functions.contains(QStringLiteral("losing")) ? found : accused) += lost;
        }
        const double gb = static_cast<double>(scan[QStringLiteral("scanned_bytes")].toInteger()) / 1e9;
        const qint64 lost = tests::figure(printed, "lost");
        std::printf("%s: %.2f GB, %lld blocks: pause %.0f to %.0f ms (%.3f s/GB), after it %.0f ms (%.2f s/GB); found "
                    "%lld of %lld "
                    "(missed %.2f %%), accused wrongly %lld\n",
            QTest::currentDataTag(), gb, static_cast<long long>(tests::figure(printed, "live")),
            static_cast<double>(least) / 1e6, static_cast<double>(most) / 1e6, static_cast<double>(least) / 1e9 / gb,
            static_cast<double>(scan[QStringLiteral("analysis_ns")].toInteger()) / 1e6,
            static_cast<double>(scan[QStringLiteral("analysis_ns")].toInteger()) / 1e9 / gb,
            static_cast<long long>(found), static_cast<long long>(lost),
            100.0 * static_cast<double>(lost - found) / static_cast<double>(lost), static_cast<long long>(accused));
        QCOMPARE(accused, 0);
        QVERIFY(static_cast<double>(found) >= 0.995 * static_cast<double>(lost));
    }
};

QTEST_GUILESS_MAIN(ScanBench)
#include "scan_bench.moc"

// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/base/format_counted.h"
#include "model/base/format_estimate.h"
#include "model/base/format_interval.h"
#include "model/base/format_steady.h"

#include <QTest>

using namespace model;

class FormatUnitsTest : public QObject
{
    Q_OBJECT

private:
    static void row(const char *expected, const std::string &actual)
    {
        QTest::newRow(expected) << QString::fromStdString(actual) << QString::fromUtf8(expected);
    }

private Q_SLOTS:
    void aChangingValueKeepsItsDigits()
    {
        constexpr double kMiB = 1024 * 1024;
        QCOMPARE(formatSteady(12 * kMiB, Unit::Bytes), "12.0 MiB");
        QCOMPARE(formatSteady(12.1 * kMiB, Unit::Bytes), "12.1 MiB");
        QCOMPARE(formatSteady(1.5 * kMiB, Unit::BytesPerSecond), "1.50 MiB/s");
        QCOMPARE(formatSteady(0, Unit::Bytes), "0 B");
        QCOMPARE(formatSteady(812, Unit::Bytes), "812 B");
        QCOMPARE(formatSteady(1, Unit::Percent), "1.0 %");
        QCOMPARE(formatSteady(100, Unit::Percent), "100.0 %");
        QCOMPARE(formatSteady(2000, Unit::PerSecond), "2.00 k/s");
        QCOMPARE(formatSteady(0, Unit::PerSecond), "0/s");
        QCOMPARE(formatSteady(1204, Unit::Count), "1,204");
    }

    void writesNumbersWithTheirUnit_data()
    {
        QTest::addColumn<QString>("actual");
        QTest::addColumn<QString>("expected");
        row("0 B", formatBytes(0));
        row("812 B", formatBytes(812));
        row("1 KiB", formatBytes(1024));
        row("1.5 MiB", formatBytes(1.5 * 1024 * 1024));
        row("−3 KiB", formatBytes(-3072));
        row("1 MiB", formatBytes(1024 * 1024 - 1));
        row("8.07 EiB", formatBytes(9.3e18));
        row("0", formatCount(0));
        row("999", formatCount(999));
        row("1,234,567", formatCount(1234567));
        row("−1,000", formatCount(-1000));
        row("447,363", formatEstimate(447'363, 0));
        row("~447,000", formatEstimate(447'363, 200'000));
        row("~447,363", formatEstimate(447'363, 4'000));
        row("~12", formatEstimate(12, 12));
        row("1 allocation", formatCounted(1, "allocation"));
        row("0 blocks", formatCounted(0, "block"));
        row("2,000 blocks", formatCounted(2000, "block"));
        row("118 k", formatShortCount(118'000));
        row("1.9 M", formatShortCount(1'900'000));
        row("1 M", formatShortCount(999'999));
        row("12.4 %", formatShare(0.124));
        row("100 %", formatShare(1));
        row("61 %", formatShare(0.61));
        row("0.25 %", formatShare(0.0025));
        row("0 %", formatShare(0));
        row("<0.01 %", formatShare(1e-9));
        row("–", formatShareOf(1, 0));
        row("850 ns", formatDuration({850}));
        row("12 ms", formatDuration(Duration::fromMs(12)));
        row("1.5 s", formatDuration(Duration::fromMs(1500)));
        row("41 min", formatDuration(Duration::fromSeconds(41 * 60)));
        row("59.9 s", formatDuration(Duration::fromMs(59'900)));
        row("1 min", formatDuration(Duration::fromMs(59'960)));
        row("1 min 59 s", formatDuration(Duration::fromSeconds(119)));
        row("7 min 33 s", formatDuration(Duration::fromMs(453'200)));
        row("1 h", formatDuration(Duration::fromMs(3'599'700)));
        row("3 h 12 min", formatDuration(Duration::fromSeconds(3 * 3600 + 12 * 60)));
        row("36 h", formatDuration(Duration::fromSeconds(36 * 3600)));
        row("2 d", formatDuration(Duration::fromSeconds(48 * 3600 - 20)));
        row("2 d 12 h", formatDuration(Duration::fromSeconds(60 * 3600)));
        row("−1 min 30 s", formatDuration(Duration::fromSeconds(-90)));
        row("2 min 30 s – 3 min", formatInterval(Duration::fromSeconds(150), Duration::fromSeconds(180)));
        row("0 s", formatDuration({0}));
        row("0:07", formatOffset({7'000'000'000}));
        row("12:41", formatOffset({761'999'000'000}));
        row("1:32:07", formatOffset({5527'000'000'000}));
        row("0:07.250", formatOffset({7'250'000'000}, true));
        row("4.1 MiB/h", formatValue(4.1 * 1048576, Unit::BytesPerHour));
        row("118 k/s", formatValue(118'000, Unit::PerSecond));
        row("52 %", formatValue(52, Unit::Percent));
    }

    void writesNumbersWithTheirUnit()
    {
        QFETCH(QString, actual);
        QFETCH(QString, expected);
        QCOMPARE(actual, expected);
    }

    void writesIntervalsWithOneUnit_data()
    {
        QTest::addColumn<QString>("actual");
        QTest::addColumn<QString>("expected");
        constexpr double kMiB = 1048576, kGiB = 1024 * kMiB;
        row("3.7–4.6 MiB/h", formatInterval(3.7 * kMiB, 4.6 * kMiB, Unit::BytesPerHour));
        row("68.7 MiB/h (68.6–144.3)", // not 69, which is more than the estimate
            withInterval("68.7 MiB/h", intervalParts(68.64 * kMiB, 144.3 * kMiB, Unit::BytesPerHour)));
        row("1.00–1.04 GiB/h", formatInterval(kGiB, 1.04 * kGiB, Unit::BytesPerHour));
        row("0.98–1.07 GiB/h", formatInterval(1008 * kMiB, 1.07 * kGiB, Unit::BytesPerHour));
        row("1.048–1.052 GiB/h", formatInterval(1.048 * kGiB, 1.052 * kGiB, Unit::BytesPerHour));
        row("1.5 MiB", formatInterval(1.5 * kMiB, 1.5 * kMiB, Unit::Bytes));
        row("0–12 B", formatInterval(0, 12, Unit::Bytes));
        row("+25.9 to +41.0 %", formatInterval(25.9, 41, Unit::Percent, Sign::Always));
        row("−97.5 to −82.4 %", formatInterval(-97.5, -82.4, Unit::Percent));
        row("0.25–0.60 %", formatInterval(0.25, 0.6, Unit::Percent));
        row("25–35 %", formatInterval(25, 35, Unit::Percent));
        row("4.2–5.1 k", formatInterval(4200, 5100, Unit::Count));
        row("2.5–3.1 s", formatInterval(Duration::fromMs(2500), Duration::fromMs(3100)));
        row("90 ms – 1.5 s", formatInterval(Duration::fromMs(90), Duration::fromMs(1500)));
        row("1.05 GiB/h (1.03–1.06)",
            withInterval("1.05 GiB/h", intervalParts(1.03 * kGiB, 1.06 * kGiB, Unit::BytesPerHour)));
        row("900 KiB (0.7–1.2 MiB)", withInterval("900 KiB", intervalParts(0.7 * kMiB, 1.2 * kMiB, Unit::Bytes)));
        row("100 %", withInterval("100 %", intervalParts(100, 100, Unit::Percent)));
    }

    void writesIntervalsWithOneUnit()
    {
        QFETCH(QString, actual);
        QFETCH(QString, expected);
        QCOMPARE(actual, expected);
    }

    void writesTheClockOfTheRecordingHost()
    {
        constexpr std::int64_t kStart = 1'764'000'000'000'000'000; // 2025-11-24 16:00:00 UTC
        QCOMPARE(formatClock({0}, kStart, "+00:00"), std::string("16:00:00"));
        QCOMPARE(formatClock({61'000'000'000}, kStart, "+02:00"), std::string("18:01:01"));
        QCOMPARE(formatDateTime({0}, kStart, "-05:30"), std::string("2025-11-24T10:30:00-05:30"));
        QCOMPARE(formatDateTime({0}, kStart, "+09:00"), std::string("2025-11-25T01:00:00+09:00"));
        QCOMPARE(formatDateTime({0}, 951'782'400'000'000'000, ""), std::string("2000-02-29T00:00:00Z"));
    }

    void takesAnUnreadableOffsetAsUtc()
    {
        QCOMPARE(utcOffsetSeconds("+02:00"), std::int64_t(7200));
        QCOMPARE(utcOffsetSeconds("CEST"), std::int64_t(0));
        QCOMPARE(utcOffsetSeconds("+0a:00"), std::int64_t(0));
    }
};

QTEST_APPLESS_MAIN(FormatUnitsTest)
#include "format_units_test.moc"

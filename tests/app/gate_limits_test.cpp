// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/gate/gate_limits.h"

#include <QTest>

using app::readGateLimit;
using app::readThresholds;
using model::GateKey;
using model::GateLimit;
using model::GateLimits;
using model::usualGateLimits;

class GateLimitsTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void growthsValuesAndOffAreRead();
    void badLimitsAreRefused_data();
    void badLimitsAreRefused();
    void thresholdsAreOfTheKindAndThenOfTheTest();
    void badFilesAreRefusedWithTheLine_data();
    void badFilesAreRefusedWithTheLine();

private:
    static GateLimit &of(GateLimits &limits, GateKey key) { return limits[static_cast<std::size_t>(key)]; }
};

void GateLimitsTest::growthsValuesAndOffAreRead()
{
    GateLimits limits = usualGateLimits();
    QVERIFY(readGateLimit("allocations=+5%", limits));
    QCOMPARE(of(limits, GateKey::Allocations), (GateLimit{0.05, 0, {}, false}));
    QVERIFY(readGateLimit("peak_bytes=+1MiB", limits));
    QVERIFY(readGateLimit("peak_bytes=64MiB", limits));
    QCOMPARE(of(limits, GateKey::PeakBytes), (GateLimit{0, 1048576, 67108864.0, false}));
    QVERIFY(readGateLimit("times=+100ms", limits));
    QCOMPARE(of(limits, GateKey::WallTime), (GateLimit{0, 1e8, {}, false}));
    QVERIFY(readGateLimit("wall_ns=2s", limits));
    QCOMPARE(of(limits, GateKey::WallTime).most.value(), 2e9);
    QVERIFY(!of(limits, GateKey::OwnTime).most);
    QVERIFY(readGateLimit("wall_ns=+7%", limits) && readGateLimit("own_ns=1s", limits));
    QCOMPARE(of(limits, GateKey::OwnTime), (GateLimit{0.07, 0, 1e9, false}));
    QVERIFY(readGateLimit("all=+0", limits));
    QCOMPARE(of(limits, GateKey::CpuTime), GateLimit());
    QVERIFY(readGateLimit("peak_bytes=off", limits));
    QVERIFY(of(limits, GateKey::PeakBytes).isOff && !of(limits, GateKey::PeakBytes).most);
    QVERIFY(readGateLimit("counters=off", limits));
    QVERIFY(of(limits, GateKey::Instructions).isOff && !of(limits, GateKey::CpuTime).isOff);
    QVERIFY(readGateLimit("instructions=+1%", limits));
    QVERIFY(!of(limits, GateKey::Instructions).isOff);
}

void GateLimitsTest::badLimitsAreRefused_data()
{
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<QByteArray>("words");
    QTest::newRow("no value") << QByteArray("allocations") << QByteArray("no \"=\"");
    QTest::newRow("empty") << QByteArray("allocations=") << QByteArray("a number, such as");
    QTest::newRow("negative") << QByteArray("allocations=-5%") << QByteArray("no growth");
    QTest::newRow("unit") << QByteArray("allocations=5x") << QByteArray("a number, such as");
    QTest::newRow("bytes") << QByteArray("peak_bytes=5 apples") << QByteArray("512MiB");
    QTest::newRow("key") << QByteArray("memory=+5%") << QByteArray("peak_bytes");
    QTest::newRow("no key") << QByteArray("=+5%") << QByteArray("no such key");
    QTest::newRow("nan") << QByteArray("allocations=nan") << QByteArray("a number, such as");
    QTest::newRow("group") << QByteArray("counters=100") << QByteArray("of one quantity");
}

void GateLimitsTest::badLimitsAreRefused()
{
    QFETCH(QByteArray, text);
    QFETCH(QByteArray, words);
    GateLimits limits = usualGateLimits();
    const auto read = readGateLimit(text.toStdString(), limits);
    QVERIFY(!read);
    QVERIFY2(QByteArray::fromStdString(read.error().text()).contains(words), read.error().text().c_str());
}

void GateLimitsTest::thresholdsAreOfTheKindAndThenOfTheTest()
{
    static constexpr const char *kFile = R"(
[unit]
max_allocations = 10000
max_peak = "1MiB"
no_leaks = true
[soak]
max_wall_time = "2h"
max_growth = "5%"
[test."parser.large"]
max_peak = "64MiB"
no_leaks = false
)";
    GateLimits unit = usualGateLimits();
    QVERIFY(readThresholds(kFile, "t.toml", {"t.toml", "unit", "other"}, unit));
    QCOMPARE(of(unit, GateKey::Allocations).most.value(), 10000.0);
    QCOMPARE(of(unit, GateKey::PeakBytes).most.value(), 1048576.0);
    QCOMPARE(of(unit, GateKey::LostBlocks).most.value(), 0.0);
    GateLimits one = usualGateLimits();
    QVERIFY(readThresholds(kFile, "t.toml", {"t.toml", "unit", "parser.large"}, one));
    QCOMPARE(of(one, GateKey::PeakBytes).most.value(), 67108864.0);
    QVERIFY(!of(one, GateKey::LostBlocks).most);
    GateLimits soak = usualGateLimits();
    QVERIFY(readThresholds(kFile, "t.toml", {"t.toml", "soak", {}}, soak));
    QCOMPARE(of(soak, GateKey::WallTime).most.value(), 7.2e12);
    QCOMPARE(of(soak, GateKey::LeftBytes).share, 0.05);
    GateLimits integration = usualGateLimits();
    QVERIFY(readThresholds(kFile, "t.toml", {"t.toml", "integration", {}}, integration));
    QVERIFY(integration == usualGateLimits());
}

void GateLimitsTest::badFilesAreRefusedWithTheLine_data()
{
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<QByteArray>("words");
    QTest::newRow("kind") << QByteArray("[unit]\n[units]\n")
                          << QByteArray("t.toml:2: there is no kind of test \"units\"");
    QTest::newRow("key") << QByteArray("[unit]\n\nmax_peek = 1\n")
                         << QByteArray("t.toml:3: there is no threshold \"max_peek\"; there are max_peak");
    QTest::newRow("unit") << QByteArray("[soak]\nmax_peak = \"64 apples\"")
                          << QByteArray("t.toml:2: max_peak is a number of bytes");
    QTest::newRow("negative") << QByteArray("[soak]\nmax_peak = -1")
                              << QByteArray("t.toml:2: max_peak is a number of bytes");
    QTest::newRow("time") << QByteArray("[soak]\nmax_cpu_time = 3")
                          << QByteArray("t.toml:2: max_cpu_time is a length of time");
    QTest::newRow("growth") << QByteArray("[unit]\nmax_growth = 5") << QByteArray("t.toml:2: max_growth is a share");
    QTest::newRow("flag") << QByteArray("[unit]\nno_leaks = 1") << QByteArray("t.toml:2: no_leaks is true or false");
    QTest::newRow("table") << QByteArray("unit = 1") << QByteArray("t.toml:1: unit is a table");
    QTest::newRow("test") << QByteArray("[test]\na = 1") << QByteArray("t.toml:2: test.\"a\" is a table");
    QTest::newRow("toml") << QByteArray("[unit]\n=") << QByteArray("t.toml:2: ");
}

void GateLimitsTest::badFilesAreRefusedWithTheLine()
{
    QFETCH(QByteArray, text);
    QFETCH(QByteArray, words);
    GateLimits limits = usualGateLimits();
    const auto read = readThresholds(text.toStdString(), "t.toml", {"t.toml", "unit", {}}, limits);
    QVERIFY(!read);
    QVERIFY2(QByteArray::fromStdString(read.error().text()).contains(words), read.error().text().c_str());
}

QTEST_GUILESS_MAIN(GateLimitsTest)
#include "gate_limits_test.moc"

// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/analysis/recommendations.h"
#include "tests/support/snapshot_builder.h"

#include <QTest>

#include <algorithm>

using namespace model;
using tests::SnapshotBuilder;

namespace {

constexpr std::int64_t kFaults = 20'000; ///< a second

/// A minute of so many faults, in which resident memory grows by `share` of the pages.
SnapshotBuilder minute(double share)
{
    SnapshotBuilder builder;
    builder.ticks(60, Duration::fromMs(1000));
    std::vector<std::int64_t> rss;
    for (int i = 0; i < 60; ++i)
        rss.push_back(10'000'000 + static_cast<std::int64_t>(share * 4096 * kFaults * i));
    builder.metric(Metric::Rss, rss).metric(Metric::MinorFaults, std::vector<std::int64_t>(60, kFaults));
    builder.metric(Metric::CpuUser, std::vector<std::int64_t>(60, 10'000));
    return builder;
}

bool advises(SnapshotBuilder &builder)
{
    const Recommendations found = *recommendations(builder.build());
    return std::any_of(found.items.begin(), found.items.end(),
        [](const Recommendation &item) { return item.rule == "page_fault_rate"; });
}

} // namespace

class PageFaultRuleTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void advisesWherePagesAreTakenAnew()
    {
        SnapshotBuilder builder = minute(0);
        QVERIFY(advises(builder));
    }

    void takesNoGrowthForPagesTakenAnew()
    {
        SnapshotBuilder growing = minute(1);
        QVERIFY(!advises(growing));
        SnapshotBuilder half = minute(0.5); // half of them are taken anew
        QVERIFY(advises(half));
    }

    void takesNoStartsOfProcessesForPagesTakenAnew()
    {
        SnapshotBuilder builder = minute(0);
        for (std::int64_t i = 0; i < 600; ++i)
            builder.tables().addProcess(
                {.pid = static_cast<std::int32_t>(1000 + i), .parent = builder.process(), .start = {i * 100'000'000}});
        QVERIFY(!advises(builder));
    }
};

QTEST_APPLESS_MAIN(PageFaultRuleTest)
#include "page_fault_rule_test.moc"

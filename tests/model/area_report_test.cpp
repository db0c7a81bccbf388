// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/aggregate/area_snapshot.h"
#include "model/report/csv_report.h"
#include "model/report/json_report.h"
#include "tests/support/snapshot_builder.h"

#include <QTest>

#include <nlohmann/json.hpp>

#include <sstream>

using namespace model;
using tests::SnapshotBuilder;

class AreaReportTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void saysNoPeakOfStacksThatIsNotKnown()
    {
        SnapshotBuilder builder;
        MemoryArea area{.image = builder.image(), .kind = AreaKind::Mapping, .name = builder.tables().string("file")};
        area.total.peakBytes = 10 << 20;
        area.costs.push_back(
            {.image = builder.image(), .stack = builder.stack("main;map"), .allocatedBytes = 10 << 20});
        builder.raw().areas.push_back(area);
        const Snapshot mappings = areaSnapshot(builder.build(), AreaKind::Mapping);
        std::ostringstream text, csv;
        writeHeapJson(text, mappings, CostKind::Allocated);
        const nlohmann::json json = nlohmann::json::parse(text.str());
        QCOMPARE(json["heap"]["peak_bytes"].get<int>(), 10 << 20);
        QVERIFY(json["heap"]["peak_is_upper_bound"].get<bool>());
        QVERIFY(!json["heap"].contains("peak_blocks"));
        QCOMPARE(json["stacks"][0]["allocated_bytes"].get<int>(), 10 << 20);
        QVERIFY(!json["stacks"][0].contains("peak_bytes"));
        writeHeapStacksCsv(csv, mappings, CostKind::Allocated);
        QVERIFY2(csv.str().find(",,,") != std::string::npos, csv.str().c_str());
    }

    void saysThePeakOfTheHeapWithItsBlocks()
    {
        SnapshotBuilder builder;
        builder.heap("main;f 64");
        std::ostringstream text;
        writeHeapJson(text, builder.build(), CostKind::Peak);
        const nlohmann::json json = nlohmann::json::parse(text.str());
        QCOMPARE(json["heap"]["peak_blocks"].get<int>(), 1);
        QCOMPARE(json["stacks"][0]["peak_bytes"].get<int>(), 64);
    }
};

QTEST_APPLESS_MAIN(AreaReportTest)
#include "area_report_test.moc"

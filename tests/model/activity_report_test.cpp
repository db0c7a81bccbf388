// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/aggregate/activity_totals.h"
#include "model/report/activity_report.h"
#include "model/report/json_report.h"
#include "tests/support/snapshot_builder.h"

#include <QRegularExpression>
#include <QTest>

#include <sstream>

using namespace model;
using tests::SnapshotBuilder;

class ActivityReportTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void marksWhatIsEstimated()
    {
        SnapshotBuilder builder;
        builder.raw().info.config.systemCalls = true;
        const auto call = [&builder](std::uint32_t number, std::int64_t count, std::int64_t estimated) {
            builder.raw().activities.push_back({builder.thread(), builder.image(), builder.stack("main;work"),
                Activity::call(number), count, 1000 * count, 0, 0, 0, estimated});
        };
        call(0, 123'456, 0);       // read
        call(1, 447'363, 200'000); // write
        std::ostringstream out;
        writeActivityText(out, builder.build(), CostSource::SystemCall, {.columns = 100});
        const QString text = QString::fromStdString(out.str());
        QVERIFY2(
            text.contains(QRegularExpression(QStringLiteral("~447,000 .* ~447 ms +~1 µs .* write"))), qPrintable(text));
        QVERIFY2(
            text.contains(QRegularExpression(QStringLiteral(" 123,456 .* 123 ms +1 µs .* read"))), qPrintable(text));
    }

    /// System calls were refused, waits were not.
    void saysWhatWasRefused()
    {
        SnapshotBuilder builder;
        builder.raw().info.config.systemCalls = builder.raw().info.config.waits = true;
        builder.raw().info.activityNote = "Tracepoints are not readable.";
        builder.raw().activities.push_back(
            {builder.thread(), builder.image(), builder.stack("main;work"), Activity::wait(WaitClass::Lock), 20, 1000});
        const Snapshot snapshot = builder.build();
        QVERIFY(!isRecorded(snapshot, CostSource::SystemCall));
        QVERIFY(isRecorded(snapshot, CostSource::Wait));
        std::ostringstream summary;
        writeSummaryText(summary, snapshot, {.columns = 100});
        const QString totals = QString::fromStdString(summary.str());
        QVERIFY2(
            totals.contains(QRegularExpression(QStringLiteral("System calls +– +not recorded\n"))), qPrintable(totals));
        QVERIFY2(totals.contains(QRegularExpression(QStringLiteral("Waits +20 "))), qPrintable(totals));
        QVERIFY2(totals.contains(QStringLiteral("\n  Tracepoints are not readable.\n")), qPrintable(totals));
        std::ostringstream json;
        writeActivityJson(json, snapshot, CostSource::SystemCall);
        QVERIFY2(json.str().find("\"recorded\": false") != std::string::npos, json.str().c_str());
        std::ostringstream calls;
        writeActivityText(calls, snapshot, CostSource::SystemCall, {.columns = 100});
        QVERIFY2(calls.str().find("System calls were not recorded. Tracepoints are not readable.") != std::string::npos,
            calls.str().c_str());
        std::ostringstream whole;
        writeSummaryJson(whole, snapshot);
        QVERIFY2(
            whole.str().find("\"system_calls\": {\n    \"recorded\": false") != std::string::npos, whole.str().c_str());
    }

    void namesNoFunctionWhereNoStackIsKnown()
    {
        SnapshotBuilder builder;
        builder.raw().info.config.waits = true;
        TableBuilder &tables = builder.tables();
        const FrameId leaf = tables.frame(tables.module("[waits]", "", ModuleKind::Kernel), 1 << 16, FrameKind::Exact);
        builder.raw().activities.push_back({builder.thread(), builder.image(),
            tables.stack(TableBuilder::root(StackEnd::Unreadable), leaf), Activity::wait(WaitClass::Other), 20, 1000});
        std::ostringstream out;
        writeActivityText(out, builder.build(), CostSource::Wait, {.columns = 100});
        const QString text = QString::fromStdString(out.str());
        QVERIFY2(text.contains(QStringLiteral("[stack not readable]")), qPrintable(text));
        QVERIFY2(text.contains(QStringLiteral("of none was the stack copied.")), qPrintable(text));
    }
};

QTEST_APPLESS_MAIN(ActivityReportTest)
#include "activity_report_test.moc"

// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/report/activity_report.h"
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

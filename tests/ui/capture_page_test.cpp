// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/snapshot_builder.h"
#include "ui/pages/capture_page.h"
#include "ui/widgets/status_line.h"

#include <QLabel>
#include <QTest>
#include <QTreeWidget>

using namespace Qt::StringLiterals;

class CapturePageTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void indentsProgramsOnlyWhereOneHasAnother()
    {
        tests::SnapshotBuilder builder;
        ui::Selection selection;
        ui::CapturePage page(selection);
        const QTreeWidget *processes = tableOf(page);
        QVERIFY(processes);
        page.setSnapshot(std::make_shared<const model::Snapshot>(builder.build()));
        QCOMPARE(processes->topLevelItemCount(), 1);
        QVERIFY(!processes->rootIsDecorated());
        const model::ProcessId child = builder.tables().addProcess({.pid = 101, .parent = builder.process()});
        builder.tables().addImage({.process = child, .executable = builder.tables().string("/usr/bin/child")});
        page.setSnapshot(std::make_shared<const model::Snapshot>(builder.build()));
        QCOMPARE(processes->topLevelItem(0)->childCount(), 1);
        QVERIFY(processes->rootIsDecorated());
    }

    void aCommandOfSeveralLinesTakesOne()
    {
        tests::SnapshotBuilder builder;
        const model::ProcessId child = builder.tables().addProcess({.pid = 101, .parent = builder.process()});
        builder.tables().addImage({.process = child,
            .executable = builder.tables().string("/bin/sh"),
            .commandLine = builder.tables().string("sh -c 'a\nb'")});
        ui::Selection selection;
        ui::CapturePage page(selection);
        page.setSnapshot(std::make_shared<const model::Snapshot>(builder.build()));
        const QTreeWidgetItem *row = tableOf(page)->topLevelItem(0)->child(0);
        QVERIFY2(!row->text(6).contains(u'\n') && row->text(6).startsWith(u"sh -c 'a"_s), qPrintable(row->text(6)));
        QCOMPARE(row->toolTip(6), u"sh -c 'a\nb'"_s);
    }

    void warnsInOneColourWhereResultsArePartial()
    {
        tests::SnapshotBuilder builder;
        builder.heap("main;malloc 8\n").cpu("main;f 100000\n");
        ui::Selection selection;
        ui::CapturePage page(selection);
        ui::StatusLine line;
        const auto tones = [&] {
            const auto snapshot = std::make_shared<const model::Snapshot>(builder.build());
            page.setSnapshot(snapshot);
            line.setSnapshot(snapshot);
            QStringList found{page.subtitleTrust() == model::Trust::Partial ? u"warn"_s : u"muted"_s};
            for (const QLabel *label : line.findChildren<QLabel *>())
                if (label->text().contains(u" lost"_s))
                    found << label->text() + u' ' + label->property("tone").toString();
            return found;
        };
        builder.raw().losses.push_back({model::LossKind::SamplesLost, {}, 3, "", {}});
        QCOMPARE(tones(), (QStringList{u"muted"_s, u"3 CPU samples lost muted"_s}));
        builder.raw().losses.push_back({model::LossKind::EventsDropped, builder.image(), 12, "", {}});
        QCOMPARE(tones(), (QStringList{u"warn"_s, u"12 heap events lost · 3 CPU samples lost warn"_s}));
    }

private:
    static const QTreeWidget *tableOf(const ui::CapturePage &page)
    {
        for (const QTreeWidget *table : page.findChildren<QTreeWidget *>())
            if (table->accessibleName() == u"Processes and their programs"_s)
                return table;
        return nullptr;
    }
};

QTEST_MAIN(CapturePageTest)
#include "capture_page_test.moc"

// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/snapshot_builder.h"
#include "ui/pages/cpu_page.h"

#include <QTest>
#include <QTreeView>

using namespace Qt::StringLiterals;

namespace {

constexpr int kDeadlineMs = 10000;
// The same frames and stacks before and after their names are known.
constexpr std::string_view kUnnamed = "+0x10;+0x20;+0x30 600\n+0x10;+0x40;+0x50 200\n";
constexpr std::string_view kNamed = "main;parse|trim;read 600\nmain;log;write 200\n";

/// The tree of a recording that somebody watches.
struct Watched
{
    explicit Watched(ui::Selection &selection)
        : page(selection)
    {
        page.resize(1000, 700);
        page.setVisible(true);
        for (QTreeView *view : page.findChildren<QTreeView *>())
            if (view->accessibleName() == u"Call tree"_s)
                tree = view;
    }

    void show(std::string_view cpu, model::SessionState state = model::SessionState::Recording)
    {
        tests::SnapshotBuilder builder;
        builder.cpu(cpu);
        builder.raw().info.config.cpuHz = 199;
        builder.raw().info.state = state;
        page.setSnapshot(std::make_shared<const model::Snapshot>(builder.build()));
        if (!QTest::qWaitFor([this] { return !page.isBusy(); }, kDeadlineMs))
            qFatal("the page is still busy");
        QCoreApplication::processEvents();
    }

    QModelIndex row(const QString &name, const QModelIndex &above = {}) const
    {
        for (int i = 0; i < tree->model()->rowCount(above); ++i) {
            const QModelIndex index = tree->model()->index(i, 0, above);
            if (index.data().toString() == name)
                return index;
            if (const QModelIndex below = row(name, index); below.isValid())
                return below;
        }
        return {};
    }
    bool isOpen(const QString &name) const { return tree->isExpanded(row(name)); }

    ui::CpuPage page;
    QTreeView *tree = nullptr;
};

} // namespace

/// The call tree while a recording goes on and its code gets names.
class CostPageLiveTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void opensTheHotPathOnceItIsKnown()
    {
        ui::Selection selection;
        Watched watched(selection);
        watched.show("+0x10 1\n+0x60 1\n"); // what the first snapshot has
        watched.show(kNamed);
        QVERIFY(watched.isOpen(u"main"_s) && watched.isOpen(u"parse"_s));
        watched.show("main;parse|trim;read 600\nmain;log;write 2000\n");
        QVERIFY2(watched.isOpen(u"log"_s), "it is another one now");
    }

    void leavesTheTreeToWhoeverTakesItInHand()
    {
        ui::Selection selection;
        Watched watched(selection);
        watched.show(kNamed);
        watched.tree->collapse(watched.row(u"main"_s));
        watched.show(kNamed);
        QVERIFY(!watched.isOpen(u"main"_s));
        watched.tree->expand(watched.row(u"main"_s));
        watched.tree->setCurrentIndex(watched.row(u"log"_s));
        watched.tree->collapse(watched.row(u"parse"_s));
        watched.show(kNamed, model::SessionState::Complete);
        QVERIFY(watched.isOpen(u"main"_s) && !watched.isOpen(u"parse"_s));
        QCOMPARE(watched.tree->currentIndex().data().toString(), u"log"_s);
    }

    void keepsWhatIsOpenWhenItGetsItsName()
    {
        ui::Selection selection;
        Watched watched(selection);
        watched.show(kUnnamed);
        const QModelIndex main = watched.tree->model()->index(0, 0);
        const QModelIndex log = watched.tree->model()->index(1, 0, main);
        watched.tree->collapse(watched.tree->model()->index(0, 0, main));
        watched.tree->expand(log);
        watched.tree->setCurrentIndex(log);
        watched.show(kNamed);
        QVERIFY(watched.isOpen(u"main"_s) && watched.isOpen(u"log"_s));
        QVERIFY(!watched.isOpen(u"parse"_s));
        QCOMPARE(watched.tree->selectionModel()->selectedRows().value(0), watched.row(u"log"_s));
    }

    void opensTheHotPathWhereNothingIsLeftOfWhatWasOpen()
    {
        ui::Selection selection;
        Watched watched(selection);
        watched.show(kNamed, model::SessionState::Complete);
        watched.tree->setCurrentIndex(watched.row(u"log"_s));
        watched.show("start;run;wait 40\n", model::SessionState::Complete); // of another process
        QVERIFY(watched.isOpen(u"start"_s));
    }
};

QTEST_MAIN(CostPageLiveTest)
#include "cost_page_live_test.moc"

// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/snapshot_builder.h"
#include "ui/pages/leaks_page.h"

#include <QTableView>
#include <QTest>

using namespace Qt::StringLiterals;

namespace {

constexpr int kDeadlineMs = 10000;

enum class Scan { None, Lost };

/// A place that keeps growing; in a scan two others are found lost, which stand above it.
std::shared_ptr<const model::Snapshot> growing(Scan scan)
{
    tests::SnapshotBuilder builder;
    builder.heap("main;serve;malloc 100000\nmain;parse;malloc 4096\nmain;read;malloc 2048");
    model::Snapshot &raw = builder.raw();
    raw.file = "/tmp/sample.gprof-session";
    auto ages = std::make_shared<model::HeapAges>();
    ages->clocks.push_back({builder.image(), {0}, {100'000'000}, 80, 1, 0, 1});
    model::StackAges aged{builder.image(), builder.stack("main;serve;malloc"), 0, 0, {100'000'000}, {}, {}};
    for (std::int64_t i = 1; i <= 80; ++i)
        aged.buckets.push_back({10, 10, 0, 10 * i, 1000 * i});
    ages->stacks.push_back(std::move(aged));
    raw.heapAges = ages;
    if (scan == Scan::Lost) {
        model::MemoryScan found;
        found.image = builder.image();
        found.sums[static_cast<std::size_t>(model::ReachClass::Directly)] = {2, 4096};
        found.stacks.push_back({builder.stack("main;parse;malloc"), found.sums, {}, {3, 5000}, {}});
        found.stacks.push_back({builder.stack("main;read;malloc"), found.sums, {}, {3, 5000}, {}});
        raw.scans.push_back(std::make_shared<const model::MemoryScan>(found));
    }
    return std::make_shared<const model::Snapshot>(builder.build());
}

struct Shown
{
    Shown()
        : page(selection)
        , table(page.findChild<QTableView *>())
    {
        page.resize(1000, 700);
        page.setVisible(true);
    }

    bool show(const std::shared_ptr<const model::Snapshot> &snapshot)
    {
        page.setSnapshot(snapshot);
        return QTest::qWaitFor([this] { return !page.isBusy(); }, kDeadlineMs);
    }
    QString place(int row) const
    {
        return table->model()->index(row, ui::LeakTableModel::PlaceColumn).data().toString();
    }
    QString chosen() const { return place(table->currentIndex().row()); }
    QStringList selected() const
    {
        QStringList places;
        for (const QModelIndex &row : table->selectionModel()->selectedRows(ui::LeakTableModel::PlaceColumn))
            places << row.data().toString();
        return places;
    }
    void press(Qt::MouseButton button, int row) const
    {
        QTest::mouseClick(table->viewport(), button, {}, table->visualRect(table->model()->index(row, 0)).center());
    }
    /// The function that allocates on the stack in the inspector.
    QString inspected() const
    {
        if (!selection.inspected())
            return {};
        const auto *model = static_cast<const ui::LeakTableModel *>(table->model());
        for (const model::LeakItem &item : model->report().items)
            if (item.stacks.front().stack == selection.inspected()->stack)
                return QString::fromStdString(item.place);
        return u"another"_s;
    }

    ui::Selection selection;
    ui::LeaksPage page;
    QTableView *table;
};

} // namespace

class LeaksPageTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void theFirstRowIsSelectedUntilOneIsChosen()
    {
        Shown shown;
        QVERIFY(shown.show(growing(Scan::None)));
        QCOMPARE(shown.chosen(), u"serve"_s);
        QVERIFY(shown.show(growing(Scan::Lost)));
        QCOMPARE(shown.table->model()->rowCount(), 3);
        QCOMPARE(shown.place(2), u"serve"_s);
        QCOMPARE(shown.table->currentIndex().row(), 0);
        QCOMPARE(shown.selected(), QStringList(shown.place(0)));
        QVERIFY2(!shown.selection.inspected(), "nobody asked for the inspector");
    }

    void whatWasChosenStaysAsOthersComeAbove()
    {
        Shown shown;
        QVERIFY(shown.show(growing(Scan::None)));
        shown.press(Qt::LeftButton, 0);
        QVERIFY(shown.show(growing(Scan::Lost)));
        QCOMPARE(shown.table->currentIndex().row(), 2);
        QCOMPARE(shown.selected(), QStringList(u"serve"_s));
        model::Snapshot other = *growing(Scan::Lost);
        other.file = "/tmp/other.gprof-session";
        QVERIFY(shown.show(std::make_shared<const model::Snapshot>(other)));
        QCOMPARE(shown.table->currentIndex().row(), 0);
    }

    void theInspectorFollowsTheSelection()
    {
        Shown shown;
        QVERIFY(shown.show(growing(Scan::Lost)));
        shown.press(Qt::LeftButton, 0);
        QCOMPARE(shown.inspected(), shown.place(0));
        shown.press(Qt::RightButton, 1); // its menu, which Esc closes
        QCOMPARE(shown.table->currentIndex().row(), 1);
        QCOMPARE(shown.inspected(), shown.place(1));
        QTest::keyClick(shown.table, Qt::Key_Down);
        QCOMPARE(shown.inspected(), u"serve"_s);
        shown.selection.setInspected(std::nullopt);
        shown.press(Qt::LeftButton, 2);
        QCOMPARE(shown.inspected(), u"serve"_s);
    }
};

QTEST_MAIN(LeaksPageTest)
#include "leaks_page_test.moc"

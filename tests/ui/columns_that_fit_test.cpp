// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/widgets/columns_that_fit.h"

#include <QHeaderView>
#include <QTest>
#include <QTreeWidget>

using namespace Qt::StringLiterals;

namespace {

enum Column { Name, Share, Interval, Place };

/// A shown table whose names take what is left by three columns of 100 pixels.
struct Table
{
    QTreeWidget view;
    ui::ColumnsThatFit *fit = nullptr;

    Table()
    {
        view.setHeaderLabels({u"Function"_s, u"Share"_s, u"Interval"_s, u"Place"_s});
        view.header()->setStretchLastSection(false);
        view.header()->setSectionResizeMode(Name, QHeaderView::Stretch);
        for (const int column : {Share, Interval, Place})
            view.header()->resizeSection(column, 100);
        fit = new ui::ColumnsThatFit(view, Name, 200, {Place, Interval});
        view.resize(600, 200);
        view.show();
    }
    QList<bool> shown() const
    {
        QList<bool> all;
        for (const int column : {Name, Share, Interval, Place})
            all << !view.isColumnHidden(column);
        return all;
    }
};

} // namespace

class ColumnsThatFitTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void theLeastImportantGoesFirstAndComesBack()
    {
        Table table;
        QVERIFY(QTest::qWaitForWindowExposed(&table.view));
        QCOMPARE(table.shown(), (QList<bool>{true, true, true, true}));
        QVERIFY(table.view.header()->toolTip().isEmpty());
        table.view.resize(450, 200);
        QTRY_COMPARE(table.shown(), (QList<bool>{true, true, true, false}));
        QVERIFY(table.view.columnWidth(Name) >= 200);
        QCOMPARE(table.fit->hiddenTitles(), QStringList{u"Place"_s});
        QVERIFY(table.view.header()->toolTip().contains(u"Place"_s));
        table.view.resize(350, 200);
        QTRY_COMPARE(table.shown(), (QList<bool>{true, true, false, false}));
        table.view.resize(150, 200); // what may not give way stays
        QTRY_COMPARE(table.shown(), (QList<bool>{true, true, false, false}));
        table.view.resize(600, 200);
        QTRY_COMPARE(table.shown(), (QList<bool>{true, true, true, true}));
        QCOMPARE(table.view.columnWidth(Place), 100);
    }

    void aColumnWithNothingToSayLeavesItsRoom()
    {
        Table table;
        QVERIFY(QTest::qWaitForWindowExposed(&table.view));
        table.view.resize(450, 200);
        QTRY_VERIFY(table.view.isColumnHidden(Place));
        table.fit->setWanted(Interval, false);
        QCOMPARE(table.shown(), (QList<bool>{true, true, false, true}));
        QVERIFY2(table.fit->hiddenTitles().isEmpty(), "that is no want of room");
        table.fit->setWanted(Interval, true);
        QCOMPARE(table.shown(), (QList<bool>{true, true, true, false}));
    }
};

QTEST_MAIN(ColumnsThatFitTest)
#include "columns_that_fit_test.moc"

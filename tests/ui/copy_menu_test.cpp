// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/widgets/copy_menu.h"

#include <QAction>
#include <QClipboard>
#include <QGuiApplication>
#include <QTest>
#include <QTreeWidget>

using namespace Qt::StringLiterals;

class CopyMenuTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init()
    {
        m_view = std::make_unique<QTreeWidget>();
        m_view->setHeaderLabels({u"Function"_s, u"Hidden"_s, u"Bytes"_s});
        m_view->setColumnHidden(1, true);
        auto *main = new QTreeWidgetItem(m_view.get(), {u"main"_s, u"x"_s, u"2 KiB"_s});
        new QTreeWidgetItem(main, {u"load\nOrder"_s, u"y"_s, u"1 KiB"_s});
        new QTreeWidgetItem(m_view.get(), {u"other"_s, u"z"_s, u"3 B"_s});
        ui::addCopyMenu(*m_view);
    }

    void copiesWhatIsShown()
    {
        QCOMPARE(ui::tableText(*m_view), u"Function\tBytes\nmain\t2 KiB\nother\t3 B\n"_s);
        m_view->expandAll();
        QCOMPARE(ui::tableText(*m_view), u"Function\tBytes\nmain\t2 KiB\nload Order\t1 KiB\nother\t3 B\n"_s);
        m_view->actions().last()->trigger();
        QCOMPARE(QGuiApplication::clipboard()->text(), ui::tableText(*m_view));
    }

    void copiesTheRowByItsKey()
    {
        m_view->setCurrentItem(m_view->topLevelItem(1));
        m_view->show();
        m_view->setFocus();
        QVERIFY(QTest::qWaitForWindowExposed(m_view.get()));
        QTest::keySequence(m_view.get(), QKeySequence::Copy);
        QCOMPARE(QGuiApplication::clipboard()->text(), u"other\t3 B"_s);
    }

private:
    std::unique_ptr<QTreeWidget> m_view;
};

QTEST_MAIN(CopyMenuTest)
#include "copy_menu_test.moc"

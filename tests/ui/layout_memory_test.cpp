// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/layout_memory.h"

#include <QHeaderView>
#include <QLabel>
#include <QMouseEvent>
#include <QSettings>
#include <QSplitter>
#include <QTemporaryDir>
#include <QTest>
#include <QTreeWidget>
#include <QVBoxLayout>

using namespace Qt::StringLiterals;

namespace {

/// A page as they are: a splitter, in it a table whose first column takes what is left.
struct Page
{
    Page()
    {
        auto *layout = new QVBoxLayout(&widget);
        layout->setContentsMargins(0, 0, 0, 0);
        splitter = new QSplitter(Qt::Vertical);
        splitter->setChildrenCollapsible(false);
        table = new QTreeWidget;
        table->setAccessibleName(u"Functions"_s);
        table->setHeaderLabels({u"Function"_s, u"Self"_s, u"MiB/h"_s});
        table->header()->setStretchLastSection(false);
        table->header()->setSectionResizeMode(0, QHeaderView::Stretch);
        splitter->addWidget(new QWidget);
        splitter->addWidget(table);
        splitter->setStretchFactor(0, 1);
        splitter->setStretchFactor(1, 4);
        layout->addWidget(splitter);
        widget.resize(600, 500);
    }

    void show(ui::LayoutMemory &memory, const QString &key = u"heap"_s)
    {
        memory.follow(key, &widget);
        widget.show();
        QVERIFY(QTest::qWaitForWindowExposed(&widget));
    }

    /// Drags the right edge of a column.
    void drag(int column, int byPx) const
    {
        QHeaderView *header = table->header();
        const QPoint from(header->sectionViewportPosition(column) + header->sectionSize(column) - 2, 5);
        send(QEvent::MouseButtonPress, from);
        send(QEvent::MouseMove, from + QPoint(byPx, 0));
        send(QEvent::MouseButtonRelease, from + QPoint(byPx, 0));
    }
    void send(QEvent::Type type, QPoint place) const
    {
        QWidget *viewport = table->header()->viewport();
        QMouseEvent event(type, place, viewport->mapToGlobal(place),
            type == QEvent::MouseMove ? Qt::NoButton : Qt::LeftButton,
            type == QEvent::MouseButtonRelease ? Qt::NoButton : Qt::LeftButton, Qt::NoModifier);
        QCoreApplication::sendEvent(viewport, &event);
    }
    int width(int column) const { return table->header()->sectionSize(column); }

    QWidget widget;
    QSplitter *splitter = nullptr;
    QTreeWidget *table = nullptr;
};

} // namespace

class LayoutMemoryTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init()
    {
        m_folder = std::make_unique<QTemporaryDir>();
        m_settings = std::make_unique<QSettings>(m_folder->filePath(u"window.conf"_s), QSettings::IniFormat);
    }

    void keepsColumnsThatWereDraggedPageByPage()
    {
        ui::LayoutMemory memory(*m_settings);
        Page first;
        first.show(memory);
        const int before = first.width(2);
        first.drag(2, 40);
        QCOMPARE(first.width(2), before + 40);

        Page again;
        again.show(memory);
        QCOMPARE(again.width(2), before + 40);
        QCOMPARE(again.width(1), first.width(1));
        Page other;
        other.show(memory, u"cpu"_s);
        QCOMPARE(other.width(2), before);
    }

    void aPageThatFitsItsColumnsDoesNotUndoIt()
    {
        ui::LayoutMemory memory(*m_settings);
        Page page;
        page.show(memory);
        page.drag(1, 30);
        const int chosen = page.width(1);
        page.table->header()->resizeSection(1, 60);
        page.table->header()->resizeSection(2, 60);
        QCOMPARE(page.width(1), chosen);
        QCOMPARE(page.width(2), 60);
        page.table->header()->setSectionHidden(1, true);
        page.table->header()->setSectionHidden(1, false);
        QCOMPARE(page.width(1), chosen);
    }

    void whatAPageSetsIsNotKept()
    {
        ui::LayoutMemory memory(*m_settings);
        Page page;
        page.show(memory);
        page.table->header()->resizeSection(1, 200);
        page.splitter->setSizes({50, 450});
        QVERIFY(m_settings->allKeys().isEmpty());
    }

    void aDoubleClickOnTheEdgeForgetsTheColumn()
    {
        ui::LayoutMemory memory(*m_settings);
        Page page;
        page.show(memory);
        page.drag(1, 60);
        QCOMPARE(m_settings->allKeys().size(), 1);
        const QPoint edge(
            page.table->header()->sectionViewportPosition(1) + page.width(1) - 2, page.table->header()->height() / 2);
        page.send(QEvent::MouseButtonPress, edge);
        page.send(QEvent::MouseButtonRelease, edge);
        page.send(QEvent::MouseButtonDblClick, edge);
        page.send(QEvent::MouseButtonRelease, edge);
        QVERIFY(m_settings->allKeys().isEmpty());
        page.table->header()->resizeSection(1, 77);
        QCOMPARE(page.width(1), 77);
    }

    void keepsTheProportionsOfASplitter()
    {
        ui::LayoutMemory memory(*m_settings);
        Page first;
        first.show(memory);
        dragSplitter(first, 300);
        const QList<int> sizes = first.splitter->sizes();
        QVERIFY(sizes[0] > sizes[1]);

        Page again;
        again.show(memory);
        QCOMPARE(again.splitter->sizes(), sizes);
        again.widget.resize(600, 1000); // another screen
        const QList<int> taller = again.splitter->sizes();
        QVERIFY2(std::abs(taller[0] - 2 * sizes[0]) < 12, qPrintable(u"%1 of %2"_s.arg(taller[0]).arg(sizes[0])));
    }

    void stateThatIsNoneDoesNoHarm_data()
    {
        QTest::addColumn<QVariant>("splitter");
        QTest::addColumn<QVariant>("width");
        QTest::newRow("words") << QVariant(u"wide narrow"_s) << QVariant(u"wide"_s);
        QTest::newRow("another length") << QVariant(u"1 2 3"_s) << QVariant(u"1 2"_s);
        QTest::newRow("nothing left") << QVariant(u"0 0"_s) << QVariant(0);
        QTest::newRow("negative") << QVariant(u"-5 500"_s) << QVariant(-40);
        QTest::newRow("huge") << QVariant(u"2000000000 2000000000"_s) << QVariant(2'000'000'000);
        QTest::newRow("bytes") << QVariant(QByteArray::fromHex("00ff17")) << QVariant(QByteArray::fromHex("00ff17"));
        QTest::newRow("a list") << QVariant(QStringList{u"400"_s, u"x"_s}) << QVariant(QStringList{u"a"_s, u"b"_s});
    }
    void stateThatIsNoneDoesNoHarm()
    {
        QFETCH(QVariant, splitter);
        QFETCH(QVariant, width);
        ui::LayoutMemory untouched(*m_settings);
        Page usual;
        usual.show(untouched);
        m_settings->setValue(u"layout/heap/splitter 0"_s, splitter);
        m_settings->setValue(u"layout/heap/Functions/Self"_s, width);
        m_settings->setValue(u"layout/heap/Functions/No such column"_s, 300);
        m_settings->setValue(u"layout/heap/No such table/Self"_s, 300);
        ui::LayoutMemory memory(*m_settings);
        Page page;
        page.show(memory);
        QCOMPARE(page.splitter->sizes(), usual.splitter->sizes());
        QCOMPARE(page.width(1), usual.width(1));
    }

    void aWidthFromALargeScreenLeavesRoomOnASmallOne()
    {
        m_settings->setValue(u"layout/heap/Functions/Self"_s, 1800);
        ui::LayoutMemory memory(*m_settings);
        Page page;
        page.show(memory);
        QVERIFY2(page.width(1) <= 360, qPrintable(QString::number(page.width(1))));
        page.widget.resize(4000, 500);
        QTRY_COMPARE(page.width(1), 1800);
    }

    /// What stands beside the pages is not there at first, and keeps its width however wide the window is.
    void aSideThatComesLaterHasTheWidthThatItWasGiven()
    {
        {
            ui::LayoutMemory memory(*m_settings);
            Side window;
            memory.followOne(u"side"_s, &window.splitter);
            window.show();
            window.side->show();
            QTRY_COMPARE(window.side->width(), 200);
            drag(*window.splitter.handle(1), QPoint(-120, 0));
            QCOMPARE(window.side->width(), 320);
            window.side->hide();
            window.side->show();
            QTRY_COMPARE(window.side->width(), 320);
        }
        ui::LayoutMemory memory(*m_settings);
        Side again;
        memory.followOne(u"side"_s, &again.splitter);
        again.show();
        again.side->show();
        QTRY_COMPARE(again.side->width(), 320);
        again.splitter.resize(1600, 300);
        QTRY_COMPARE(again.side->width(), 320);
        again.splitter.resize(700, 300);
        QTRY_COMPARE(again.side->width(), 320);
    }

private:
    struct Side
    {
        Side()
        {
            splitter.setChildrenCollapsible(false);
            splitter.addWidget(new QWidget);
            splitter.setStretchFactor(0, 1);
            side->setMinimumWidth(100);
            side->setLayout(new QVBoxLayout);
            auto *wide = new QLabel;
            wide->setFixedWidth(200);
            side->layout()->setContentsMargins(0, 0, 0, 0);
            side->layout()->addWidget(wide);
            side->hide();
            splitter.addWidget(side);
            splitter.resize(1000, 300);
        }
        void show()
        {
            splitter.show();
            QVERIFY(QTest::qWaitForWindowExposed(&splitter));
        }

        QSplitter splitter{Qt::Horizontal};
        QWidget *side = new QWidget;
    };

    static void drag(QWidget &handle, QPoint by)
    {
        const QPoint from = handle.rect().center();
        const auto send = [&handle](QEvent::Type type, QPoint place, Qt::MouseButton button, Qt::MouseButtons held) {
            QMouseEvent event(type, place, handle.mapToGlobal(place), button, held, Qt::NoModifier);
            QCoreApplication::sendEvent(&handle, &event);
        };
        send(QEvent::MouseButtonPress, from, Qt::LeftButton, Qt::LeftButton);
        send(QEvent::MouseMove, from + by, Qt::NoButton, Qt::LeftButton);
        send(QEvent::MouseButtonRelease, from, Qt::LeftButton, Qt::NoButton);
    }

    /// Drags the handle until the first part is `size` high.
    static void dragSplitter(const Page &page, int size)
    {
        QWidget *handle = page.splitter->handle(1);
        const QPoint from = handle->rect().center();
        const QPoint to = handle->mapFromGlobal(page.splitter->mapToGlobal(QPoint(from.x(), size)));
        drag(*handle, to - from);
    }

    std::unique_ptr<QTemporaryDir> m_folder;
    std::unique_ptr<QSettings> m_settings;
};

QTEST_MAIN(LayoutMemoryTest)
#include "layout_memory_test.moc"

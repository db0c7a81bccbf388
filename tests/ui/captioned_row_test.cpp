// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/widgets/captioned_row.h"
#include "ui/widgets/card.h"
#include "ui/widgets/labels.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QTest>
#include <QVBoxLayout>

using namespace Qt::StringLiterals;

namespace {

const QString kCaption = u"own code in colour; libraries, std:: and boost:: grey · 1,725 stacks"_s;

/// The label in lines of its own, where it is shown.
const QLabel *below(const QWidget &widget)
{
    for (const QLabel *label : widget.findChildren<QLabel *>())
        if (label->wordWrap() && label->isVisible())
            return label;
    return nullptr;
}

} // namespace

class CaptionedRowTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void captionStandsBelowWhereTheRoomIsShort()
    {
        ui::Card card(u"Flame graph"_s);
        card.setCaption(kCaption);
        QPushButton *save = ui::newLinkButton(u"PNG"_s);
        card.header()->addWidget(save);
        card.resize(1000, 200);
        card.show();
        QVERIFY(QTest::qWaitForWindowExposed(&card));
        QVERIFY(!below(card));
        card.resize(300, 200);
        QTRY_VERIFY(below(card) != nullptr);
        QCOMPARE(below(card)->text(), kCaption);
        // Whole, in as many lines as it takes, and the link stays at the right.
        QTRY_VERIFY(below(card)->height() >= below(card)->heightForWidth(below(card)->width()));
        QTRY_COMPARE(save->mapTo(&card, QPoint(save->width(), 0)).x(), 300 - 16);
        card.resize(1000, 200);
        QTRY_VERIFY(below(card) == nullptr);
    }

    void whatFollowsStandsBelowTheCaption()
    {
        QWidget window;
        auto *column = new QVBoxLayout(&window);
        auto *row = new ui::CaptionedRow(new QLabel(u"nothing found"_s));
        auto *sentence = new QLabel(u"No place was found that grows by 256 KiB in 30.8 s or more."_s);
        sentence->setWordWrap(true);
        column->addWidget(row);
        column->addWidget(sentence);
        column->addStretch(1);
        window.resize(1000, 300);
        window.show();
        QVERIFY(QTest::qWaitForWindowExposed(&window));
        row->setCaption(u"tested 98 of 313,645 stacks for 30.8 s"_s);
        for (const int width : {200, 900, 180}) {
            window.resize(width, 300);
            QTRY_COMPARE(row->isBeside(), width == 900);
            QTRY_VERIFY(sentence->y() >= row->geometry().bottom());
            if (width != 900) {
                const int bottom = below(*row)->mapTo(&window, QPoint(0, below(*row)->height())).y();
                QTRY_VERIFY(sentence->y() >= bottom);
            }
        }
    }

    void whatTheRowHoldsCounts()
    {
        auto *number = new QLabel(u"1 MiB"_s);
        ui::CaptionedRow row(number);
        row.setCaption(u"resident at most"_s);
        row.resize(300, 40);
        row.show();
        QVERIFY(QTest::qWaitForWindowExposed(&row));
        QTRY_VERIFY(row.isBeside());
        number->setText(u"a number that takes most of the room of the row"_s);
        QTRY_VERIFY(!row.isBeside());
        row.setCaption({});
        QVERIFY(row.isBeside());
    }

    void aPathWidensNothing()
    {
        ui::CaptionedRow row(new QLabel(u"Rules"_s));
        row.setCaption(u"/home/somebody/"_s + QString(200, u'x') + u"/genesis-profiler/alerts.toml"_s);
        row.resize(200, 40);
        row.show();
        QVERIFY(QTest::qWaitForWindowExposed(&row));
        QTRY_VERIFY(!row.isBeside());
        QVERIFY(row.minimumSizeHint().width() < 200);
    }
};

QTEST_MAIN(CaptionedRowTest)
#include "captioned_row_test.moc"

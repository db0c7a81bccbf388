// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/theme.h"

#include <QApplication>
#include <QHeaderView>
#include <QLabel>
#include <QLineEdit>
#include <QSplitter>
#include <QTest>
#include <QTreeWidget>

#include <cstdlib>
#include <vector>

using ui::Colors;
using ui::Token;

/// The colours are readable, and the whole window follows a change of appearance.
class ThemeTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void textIsReadable_data();
    void textIsReadable();
    void hintsInFieldsAreReadable_data();
    void hintsInFieldsAreReadable();
    void marksAreVisible_data();
    void marksAreVisible();
    void inkIsReadableOnEveryTint();
    void heatBeginsAtTheSurfaceAndGetsLighter();
    void widgetsFollowTheAppearance();
    void systemPreferenceCountsUntilSomebodyChooses();
    void theArrowOfASortedColumnStandsBesideItsHeading_data();
    void theArrowOfASortedColumnStandsBesideItsHeading();
    void figuresEndBelowTheEndOfTheirHeading();
    void theHandleBetweenTwoPartsIsSeen_data();
    void theHandleBetweenTwoPartsIsSeen();
};

namespace {

void addAppearances()
{
    QTest::addColumn<bool>("dark");
    QTest::newRow("light") << false;
    QTest::newRow("dark") << true;
}

const Colors &colorsFor(bool dark) { return dark ? Colors::dark() : Colors::light(); }

} // namespace

void ThemeTest::textIsReadable_data() { addAppearances(); }

void ThemeTest::textIsReadable()
{
    QFETCH(bool, dark);
    const Colors &colors = colorsFor(dark);
    for (const Token background : {Token::Surface, Token::Raised, Token::Hover})
        for (const Token text : {Token::Ink, Token::InkMuted, Token::Warn, Token::Danger, Token::Ok, Token::Accent})
            QVERIFY2(ui::contrast(colors[text], colors[background]) >= 4.5,
                qPrintable(QStringLiteral("token %1 on %2: %3")
                               .arg(static_cast<int>(text))
                               .arg(static_cast<int>(background))
                               .arg(ui::contrast(colors[text], colors[background]))));
    QVERIFY(ui::contrast(colors[Token::OnAccent], colors[Token::Accent]) >= 4.5);
    QVERIFY(ui::contrast(colors[Token::Ink], colors[Token::AccentSoft]) >= 4.5);
    QVERIFY(ui::contrast(colors[Token::Accent], colors[Token::AccentSoft]) >= 4.5);
}

void ThemeTest::hintsInFieldsAreReadable_data() { addAppearances(); }

/// A style sheet that sets the text's colour makes hints of it, half transparent.
void ThemeTest::hintsInFieldsAreReadable()
{
    QFETCH(bool, dark);
    ui::Theme theme(*qApp);
    theme.setAppearance(dark ? ui::Appearance::Dark : ui::Appearance::Light);
    QLineEdit field;
    field.ensurePolished();
    const QColor hint = field.palette().color(QPalette::PlaceholderText);
    const QColor behind = colorsFor(dark)[Token::Raised];
    const double contrast = ui::contrast(ui::mixed(hint, behind, hint.alphaF()), behind);
    QVERIFY2(contrast >= 4.5, qPrintable(QString::number(contrast)));
    QCOMPARE(field.palette().color(QPalette::Text), colorsFor(dark)[Token::Ink]);
}

void ThemeTest::marksAreVisible_data() { addAppearances(); }

void ThemeTest::marksAreVisible()
{
    QFETCH(bool, dark);
    const Colors &colors = colorsFor(dark);
    for (const Token mark : {Token::Memory, Token::Cpu, Token::Wait, Token::Danger})
        QVERIFY(ui::contrast(colors[mark], colors[Token::Raised]) >= 3);
    for (std::size_t i = 0; i < Colors::kSeriesCount; ++i)
        QVERIFY2(ui::contrast(colors.series(i), colors[Token::Raised]) >= 3,
            qPrintable(
                QStringLiteral("series %1: %2").arg(i).arg(ui::contrast(colors.series(i), colors[Token::Raised]))));
}

void ThemeTest::inkIsReadableOnEveryTint()
{
    for (const Colors *colors : {&Colors::light(), &Colors::dark()}) {
        for (std::size_t i = 0; i < Colors::kTintCount; ++i)
            QVERIFY(ui::contrast((*colors)[Token::Ink], colors->tint(i)) >= 4.5);
        QVERIFY(ui::contrast((*colors)[Token::Ink], colors->neutralTint()) >= 4.5);
    }
}

void ThemeTest::heatBeginsAtTheSurfaceAndGetsLighter()
{
    const Colors &colors = Colors::light();
    QCOMPARE(colors.heat(0), colors[Token::Raised]);
    int lightness = -1;
    for (double shade = 0.05; shade <= 1.0; shade += 0.05) {
        const int now = qGray(colors.heat(shade).rgb());
        QVERIFY(now > lightness);
        lightness = now;
    }
}

void ThemeTest::widgetsFollowTheAppearance()
{
    ui::Theme theme(*qApp);
    QLabel label;
    theme.setAppearance(ui::Appearance::Dark);
    QVERIFY(Colors::of(&label).isDark());
    QVERIFY(!qApp->styleSheet().contains(QLatin1Char('@')));
    theme.setAppearance(ui::Appearance::Light);
    QVERIFY(!Colors::of(&label).isDark());
}

void ThemeTest::systemPreferenceCountsUntilSomebodyChooses()
{
    ui::Theme theme(*qApp);
    theme.setSystemPrefersDark(true);
    QVERIFY(theme.colors().isDark());
    theme.setAppearance(ui::Appearance::Light);
    theme.setSystemPrefersDark(true);
    QVERIFY(!theme.colors().isDark());
}

void ThemeTest::theArrowOfASortedColumnStandsBesideItsHeading_data()
{
    QTest::addColumn<Qt::Alignment>("alignment");
    QTest::newRow("a name") << Qt::Alignment(Qt::AlignLeft | Qt::AlignVCenter);
    QTest::newRow("a figure") << Qt::Alignment(Qt::AlignRight | Qt::AlignVCenter);
}

/// Told by the picture: what the arrow adds to it, and where the heading's text is.
void ThemeTest::theArrowOfASortedColumnStandsBesideItsHeading()
{
    QFETCH(Qt::Alignment, alignment);
    ui::Theme theme(*qApp);
    constexpr int kWidth = 400;
    QTreeWidget table;
    table.setHeaderLabels({QStringLiteral("Live")});
    table.headerItem()->setTextAlignment(0, alignment);
    table.resize(kWidth, 100);
    table.show();
    QVERIFY(QTest::qWaitForWindowExposed(&table));
    table.header()->setStretchLastSection(true);
    const auto picture = [&table] { return table.header()->viewport()->grab().toImage(); };
    const auto columnsThatDiffer = [](const QImage &a, const QImage &b) {
        std::vector<int> columns;
        for (int x = 0; x < a.width(); ++x)
            for (int y = 0; y < a.height(); ++y)
                if (a.pixel(x, y) != b.pixel(x, y)) {
                    columns.push_back(x);
                    break;
                }
        return columns;
    };
    const QImage plain = picture();
    table.setHeaderLabels({QString()});
    const std::vector<int> text = columnsThatDiffer(plain, picture());
    table.setHeaderLabels({QStringLiteral("Live")});
    table.setSortingEnabled(true);
    table.sortByColumn(0, Qt::DescendingOrder);
    const std::vector<int> arrow = columnsThatDiffer(plain, picture());
    QVERIFY(!text.empty());
    QVERIFY(!arrow.empty());
    const bool isRight = alignment & Qt::AlignRight;
    const int gap = isRight ? text.front() - arrow.back() : arrow.front() - text.back();
    QVERIFY2(gap >= 2 && gap <= 8, qPrintable(QString::number(gap)));
}

void ThemeTest::figuresEndBelowTheEndOfTheirHeading()
{
    ui::Theme theme(*qApp);
    QTreeWidget table;
    const QString word = QStringLiteral("Live");
    table.setHeaderLabels({word});
    table.setRootIsDecorated(false);
    auto *row = new QTreeWidgetItem(&table, {word});
    for (QTreeWidgetItem *item : {table.headerItem(), row})
        item->setTextAlignment(0, Qt::AlignRight | Qt::AlignVCenter);
    table.resize(400, 100);
    table.show();
    QVERIFY(QTest::qWaitForWindowExposed(&table));
    /// Of what differs from the empty place at the left.
    const auto rightEnd = [](const QImage &image) {
        for (int x = image.width() - 1; x > 0; --x)
            for (int y = 4; y < image.height() - 4; ++y)
                if (image.pixel(x, y) != image.pixel(1, y))
                    return x;
        return 0;
    };
    const int heading = rightEnd(table.header()->viewport()->grab().toImage());
    const QRect cell = table.visualItemRect(row);
    const int figure = rightEnd(table.viewport()->grab(cell).toImage());
    QVERIFY(heading > 0 && figure > 0);
    QVERIFY2(std::abs(heading - figure) <= 2, qPrintable(QStringLiteral("%1 and %2").arg(heading).arg(figure)));
}

void ThemeTest::theHandleBetweenTwoPartsIsSeen_data()
{
    QTest::addColumn<Qt::Orientation>("orientation");
    QTest::addColumn<ui::Appearance>("appearance");
    for (const Qt::Orientation orientation : {Qt::Vertical, Qt::Horizontal})
        for (const ui::Appearance appearance : {ui::Appearance::Light, ui::Appearance::Dark})
            QTest::addRow("%d %d", static_cast<int>(orientation), static_cast<int>(appearance))
                << orientation << appearance;
}
void ThemeTest::theHandleBetweenTwoPartsIsSeen()
{
    QFETCH(Qt::Orientation, orientation);
    QFETCH(ui::Appearance, appearance);
    ui::Theme theme(*qApp);
    theme.setAppearance(appearance);
    QSplitter splitter(orientation);
    splitter.setHandleWidth(8);
    splitter.addWidget(new QLabel);
    splitter.addWidget(new QLabel);
    splitter.resize(300, 300);
    splitter.setVisible(true);
    const QImage handle = splitter.handle(1)->grab().toImage();
    int seen = 0;
    for (int y = 0; y < handle.height(); ++y)
        for (int x = 0; x < handle.width(); ++x)
            seen += ui::contrast(handle.pixelColor(x, y), Colors::of(&splitter)[Token::Surface]) >= 3 ? 1 : 0;
    QVERIFY2(seen > 40 && seen < 200, qPrintable(QString::number(seen)));
}

QTEST_MAIN(ThemeTest)
#include "theme_test.moc"

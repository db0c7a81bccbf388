// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/theme.h"

#include <QApplication>
#include <QLabel>
#include <QTest>

using ui::Colors;
using ui::Token;

/// The colours are readable, and the whole window follows a change of appearance.
class ThemeTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void textIsReadable_data();
    void textIsReadable();
    void marksAreVisible_data();
    void marksAreVisible();
    void inkIsReadableOnEveryTint();
    void heatBeginsAtTheSurfaceAndGetsLighter();
    void widgetsFollowTheAppearance();
    void systemPreferenceCountsUntilSomebodyChooses();
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

QTEST_MAIN(ThemeTest)
#include "theme_test.moc"

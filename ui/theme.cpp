// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/theme.h"

#include "ui/header_style.h"

#include <QApplication>
#include <QFile>
#include <QFontDatabase>
#include <QPalette>

#include <array>
#include <utility>

// Resources of a static library are linked only when something names them; the macro must stand outside of any namespace.
static void initThemeResources() { Q_INIT_RESOURCE(genesis); }

namespace ui {

using namespace Qt::StringLiterals;

namespace {

/// The desktop's font; where there is no desktop that chose one, the first that reads well.
QFont systemFont()
{
    QFont font = QFontDatabase::systemFont(QFontDatabase::GeneralFont);
    const QString family = font.family();
    const bool isGeneric = family.isEmpty() || family.contains(u"sans serif"_s, Qt::CaseInsensitive)
        || family.compare(u"sans"_s, Qt::CaseInsensitive) == 0 || family == u"Sans Serif"_s;
    const QStringList known = QFontDatabase::families();
    if (isGeneric || !known.contains(family))
        for (const QString &name : {u"Inter"_s, u"Noto Sans"_s, u"Cantarell"_s, u"DejaVu Sans"_s})
            if (known.contains(name)) {
                font.setFamily(name);
                font.setPointSizeF(9.75);
                break;
            }
    // Inter's ligatures make a multiplication sign of the x in 0x40 and x86: here text is mostly names and numbers.
    if (font.family().startsWith(u"Inter"_s))
        font.setStyleStrategy(QFont::PreferNoShaping);
    font.setHintingPreference(QFont::PreferVerticalHinting);
    return font;
}

QPalette paletteOf(const Colors &colors)
{
    QPalette palette;
    const auto set = [&](QPalette::ColorRole role, Token token) { palette.setColor(role, colors[token]); };
    set(QPalette::Window, Token::Surface);
    set(QPalette::WindowText, Token::Ink);
    set(QPalette::Base, Token::Raised);
    set(QPalette::AlternateBase, Token::Surface);
    set(QPalette::Text, Token::Ink);
    set(QPalette::PlaceholderText, Token::InkMuted);
    set(QPalette::Button, Token::Raised);
    set(QPalette::ButtonText, Token::Ink);
    set(QPalette::BrightText, Token::Danger);
    set(QPalette::ToolTipBase, Token::Raised);
    set(QPalette::ToolTipText, Token::Ink);
    set(QPalette::Highlight, Token::Accent);
    set(QPalette::HighlightedText, Token::OnAccent);
    set(QPalette::Link, Token::Accent);
    set(QPalette::LinkVisited, Token::Accent);
    set(QPalette::Light, Token::Raised);
    set(QPalette::Midlight, Token::Hover);
    set(QPalette::Mid, Token::Line);
    set(QPalette::Dark, Token::Line);
    set(QPalette::Shadow, Token::Line);
    for (const auto role : {QPalette::WindowText, QPalette::Text, QPalette::ButtonText})
        palette.setColor(QPalette::Disabled, role, mixed(colors[Token::InkMuted], colors[Token::Raised], 0.7));
    return palette;
}

/// The style sheet with its tokens filled in.
QString styleSheetOf(const Colors &colors)
{
    QFile file(u":/themes/window.qss"_s);
    if (!file.open(QIODevice::ReadOnly))
        return {};
    QString sheet = QString::fromUtf8(file.readAll());
    // Longer names first: "@accent" begins "@accentSoft".
    static constexpr std::array<std::pair<const char *, Token>, kTokenCount> kNames{{{"@onAccent", Token::OnAccent},
        {"@accentSoft", Token::AccentSoft}, {"@accent", Token::Accent}, {"@surface", Token::Surface},
        {"@raised", Token::Raised}, {"@hover", Token::Hover}, {"@inkMuted", Token::InkMuted}, {"@ink", Token::Ink},
        {"@line", Token::Line}, {"@memory", Token::Memory}, {"@cpu", Token::Cpu}, {"@wait", Token::Wait},
        {"@warn", Token::Warn}, {"@danger", Token::Danger}, {"@ok", Token::Ok}}};
    for (const auto &[name, token] : kNames)
        sheet.replace(QLatin1StringView(name), colors[token].name());
    return sheet.replace(u"%mode"_s, colors.isDark() ? u"dark"_s : u"light"_s);
}

} // namespace

QFont textFont(const QFont &base, TextSize size, TextWeight weight)
{
    QFont font = base;
    const double factor = size == TextSize::Caption ? 0.87 : size == TextSize::Number ? 1.6 : 1.0;
    if (base.pointSizeF() > 0)
        font.setPointSizeF(base.pointSizeF() * factor);
    else
        font.setPixelSize(qRound(base.pixelSize() * factor));
    font.setWeight(weight == TextWeight::Strong ? QFont::DemiBold : QFont::Normal);
    return font;
}

QFont codeFont(const QFont &base)
{
    QFont font = QFontDatabase::systemFont(QFontDatabase::FixedFont);
    if (QFontDatabase::families().contains(u"Noto Mono"_s) && font.family().contains(u"mono"_s, Qt::CaseInsensitive)
        && !QFontDatabase::families().contains(font.family()))
        font.setFamily(u"Noto Mono"_s);
    font.setPointSizeF(base.pointSizeF() * 0.95);
    return font;
}

Theme::Theme(QApplication &application)
    : m_application(application)
    , m_systemIsDark(Colors::of(QApplication::palette()).isDark())
{
    initThemeResources();
    QApplication::setStyle(new HeaderStyle); // the application's from now on
    QApplication::setFont(systemFont());
    apply();
}

const Colors &Theme::colors() const
{
    const bool dark = m_appearance == Appearance::Dark || (m_appearance == Appearance::System && m_systemIsDark);
    return dark ? Colors::dark() : Colors::light();
}

void Theme::setAppearance(Appearance appearance)
{
    m_appearance = appearance;
    apply();
}

void Theme::setSystemPrefersDark(bool dark)
{
    m_systemIsDark = dark;
    apply();
}

void Theme::apply()
{
    if (m_isApplied && Colors::of(QApplication::palette()).isDark() == colors().isDark())
        return;
    m_isApplied = true;
    QApplication::setPalette(paletteOf(colors()));
    m_application.setStyleSheet(styleSheetOf(colors()));
    Q_EMIT changed();
}

} // namespace ui

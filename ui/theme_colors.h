// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QColor>

#include <array>

class QPalette;
class QWidget;

namespace ui {

/// What a colour is for. Widgets ask for tokens and never name colours themselves.
enum class Token {
    Surface,    ///< behind everything
    Raised,     ///< cards, tool bar, tables
    Hover,      ///< a row or button under the pointer
    Ink,        ///< text
    InkMuted,   ///< captions, units, axes
    Line,       ///< 1-pixel rules, borders, grids
    Accent,     ///< the one thing to do, the selection's edge, links
    OnAccent,   ///< text on Accent
    AccentSoft, ///< background of what is chosen
    Memory,
    Cpu,
    Wait,
    Warn,
    Danger, ///< alerts and limits only
    Ok,
};
inline constexpr std::size_t kTokenCount = static_cast<std::size_t>(Token::Ok) + 1;

/// The colours of one appearance. Values; two constant tables exist.
class Colors
{
public:
    static const Colors &light();
    static const Colors &dark();
    /// The table that fits `palette`: light text means dark. Not by the window colour, which a style sheet
    /// makes transparent.
    static const Colors &of(const QPalette &palette);
    /// The table that fits `widget`. Widgets that paint themselves ask in paintEvent, so a change of theme needs an update() only.
    static const Colors &of(const QWidget *widget);

    QColor operator[](Token token) const { return QColor::fromRgb(m_tokens[static_cast<std::size_t>(token)]); }
    bool isDark() const { return m_isDark; }

    /// Lines of a chart with several quantities: Okabe–Ito, in an order that survives greyscale; repeats after kSeriesCount.
    static constexpr std::size_t kSeriesCount = 6;
    QColor series(std::size_t index) const { return QColor::fromRgb(m_series[index % kSeriesCount]); }

    /// Muted tints by which flame graphs and trees tell modules apart; text in Ink is readable on each. Repeats.
    static constexpr std::size_t kTintCount = 6;
    QColor tint(std::size_t index) const { return QColor::fromRgb(m_tints[index % kTintCount]); }
    /// The tint of system libraries.
    QColor neutralTint() const { return QColor::fromRgb(m_neutralTint); }

    /// Perceptually even map for heat maps (viridis), `shade` in (0, 1]; 0 is the surface's colour.
    QColor heat(double shade) const;

    /// `token` mixed over Raised: for areas below lines and bars in cells.
    QColor soft(Token token, double strength = 0.14) const;

private:
    friend struct ColorTables;

    std::array<QRgb, kTokenCount> m_tokens{};
    std::array<QRgb, kSeriesCount> m_series{};
    std::array<QRgb, kTintCount> m_tints{};
    QRgb m_neutralTint = 0;
    bool m_isDark = false;
};

/// `top` over `bottom` with `strength` 0 to 1, without transparency.
QColor mixed(const QColor &top, const QColor &bottom, double strength);

/// WCAG 2 contrast of two colours, 1 to 21.
double contrast(const QColor &a, const QColor &b);

} // namespace ui

// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/theme_colors.h"

#include <QFont>
#include <QObject>

class QApplication;

namespace ui {

/// Which colours the user wants.
enum class Appearance { System, Light, Dark };

/// The three sizes of text.
enum class TextSize {
    Caption, ///< 0.85 of the body
    Body,
    Number, ///< 1.6 of the body: a card's number
};

enum class TextWeight { Normal, Strong };

/// `base` in the given size and weight. Pass the application's font, not one that was scaled already.
QFont textFont(const QFont &base, TextSize size, TextWeight weight = TextWeight::Normal);

/// The fixed-width font for commands and code, as large as `base`.
QFont codeFont(const QFont &base);

/// Dresses the application: style, palette, style sheet and font. One object, made by the application before any widget;
/// lives in the GUI thread.
class Theme : public QObject
{
    Q_OBJECT

public:
    explicit Theme(QApplication &application);

    void setAppearance(Appearance appearance);
    Appearance appearance() const { return m_appearance; }
    const Colors &colors() const;

    /// Tells what the desktop prefers (from its portal); used while the appearance is System. Without it the lightness
    /// of the palette that the application came with decides.
    void setSystemPrefersDark(bool dark);

Q_SIGNALS:
    void changed();

private:
    void apply();

    QApplication &m_application;
    Appearance m_appearance = Appearance::System;
    bool m_systemIsDark = false;
    bool m_isApplied = false;
};

} // namespace ui

// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/pages/page.h"

#include <QFrame>

class QHBoxLayout;
class QLabel;
class QVBoxLayout;

namespace ui {

class CaptionedRow;

/// A raised area with an optional heading: what it shows, in which unit, and links that save it.
class Card : public QFrame
{
    Q_OBJECT

public:
    explicit Card(const QString &title = {}, QWidget *parent = nullptr);

    void setTitle(const QString &title);
    void setCaption(const QString &caption); ///< muted, behind the title, or below it where the room is short
    QVBoxLayout *body() { return m_body; }
    QHBoxLayout *header(); ///< right of the caption

    /// Shows a link for each export, "PNG" or "CSV", that asks where to save it. `make` is asked at the click.
    void addExport(const QString &kind, std::function<Export()> make);

private:
    void setUpHeader();

    CaptionedRow *m_headerArea = nullptr;
    QVBoxLayout *m_body = nullptr;
    QLabel *m_title = nullptr;
};

} // namespace ui

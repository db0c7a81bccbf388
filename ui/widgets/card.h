// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/pages/page.h"

#include <QFrame>

class QHBoxLayout;
class QLabel;
class QVBoxLayout;

namespace ui {

class ElidedLabel;

/// A raised area with an optional heading: what it shows, in which unit, and links that save it.
class Card : public QFrame
{
    Q_OBJECT

public:
    explicit Card(const QString &title = {}, QWidget *parent = nullptr);

    void setTitle(const QString &title);
    void setCaption(const QString &caption); ///< muted, behind the title
    QVBoxLayout *body() { return m_body; }
    QHBoxLayout *header() { return m_header; } ///< right of the caption

    /// Shows a link for each export, "PNG" or "CSV", that asks where to save it. `make` is asked at the click.
    void addExport(const QString &kind, std::function<Export()> make);

private:
    void setUpHeader();

    QWidget *m_headerArea = nullptr;
    QHBoxLayout *m_header = nullptr;
    QVBoxLayout *m_body = nullptr;
    QLabel *m_title = nullptr;
    ElidedLabel *m_caption = nullptr;
};

} // namespace ui

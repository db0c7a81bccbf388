// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/pages/page.h"

#include <QFrame>

#include <functional>
#include <utility>
#include <vector>

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
    void setCaption(const QString &caption);  ///< muted, behind the title, or below it where the room is short
    void setCaptionTrust(model::Trust trust); ///< else: of what is partial a warning
    QVBoxLayout *body() { return m_body; }
    QHBoxLayout *header(); ///< right of the caption

    /// Shows a link for each export, "PNG" or "CSV", that asks where to save it. `make` is asked at the click.
    void addExport(const QString &kind, std::function<Export()> make);
    /// The same without a link, which stands elsewhere: for the menu that a right click opens.
    void addMenuExport(const QString &kind, std::function<Export()> make);
    /// What a double click in its chart does, for the menu that a right click opens where a picture can be saved.
    void setShowAll(std::function<void()> showAll) { m_showAll = std::move(showAll); }

protected:
    void contextMenuEvent(QContextMenuEvent *event) override;

private:
    void setUpHeader();

    CaptionedRow *m_headerArea = nullptr;
    QVBoxLayout *m_body = nullptr;
    QLabel *m_title = nullptr;
    std::vector<std::pair<QString, std::function<Export()>>> m_exports; ///< by kind
    std::function<void()> m_showAll;
};

} // namespace ui

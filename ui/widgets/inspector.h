// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/aggregate/stack_text.h"
#include "ui/selection.h"
#include "ui/widgets/inspected.h"

#include <QWidget>

#include <memory>
#include <vector>

class QFormLayout;
class QLabel;
class QListWidget;
class QPushButton;

namespace ui {

/// Shows what somebody selected anywhere: its function and place, what it costs in the selected time, and the frames of its
/// stack. Follows Selection::inspected().
class Inspector : public QWidget
{
    Q_OBJECT

public:
    explicit Inspector(Selection &selection, QWidget *parent = nullptr);

    void setSnapshot(std::shared_ptr<const model::Snapshot> snapshot);

    QSize sizeHint() const override;

    /// The stack as text, leaf first, a frame a line: what "Copy" puts on the clipboard.
    QString stackAsText() const;

private:
    void setUpHead();
    void setUpFrames();
    void setUpActions();
    void refresh();
    void showNothing();
    void showFigures(const std::vector<InspectedFigure> &figures);
    void showFrames();
    void addFigure(const QString &label, const QString &value);
    void copyStack() const;
    void openSource() const;

    Selection &m_selection;
    std::shared_ptr<const model::Snapshot> m_snapshot;
    std::vector<model::StackLine> m_lines;
    std::size_t m_chosenLine = 0;
    QLabel *m_caption = nullptr;       ///< what the figures are about
    QLabel *m_framesCaption = nullptr; ///< which of its stacks is listed
    QLabel *m_function = nullptr;
    QLabel *m_place = nullptr;
    QFormLayout *m_figures = nullptr;
    QListWidget *m_frames = nullptr;
    QPushButton *m_copy = nullptr;
    QPushButton *m_open = nullptr;
};

} // namespace ui

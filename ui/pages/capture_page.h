// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/pages/page.h"
#include "ui/selection.h"

class QFormLayout;
class QLabel;
class QTreeWidget;
class QTreeWidgetItem;
class QVBoxLayout;

namespace ui {

class Card;

/// How far the recording can be trusted: which processes and images there were and whether their heap was traced, what was lost and
/// why, gaps and marks.
class CapturePage : public Page
{
    Q_OBJECT

public:
    explicit CapturePage(Selection &selection, QWidget *parent = nullptr);

    QString key() const override { return QStringLiteral("capture"); }
    QString title() const override { return tr("Capture"); }
    QString iconName() const override { return QStringLiteral("capture"); }
    QString subtitle() const override;
    model::Trust subtitleTrust() const override;
    void setSnapshot(std::shared_ptr<const model::Snapshot> snapshot) override;
    std::vector<Export> exports() override;

protected:
    void showEvent(QShowEvent *event) override;

private:
    void setUpProcesses(QVBoxLayout *column);
    void setUpLosses(QVBoxLayout *column);
    void setUpFacts(QVBoxLayout *column);
    void showProcesses();
    void fillImage(QTreeWidgetItem *row, const model::Image &image) const;
    void showLosses();
    void showFacts();
    /// Gives the tables of a new session their columns, once they are seen.
    void fitNew();
    void showMoments();
    QString clock(model::Timestamp when) const;

    Selection &m_selection;
    std::shared_ptr<const model::Snapshot> m_snapshot;
    QTreeWidget *m_processes = nullptr;
    QTreeWidget *m_losses = nullptr;
    QTreeWidget *m_moments = nullptr;
    Card *m_processCard = nullptr;
    Card *m_lossCard = nullptr;
    Card *m_momentCard = nullptr;
    QFormLayout *m_facts = nullptr;
    bool m_isNew = true; ///< columns are fitted once a session
};

/// One row a gap or mark, in seconds since the begin of the recording. See csv_report.h.
void writeMomentsCsv(std::ostream &out, const model::Snapshot &snapshot);

/// One row a program image: its process, times, exit, command and what became of its heap. See csv_report.h.
void writeProcessesCsv(std::ostream &out, const model::Snapshot &snapshot);

} // namespace ui

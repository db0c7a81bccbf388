// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/analysis/done_advice.h"
#include "ui/background_job.h"
#include "ui/pages/page.h"
#include "ui/selection.h"

class QHBoxLayout;
class QLabel;
class QVBoxLayout;

namespace ui {

class Card;
class EmptyState;

/// What is worth changing, best first, each with its evidence, expected gain, what to do and how to check it. What was done can be marked, and
/// measured by a later session.
class AdvicePage : public Page
{
    Q_OBJECT

public:
    explicit AdvicePage(Selection &selection, QWidget *parent = nullptr);

    QString key() const override { return QStringLiteral("advice"); }
    QString title() const override { return tr("Advice"); }
    QString iconName() const override { return QStringLiteral("advice"); }
    QString subtitle() const override;
    void setSnapshot(std::shared_ptr<const model::Snapshot> snapshot) override;
    bool isBusy() const override { return m_job.isRunning() || m_measureJob.isRunning(); }
    std::vector<Export> exports() override;

    /// What was done already, as it was kept with the session.
    void setDone(std::vector<model::DoneAdvice> done);
    /// Why what was done could not be kept; empty: it was.
    void setKeepProblem(const QString &sentence);
    /// The session after the change, which laterWanted() asked for; ignored when nobody asked.
    void setLater(std::shared_ptr<const model::Snapshot> later);
    /// There is none, and why; empty: nobody chose one.
    void setLaterFailed(const QString &sentence);
    const std::vector<model::DoneAdvice> &done() const { return m_done; }

Q_SIGNALS:
    /// How many advices are not marked as done; for a badge.
    void openCounted(int count);
    /// To be kept with the session.
    void doneChanged(const std::vector<model::DoneAdvice> &done);
    /// A session from after the change is to be chosen: setLater() or setLaterFailed() is waited for.
    void laterWanted();

private:
    void show(const model::Recommendations &found);
    QWidget *newItem(const model::Recommendation &item);
    QWidget *newFacts(const model::Recommendation &item);
    QWidget *newActions(const model::Recommendation &item);
    void addDoneActions(const model::Recommendation &item, QHBoxLayout &line);
    void addMeasured(const model::Recommendation &item, Card &card) const;
    std::vector<model::DoneAdvice>::iterator doneOf(const model::Recommendation &item);
    void setDoneOf(const model::Recommendation &item, bool isDone);
    QWidget *newNotLookedAt() const;

    Selection &m_selection;
    BackgroundJob m_job;
    std::shared_ptr<const model::Snapshot> m_snapshot;
    std::optional<model::Recommendations> m_found;
    std::vector<model::DoneAdvice> m_done;
    QString m_keepProblem;
    std::string m_measuring; ///< id of the advice that a later session is wanted for
    QString m_measureProblem;
    BackgroundJob m_measureJob;
    QWidget *m_area = nullptr;
    QVBoxLayout *m_column = nullptr;
};

} // namespace ui

// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/analysis/recommendations.h"
#include "ui/background_job.h"
#include "ui/pages/page.h"
#include "ui/selection.h"

class QLabel;
class QVBoxLayout;

namespace ui {

class Card;
class EmptyState;

/// What is worth changing, best first, each with its evidence, expected gain, what to do and how to check it.
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
    bool isBusy() const override { return m_job.isRunning(); }
    std::vector<Export> exports() override;

private:
    void show(const model::Recommendations &found);
    QWidget *newItem(const model::Recommendation &item);
    QWidget *newFacts(const model::Recommendation &item);
    QWidget *newActions(const model::Recommendation &item);
    QWidget *newNotLookedAt() const;

    Selection &m_selection;
    BackgroundJob m_job;
    std::shared_ptr<const model::Snapshot> m_snapshot;
    std::optional<model::Recommendations> m_found;
    QWidget *m_area = nullptr;
    QVBoxLayout *m_column = nullptr;
};

} // namespace ui

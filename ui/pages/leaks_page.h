// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/background_job.h"
#include "ui/charts/survival_chart.h"
#include "ui/charts/time_series_chart.h"
#include "ui/models/leak_table_model.h"
#include "ui/pages/page.h"

#include <optional>
#include <string>

class QLabel;
class QTableView;

class QVBoxLayout;

namespace ui {

class Card;
class EmptyState;

/// Which places keep growing, by how sure that is, each with its evidence: how many blocks live on, the live bytes over time, examples.
/// Of the whole recording, whatever time is selected.
class LeaksPage : public Page
{
    Q_OBJECT

public:
    explicit LeaksPage(Selection &selection, QWidget *parent = nullptr);

    QString key() const override { return QStringLiteral("leaks"); }
    QString title() const override { return tr("Leaks"); }
    QString iconName() const override { return QStringLiteral("leaks"); }
    QString subtitle() const override;
    void setSnapshot(std::shared_ptr<const model::Snapshot> snapshot) override;
    bool choosesStacks() const override { return true; }
    bool isBusy() const override { return m_job.isRunning(); }
    std::vector<Export> exports() override;

Q_SIGNALS:
    /// How many places keep growing; for a badge.
    void findingsCounted(int count);

private:
    /// A place; it may have a row of each tier.
    struct Choice
    {
        model::ImageId image;
        std::string function;
        model::LeakTier tier = model::LeakTier::Growing;
    };

    void setUpTable();
    void setUpCharts();
    void setUpEvidence();
    void show(model::LeakReport report, const std::shared_ptr<const model::Snapshot> &snapshot);
    void showWhyEmpty(const model::LeakReport &report, bool isEmpty);
    void choose(int row);
    int rowOfChoice(const model::LeakReport &report) const;
    void showItem(int row);
    void showLive(const model::LeakItem &item);
    void inspect(int row);

    Selection &m_selection;
    BackgroundJob m_job;
    std::shared_ptr<const model::Snapshot> m_snapshot;
    LeakTableModel m_model;
    std::optional<Choice> m_chosen; ///< by the reader; empty: the first row is shown
    bool m_isRenewing = false;      ///< the rows, which chooses none
    Card *m_card = nullptr;
    EmptyState *m_empty = nullptr;
    QLabel *m_answer = nullptr;
    QLabel *m_notes = nullptr;
    QTableView *m_table = nullptr;
    QVBoxLayout *m_column = nullptr;
    QWidget *m_details = nullptr;
    QWidget *m_charts = nullptr;
    SurvivalChart *m_survival = nullptr;
    TimeSeriesChart *m_live = nullptr;
    Card *m_evidenceCard = nullptr;
    QLabel *m_evidence = nullptr;
    QLabel *m_caution = nullptr;
};

} // namespace ui

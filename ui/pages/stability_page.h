// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/analysis/soak_places.h"
#include "model/analysis/soak_trial.h"
#include "ui/background_job.h"
#include "ui/charts/time_series_chart.h"
#include "ui/pages/page.h"

class QLabel;
class QTreeWidget;
class QVBoxLayout;

namespace ui {

class Card;

/// What a stability test says: stable, leaking or undecided, how sure, on which quantities, and what grew. Only of sessions that are one.
class StabilityPage : public Page
{
    Q_OBJECT

public:
    explicit StabilityPage(Selection &selection, QWidget *parent = nullptr);

    QString key() const override { return QStringLiteral("stability"); }
    QString title() const override { return tr("Stability"); }
    QString iconName() const override { return QStringLiteral("stability"); }
    QString subtitle() const override;
    void setSnapshot(std::shared_ptr<const model::Snapshot> snapshot) override;
    bool choosesStacks() const override { return true; }
    bool isBusy() const override { return m_job.isRunning(); }
    std::vector<Export> exports() override;

Q_SIGNALS:
    /// Whether the session is a stability test; without one the page has nothing to say.
    void hasTestChanged(bool hasTest);

private:
    struct Result
    {
        model::SoakAnswer answer;
        std::vector<model::SoakPlace> places;
    };

    void setUpAnswer(QVBoxLayout *column);
    void setUpTables(QVBoxLayout *column);
    void setUpCharts(QVBoxLayout *column);
    void show(Result result);
    void showAnswer();
    void showQuantities();
    void showPlaces();
    void showMemory();
    void showProof();

    Selection &m_selection;
    BackgroundJob m_job;
    std::shared_ptr<const model::Snapshot> m_snapshot;
    /// What `m_result` was made from.
    struct Shown
    {
        std::shared_ptr<const model::SoakRecord> soak;
        model::Selection selection;
        bool isRead = false; ///< with ages
        friend bool operator==(const Shown &, const Shown &) = default;
    };
    Shown m_shown;
    Result m_result;
    QLabel *m_word = nullptr;
    QLabel *m_sentence = nullptr;
    QLabel *m_notes = nullptr;
    QTreeWidget *m_quantities = nullptr;
    QTreeWidget *m_places = nullptr;
    Card *m_placesCard = nullptr;
    Card *m_memoryCard = nullptr;
    Card *m_proofCard = nullptr;
    TimeSeriesChart *m_memory = nullptr;
    TimeSeriesChart *m_proof = nullptr;
};

} // namespace ui

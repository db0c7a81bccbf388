// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/background_job.h"
#include "ui/charts/time_series_chart.h"
#include "ui/pages/page.h"

#include <optional>

class QGridLayout;
class QVBoxLayout;

namespace ui {

class Card;
class EmptyState;
class SummaryCardView;

/// The answers at one look: at most six cards, what the memory consists of, and the trends of heap, CPU and threads.
class OverviewPage : public Page
{
    Q_OBJECT

public:
    explicit OverviewPage(Selection &selection, QWidget *parent = nullptr);

    QString key() const override { return QStringLiteral("overview"); }
    QString title() const override { return tr("Overview"); }
    QString iconName() const override { return QStringLiteral("overview"); }
    QString subtitle() const override;
    void setSnapshot(std::shared_ptr<const model::Snapshot> snapshot) override;
    bool isBusy() const override { return m_job.isRunning(); }
    std::vector<Export> exports() override;

Q_SIGNALS:
    /// Somebody wants to see the forecast of this quantity; pageWanted() follows.
    void forecastWanted(const model::SeriesSource &quantity);

protected:
    void resizeEvent(QResizeEvent *event) override;

private:
    void setUpArea();
    void setUpCards(QWidget *area);
    QWidget *newCharts();
    void showCharts();
    void showSummary(const model::Summary &summary);
    void placeCards();
    void placeCharts();
    Export chartExport(TimeSeriesChart *chart, const QString &name, const QString &label) const;
    Export tableExport(const TimeSeriesChart *chart, const QString &name, const QString &label) const;

    Selection &m_selection;
    BackgroundJob m_job;
    std::shared_ptr<const model::Snapshot> m_snapshot;
    std::optional<model::Summary> m_summary;
    QVBoxLayout *m_column = nullptr;
    QGridLayout *m_cardGrid = nullptr;
    QGridLayout *m_chartGrid = nullptr;
    std::vector<SummaryCardView *> m_cards;
    TimeSeriesChart *m_memory = nullptr;
    Card *m_memoryCard = nullptr;
    struct Trend
    {
        QString name;
        Card *card;
        TimeSeriesChart *chart;
        std::vector<std::pair<model::SeriesSource, SeriesColor>> lines;
    };
    std::vector<Trend> m_trends;
};

} // namespace ui

// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/analysis/known_limits.h"
#include "ui/background_job.h"
#include "ui/charts/time_series_chart.h"
#include "ui/pages/page.h"

class QComboBox;
class QFormLayout;
class QLabel;
class QLineEdit;

namespace ui {

class Card;
class EmptyState;

/// What a quantity will do next: its robust trend, the band of futures, and when it meets its limit, or why that cannot be said.
class ForecastPage : public Page
{
    Q_OBJECT

public:
    explicit ForecastPage(Selection &selection, QWidget *parent = nullptr);

    QString key() const override { return QStringLiteral("forecast"); }
    QString title() const override { return tr("Forecast"); }
    QString iconName() const override { return QStringLiteral("forecast"); }
    QString subtitle() const override;
    void setSnapshot(std::shared_ptr<const model::Snapshot> snapshot) override;
    bool isBusy() const override { return m_job.isRunning(); }
    std::vector<Export> exports() override;

    /// Shows the forecast of this quantity; of one that was not recorded, nothing else.
    void showQuantity(const model::SeriesSource &quantity);

private:
    void setUpControls();
    void setUpAnswer();
    void setUpChart();
    void compute();
    std::optional<model::KnownLimit> limit(const model::SeriesSource &source) const;
    void takeDraggedLimit(double value);
    void show(const model::Forecast &forecast);
    void showEmpty(const QString &title, const QString &sentence);
    void setEmpty(bool isEmpty);
    bool hasValues(const model::SeriesSource &source) const; ///< in what is selected
    void showFacts(const model::Forecast &forecast);
    void showChart(const model::Forecast &forecast);
    void addFact(const QString &name, const QString &value);

    Selection &m_selection;
    BackgroundJob m_job;
    std::shared_ptr<const model::Snapshot> m_snapshot;
    std::optional<model::Forecast> m_forecast;
    QString m_shownEnd;                         ///< of the selected time, which is not now; empty: of the recording
    std::optional<model::ProcessId> m_process;  ///< whose quantity it is about; none: all together
    std::vector<model::SeriesSource> m_sources; ///< in the order of the chooser
    QComboBox *m_chooser = nullptr;
    QLineEdit *m_limit = nullptr;
    QLabel *m_limitNote = nullptr;
    Card *m_answer = nullptr;
    QLabel *m_verdict = nullptr;
    QLabel *m_reason = nullptr;
    QWidget *m_evidence = nullptr; ///< the chart, and how sure it is
    EmptyState *m_empty = nullptr; ///< stands in place of both
    Card *m_chartCard = nullptr;
    TimeSeriesChart *m_chart = nullptr;
    QFormLayout *m_facts = nullptr;
};

/// "2 GiB", "512M", "1.5 g", "800" as bytes, counts or percent; empty if it is no such number.
std::optional<double> parseLimit(const QString &text);

} // namespace ui

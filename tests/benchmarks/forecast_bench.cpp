// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/analysis/forecast.h"
#include "tests/support/growth_series.h"

#include <QElapsedTimer>
#include <QTest>

using namespace model;
using namespace tests;

/// The full test of forecasts: coverage over many series with known future, beside least squares, and their cost.
class ForecastBench : public QObject
{
    Q_OBJECT

private:
    static void score(std::size_t history, int runs)
    {
        for (const GrowthKind kind : kGrowthKinds) {
            const ForecastScore result = scoreForecasts(kind, history, runs, 1500, 5);
            qInfo("%4zu blocks  %-26s 90 %%: %5.1f %%  50 %%: %5.1f %%  median error %5.1f %%  least squares 90 %%: "
                  "%5.1f %%",
                history, nameOf(kind).data(), result.covered90 * 100, result.covered50 * 100, result.medianError * 100,
                result.lineCovered90 * 100);
            if (history < 400 && kind == GrowthKind::Daily)
                continue; // less than 1.5 cycles: nothing can be promised
            QVERIFY2(result.covered90 >= (history < 400 ? 0.8 : 0.85), nameOf(kind).data());
            QVERIFY2(result.covered90 > result.lineCovered90, nameOf(kind).data());
        }
    }

private Q_SLOTS:
    void coversTheTruthFromHalfADay() { score(144, 100); }
    void coversTheTruthFromTwoDays() { score(576, 100); }

    void takesMilliseconds()
    {
        Random random(1);
        const GrowthSeries series = growthSeries(GrowthKind::SlopeChange, 576, 0, random);
        const TimeSeries line = lineOf(series.values, 576, {300ll * 1'000'000'000});
        const ForecastOptions options{.limit = ForecastLimit{series.values.back() * 1.2, "limit"}};
        QElapsedTimer timer;
        timer.start();
        constexpr int kRuns = 20;
        for (int i = 0; i < kRuns; ++i)
            QVERIFY(forecast(line, options)->state == ForecastState::Forecast);
        qInfo("a forecast from 576 blocks with 2000 paths: %.1f ms",
            static_cast<double>(timer.nsecsElapsed()) / 1e6 / kRuns);
    }
};

QTEST_APPLESS_MAIN(ForecastBench)
#include "forecast_bench.moc"

// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/gate_noise.h"

#include <QFile>
#include <QTest>
#include <QTextStream>

using namespace tests;

/// How often the gate is wrong: on the model of a shared machine's noise, and on recorded runs of sqlite3 (gate_noise.txt: wall and CPU time of
/// 400 runs in µs, one after the other, on two cores that five builds shared).
class GateNoiseBench : public QObject
{
    Q_OBJECT

private:
    static constexpr int kTrials = 1000;

    static std::vector<double> recorded(int column)
    {
        QFile file(QStringLiteral(GENESIS_GATE_NOISE));
        std::vector<double> values;
        if (!file.open(QIODevice::ReadOnly))
            return values;
        QTextStream text(&file);
        for (qint64 wall = 0, cpu = 0; !text.atEnd(); values.push_back(static_cast<double>(column == 0 ? wall : cpu)))
            text >> wall >> cpu >> Qt::ws;
        return values;
    }

    static RunNoise windowsOf(std::vector<double> values)
    {
        return [values = std::move(values)](std::size_t count, model::Random &random) {
            const auto begin
                = static_cast<std::ptrdiff_t>(random.uniform() * static_cast<double>(values.size() - count));
            return std::vector<double>(
                values.begin() + begin, values.begin() + begin + static_cast<std::ptrdiff_t>(count));
        };
    }

    static void row(const char *name, const RunNoise &noise, double mostAlarms, double leastPower)
    {
        for (const double growth : {0.0, 0.03, 0.05, 0.1}) {
            model::Random random(31);
            const GateRates rates = gateRates(noise, growth, kTrials, random);
            qInfo("%-30s growth %4.0f %%: worse %6.2f %%  unclear %6.2f %%  settled early %5.1f %%", name, growth * 100,
                rates.worse * 100, rates.unclear * 100, rates.early * 100);
            QVERIFY2(growth > 0 || rates.worse <= mostAlarms, name);
            QVERIFY2(growth < 0.05 || rates.worse >= leastPower, name);
        }
    }

private Q_SLOTS:
    void falseAlarmsAreRareAndGrowthIsFound()
    {
        const std::vector<double> cpu = recorded(1);
        QCOMPARE(cpu.size(), std::size_t{400});
        row("model of a shared machine", sharedMachineNoise, 0.005, 0.95);
        row("recorded CPU time", windowsOf(cpu), 0.005, 0.95);
        row("recorded wall time", windowsOf(recorded(0)), 0.01,
            0); // half of it is waiting for a processor: mostly unclear, and said so
    }
};

QTEST_APPLESS_MAIN(GateNoiseBench)
#include "gate_noise_bench.moc"

// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/gate_noise.h"

#include <QFile>
#include <QTest>

using namespace tests;

/// How often the gate is wrong: on the model of a shared machine's noise, and on 400 runs of sqlite3 one after the other while builds had both
/// processors (gate_noise_busy.baseline, made by `genprof baseline save --runs 400`).
class GateNoiseBench : public QObject
{
    Q_OBJECT

private:
    static constexpr int kTrials = 4000;

    static model::Baseline recorded(const char *name)
    {
        QFile file(QStringLiteral(GENESIS_GATE_NOISE) + QString::fromLatin1(name) + QStringLiteral(".baseline"));
        if (!file.open(QIODevice::ReadOnly))
            return {};
        const auto read = model::readBaseline(file.readAll().toStdString());
        return read ? *read : model::Baseline();
    }

    struct Wanted
    {
        double mostAlarms;
        double leastPower; ///< from 5 % on
    };
    static void row(const char *name, const RunNoise &noise, OwnTimes ownTimes, Wanted wanted)
    {
        for (const double growth : {0.0, 0.03, 0.05, 0.1}) {
            model::Random random(31);
            const GateRates rates = gateRates(noise, ownTimes, growth, kTrials, random);
            qInfo("%-40s growth %4.0f %%: worse %6.2f %%  unclear %6.2f %%  settled early %5.1f %%", name, growth * 100,
                rates.worse * 100, rates.unclear * 100, rates.early * 100);
            QVERIFY2(growth > 0 || rates.worse <= wanted.mostAlarms, name);
            QVERIFY2(growth < 0.05 || rates.worse >= wanted.leastPower, name);
        }
    }

private Q_SLOTS:
    void falseAlarmsAreRareAndGrowthIsFound()
    {
        row("model of a shared machine", sharedMachineNoise, OwnTimes::Unknown, {0.005, 0.95});
        row("model, own time known", sharedMachineNoise, OwnTimes::Known, {0.005, 0.95});
        const model::Baseline busy = recorded("busy");
        QCOMPARE(busy.values.at(model::GateKey::OwnTime).size(), std::size_t{400});
        row("recorded, busy", recordedNoise(busy), OwnTimes::Known, {0.005, 0.95});
        // As of a program of several threads: by the wall time alone it mostly cannot be told that nothing grew; growth shows by the CPU time.
        row("recorded, busy, own time not known", recordedNoise(busy), OwnTimes::Unknown, {0.005, 0.95});
    }
};

QTEST_APPLESS_MAIN(GateNoiseBench)
#include "gate_noise_bench.moc"

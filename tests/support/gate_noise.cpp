// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/gate_noise.h"

#include "model/gate/gate_result.h"
#include "model/gate/rank_tests.h"

#include <array>
#include <cmath>
#include <utility>

namespace tests {

namespace {

constexpr std::size_t kPairs = 20;

struct NoisyTime
{
    model::GateKey key;
    double RunFactors::*factor;
};
constexpr std::array kTimes{NoisyTime{model::GateKey::CpuTime, &RunFactors::cpu},
    NoisyTime{model::GateKey::OwnTime, &RunFactors::own}, NoisyTime{model::GateKey::WallTime, &RunFactors::wall}};

/// A version and its noise, run in pairs.
struct Trial
{
    std::vector<RunFactors> noise;
    OwnTimes ownTimes = OwnTimes::Unknown;
    double growth = 0;
    model::Random random;

    /// The samples of the first `pairs` pairs.
    std::vector<model::GateSamples> samples(std::size_t pairs) const
    {
        model::Random own = random;
        std::vector<model::GateSamples> samples;
        for (const NoisyTime &time : kTimes) {
            if (time.key == model::GateKey::OwnTime && ownTimes == OwnTimes::Unknown)
                continue;
            model::GateSamples &sample = samples.emplace_back(model::GateSamples{.key = time.key});
            for (std::size_t pair = 0; pair < pairs; ++pair) {
                const bool isBaseFirst = pair % 2 == 0;
                const double more = 1 + 0.002 * own.normal();
                sample.base.push_back(1e9 * noise[2 * pair + (isBaseFirst ? 0 : 1)].*time.factor * more);
                sample.current.push_back(1e9 * noise[2 * pair + (isBaseFirst ? 1 : 0)].*time.factor * (1 + growth));
            }
        }
        return samples;
    }
};

} // namespace

std::vector<RunFactors> sharedMachineNoise(std::size_t count, model::Random &random)
{
    const double keeps = std::exp(-1 / 8.0);
    double drift = 0.03 * random.normal();
    bool isSlowMode = false;
    std::vector<RunFactors> noise;
    for (std::size_t i = 0; i < count; ++i) {
        if (i > 0)
            drift = keeps * drift + 0.03 * std::sqrt(1 - keeps * keeps) * random.normal();
        isSlowMode = random.uniform() < 0.02 ? !isSlowMode : isSlowMode;
        const double spike = random.uniform() < 0.1 ? random.exponential(0.15) : 0;
        const double factor = std::exp(drift + 0.01 * random.normal() + (isSlowMode ? 0.02 : 0)) * (1 + spike);
        noise.push_back({factor, factor, factor});
    }
    return noise;
}

RunNoise recordedNoise(const model::Baseline &recorded)
{
    std::vector<RunFactors> runs(recorded.values.at(model::GateKey::WallTime).size());
    for (const NoisyTime &time : kTimes) {
        const std::vector<double> &values = recorded.values.at(time.key);
        const double usual = model::medianOf(values);
        for (std::size_t i = 0; i < runs.size(); ++i)
            runs[i].*time.factor = values.at(i) / usual;
    }
    return [runs = std::move(runs)](std::size_t count, model::Random &random) {
        const auto begin = static_cast<std::ptrdiff_t>(random.uniform() * static_cast<double>(runs.size() - count));
        return std::vector<RunFactors>(runs.begin() + begin, runs.begin() + begin + static_cast<std::ptrdiff_t>(count));
    };
}

GateRates gateRates(const RunNoise &noise, OwnTimes ownTimes, double growth, int trials, model::Random &random)
{
    GateRates rates;
    const model::GateLimits limits = model::usualGateLimits();
    for (int i = 0; i < trials; ++i) {
        Trial trial{noise(2 * kPairs, random), ownTimes, growth, model::Random(random.bits())};
        std::vector<model::GateFinding> findings = model::judgeGate(trial.samples(kPairs / 2), limits);
        if (model::isSettled(findings))
            rates.early += 1.0 / trials;
        else
            findings = model::judgeGate(trial.samples(kPairs), limits);
        const model::GateOutcome verdict = model::verdictOf(findings);
        rates.worse += verdict == model::GateOutcome::Worse ? 1.0 / trials : 0;
        rates.unclear += verdict == model::GateOutcome::Unclear ? 1.0 / trials : 0;
    }
    return rates;
}

} // namespace tests

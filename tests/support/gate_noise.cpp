// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/gate_noise.h"

#include "model/gate/gate_result.h"

#include <cmath>
#include <utility>

namespace tests {

namespace {

constexpr std::size_t kPairs = 20;

/// The samples of the first `pairs` pairs.
std::vector<model::GateSamples> samplesOf(
    const std::vector<double> &noise, double growth, std::size_t pairs, model::Random random)
{
    std::vector<model::GateSamples> samples;
    for (const model::GateKey key : {model::GateKey::CpuTime, model::GateKey::WallTime}) {
        model::GateSamples &sample = samples.emplace_back(model::GateSamples{.key = key});
        for (std::size_t pair = 0; pair < pairs; ++pair) {
            const bool isBaseFirst = pair % 2 == 0;
            const double own = 1 + 0.002 * random.normal();
            sample.base.push_back(1e9 * noise[2 * pair + (isBaseFirst ? 0 : 1)] * own);
            sample.current.push_back(1e9 * noise[2 * pair + (isBaseFirst ? 1 : 0)] * (1 + growth));
        }
    }
    return samples;
}

} // namespace

std::vector<double> sharedMachineNoise(std::size_t count, model::Random &random)
{
    const double keeps = std::exp(-1 / 8.0);
    double drift = 0.03 * random.normal();
    bool isSlowMode = false;
    std::vector<double> noise;
    for (std::size_t i = 0; i < count; ++i) {
        if (i > 0)
            drift = keeps * drift + 0.03 * std::sqrt(1 - keeps * keeps) * random.normal();
        isSlowMode = random.uniform() < 0.02 ? !isSlowMode : isSlowMode;
        const double spike = random.uniform() < 0.1 ? random.exponential(0.15) : 0;
        noise.push_back(std::exp(drift + 0.01 * random.normal() + (isSlowMode ? 0.02 : 0)) * (1 + spike));
    }
    return noise;
}

GateRates gateRates(const RunNoise &noise, double growth, int trials, model::Random &random)
{
    GateRates rates;
    for (int trial = 0; trial < trials; ++trial) {
        const std::vector<double> factors = noise(2 * kPairs, random);
        const model::Random own(random.bits());
        const model::GateLimits limits = model::usualGateLimits();
        std::vector<model::GateFinding> findings
            = model::judgeGate(samplesOf(factors, growth, kPairs / 2, own), limits);
        if (model::isSettled(findings))
            rates.early += 1.0 / trials;
        else
            findings = model::judgeGate(samplesOf(factors, growth, kPairs, own), limits);
        const model::GateOutcome verdict = model::verdictOf(findings);
        rates.worse += verdict == model::GateOutcome::Worse ? 1.0 / trials : 0;
        rates.unclear += verdict == model::GateOutcome::Unclear ? 1.0 / trials : 0;
    }
    return rates;
}

} // namespace tests

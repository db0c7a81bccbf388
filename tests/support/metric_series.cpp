// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/metric_series.h"

#include <cmath>
#include <numbers>

namespace tests {

std::vector<double> metricSeries(const MetricShape &shape, model::Random &random)
{
    const auto count = static_cast<std::size_t>(shape.hours * 60);
    const double keep = std::exp(-1 / shape.noiseMinutes), fresh = std::sqrt(1 - keep * keep) * shape.noise;
    const double phase = random.uniform(0, 2 * std::numbers::pi);
    double noise = random.normal() * shape.noise, steps = 0;
    std::vector<double> values;
    values.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
        const double t = static_cast<double>(i) / 60;
        const double since = std::max(t - shape.startHours, 0.0) / 48;
        const double trend = shape.growth * (shape.isAccelerating ? since * since : since);
        steps += random.uniform() < shape.stepsPerHour / 60 ? shape.stepSize : 0;
        values.push_back(1 - shape.warmup * std::exp(-t / shape.warmupHours) + trend + steps + noise
            + shape.daily * std::sin(2 * std::numbers::pi * t / 24 + phase)
            + std::copysign(shape.shift, std::sin(2 * std::numbers::pi * t / 24 + phase))
            + shape.sawtooth * std::fmod(t, shape.sawtoothHours) / shape.sawtoothHours);
        noise = keep * noise + fresh * random.normal();
    }
    return values;
}

} // namespace tests

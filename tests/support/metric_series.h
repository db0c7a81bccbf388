// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/analysis/random.h"

#include <vector>

namespace tests {

/// A made-up metric over virtual hours, a value a minute; its level after warm-up is 1.
struct MetricShape
{
    double hours = 48;
    double growth = 0;           ///< gained by the end, as a share
    bool isAccelerating = false; ///< as the square of the time
    double startHours = 0;       ///< growth begins here, and reaches `growth` 48 h later
    double noise = 0.002;        ///< standard deviation
    double noiseMinutes = 5;     ///< correlation time
    double warmup = 0;           ///< missing at the begin, as a share
    double warmupHours = 1;
    double daily = 0;    ///< amplitude of a cycle of 24 h
    double shift = 0;    ///< more than that by day, less by night: a cycle with edges
    double stepSize = 0; ///< jumps upwards
    double stepsPerHour = 0;
    double sawtooth = 0; ///< rises by this and falls back
    double sawtoothHours = 6;
};

std::vector<double> metricSeries(const MetricShape &shape, model::Random &random);

} // namespace tests

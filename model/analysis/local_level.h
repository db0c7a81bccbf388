// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <span>

namespace model {

/// A series as a local level with constant drift: y = l + e, l(t) = l(t−1) + drift + η, fitted by a Kalman filter with diffuse
/// start; var(η)/var(e) by profile likelihood on a grid. State at the last point; time in blocks.
struct LocalLevelFit
{
    double level = 0;
    double drift = 0;         ///< per block
    double levelVariance = 0; ///< of the estimates, error variance included
    double covariance = 0;
    double driftVariance = 0;
    double errorVariance = 0; ///< var(e)
    double stepRatio = 0;     ///< var(η) / var(e)
    double logLikelihood = 0;
    std::size_t n = 0;

    double stepVariance() const { return stepRatio * errorVariance; }
    /// Expected value `blocks` after the last point, and the variance of an observation there.
    double expected(double blocks) const { return level + drift * blocks; }
    double variance(double blocks) const;
};

/// Fits at least 4 values, equally spaced in time. O(11 n).
LocalLevelFit fitLocalLevel(std::span<const double> values);

/// Index at which the last straight piece of a series begins: repeatedly splits the tail in two lines (each of at least
/// `leastBlocks`) while that explains much more than noise with its correlation would. 0: no change seen.
std::size_t lastSlopeChange(std::span<const double> values, std::size_t leastBlocks = 24);

} // namespace model

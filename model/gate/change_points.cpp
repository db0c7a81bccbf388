// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/gate/change_points.h"

#include <boost/math/distributions/students_t.hpp>

#include <algorithm>
#include <cmath>

namespace model {

namespace {

constexpr std::size_t kLeastPart = 3;

struct Moments
{
    double mean = 0;
    double variance = 0;
    double count = 0;
};

Moments momentsOf(std::span<const double> values)
{
    Moments moments;
    moments.count = static_cast<double>(values.size());
    for (const double value : values)
        moments.mean += value / moments.count;
    for (const double value : values)
        moments.variance += (value - moments.mean) * (value - moments.mean) / (moments.count - 1);
    return moments;
}

/// Welch's t-test, two-sided.
double welch(std::span<const double> a, std::span<const double> b)
{
    const Moments left = momentsOf(a);
    const Moments right = momentsOf(b);
    const double errorA = left.variance / left.count;
    const double errorB = right.variance / right.count;
    if (errorA + errorB == 0)
        return left.mean == right.mean ? 1 : 0;
    const double t = std::abs(left.mean - right.mean) / std::sqrt(errorA + errorB);
    const double degrees = (errorA + errorB) * (errorA + errorB)
        / (errorA * errorA / (left.count - 1) + errorB * errorB / (right.count - 1));
    return 2 * boost::math::cdf(boost::math::complement(boost::math::students_t(degrees), t));
}

double meanDistance(std::span<const double> a, std::span<const double> b)
{
    double sum = 0;
    for (const double left : a)
        for (const double right : b)
            sum += std::abs(left - right);
    return sum / static_cast<double>(a.size() * b.size());
}

/// Mean over pairs of different values.
double meanDistanceWithin(std::span<const double> values)
{
    const auto count = static_cast<double>(values.size());
    return meanDistance(values, values) * count / (count - 1);
}

double divergence(std::span<const double> a, std::span<const double> b)
{
    const auto n = static_cast<double>(a.size());
    const auto m = static_cast<double>(b.size());
    return n * m / (n + m) * (2 * meanDistance(a, b) - meanDistanceWithin(a) - meanDistanceWithin(b));
}

void search(std::span<const double> values, std::size_t first, double significance, std::vector<ChangePoint> &found)
{
    if (values.size() < 2 * kLeastPart)
        return;
    std::size_t best = 0;
    double most = 0;
    for (std::size_t at = kLeastPart; at + kLeastPart <= values.size(); ++at)
        if (const double q = divergence(values.first(at), values.subspan(at)); q > most) {
            most = q;
            best = at;
        }
    if (best == 0)
        return;
    const double pValue = welch(values.first(best), values.subspan(best));
    if (pValue > significance)
        return;
    search(values.first(best), first, significance, found);
    found.push_back({.position = first + best, .pValue = pValue});
    search(values.subspan(best), first + best, significance, found);
}

} // namespace

std::vector<ChangePoint> changePoints(std::span<const double> values, double significance)
{
    std::vector<ChangePoint> found;
    search(values, 0, significance, found);
    for (std::size_t i = 0; i < found.size(); ++i) {
        const std::size_t begin = i == 0 ? 0 : found[i - 1].position;
        const std::size_t end = i + 1 < found.size() ? found[i + 1].position : values.size();
        found[i].before = momentsOf(values.subspan(begin, found[i].position - begin)).mean;
        found[i].after = momentsOf(values.subspan(found[i].position, end - found[i].position)).mean;
    }
    return found;
}

} // namespace model

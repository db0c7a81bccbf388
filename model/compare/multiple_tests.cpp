// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/compare/multiple_tests.h"

#include <algorithm>
#include <numeric>

namespace model {

namespace {

/// Positions in ascending order of the p-value.
std::vector<std::size_t> ascending(std::span<const double> pValues)
{
    std::vector<std::size_t> order(pValues.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(
        order.begin(), order.end(), [pValues](std::size_t a, std::size_t b) { return pValues[a] < pValues[b]; });
    return order;
}

} // namespace

std::vector<double> holm(std::span<const double> pValues)
{
    const std::vector<std::size_t> order = ascending(pValues);
    std::vector<double> raised(pValues.size());
    double before = 0;
    for (std::size_t i = 0; i < order.size(); ++i) {
        before = std::max(before, std::min(1.0, pValues[order[i]] * static_cast<double>(order.size() - i)));
        raised[order[i]] = before;
    }
    return raised;
}

std::vector<double> benjaminiHochberg(std::span<const double> pValues)
{
    const std::vector<std::size_t> order = ascending(pValues);
    std::vector<double> raised(pValues.size());
    double behind = 1;
    for (std::size_t i = order.size(); i-- > 0;) {
        behind = std::min(behind, pValues[order[i]] * static_cast<double>(order.size()) / static_cast<double>(i + 1));
        raised[order[i]] = behind;
    }
    return raised;
}

} // namespace model

// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/gate/rank_tests.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace model {

namespace {

constexpr std::size_t kMostExact = 20;
constexpr std::size_t kLeastForInterval = 6; // below, 2 / 2ⁿ exceeds 5 %

/// Number of pairs of which b's value is the greater, ties half.
double countGreater(std::span<const double> a, std::span<const double> b)
{
    double greater = 0;
    for (const double left : a)
        for (const double right : b)
            greater += right > left ? 1 : right == left ? 0.5 : 0;
    return greater;
}

/// Sum of t³ − t over groups of t equal values.
double tieTerm(std::span<const double> a, std::span<const double> b)
{
    std::vector<double> all(a.begin(), a.end());
    all.insert(all.end(), b.begin(), b.end());
    std::sort(all.begin(), all.end());
    double term = 0;
    for (auto first = all.begin(); first != all.end();) {
        const auto last = std::upper_bound(first, all.end(), *first);
        const auto count = static_cast<double>(last - first);
        term += count * count * count - count;
        first = last;
    }
    return term;
}

/// P(U ≥ u) for samples of n and m: ways to choose ranks, counted by sum.
double exactTail(std::size_t n, std::size_t m, double u)
{
    // ways[i][s]: sequences with i values of b so far and s pairs won, over the values in ascending order.
    const std::size_t most = n * m;
    std::vector<std::vector<double>> ways(m + 1, std::vector<double>(most + 1));
    ways[0][0] = 1;
    for (std::size_t taken = 0; taken < n + m;
         ++taken) { // the next value in order is one of b, which beats all of a before it, or one of a
        std::vector<std::vector<double>> next(m + 1, std::vector<double>(most + 1));
        for (std::size_t ofB = 0; ofB <= std::min(taken, m); ++ofB) {
            const std::size_t ofA = taken - ofB;
            if (ofA > n)
                continue;
            for (std::size_t sum = 0; sum <= most; ++sum) {
                if (ways[ofB][sum] == 0)
                    continue;
                if (ofA < n)
                    next[ofB][sum] += ways[ofB][sum];
                if (ofB < m && sum + ofA <= most)
                    next[ofB + 1][sum + ofA] += ways[ofB][sum];
            }
        }
        ways = std::move(next);
    }
    double tail = 0;
    double all = 0;
    for (std::size_t sum = 0; sum <= most; ++sum) {
        all += ways[m][sum];
        tail += static_cast<double>(sum) >= u ? ways[m][sum] : 0;
    }
    return tail / all;
}

/// How many of the sorted Walsh averages to leave out at either end for 95 %: the greatest k with P(W ≤ k − 1) ≤ 2.5 %.
std::size_t leftOut(std::size_t n)
{
    std::vector<double> ways(n * (n + 1) / 2 + 1);
    ways[0] = 1;
    for (std::size_t rank = 1; rank <= n; ++rank)
        for (std::size_t sum = ways.size(); sum-- > rank;)
            ways[sum] += ways[sum - rank];
    const double all = std::pow(2.0, static_cast<double>(n));
    double below = 0;
    for (std::size_t k = 0; k < ways.size(); ++k) {
        below += ways[k];
        if (below / all > 0.025)
            return k;
    }
    return 0;
}

} // namespace

double medianOf(std::span<const double> values)
{
    if (values.empty())
        return 0;
    std::vector<double> sorted(values.begin(), values.end());
    std::sort(sorted.begin(), sorted.end());
    const std::size_t middle = sorted.size() / 2;
    return sorted.size() % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

RankTest mannWhitney(std::span<const double> a, std::span<const double> b)
{
    if (a.empty() || b.empty())
        return {};
    const auto n = static_cast<double>(a.size());
    const auto m = static_cast<double>(b.size());
    const double u = countGreater(a, b);
    RankTest test;
    test.superiority = u / (n * m);
    const double ties = tieTerm(a, b);
    if (ties == 0 && a.size() <= kMostExact && b.size() <= kMostExact) {
        test.pValue = exactTail(a.size(), b.size(), u);
        return test;
    }
    const double all = n + m;
    const double variance = n * m / 12 * (all + 1 - ties / (all * (all - 1)));
    test.pValue = variance > 0 ? std::erfc((u - n * m / 2 - 0.5) / std::sqrt(2 * variance)) / 2 : 1;
    return test;
}

Location hodgesLehmann(std::span<const double> values)
{
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    Location location{0, {-kInfinity, kInfinity}};
    std::vector<double> walsh;
    for (std::size_t i = 0; i < values.size(); ++i)
        for (std::size_t j = i; j < values.size(); ++j)
            walsh.push_back((values[i] + values[j]) / 2);
    if (walsh.empty())
        return location;
    std::sort(walsh.begin(), walsh.end());
    location.estimate = medianOf(walsh);
    if (values.size() < kLeastForInterval)
        return location;
    const std::size_t cut = leftOut(values.size());
    if (cut > 0)
        location.interval95 = {walsh[cut - 1], walsh[walsh.size() - cut]};
    return location;
}

} // namespace model

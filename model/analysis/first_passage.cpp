// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/analysis/first_passage.h"

#include "model/analysis/random.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace model {

namespace {

constexpr std::size_t kGridPoints = 400;
constexpr std::size_t kBandPoints = 60;
constexpr std::array kBandShares{0.05, 0.25, 0.5, 0.75, 0.95};
constexpr std::size_t kStopCheckPaths = 64;

/// Moments in blocks after the last one, with distances that grow: early crossings are seen as sharply as late ones.
std::vector<double> makeGrid(double horizonBlocks)
{
    std::vector<double> grid;
    for (std::size_t i = 1; i <= kGridPoints; ++i) {
        const double part = static_cast<double>(i) / kGridPoints;
        grid.push_back(horizonBlocks * part * part);
    }
    return grid;
}

/// Grid points that lie nearest to equal distances.
std::vector<std::size_t> bandPoints(const std::vector<double> &grid)
{
    std::vector<std::size_t> points;
    for (std::size_t i = 1; i <= kBandPoints; ++i) {
        const double wanted = grid.back() * static_cast<double>(i) / kBandPoints;
        const auto at
            = static_cast<std::size_t>(std::lower_bound(grid.begin(), grid.end(), wanted * (1 - 1e-9)) - grid.begin());
        if (points.empty() || points.back() < at)
            points.push_back(std::min(at, grid.size() - 1));
    }
    return points;
}

/// Draws paths of one model.
class PathMaker
{
public:
    PathMaker(const FutureModel &model, const std::vector<double> &grid)
        : m_model(model)
        , m_root00(std::sqrt(std::max(model.fit.levelVariance, 0.0)))
        , m_root10(m_root00 > 0 ? model.fit.covariance / m_root00 : 0)
        , m_root11(std::sqrt(std::max(0.0, model.fit.driftVariance - m_root10 * m_root10)))
        , m_noise(std::sqrt(model.fit.errorVariance))
    {
        double before = 0;
        for (const double blocks : grid) {
            m_steps.push_back(std::sqrt(model.fit.stepVariance() * (blocks - before)));
            before = blocks;
        }
    }

    void draw(Random &random, const std::vector<double> &grid, std::vector<double> &path) const
    {
        const double wide = m_model.inflation * std::sqrt(m_model.degrees / random.chiSquare(m_model.degrees));
        const double z0 = random.normal() * wide;
        const double z1 = random.normal() * wide;
        double level = m_model.fit.level + m_root00 * z0;
        const double drift = m_model.fit.drift + m_root10 * z0 + m_root11 * z1;
        double before = 0;
        const bool isWalk = m_model.fit.stepRatio > 0;
        for (std::size_t i = 0; i < grid.size(); ++i) {
            level += drift * (grid[i] - before) + (isWalk ? random.normal() * m_steps[i] * wide : 0);
            before = grid[i];
            path[i] = level + random.normal() * m_noise;
        }
    }

private:
    const FutureModel &m_model;
    double m_root00;
    double m_root10;
    double m_root11;
    double m_noise;
    std::vector<double> m_steps;
};

double firstPassage(const std::vector<double> &path, const std::vector<double> &grid, double limit)
{
    const auto hit = std::find_if(path.begin(), path.end(), [limit](double value) { return value >= limit; });
    if (hit == path.end())
        return std::numeric_limits<double>::infinity();
    const auto i = static_cast<std::size_t>(hit - path.begin());
    return (grid[i] + (i == 0 ? 0 : grid[i - 1])) / 2;
}

} // namespace

double sortedQuantile(std::span<const double> sorted, double share)
{
    const double rank = share * static_cast<double>(sorted.size() - 1);
    const auto below = static_cast<std::size_t>(rank);
    const std::size_t above = std::min(below + 1, sorted.size() - 1);
    const double part = rank - static_cast<double>(below);
    if (part == 0 || sorted[below] == sorted[above])
        return sorted[below];
    return sorted[below] + (sorted[above] - sorted[below]) * part;
}

std::optional<Futures> simulateFutures(
    std::span<const FutureModel> models, const FutureOptions &options, const std::stop_token &stop)
{
    const std::vector<double> grid = makeGrid(options.horizonBlocks);
    const std::vector<std::size_t> points = bandPoints(grid);
    std::vector<double> seasonal(grid.size(), 0);
    for (std::size_t i = 0; options.season && i < grid.size(); ++i)
        seasonal[i] = options.season->at(options.lastBlock + grid[i]);
    std::vector<std::vector<double>> columns(points.size());
    Futures futures;
    futures.otherPassages.resize(options.otherLimits.size());
    Random random(options.seed);
    std::vector<double> path(grid.size());
    double share = 0;
    for (const FutureModel &model : models) {
        const PathMaker maker(model, grid);
        share += model.weight;
        while (static_cast<double>(futures.passages.size()) < share * options.paths - 0.5) {
            if (futures.passages.size() % kStopCheckPaths == 0 && stop.stop_requested())
                return std::nullopt;
            maker.draw(random, grid, path);
            for (std::size_t i = 0; i < grid.size(); ++i)
                path[i] += seasonal[i];
            futures.passages.push_back(
                options.limit ? firstPassage(path, grid, *options.limit) : std::numeric_limits<double>::infinity());
            for (std::size_t i = 0; i < options.otherLimits.size(); ++i)
                futures.otherPassages[i].push_back(firstPassage(path, grid, options.otherLimits[i]));
            for (std::size_t i = 0; i < points.size(); ++i)
                columns[i].push_back(path[points[i]]);
        }
    }
    std::sort(futures.passages.begin(), futures.passages.end());
    for (std::vector<double> &passages : futures.otherPassages)
        std::sort(passages.begin(), passages.end());
    for (std::size_t i = 0; i < points.size(); ++i) {
        std::sort(columns[i].begin(), columns[i].end());
        FutureQuantiles quantiles{.blocks = grid[points[i]]};
        for (std::size_t q = 0; q < kBandShares.size(); ++q)
            quantiles.values[q] = sortedQuantile(columns[i], kBandShares[q]);
        futures.band.push_back(quantiles);
    }
    return futures;
}

} // namespace model

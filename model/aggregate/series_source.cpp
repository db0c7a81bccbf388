// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/aggregate/time_series.h"

#include <array>

namespace model {

namespace {

constexpr std::array<SeriesInfo, kHeapQuantityCount> kHeapInfos{{
    {"heap_live_bytes", "Live heap", Unit::Bytes},
    {"heap_live_blocks", "Live blocks", Unit::Count},
    {"allocations_per_second", "Allocations", Unit::PerSecond},
    {"allocated_bytes_per_second", "Allocated", Unit::BytesPerSecond},
    {"frees_per_second", "Frees", Unit::PerSecond},
    {"temporary_per_second", "Temporary allocations", Unit::PerSecond},
}};

constexpr std::array<SeriesInfo, kCpuQuantityCount> kCpuInfos{{
    {"cpu_percent", "CPU", Unit::Percent},
    {"cpu_sampled_percent", "CPU, sampled", Unit::Percent},
}};

} // namespace

SeriesInfo seriesInfo(const SeriesSource &source)
{
    if (const auto *quantity = std::get_if<HeapQuantity>(&source))
        return kHeapInfos[static_cast<std::size_t>(*quantity)];
    if (const auto *quantity = std::get_if<CpuQuantity>(&source))
        return kCpuInfos[static_cast<std::size_t>(*quantity)];
    const MetricInfo &info = metricInfo(std::get<Metric>(source));
    return {info.key, info.label, unitOf(info.unit)};
}

std::vector<SeriesSource> seriesSources()
{
    std::vector<SeriesSource> sources;
    for (std::size_t i = 0; i < kHeapQuantityCount; ++i)
        sources.emplace_back(static_cast<HeapQuantity>(i));
    for (std::size_t i = 0; i < kCpuQuantityCount; ++i)
        sources.emplace_back(static_cast<CpuQuantity>(i));
    for (const MetricInfo &info : kMetrics)
        sources.emplace_back(info.metric);
    return sources;
}

std::optional<SeriesSource> seriesSourceOf(std::string_view key)
{
    for (const SeriesSource &source : seriesSources())
        if (seriesInfo(source).key == key)
            return source;
    return std::nullopt;
}

} // namespace model

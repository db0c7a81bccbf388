// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>

namespace model {

/// A quantity read from /proc or the cgroup at each tick. The order is the order of kMetrics.
enum class Metric : std::uint8_t {
    Rss,
    Pss,
    Anonymous,
    FileBacked,
    Shared,
    Swap,
    VirtualSize,
    CpuUser,
    CpuSystem,
    Threads,
    OpenFiles,
    VoluntarySwitches,
    InvoluntarySwitches,
    MinorFaults,
    MajorFaults,
    ReadBytes,
    WrittenBytes,
    MemoryLimit,
    CgroupMemory,
    MemoryPressure,
    SystemAvailable,
    AddressLimit,  ///< soft RLIMIT_AS; binds VirtualSize
    OpenFileLimit, ///< soft RLIMIT_NOFILE
    ThreadLimit,   ///< how many threads the process could have: the least of what group, user and machine leave it
    DiskUsed,      ///< of the file system that the recorded processes write to and that has least left, by whomever
    DiskSize,      ///< DiskUsed plus what a user may still take of it
    ReadCalls,     ///< system calls that read, as the kernel counts them; see also CaptureConfig::systemCalls
    WriteCalls,
    RssPeak, ///< the most within the tick, as far as the kernel says
};
inline constexpr std::size_t kMetricCount = static_cast<std::size_t>(Metric::RssPeak) + 1;

enum class MetricUnit : std::uint8_t {
    Bytes,
    BytesPerSecond,
    MilliPercent, ///< thousandths of a percent of one core: 100,000 is one core fully busy
    Count,
    PerSecond,
};

/// How a metric is named and read.
struct MetricInfo
{
    Metric metric;
    std::string_view key;   ///< snake_case with unit suffix; the column in the session and the key in reports
    std::string_view label; ///< for people
    MetricUnit unit;
};

/// All metrics, indexed by Metric. Rates are means over the tick; levels are values at its end, but for RssPeak.
inline constexpr std::array<MetricInfo, kMetricCount> kMetrics{{
    {Metric::Rss, "rss_bytes", "Resident memory", MetricUnit::Bytes},
    {Metric::Pss, "pss_bytes", "Proportional share", MetricUnit::Bytes},
    {Metric::Anonymous, "anonymous_bytes", "Anonymous", MetricUnit::Bytes},
    {Metric::FileBacked, "file_bytes", "File-backed", MetricUnit::Bytes},
    {Metric::Shared, "shared_bytes", "Shared memory", MetricUnit::Bytes},
    {Metric::Swap, "swap_bytes", "Swapped out", MetricUnit::Bytes},
    {Metric::VirtualSize, "virtual_bytes", "Virtual size", MetricUnit::Bytes},
    {Metric::CpuUser, "cpu_user_millipercent", "CPU, user", MetricUnit::MilliPercent},
    {Metric::CpuSystem, "cpu_system_millipercent", "CPU, system", MetricUnit::MilliPercent},
    {Metric::Threads, "threads_count", "Threads", MetricUnit::Count},
    {Metric::OpenFiles, "open_files_count", "Open files", MetricUnit::Count},
    {Metric::VoluntarySwitches, "voluntary_switches_per_second", "Voluntary switches", MetricUnit::PerSecond},
    {Metric::InvoluntarySwitches, "involuntary_switches_per_second", "Involuntary switches", MetricUnit::PerSecond},
    {Metric::MinorFaults, "minor_faults_per_second", "Minor page faults", MetricUnit::PerSecond},
    {Metric::MajorFaults, "major_faults_per_second", "Major page faults", MetricUnit::PerSecond},
    {Metric::ReadBytes, "read_bytes_per_second", "Read", MetricUnit::BytesPerSecond},
    {Metric::WrittenBytes, "written_bytes_per_second", "Written", MetricUnit::BytesPerSecond},
    {Metric::MemoryLimit, "memory_limit_bytes", "Memory limit", MetricUnit::Bytes},
    {Metric::CgroupMemory, "cgroup_memory_bytes", "Memory of the control group", MetricUnit::Bytes},
    {Metric::MemoryPressure, "memory_pressure_millipercent", "Memory pressure (some, 10 s)", MetricUnit::MilliPercent},
    {Metric::SystemAvailable, "system_available_bytes", "Available on the system", MetricUnit::Bytes},
    {Metric::AddressLimit, "address_limit_bytes", "Limit of the address space", MetricUnit::Bytes},
    {Metric::OpenFileLimit, "open_file_limit_count", "Limit of open files", MetricUnit::Count},
    {Metric::ThreadLimit, "thread_limit_count", "Limit of threads", MetricUnit::Count},
    {Metric::DiskUsed, "disk_used_bytes", "Disk used", MetricUnit::Bytes},
    {Metric::DiskSize, "disk_size_bytes", "Disk size", MetricUnit::Bytes},
    {Metric::ReadCalls, "read_calls_per_second", "Read calls", MetricUnit::PerSecond},
    {Metric::WriteCalls, "write_calls_per_second", "Write calls", MetricUnit::PerSecond},
    {Metric::RssPeak, "rss_peak_bytes", "Resident at most", MetricUnit::Bytes},
}};

constexpr const MetricInfo &metricInfo(Metric metric) { return kMetrics[static_cast<std::size_t>(metric)]; }

/// Whether all processes see the same value: it belongs to the machine or the control group, and is not added up.
constexpr bool isSharedByProcesses(Metric metric)
{
    return metric == Metric::MemoryLimit || metric == Metric::CgroupMemory || metric == Metric::MemoryPressure
        || metric == Metric::SystemAvailable || metric == Metric::ThreadLimit || metric == Metric::DiskUsed
        || metric == Metric::DiskSize;
}

/// The values of all metrics of one process at one moment; a metric that could not be read is absent.
class MetricValues
{
public:
    MetricValues() { m_values.fill(kAbsent); }

    void set(Metric metric, std::int64_t value) { m_values[static_cast<std::size_t>(metric)] = value; }
    std::optional<std::int64_t> get(Metric metric) const
    {
        const std::int64_t value = m_values[static_cast<std::size_t>(metric)];
        return value == kAbsent ? std::nullopt : std::optional(value);
    }

private:
    static constexpr std::int64_t kAbsent = std::numeric_limits<std::int64_t>::min();
    std::array<std::int64_t, kMetricCount> m_values;
};

} // namespace model

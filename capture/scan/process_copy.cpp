// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/scan/process_copy.h"

#include "capture/proc/memory_maps.h"

#include <fmt/format.h>
#include <pthread.h>
#include <time.h>

#include <optional>
#include <thread>
#include <utility>

namespace capture {

namespace {

constexpr std::chrono::milliseconds kStopLimit{1000};

std::int64_t monotonicNs()
{
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

model::Result<ProcessCopy> copyStopped(CopyRequest &request)
{
    WordReader reader(request.pid, request.filter);
    ProcessCopy copy;
    std::unique_lock<std::mutex> held = request.hold();
    const std::int64_t begin = monotonicNs();
    auto stopped = StoppedProcess::stop(request.pid, kStopLimit);
    if (!stopped)
        return stopped.error();
    copy.stoppedAtNs = monotonicNs();
    request.interruptedCalls = stopped->interruptedCalls();
    const bool isGoodMoment = request.onStopped();
    held.unlock();
    if (!isGoodMoment || (stopped->missedThreads() > 0 && !request.mayMissThreads)) {
        stopped->resume();
        request.stopNs = monotonicNs() - begin;
        return model::Error(std::string());
    }
    copy.mappings = readMaps(request.pid);
    copy.regions = scanRegions(copy.mappings, stopped->threads(), request.known);
    bool isWhole = true;
    for (const ScanRegion &region : copy.regions)
        isWhole = isWhole && reader.read(region.begin, region.end, *request.words);
    stopped->resume();
    request.stopNs = monotonicNs() - begin;
    if (copy.regions.empty())
        return model::Error(fmt::format("The mappings of process {} cannot be read", request.pid));
    if (!isWhole)
        return model::Error(fmt::format("There is not enough memory to look through process {}", request.pid));
    copy.pid = request.pid;
    copy.threads = stopped->threads();
    copy.missedThreads = stopped->missedThreads();
    copy.scannedBytes = reader.scannedBytes();
    copy.unreadableBytes = reader.unreadableBytes();
    copy.words = std::move(request.words);
    return copy;
}

} // namespace

model::Result<ProcessCopy> copyProcess(CopyRequest &request)
{
    std::optional<model::Result<ProcessCopy>> result;
    std::thread tracer([&] {
        ::pthread_setname_np(::pthread_self(), "heap-scan-stop");
        result.emplace(copyStopped(request));
    });
    tracer.join();
    return std::move(*result);
}

} // namespace capture

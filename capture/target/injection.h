// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "capture/target/safe_point.h"
#include "capture/target/tracer_injector.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace capture {

/// One command: looks for a thread, borrows it, and keeps count.
class Injection
{
public:
    Injection(std::int32_t pid, const TracerInjector::Options &options)
        : m_options(options)
        , m_process(pid)
    {
    }

    model::Result<InjectionReport> run(const wire::AttachCommand &command);

private:
    model::Result<void> findPlaces();
    std::optional<std::string> presentTracer() const;
    model::Result<std::string> tracerPath() const;
    /// To be called again and again as long as a call runs: one of them may hold what the call waits for.
    void releaseReluctant();
    bool tryThread(std::int32_t tid, const std::string &path, SafePoint &safePoint);

    const TracerInjector::Options &m_options;
    RemoteProcess m_process;
    std::optional<RemoteLibrary> m_libc;
    InjectionPlaces m_places;
    InjectionReport m_report;
    std::string m_obstacle = "none of its threads could be stopped";
    model::Result<void> m_outcome;
    std::vector<std::unique_ptr<TracedThread>> m_reluctant; ///< asked to stop, and did not in time: let go when they do
};

} // namespace capture

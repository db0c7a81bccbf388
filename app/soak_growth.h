// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "capture/file_descriptor.h"
#include "model/base/units.h"

#include <cstdint>
#include <optional>
#include <string>

namespace app {

/// Asks beside a recording how fast its worst leaking stack grows: a second genprof reads the growing session, so that neither its time nor its memory
/// are the recorder's (nor does closing a file of SQLite's in this process take its locks away). One thread.
class SoakGrowth
{
public:
    SoakGrowth() = default;
    SoakGrowth(const SoakGrowth &) = delete;
    SoakGrowth &operator=(const SoakGrowth &) = delete;
    /// Ends a question that is not answered.
    ~SoakGrowth();

    bool isAsking() const { return m_pid != 0; }
    /// Begins to ask about the session at `path`. What cannot be started is not asked.
    void ask(const std::string &path);
    /// The answer, once: upper end of the bytes an hour that the fastest stack of the tier "growing" keeps; 0: none. Never waits.
    std::optional<double> look();

private:
    std::int32_t m_pid = 0;
    capture::FileDescriptor m_output;
};

/// Reads the answer from a leak report in JSON; 0 for anything else.
double worstGrowth(const std::string &leaksJson);

} // namespace app

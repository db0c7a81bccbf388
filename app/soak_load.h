// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "capture/file_descriptor.h"
#include "capture/target/inherited_state.h"
#include "model/base/result.h"
#include "model/base/units.h"

#include <cstdint>
#include <optional>
#include <string>

namespace app {

/// How a run of a load ended.
struct LoadEnd
{
    int waitStatus = 0;   ///< as waitpid gives it
    std::string lastLine; ///< that it wrote to its standard error; cut
};

/// One run of a shell command in a process group of its own, with nothing on its standard input and its output thrown away. A small process of ours
/// stands between: it ends the group when this object or the whole recorder goes, however that happens. Needs Linux 5.9. One thread.
class SoakLoad
{
public:
    /// Fails when no process can be made. `inherited`: what the command starts with, as the recorder found it.
    static model::Result<SoakLoad> start(const std::string &command, const capture::InheritedState &inherited);

    SoakLoad(SoakLoad &&) noexcept;
    SoakLoad &operator=(SoakLoad &&) noexcept;
    /// Ends it.
    ~SoakLoad();

    /// How it ended; empty while it runs. Never waits.
    std::optional<LoadEnd> look();

    /// Ends it and all of its group: SIGTERM, and SIGKILL two seconds later. Waits for that.
    void stop();
    /// The same without waiting for the end.
    void askToStop() { m_alive.reset(); }

    /// Between the two signals.
    static constexpr model::Duration kGrace = model::Duration::fromMs(2000);

private:
    SoakLoad(std::int32_t keeper, capture::FileDescriptor alive, capture::FileDescriptor report);

    std::int32_t m_keeper = 0;       ///< our process; 0: collected
    capture::FileDescriptor m_alive; ///< the keeper ends the group when this is closed
    capture::FileDescriptor m_report;
};

} // namespace app

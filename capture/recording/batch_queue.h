// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "capture/recording/batch_sink.h"

#include <optional>
#include <string>

namespace capture {

/// Stands between the recorder and its sink: what the sink could not take (a full disk) is merged with what follows and
/// offered again at the next tick, so that nothing is lost but its resolution in time. Capture thread.
class BatchQueue
{
public:
    /// `sink` must outlive this.
    explicit BatchQueue(BatchSink &sink);

    /// Writes `batch` and all that was kept before. On failure everything is kept, and the error says why.
    model::Result<void> write(model::EventBatch batch, model::TableBuilder &tables);

    /// What is kept in memory because it could not be written; nothing when all is written.
    std::optional<model::Unwritten> unwritten() const;

private:
    BatchSink &m_sink;
    std::optional<model::EventBatch> m_kept;
    std::string m_reason; ///< why the last write failed
};

} // namespace capture

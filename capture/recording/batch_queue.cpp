// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/recording/batch_queue.h"

#include "capture/recording/batch_merge.h"

#include <utility>

namespace capture {

BatchQueue::BatchQueue(BatchSink &sink)
    : m_sink(sink)
{
}

model::Result<void> BatchQueue::write(model::EventBatch batch, model::TableBuilder &tables)
{
    if (m_kept)
        mergeInto(*m_kept, std::move(batch));
    else
        m_kept = std::move(batch);
    model::Result<void> written = m_sink.write(*m_kept, tables);
    if (written)
        m_kept.reset();
    return written;
}

std::optional<model::TimeRange> BatchQueue::unwritten() const
{
    if (!m_kept || m_kept->span.isEmpty())
        return std::nullopt;
    return m_kept->span;
}

} // namespace capture

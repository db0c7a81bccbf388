// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/recording/batch_queue.h"

#include "capture/recording/batch_merge.h"

#include <utility>

namespace capture {

namespace {

/// "the disk is full", of "Cannot write FILE: the disk is full; make room on it". What to try may have colons of its own.
std::string causeOf(const model::Error &error)
{
    const std::string text = error.text().substr(0, error.text().rfind("; "));
    const auto colon = text.rfind(": ");
    return colon == std::string::npos ? text : text.substr(colon + 2);
}

} // namespace

BatchQueue::BatchQueue(BatchSink &sink)
    : m_sink(sink)
{
}

model::Result<void> BatchQueue::write(model::EventBatch batch, model::TableBuilder &tables)
{
    if (m_kept) {
        // One tick less than there should be, which those who look later must know.
        if (!m_kept->span.isEmpty() && !batch.span.isEmpty())
            batch.losses.push_back({model::LossKind::TicksDelayed, {}, 1, {}});
        mergeInto(*m_kept, std::move(batch));
    } else {
        m_kept = std::move(batch);
    }
    model::Result<void> written = m_sink.write(*m_kept, tables);
    if (written)
        m_kept.reset();
    else
        m_reason = causeOf(written.error());
    return written;
}

std::optional<model::Unwritten> BatchQueue::unwritten() const
{
    if (!m_kept || m_kept->span.isEmpty())
        return std::nullopt;
    model::Unwritten result{.from = m_kept->span.begin, .length = m_kept->span.length(), .reason = m_reason};
    for (const model::HeapTick &heap : m_kept->heapTicks)
        result.heapEvents += heap.allocations + heap.frees;
    for (const model::CpuDelta &cpu : m_kept->cpu)
        result.cpuSamples += cpu.samples;
    return result;
}

} // namespace capture

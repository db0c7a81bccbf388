// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/heap/event_decoder.h"

#include <utility>

namespace capture {

void EventDecoder::next(HeapEvent &event)
{
    event.type = wire::RecordType::None;
    while (m_ring.available() > 0) {
        const wire::Record record = m_ring.peek(0);
        m_ring.pop();
        switch (record.type()) {
        case wire::RecordType::Malloc:
        case wire::RecordType::Free:
        case wire::RecordType::ReallocBegin:
        case wire::RecordType::ReallocEnd:
        case wire::RecordType::ReallocFailed:
        case wire::RecordType::Order:
        case wire::RecordType::Map:
        case wire::RecordType::Unmap:
        case wire::RecordType::PoolAlloc:
        case wire::RecordType::PoolFree:
        case wire::RecordType::Text:
        case wire::RecordType::Note: {
            m_units += record.timeDelta();
            event.node = record.node();
            event.pointer = record.pointer() | m_widePointer;
            event.size = record.size() | m_wideSize;
            event.units = m_units;
            m_widePointer = 0;
            m_wideSize = 0;
            if (event.size >= kMostEventBytes) {
                ++m_badRecords;
                continue;
            }
            // No allocator gives 0, and the live table takes it for an empty place.
            const wire::RecordType type = record.type();
            if (event.pointer == 0
                && (type == wire::RecordType::Malloc || type == wire::RecordType::Free
                    || type == wire::RecordType::ReallocBegin)) {
                ++m_badRecords;
                continue;
            }
            event.type = type;
            return;
        }
        case wire::RecordType::Time:
            m_units = record.absoluteTime();
            break;
        case wire::RecordType::Wide:
            m_widePointer = record.widePointer();
            m_wideSize = record.wideSize();
            break;
        case wire::RecordType::Jump:
            jump();
            break;
        default:
            ++m_badRecords;
            break;
        }
    }
}

void EventDecoder::jump()
{
    const LeftRing left{m_ring.offset(), static_cast<std::uint32_t>(m_ring.records())};
    if (m_ring.follow())
        m_left = left;
    else
        ++m_badRecords;
}

void EventDecoder::startThread()
{
    m_units = 0;
    m_widePointer = 0;
    m_wideSize = 0;
}

EventDecoder::LeftRing EventDecoder::takeLeftRing() { return std::exchange(m_left, {}); }

std::uint64_t EventDecoder::takeBadRecords() { return std::exchange(m_badRecords, 0); }

} // namespace capture

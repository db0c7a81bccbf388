// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/perf/trace_record.h"

#include "capture/perf/record_fields.h"

#include <cstring>

namespace capture {

namespace {

constexpr std::uint32_t kRecordLostSamples = 13;
constexpr std::size_t kTrailerBytes = 32; ///< who, when, where, which event
constexpr std::size_t kTracepointHeader = 8;

/// Who, when and where, at the begin of a sample.
void takeBase(RecordFields &fields, PerfRecord &record)
{
    fields.take<std::uint64_t>(); // the event's id
    record.pid = fields.take<std::int32_t>();
    record.tid = fields.take<std::int32_t>();
    record.timeNs = fields.take<std::uint64_t>();
    record.cpu = fields.take<std::uint32_t>();
    fields.take<std::uint32_t>();
}

/// The tracepoint's own record: what all have, then its fields.
RecordFields takeRaw(RecordFields &fields)
{
    RecordFields raw(fields.bytes(fields.take<std::uint32_t>()));
    raw.bytes(kTracepointHeader);
    return raw;
}

struct Place
{
    std::uint64_t pc = 0, sp = 0;
};

Place takePlace(RecordFields &fields)
{
    Place place;
    if (fields.take<std::uint64_t>() == PERF_SAMPLE_REGS_ABI_NONE)
        return place;
    place.sp = fields.take<std::uint64_t>();
    place.pc = fields.take<std::uint64_t>();
    return place;
}

bool decodeEnter(RecordFields &fields, PerfRecord &record)
{
    RecordFields raw = takeRaw(fields);
    const auto number = raw.take<std::int64_t>();
    raw.take<std::uint64_t>(); // the first argument
    const auto second = raw.take<std::uint64_t>();
    const Place place = takePlace(fields);
    record.content = CallEntered{static_cast<std::uint32_t>(number), place.pc, place.sp, second};
    return !raw.failed() && !fields.failed();
}

bool decodeExit(RecordFields &fields, PerfRecord &record)
{
    RecordFields raw = takeRaw(fields);
    CallReturned returned;
    returned.number = raw.take<std::int64_t>();
    returned.result = raw.take<std::int64_t>();
    record.content = returned;
    return !raw.failed();
}

bool decodeStack(RecordFields &fields, TraceRecordKind kind, PerfRecord &record)
{
    CopiedUserStack stack;
    stack.isOfSwitch = kind == TraceRecordKind::SwitchStack;
    stack.sample.isInKernel = true;
    if (stack.isOfSwitch) {
        const auto count = fields.take<std::uint64_t>();
        if (fields.failed() || count > fields.remaining() / 8)
            return false;
        for (std::uint64_t i = 0; i < count; ++i)
            if (const auto pc = fields.take<std::uint64_t>(); pc < PERF_CONTEXT_MAX) // above: marks of parts
                stack.sample.kernelChain.push_back(pc);
    }
    const bool isWhole = decodeUserSide(fields, stack.sample);
    stack.sample.pc = stack.sample.registers.pc();
    record.content = std::move(stack);
    return isWhole;
}

bool decodeSample(RecordFields &fields, TraceRecordKind kind, PerfRecord &record)
{
    takeBase(fields, record);
    switch (kind) {
    case TraceRecordKind::Enter:
        return decodeEnter(fields, record);
    case TraceRecordKind::Exit:
        return decodeExit(fields, record);
    case TraceRecordKind::EnterStack:
    case TraceRecordKind::SwitchStack:
        return decodeStack(fields, kind, record);
    case TraceRecordKind::Switch:
    case TraceRecordKind::Unknown:
        break;
    }
    return false;
}

} // namespace

std::uint64_t traceRecordId(std::span<const std::uint8_t> bytes)
{
    perf_event_header header = {};
    std::uint64_t id = 0;
    if (bytes.size() < sizeof(header) + sizeof(id))
        return 0;
    std::memcpy(&header, bytes.data(), sizeof(header));
    const std::size_t at = header.type == PERF_RECORD_SAMPLE ? sizeof(header) : bytes.size() - sizeof(id);
    std::memcpy(&id, bytes.data() + at, sizeof(id));
    return id;
}

DecodeResult decodeTraceRecord(std::span<const std::uint8_t> bytes, TraceRecordKind kind, PerfRecord &record)
{
    RecordFields fields(bytes);
    const auto header = fields.take<perf_event_header>();
    if (fields.failed() || header.size != bytes.size())
        return DecodeResult::Bad;
    record = {};
    if (header.type == PERF_RECORD_SAMPLE)
        return decodeSample(fields, kind, record) && !fields.failed() ? DecodeResult::Decoded : DecodeResult::Bad;
    const bool isLost = header.type == PERF_RECORD_LOST || header.type == kRecordLostSamples;
    if (!isLost && header.type != PERF_RECORD_SWITCH)
        return DecodeResult::Ignored;
    RecordFields trailer(fields.back(kTrailerBytes));
    record.pid = trailer.take<std::int32_t>();
    record.tid = trailer.take<std::int32_t>();
    record.timeNs = trailer.take<std::uint64_t>();
    record.cpu = trailer.take<std::uint32_t>();
    if (header.type == PERF_RECORD_SWITCH) {
        record.content = ThreadSwitched{
            (header.misc & PERF_RECORD_MISC_SWITCH_OUT) != 0, (header.misc & PERF_RECORD_MISC_SWITCH_OUT_PREEMPT) != 0};
    } else {
        if (header.type == PERF_RECORD_LOST)
            fields.take<std::uint64_t>(); // the event's id
        record.content = PerfLost{fields.take<std::uint64_t>()};
    }
    return trailer.failed() || fields.failed() ? DecodeResult::Bad : DecodeResult::Decoded;
}

} // namespace capture

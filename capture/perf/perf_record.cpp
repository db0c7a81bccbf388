// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/perf/perf_record.h"

#include "capture/perf/perf_event.h"
#include "capture/perf/record_fields.h"
#include "capture/symbols/build_id.h"

#include <asm/perf_regs.h>
#include <sys/mman.h>

#include <bit>
#include <cstring>
#include <iterator>

namespace capture {

namespace {

constexpr std::uint32_t kRecordLostSamples = 13;
constexpr std::uint16_t kMiscBuildId = 1U << 14;

/// DWARF numbers of the registers of kCpuRegisters, in the order of its bits.
constexpr unsigned kRegisterOrder[] = {unwind::reg::kRax, unwind::reg::kRbx, unwind::reg::kRcx, unwind::reg::kRdx,
    unwind::reg::kRsi, unwind::reg::kRdi, unwind::reg::kRbp, unwind::reg::kRsp, unwind::reg::kReturnAddress,
    unwind::reg::kR8, unwind::reg::kR9, unwind::reg::kR10, unwind::reg::kR11, unwind::reg::kR12, unwind::reg::kR13,
    unwind::reg::kR14, unwind::reg::kR15};
static_assert(std::ssize(kRegisterOrder) == std::popcount(kCpuRegisters));

bool decodeSample(RecordFields &fields, std::uint16_t misc, PerfRecord &record)
{
    PerfSample sample;
    sample.isInKernel = (misc & PERF_RECORD_MISC_CPUMODE_MASK) == PERF_RECORD_MISC_KERNEL;
    sample.pc = fields.take<std::uint64_t>();
    record.pid = fields.take<std::int32_t>();
    record.tid = fields.take<std::int32_t>();
    record.timeNs = fields.take<std::uint64_t>();
    record.cpu = fields.take<std::uint32_t>();
    fields.take<std::uint32_t>();
    sample.period = fields.take<std::uint64_t>();

    const auto chainCount = fields.take<std::uint64_t>();
    if (fields.failed() || chainCount > fields.remaining() / 8)
        return false;
    for (std::uint64_t i = 0; i < chainCount; ++i) {
        const auto pc = fields.take<std::uint64_t>();
        if (pc < PERF_CONTEXT_MAX) // what lies above marks the parts of the chain
            sample.kernelChain.push_back(pc);
    }

    if (!decodeUserSide(fields, sample))
        return false;
    record.content = std::move(sample);
    return !fields.failed();
}

bool decodeMapping(RecordFields &fields, std::uint16_t misc, PerfRecord &record)
{
    PerfMapping mapping;
    record.pid = fields.take<std::int32_t>();
    record.tid = fields.take<std::int32_t>();
    mapping.begin = fields.take<std::uint64_t>();
    mapping.bytes = fields.take<std::uint64_t>();
    mapping.fileOffset = fields.take<std::uint64_t>();
    if ((misc & kMiscBuildId) != 0) {
        const auto count = fields.take<std::uint8_t>();
        fields.bytes(3);
        const auto id = fields.bytes(20);
        if (fields.failed() || count > id.size())
            return false;
        mapping.buildId = hexOf(id.first(count));
    } else {
        mapping.major = fields.take<std::uint32_t>();
        mapping.minor = fields.take<std::uint32_t>();
        mapping.inode = fields.take<std::uint64_t>();
        fields.take<std::uint64_t>(); // inode generation
    }
    mapping.isExecutable = (fields.take<std::uint32_t>() & PROT_EXEC) != 0;
    fields.take<std::uint32_t>(); // flags
    mapping.path = fields.text();
    record.content = std::move(mapping);
    return !fields.failed();
}

bool decodeContent(RecordFields &fields, const perf_event_header &header, PerfRecord &record)
{
    switch (header.type) {
    case PERF_RECORD_MMAP2:
        return decodeMapping(fields, header.misc, record);
    case PERF_RECORD_COMM:
        record.pid = fields.take<std::int32_t>();
        record.tid = fields.take<std::int32_t>();
        record.content = PerfName{fields.text(), (header.misc & PERF_RECORD_MISC_COMM_EXEC) != 0};
        return !fields.failed();
    case PERF_RECORD_FORK:
    case PERF_RECORD_EXIT: {
        record.pid = fields.take<std::int32_t>();
        PerfFork fork;
        fork.parentPid = fields.take<std::int32_t>();
        record.tid = fields.take<std::int32_t>();
        fork.parentTid = fields.take<std::int32_t>();
        if (header.type == PERF_RECORD_FORK)
            record.content = fork;
        else
            record.content = PerfExit{};
        return !fields.failed();
    }
    case PERF_RECORD_LOST:
        fields.take<std::uint64_t>(); // the event's id
        record.content = PerfLost{fields.take<std::uint64_t>()};
        return !fields.failed();
    case kRecordLostSamples:
        record.content = PerfLost{fields.take<std::uint64_t>()};
        return !fields.failed();
    default: // throttle
        record.content = PerfThrottle{};
        return true;
    }
}

} // namespace

bool decodeUserSide(RecordFields &fields, PerfSample &sample)
{
    if (const auto abi = fields.take<std::uint64_t>(); abi != PERF_SAMPLE_REGS_ABI_NONE) {
        for (const unsigned number : kRegisterOrder)
            sample.registers.set(number, fields.take<std::uint64_t>());
        sample.hasRegisters = abi == PERF_SAMPLE_REGS_ABI_64;
        sample.is32Bit = abi == PERF_SAMPLE_REGS_ABI_32;
    }
    if (const auto room = fields.take<std::uint64_t>(); room != 0) {
        const auto copied = fields.bytes(room);
        const auto used = fields.take<std::uint64_t>();
        if (fields.failed() || used > room)
            return false;
        sample.stack.assign(copied.begin(), copied.begin() + static_cast<std::ptrdiff_t>(used));
        sample.isStackCut = used == room;
    }
    return !fields.failed();
}

DecodeResult decodePerfRecord(std::span<const std::uint8_t> bytes, PerfRecord &record)
{
    RecordFields fields(bytes);
    const auto header = fields.take<perf_event_header>();
    if (fields.failed() || header.size != bytes.size())
        return DecodeResult::Bad;
    record = {};
    switch (header.type) {
    case PERF_RECORD_SAMPLE:
        return decodeSample(fields, header.misc, record) ? DecodeResult::Decoded : DecodeResult::Bad;
    case PERF_RECORD_MMAP2:
    case PERF_RECORD_COMM:
    case PERF_RECORD_FORK:
    case PERF_RECORD_EXIT:
    case PERF_RECORD_LOST:
    case kRecordLostSamples:
    case PERF_RECORD_THROTTLE:
        break;
    default:
        return DecodeResult::Ignored;
    }
    // sample_id_all: who, when and where stand at the end of every record that is no sample.
    RecordFields trailer(fields.back(24));
    if (fields.failed())
        return DecodeResult::Bad;
    record.pid = trailer.take<std::int32_t>();
    record.tid = trailer.take<std::int32_t>();
    record.timeNs = trailer.take<std::uint64_t>();
    record.cpu = trailer.take<std::uint32_t>();
    return decodeContent(fields, header, record) ? DecodeResult::Decoded : DecodeResult::Bad;
}

} // namespace capture

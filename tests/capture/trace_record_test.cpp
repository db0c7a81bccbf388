// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/perf/trace_record.h"
#include "tests/capture/perf_bytes.h"

#include <QTest>

using namespace capture;

namespace {

/// A sample up to where kinds differ: event 77, process 10, thread 11, time 5000, CPU 1.
PerfBytes head()
{
    PerfBytes record(PERF_RECORD_SAMPLE, PERF_RECORD_MISC_KERNEL);
    record.add(std::uint64_t{77}).add(std::int32_t{10}).add(std::int32_t{11}).add(std::uint64_t{5000});
    return record.add(std::uint32_t{1}).add(std::uint32_t{0});
}

PerfBytes &addEnter(PerfBytes &record)
{
    // The tracepoint's record: its header, the number, six arguments; then padding, and the registers.
    record.add(std::uint32_t{68}).add(std::uint64_t{0}).add(std::int64_t{202});
    for (std::uint64_t i = 1; i <= 6; ++i)
        record.add(i * 10);
    record.add(std::uint32_t{0});
    return record.add(std::uint64_t{PERF_SAMPLE_REGS_ABI_64}).add(std::uint64_t{0x7000}).add(std::uint64_t{0x401000});
}

std::vector<std::uint8_t> enter()
{
    PerfBytes record = head();
    return addEnter(record).bytes();
}

} // namespace

class TraceRecordTest : public QObject
{
    Q_OBJECT
private Q_SLOTS:
    void readsTheBeginAndEndOfACall()
    {
        PerfRecord record;
        QCOMPARE(traceRecordId(enter()), std::uint64_t{77});
        QVERIFY(decodeTraceRecord(enter(), TraceRecordKind::Enter, record) == DecodeResult::Decoded);
        QCOMPARE(record.pid, 10);
        QCOMPARE(record.tid, 11);
        QCOMPARE(record.timeNs, std::uint64_t{5000});
        const auto &call = std::get<CallEntered>(record.content);
        QCOMPARE(call.number, 202U);
        QCOMPARE(call.secondArgument, std::uint64_t{20});
        QCOMPARE(call.sp, std::uint64_t{0x7000});
        QCOMPARE(call.pc, std::uint64_t{0x401000});
        PerfBytes exit = head();
        exit.add(std::uint32_t{28})
            .add(std::uint64_t{0})
            .add(std::int64_t{202})
            .add(std::int64_t{-11})
            .add(std::uint32_t{0});
        QVERIFY(decodeTraceRecord(exit.bytes(), TraceRecordKind::Exit, record) == DecodeResult::Decoded);
        QCOMPARE(std::get<CallReturned>(record.content).result, std::int64_t{-11});
    }

    void readsASwitchAndItsStack()
    {
        PerfRecord record;
        PerfBytes out(PERF_RECORD_SWITCH, PERF_RECORD_MISC_SWITCH_OUT | PERF_RECORD_MISC_SWITCH_OUT_PREEMPT);
        out.trailer(10, 11, 6000, 1).add(std::uint64_t{78});
        QCOMPARE(traceRecordId(out.bytes()), std::uint64_t{78});
        QVERIFY(decodeTraceRecord(out.bytes(), TraceRecordKind::Switch, record) == DecodeResult::Decoded);
        QCOMPARE(record.timeNs, std::uint64_t{6000});
        QVERIFY(std::get<ThreadSwitched>(record.content).isOut && std::get<ThreadSwitched>(record.content).isPreempted);
        PerfBytes stack = head();
        stack.add(std::uint64_t{2}).add(std::uint64_t{PERF_CONTEXT_KERNEL}).add(std::uint64_t{0xffffffff81000010});
        stack.registers().add(std::uint64_t{16}).add(std::uint64_t{1}).add(std::uint64_t{2}).add(std::uint64_t{16});
        QVERIFY(decodeTraceRecord(stack.bytes(), TraceRecordKind::SwitchStack, record) == DecodeResult::Decoded);
        const auto &copied = std::get<CopiedUserStack>(record.content);
        QVERIFY(copied.isOfSwitch);
        QCOMPARE(copied.sample.kernelChain, std::vector<std::uint64_t>{0xffffffff81000010});
        QCOMPARE(copied.sample.stack.size(), std::size_t{16});
    }

    void refusesWhatGoesBeyondItsEnd()
    {
        const std::vector<std::uint8_t> whole = enter();
        PerfRecord record;
        for (std::size_t bytes = 0; bytes < whole.size(); bytes += 8) {
            std::vector<std::uint8_t> cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(bytes));
            if (bytes >= sizeof(perf_event_header)) {
                const auto size = static_cast<std::uint16_t>(bytes);
                std::memcpy(cut.data() + offsetof(perf_event_header, size), &size, sizeof(size));
            }
            QVERIFY(decodeTraceRecord(cut, TraceRecordKind::Enter, record) == DecodeResult::Bad);
        }
        PerfBytes raw = head();
        raw.add(std::uint32_t{0xffffffff}).add(std::uint32_t{0});
        QVERIFY(decodeTraceRecord(raw.bytes(), TraceRecordKind::Exit, record) == DecodeResult::Bad);
        PerfBytes chain = head();
        chain.add(~std::uint64_t{0}).add(std::uint64_t{1});
        QVERIFY(decodeTraceRecord(chain.bytes(), TraceRecordKind::SwitchStack, record) == DecodeResult::Bad);
        QVERIFY(decodeTraceRecord(whole, TraceRecordKind::Unknown, record) == DecodeResult::Bad);
    }
};

QTEST_APPLESS_MAIN(TraceRecordTest)
#include "trace_record_test.moc"

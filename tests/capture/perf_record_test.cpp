// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/perf/perf_record.h"
#include "tests/capture/perf_bytes.h"

#include <QTest>

#include <sys/mman.h>

#include <random>

using namespace capture;

namespace {

std::vector<std::uint8_t> wholeSample(std::uint64_t room = 32, std::uint64_t used = 16)
{
    PerfBytes record = PerfBytes::sampleHead();
    record.add(std::uint64_t{0}).registers().add(room);
    for (std::uint64_t i = 0; i < room / 8; ++i)
        record.add(0xabc0 + i);
    return record.add(used).bytes();
}

std::vector<std::uint8_t> wholeMapping()
{
    PerfBytes record(PERF_RECORD_MMAP2, PERF_RECORD_MISC_USER);
    record.add(std::int32_t{10}).add(std::int32_t{11}).add(std::uint64_t{0x7f0000000000}).add(std::uint64_t{0x3000});
    record.add(std::uint64_t{0x1000}).add(std::uint32_t{8}).add(std::uint32_t{1}).add(std::uint64_t{77});
    record.add(std::uint64_t{0}).add(std::uint32_t{PROT_READ | PROT_EXEC}).add(std::uint32_t{2});
    return record.text("/usr/lib/libx.so").trailer(10, 11, 6000, 0).bytes();
}

std::vector<std::uint8_t> wholeKernelSample()
{
    PerfBytes record = PerfBytes::sampleHead(PERF_RECORD_MISC_KERNEL);
    record.add(std::uint64_t{3}).add(static_cast<std::uint64_t>(PERF_CONTEXT_KERNEL));
    record.add(std::uint64_t{0xffffffff81000010}).add(std::uint64_t{0xffffffff81000020});
    return record.registers().add(std::uint64_t{0}).bytes();
}

} // namespace

class PerfRecordTest : public QObject
{
    Q_OBJECT
private Q_SLOTS:
    void readsASample()
    {
        PerfRecord record;
        QCOMPARE(decodePerfRecord(wholeSample(), record), DecodeResult::Decoded);
        const auto &sample = std::get<PerfSample>(record.content);
        QCOMPARE(record.pid, 10);
        QCOMPARE(record.tid, 11);
        QCOMPARE(record.timeNs, 5000U);
        QCOMPARE(record.cpu, 1U);
        QCOMPARE(sample.pc, 0x401000U);
        QCOMPARE(sample.period, 7U);
        QVERIFY(sample.hasRegisters);
        QVERIFY(!sample.isInKernel);
        QCOMPARE(sample.registers.value[unwind::reg::kRax], 100U);
        QCOMPARE(sample.registers.value[unwind::reg::kRbp], 106U);
        QCOMPARE(sample.registers.sp(), 107U);
        QCOMPARE(sample.registers.pc(), 108U);
        QCOMPARE(sample.registers.value[unwind::reg::kR15], 116U);
        QCOMPARE(sample.stack.size(), std::size_t{16});
        QCOMPARE(sample.stack[0], 0xc0);
        QVERIFY(!sample.isStackCut);
    }

    void saysWhenTheCopyOfTheStackWasFull()
    {
        PerfRecord record;
        QCOMPARE(decodePerfRecord(wholeSample(32, 32), record), DecodeResult::Decoded);
        QVERIFY(std::get<PerfSample>(record.content).isStackCut);
    }

    void readsASampleInTheKernel()
    {
        PerfRecord record;
        QCOMPARE(decodePerfRecord(wholeKernelSample(), record), DecodeResult::Decoded);
        const auto &sample = std::get<PerfSample>(record.content);
        QVERIFY(sample.isInKernel);
        QCOMPARE(sample.kernelChain, (std::vector<std::uint64_t>{0xffffffff81000010, 0xffffffff81000020}));
        QVERIFY(sample.stack.empty());
    }

    void readsASampleOfAKernelThread()
    {
        PerfBytes bytes = PerfBytes::sampleHead(PERF_RECORD_MISC_KERNEL);
        bytes.add(std::uint64_t{0}).add(std::uint64_t{PERF_SAMPLE_REGS_ABI_NONE}).add(std::uint64_t{0});
        PerfRecord record;
        QCOMPARE(decodePerfRecord(bytes.bytes(), record), DecodeResult::Decoded);
        QVERIFY(!std::get<PerfSample>(record.content).hasRegisters);
    }

    void readsAMapping()
    {
        PerfRecord record;
        QCOMPARE(decodePerfRecord(wholeMapping(), record), DecodeResult::Decoded);
        const auto &mapping = std::get<PerfMapping>(record.content);
        QCOMPARE(record.timeNs, 6000U);
        QCOMPARE(mapping.begin, 0x7f0000000000U);
        QCOMPARE(mapping.bytes, 0x3000U);
        QCOMPARE(mapping.fileOffset, 0x1000U);
        QCOMPARE(mapping.major, 8U);
        QCOMPARE(mapping.inode, 77U);
        QVERIFY(mapping.isExecutable);
        QCOMPARE(mapping.path, std::string("/usr/lib/libx.so"));
    }

    void readsAMappingWithABuildId()
    {
        PerfBytes bytes(PERF_RECORD_MMAP2, PERF_RECORD_MISC_USER | (1 << 14));
        bytes.add(std::int32_t{10}).add(std::int32_t{11}).add(std::uint64_t{0x1000}).add(std::uint64_t{0x1000});
        bytes.add(std::uint64_t{0}).add(std::uint8_t{3}).add(std::uint8_t{0}).add(std::uint16_t{0});
        bytes.add(std::uint8_t{0xde}).add(std::uint8_t{0xad}).add(std::uint8_t{0x05});
        for (int i = 0; i < 17; ++i)
            bytes.add(std::uint8_t{0});
        bytes.add(std::uint32_t{PROT_EXEC}).add(std::uint32_t{0}).text("/x").trailer(10, 11, 1, 0);
        PerfRecord record;
        QCOMPARE(decodePerfRecord(bytes.bytes(), record), DecodeResult::Decoded);
        QCOMPARE(std::get<PerfMapping>(record.content).buildId, std::string("dead05"));
        QCOMPARE(std::get<PerfMapping>(record.content).path, std::string("/x"));
    }

    void readsNamesForksAndExits()
    {
        PerfRecord record;
        PerfBytes name(PERF_RECORD_COMM, PERF_RECORD_MISC_COMM_EXEC);
        name.add(std::int32_t{10}).add(std::int32_t{10}).text("cc1plus").trailer(10, 10, 9, 0);
        QCOMPARE(decodePerfRecord(name.bytes(), record), DecodeResult::Decoded);
        QVERIFY(std::get<PerfName>(record.content).isExec);
        QCOMPARE(std::get<PerfName>(record.content).name, std::string("cc1plus"));

        PerfBytes fork(PERF_RECORD_FORK, 0);
        fork.add(std::int32_t{20}).add(std::int32_t{10}).add(std::int32_t{21}).add(std::int32_t{11});
        fork.add(std::uint64_t{3}).trailer(10, 11, 3, 0);
        QCOMPARE(decodePerfRecord(fork.bytes(), record), DecodeResult::Decoded);
        QCOMPARE(record.pid, 20);
        QCOMPARE(record.tid, 21);
        QCOMPARE(std::get<PerfFork>(record.content).parentPid, 10);
        QCOMPARE(std::get<PerfFork>(record.content).parentTid, 11);

        PerfBytes exit(PERF_RECORD_EXIT, 0);
        exit.add(std::int32_t{20}).add(std::int32_t{10}).add(std::int32_t{21}).add(std::int32_t{11});
        exit.add(std::uint64_t{3}).trailer(20, 21, 3, 0);
        QCOMPARE(decodePerfRecord(exit.bytes(), record), DecodeResult::Decoded);
        QVERIFY(std::holds_alternative<PerfExit>(record.content));
        QCOMPARE(record.tid, 21);
    }

    void countsWhatWasLost()
    {
        PerfRecord record;
        PerfBytes lost(PERF_RECORD_LOST, 0);
        lost.add(std::uint64_t{1}).add(std::uint64_t{42}).trailer(1, 1, 9, 0);
        QCOMPARE(decodePerfRecord(lost.bytes(), record), DecodeResult::Decoded);
        QCOMPARE(std::get<PerfLost>(record.content).count, 42U);
        PerfBytes throttle(PERF_RECORD_THROTTLE, 0);
        throttle.add(std::uint64_t{1}).add(std::uint64_t{1}).add(std::uint64_t{1}).trailer(1, 1, 9, 0);
        QCOMPARE(decodePerfRecord(throttle.bytes(), record), DecodeResult::Decoded);
        QVERIFY(std::holds_alternative<PerfThrottle>(record.content));
    }

    void ignoresKindsItHasNoUseFor()
    {
        PerfRecord record;
        QCOMPARE(decodePerfRecord(PerfBytes(PERF_RECORD_SWITCH, 0).trailer(1, 1, 9, 0).bytes(), record),
            DecodeResult::Ignored);
    }

    void refusesCountsBeyondTheRecord()
    {
        PerfRecord record;
        PerfBytes chain = PerfBytes::sampleHead();
        chain.add(~std::uint64_t{0}).registers().add(std::uint64_t{0});
        QCOMPARE(decodePerfRecord(chain.bytes(), record), DecodeResult::Bad);
        PerfBytes stack = PerfBytes::sampleHead();
        stack.add(std::uint64_t{0}).registers().add(~std::uint64_t{7}).add(std::uint64_t{0});
        QCOMPARE(decodePerfRecord(stack.bytes(), record), DecodeResult::Bad);
        QCOMPARE(decodePerfRecord(wholeSample(32, 40), record), DecodeResult::Bad);
    }

    void refusesEveryRecordThatIsCutOff()
    {
        for (const auto &whole : {wholeSample(), wholeMapping(), wholeKernelSample()}) {
            for (std::size_t size = 0; size < whole.size(); size += 8) {
                std::vector<std::uint8_t> cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
                cut.shrink_to_fit();
                PerfRecord record;
                if (cut.size() >= sizeof(perf_event_header)) {
                    const auto cutSize = static_cast<std::uint16_t>(size);
                    std::memcpy(cut.data() + offsetof(perf_event_header, size), &cutSize, 2);
                }
                // A mapping without the end of its path is still one, with another trailer; nothing else is.
                const DecodeResult result = decodePerfRecord(cut, record);
                QVERIFY(result == DecodeResult::Bad || (size > 72 && whole == wholeMapping()));
            }
        }
    }

    void survivesDamagedBytes()
    {
        std::mt19937_64 random(7);
        for (int round = 0; round < 20000; ++round) {
            std::vector<std::uint8_t> bytes = round % 2 == 0 ? wholeSample(64, 64) : wholeMapping();
            for (int i = 0; i < 4; ++i)
                bytes[8 + random() % (bytes.size() - 8)] = static_cast<std::uint8_t>(random());
            PerfRecord record;
            const DecodeResult result = decodePerfRecord(bytes, record);
            QVERIFY(result == DecodeResult::Decoded || result == DecodeResult::Bad);
        }
    }
};

QTEST_APPLESS_MAIN(PerfRecordTest)
#include "perf_record_test.moc"

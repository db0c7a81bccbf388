// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/perf/sample_unwinder.h"

#include <QTest>

#include <dlfcn.h>
#include <pthread.h>
#include <unistd.h>

#include <algorithm>

using namespace capture;

namespace {

struct Fixture
{
    Fixture()
    {
        for (const PerfMapping &mapping : readCodeMappings(getpid()))
            space.add(
                {mapping.begin, mapping.begin + mapping.bytes, mapping.fileOffset, &files.fileOf(mapping, getpid())});
    }
    /// What the kernel would copy of this thread's stack, `bytes` at most.
    __attribute__((noinline, no_sanitize("address", "thread"))) PerfSample sampleHere(std::size_t bytes)
    {
        PerfSample sample;
        sample.registers = unwind::Registers::here();
        sample.hasRegisters = true;
        pthread_attr_t attributes;
        void *low = nullptr;
        std::size_t size = 0;
        pthread_getattr_np(pthread_self(), &attributes);
        pthread_attr_getstack(&attributes, &low, &size);
        pthread_attr_destroy(&attributes);
        const std::uint64_t above = reinterpret_cast<std::uint64_t>(low) + size - sample.registers.sp();
        sample.stack.resize(std::min<std::size_t>(bytes, above));
        const auto *from = reinterpret_cast<const volatile std::uint8_t *>(sample.registers.sp());
        for (std::size_t i = 0; i < sample.stack.size(); ++i)
            sample.stack[i] = from[i];
        sample.isStackCut = sample.stack.size() == bytes;
        return sample;
    }
    model::StackEnd unwind(const PerfSample &sample) { return unwinder.unwind(sample, space, getpid(), frames); }

    model::TableBuilder tables;
    CodeFiles files{tables};
    AddressSpace space;
    SampleUnwinder unwinder{files};
    std::vector<SampleFrame> frames;
};

__attribute__((noinline)) PerfSample sampleDeep(Fixture &fixture, int depth, std::size_t bytes)
{
    if (depth == 0)
        return fixture.sampleHere(bytes);
    PerfSample sample = sampleDeep(fixture, depth - 1, bytes);
    asm volatile("" ::: "memory");
    return sample;
}

} // namespace

/// As clone3() of the C library: no table covers it. Neither is it next to the program's entry.
asm(R"(
    .pushsection .text.birthplace, "ax"
    .globl birthplace_test_code, birthplace_test_end
birthplace_test_code:
    mov $435, %eax
    syscall
birthplace_test_end:
    ret
    .fill 64, 1, 0xcc
    .popsection
)");
extern "C" const char birthplace_test_code[], birthplace_test_end[];

class PerfUnwinderTest : public QObject
{
    Q_OBJECT
private Q_SLOTS:
    void followsAWholeStackToItsStart()
    {
        Fixture fixture;
        const PerfSample sample = sampleDeep(fixture, 30, 1 << 20);
        QCOMPARE(fixture.unwind(sample), model::StackEnd::ReachedStart);
        QVERIFY(fixture.frames.size() > 35);
        QCOMPARE(fixture.frames[0].kind, model::FrameKind::Exact);
        QCOMPARE(fixture.frames[1].kind, model::FrameKind::ReturnAddress);
        QVERIFY(fixture.frames[0].file->identity.path.ends_with("perf_unwinder_test"));
        // Whatever main is linked at, some frame's address lies in it: the one below libc's start code.
        const auto inLibc = std::find_if(fixture.frames.begin(), fixture.frames.end(),
            [](const SampleFrame &frame) { return frame.file->identity.path.find("libc.so") != std::string::npos; });
        QVERIFY(inLibc != fixture.frames.end());
        QVERIFY(fixture.frames.back().file->identity.path.ends_with("perf_unwinder_test")); // _start
    }

    void placesFramesAtTheirLinkedAddress()
    {
        Fixture fixture;
        const PerfSample sample = sampleDeep(fixture, 3, 1 << 20);
        fixture.unwind(sample);
        for (const SampleFrame &frame : fixture.frames) {
            Dl_info info = {};
            if (dladdr(reinterpret_cast<void *>(frame.pc - 1), &info) == 0)
                continue;
            QCOMPARE(frame.pc - frame.address, reinterpret_cast<std::uint64_t>(info.dli_fbase));
        }
    }

    void tellsAShortCopyFromABrokenStack()
    {
        Fixture fixture;
        PerfSample sample = sampleDeep(fixture, 60, 2048);
        QVERIFY(sample.isStackCut);
        QCOMPARE(fixture.unwind(sample), model::StackEnd::Truncated);
        const std::size_t frames = fixture.frames.size();
        QVERIFY(frames >= 2);
        sample.isStackCut = false;
        QCOMPARE(fixture.unwind(sample), model::StackEnd::Unreadable);
        QCOMPARE(fixture.frames.size(), frames);
    }

    void saysWhenNothingIsKnownOfTheCode()
    {
        Fixture fixture;
        PerfSample sample = sampleDeep(fixture, 1, 4096);
        sample.registers.set(unwind::reg::kReturnAddress, 0x1000);
        sample.registers.set(unwind::reg::kRbp, 0);
        QCOMPARE(fixture.unwind(sample), model::StackEnd::NoUnwindInfo);
        QCOMPARE(fixture.frames.size(), std::size_t{1});
        QVERIFY(!fixture.frames[0].file);
        QCOMPARE(fixture.frames[0].address, 0x1000U);
    }

    /// Where clone3() returns 0 a thread has just begun, on a stack that nothing was put on yet; its maker is told a number.
    void aThreadBeginsBehindTheCallThatMadeIt()
    {
        Fixture fixture;
        PerfSample sample = sampleDeep(fixture, 1, 4096);
        sample.registers.set(unwind::reg::kReturnAddress, reinterpret_cast<std::uint64_t>(birthplace_test_end));
        sample.registers.set(unwind::reg::kRbp, 0);
        sample.stack.assign(256, 0);
        sample.isStackCut = false;
        sample.registers.set(unwind::reg::kRax, 0);
        QCOMPARE(fixture.unwind(sample), model::StackEnd::ReachedStart);
        QCOMPARE(fixture.frames.size(), std::size_t{1});
        sample.registers.set(unwind::reg::kRax, 4711);
        QCOMPARE(fixture.unwind(sample), model::StackEnd::NoUnwindInfo);
        QCOMPARE(fixture.frames.size(), std::size_t{1});
    }

    void keepsTheLeafOfA32BitProgram()
    {
        Fixture fixture;
        PerfSample sample;
        sample.is32Bit = true;
        sample.pc = 0x8048000;
        QCOMPARE(fixture.unwind(sample), model::StackEnd::NoUnwindInfo);
        QCOMPARE(fixture.frames.size(), std::size_t{1});
    }

    void aThreadWithoutUserSideIsWholeWithoutFrames()
    {
        Fixture fixture;
        PerfSample sample;
        sample.isInKernel = true;
        QCOMPARE(fixture.unwind(sample), model::StackEnd::ReachedStart);
        QVERIFY(fixture.frames.empty());
    }
};

QTEST_APPLESS_MAIN(PerfUnwinderTest)
#include "perf_unwinder_test.moc"

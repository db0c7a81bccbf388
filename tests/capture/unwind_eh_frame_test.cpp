// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/unwind/eh_frame.h"
#include "capture/unwind/unwinder.h"
#include "tests/capture/cfi_bytes.h"

#include <QTest>

#include <array>

using namespace capture::unwind;

namespace {

constexpr std::uint64_t kCode = 0x401000;

/// Eight words of stack at 0x7000, each holding 0x100 + its index.
struct Words
{
    Words()
    {
        for (std::size_t i = 0; i < values.size(); ++i)
            values[i] = 0x100 + i;
    }
    CopiedStack stack() const
    {
        return {reinterpret_cast<const std::uint8_t *>(values.data()), sizeof(values), 0x7000};
    }
    std::array<std::uint64_t, 8> values;
};

Registers registersAt(std::uint64_t pc, std::uint64_t sp = 0x7000, std::uint64_t bp = 0x7010)
{
    Registers registers;
    registers.set(reg::kReturnAddress, pc);
    registers.set(reg::kRsp, sp);
    registers.set(reg::kRbp, bp);
    return registers;
}

FrameRule ruleOf(const CfiBytes::Bytes &instructions, std::uint64_t pc = kCode, const char *augmentation = "zR")
{
    CfiBytes bytes(augmentation);
    bytes.addFunction(kCode, 0x100, instructions);
    return ruleAt(bytes.tables(), pc);
}

} // namespace

class UnwindEhFrameTest : public QObject
{
    Q_OBJECT
private Q_SLOTS:
    void followsThePrologueOfAFunction()
    {
        // push rbp; mov rsp, rbp; … ; leave
        const CfiBytes::Bytes prologue = {0x41, 0x0e, 16, 0x86, 2, 0x43, 0x0d, 6, 0x4c, 0x0c, 7, 8};
        const FrameRule entry = ruleOf(prologue, kCode);
        QVERIFY(entry.cfaFromRsp());
        QCOMPARE(entry.cfaOffset(), 8);
        QCOMPARE(entry.saved(FrameRule::Rbp), FrameRule::kSame);
        const FrameRule pushed = ruleOf(prologue, kCode + 1);
        QVERIFY(pushed.cfaFromRsp());
        QCOMPARE(pushed.cfaOffset(), 16);
        QCOMPARE(FrameRule::savedOffset(pushed.saved(FrameRule::Rbp)), -16);
        QVERIFY(ruleOf(prologue, kCode + 4).cfaFromRbp());
        QVERIFY(ruleOf(prologue, kCode + 15).cfaFromRbp());
        QVERIFY(ruleOf(prologue, kCode + 16).cfaFromRsp());
    }

    void findsFunctionsWithAndWithoutTheIndex()
    {
        CfiBytes bytes;
        for (std::uint64_t i = 0; i < 9; ++i)
            bytes.addFunction(kCode + i * 0x20, 0x10, {0x0e, static_cast<std::uint8_t>(16 + 8 * i)});
        for (const bool hasIndex : {true, false}) {
            const EhFrameTables tables = bytes.tables(hasIndex);
            for (std::uint64_t i = 0; i < 9; ++i) {
                QCOMPARE(ruleAt(tables, kCode + i * 0x20 + 0xf).cfaOffset(), static_cast<std::int64_t>(16 + 8 * i));
                QCOMPARE(ruleAt(tables, kCode + i * 0x20 + 0x10).kind(), RuleKind::NoInfo);
            }
            QCOMPARE(ruleAt(tables, kCode - 2).kind(), RuleKind::NoInfo);
        }
    }

    void readsOnBehindATerminatorInTheMiddle()
    {
        CfiBytes bytes;
        bytes.frames().insert(bytes.frames().end(), 4, 0);
        bytes.addFunction(kCode, 0x10, {});
        QCOMPARE(ruleAt(bytes.tables(false), kCode).cfaOffset(), 8);
    }

    void takesCodeAtTheEntryPointForTheStartOfAThread()
    {
        CfiBytes bytes;
        bytes.addFunction(kCode, 0x10, {});
        EhFrameTables tables = bytes.tables();
        tables.entry = kCode + 0x100;
        QCOMPARE(ruleAt(tables, kCode + 0x110).kind(), RuleKind::EndOfStack);
        QCOMPARE(ruleAt(tables, kCode + 0x4000).kind(), RuleKind::NoInfo);
        QCOMPARE(ruleAt(tables, kCode + 0xff).kind(), RuleKind::NoInfo);
    }

    void takesNoCodeBehindAnEntryPointWithInformationForIt()
    {
        CfiBytes bytes;
        bytes.addFunction(kCode, 0x10, {}); // _start
        bytes.addFunction(kCode + 0x80, 0x10, {});
        for (const bool hasIndex : {true, false}) {
            EhFrameTables tables = bytes.tables(hasIndex);
            tables.entry = kCode;
            QCOMPARE(ruleAt(tables, kCode + 0x20).kind(), RuleKind::NoInfo);
            tables.entry = kCode + 0x60; // one without, which ends where the next function begins
            QCOMPARE(ruleAt(tables, kCode + 0x70).kind(), RuleKind::EndOfStack);
            QCOMPARE(ruleAt(tables, kCode + 0x98).kind(), RuleKind::NoInfo);
        }
    }

    void takesAReturnToTheBeginOfAFunctionForTheEnd()
    {
        // Looked up one byte before, as every return address.
        CfiBytes bytes;
        bytes.addFunction(kCode, 0x19, {});
        bytes.addFunction(kCode + 0x20, 0x10, {}); // behind padding: a context's start
        bytes.addFunction(
            kCode + 0x30, 0x10, {}); // behind the function before: may have been called by its last instruction
        for (const bool hasIndex : {true, false}) {
            QCOMPARE(ruleAt(bytes.tables(hasIndex), kCode + 0x1f).kind(), RuleKind::EndOfStack);
            QCOMPARE(ruleAt(bytes.tables(hasIndex), kCode + 0x1e).kind(), RuleKind::NoInfo);
            QCOMPARE(ruleAt(bytes.tables(hasIndex), kCode + 0x2f).cfaOffset(), 8);
        }
        CfiBytes signal("zRS");
        signal.addFunction(kCode, 0x10, {});
        QCOMPARE(ruleAt(signal.tables(), kCode - 1).kind(), RuleKind::NoInfo);
    }

    void endsWhereTheReturnAddressIsUndefined()
    {
        QCOMPARE(ruleOf({0x07, 16}).kind(), RuleKind::EndOfStack);
        Registers registers = registersAt(kCode);
        QCOMPARE(step(registers, ruleOf({0x07, 16}), MemoryView::of(Words().stack())), StepResult::ReachedStart);
    }

    void restoresRememberedStates()
    {
        // def_cfa_offset 16; remember; advance 4; def_cfa rbp 32; advance 4; restore; advance 4; restore rbp
        const CfiBytes::Bytes code = {0x0e, 16, 0x86, 2, 0x0a, 0x44, 0x0c, 6, 32, 0x44, 0x0b, 0x44, 0xc6};
        QCOMPARE(ruleOf(code, kCode).cfaOffset(), 16);
        QVERIFY(ruleOf(code, kCode + 4).cfaFromRbp());
        QVERIFY(ruleOf(code, kCode + 8).cfaFromRsp());
        QCOMPARE(ruleOf(code, kCode + 8).cfaOffset(), 16);
        QVERIFY(ruleOf(code, kCode + 8).saved(FrameRule::Rbp) != FrameRule::kSame);
        QCOMPARE(ruleOf(code, kCode + 12).saved(FrameRule::Rbp), FrameRule::kSame);
    }

    void understandsEveryInstruction_data()
    {
        QTest::addColumn<QByteArray>("instructions");
        QTest::addColumn<qint64>("cfaOffset");
        const auto row = [](const char *name, std::initializer_list<int> bytes, qint64 offset) {
            QByteArray array;
            for (const int byte : bytes)
                array.append(static_cast<char>(byte));
            QTest::newRow(name) << array << offset;
        };
        row("advance_loc1", {0x02, 200, 0x0e, 16}, 8);
        row("advance_loc2", {0x03, 0, 1, 0x0e, 16}, 8);
        row("advance_loc4", {0x04, 0, 1, 0, 0, 0x0e, 16}, 8);
        row("def_cfa_sf", {0x12, 7, 0x7e}, 16);
        row("def_cfa_offset_sf", {0x13, 0x7d}, 24);
        row("offset_extended", {0x05, 3, 2}, 8);
        row("offset_extended_sf", {0x11, 3, 2}, 8);
        row("restore_extended", {0x06, 3}, 8);
        row("same_value", {0x08, 6}, 8);
        row("GNU_args_size", {0x2e, 0x90, 1}, 8);
        row("vector register", {0x05, 20, 9, 0x07, 33}, 8);
        row("nop", {0, 0, 0x0e, 32}, 32);
    }
    void understandsEveryInstruction()
    {
        QFETCH(QByteArray, instructions);
        QFETCH(qint64, cfaOffset);
        const FrameRule rule = ruleOf(CfiBytes::Bytes(instructions.begin(), instructions.end()));
        QVERIFY(rule.kind() != RuleKind::Bad);
        if (rule.kind() == RuleKind::Register)
            QCOMPARE(rule.cfaOffset(), cfaOffset);
    }

    void refusesDamagedInstructions_data()
    {
        QTest::addColumn<QByteArray>("instructions");
        QTest::newRow("unknown opcode") << QByteArray("\x3f");
        QTest::newRow("restore without remember") << QByteArray("\x0b");
        QTest::newRow("offset of an expression") << QByteArray("\x0f\x01\x50\x0e\x10", 5);
        QTest::newRow("expression beyond the end") << QByteArray("\x0f\x7f\x77\x08", 4);
        QTest::newRow("unknown CFA register") << QByteArray("\x0c\x31\x08", 3);
        QTest::newRow("endless remembering") << QByteArray(64, '\x0a');
    }
    void refusesDamagedInstructions()
    {
        QFETCH(QByteArray, instructions);
        QCOMPARE(ruleOf(CfiBytes::Bytes(instructions.begin(), instructions.end())).kind(), RuleKind::Bad);
    }

    void knowsPltStubs()
    {
        const FrameRule rule = ruleOf({0x0f, 11, 0x77, 8, 0x80, 0, 0x3f, 0x1a, 0x3b, 0x2a, 0x33, 0x24, 0x22});
        QCOMPARE(rule.kind(), RuleKind::PltStub);
        const Words words;
        const CopiedStack stack = words.stack();
        Registers before = registersAt(kCode + 6), after = registersAt(kCode + 11);
        QCOMPARE(step(before, rule, MemoryView::of(stack)), StepResult::Stepped);
        QCOMPARE(before.pc(), 0x100U);
        QCOMPARE(step(after, rule, MemoryView::of(stack)), StepResult::Stepped);
        QCOMPARE(after.pc(), 0x101U);
        QCOMPARE(after.sp(), 0x7010U);
    }

    void knowsRealignedFrames()
    {
        // CFA = *(rbp - 8); rbp saved at rbp + 0, rbx at rbp - 16
        const FrameRule rule = ruleOf({0x0f, 3, 0x76, 0x78, 0x06, 0x10, 6, 2, 0x76, 0, 0x10, 3, 2, 0x76, 0x70});
        QCOMPARE(rule.kind(), RuleKind::MemoryAtRegister);
        Words words;
        words.values[1] = 0x7030; // at rbp - 8
        const CopiedStack stack = words.stack();
        Registers registers = registersAt(kCode);
        QCOMPARE(step(registers, rule, MemoryView::of(stack)), StepResult::Stepped);
        QCOMPARE(registers.sp(), 0x7030U);
        QCOMPARE(registers.pc(), 0x105U);
        QCOMPARE(registers.value[reg::kRbp], 0x102U);
        QCOMPARE(registers.value[reg::kRbx], 0x100U);
        NarrowFrame frame{kCode, 0x7000, 0x7010};
        QCOMPARE(stepNarrow(frame, rule, stack), StepResult::Stepped);
        QCOMPARE(frame.sp, 0x7030U);
        QCOMPARE(frame.bp, 0x102U);
    }

    void followsSignalFrames()
    {
        // As glibc's __restore_rt: CFA = *(rsp + 8), return address at rsp + 16, rbp at rsp + 24.
        CfiBytes bytes("zRS", {});
        bytes.addFunction(
            kCode, 0x10, {0x0f, 3, 0x77, 8, 0x06, 0x10, 16, 2, 0x77, 16, 0x10, 6, 2, 0x77, 24, 0x10, 7, 0x40, 0x77, 8});
        CfiRow row;
        QCOMPARE(rowAt(bytes.tables(), kCode, row), FindResult::Damaged); // the last expression ends behind the record
        CfiBytes good("zRS", {});
        good.addFunction(kCode, 0x10, {0x0f, 3, 0x77, 8, 0x06, 0x10, 16, 2, 0x77, 16, 0x10, 6, 2, 0x77, 24});
        const EhFrameTables tables = good.tables();
        const FrameRule rule = ruleAt(tables, kCode);
        QCOMPARE(rule.kind(), RuleKind::Complex);
        QVERIFY(rule.isSignalFrame());
        QCOMPARE(rowAt(tables, kCode, row), FindResult::Found);
        Words words;
        words.values[1] = 0x6000; // another stack, below this one
        const CopiedStack stack = words.stack();
        Registers registers = registersAt(kCode);
        QCOMPARE(step(registers, row, tables.frames, MemoryView::of(stack)), StepResult::Stepped);
        QCOMPARE(registers.sp(), 0x6000U);
        QCOMPARE(registers.pc(), 0x102U);
        QCOMPARE(registers.value[reg::kRbp], 0x103U);
    }

    void takesPoppedRegistersFromWhereTheyAre()
    {
        // Before the ret of an epilogue: CFA = rsp + 8, but rbp and rbx still said to lie at CFA - 16 and - 24.
        const FrameRule rule = ruleOf({0x86, 2, 0x83, 3});
        const Words words;
        const CopiedStack stack = words.stack();
        Registers registers = registersAt(kCode, 0x7000, 0x1234);
        registers.set(reg::kRbx, 0x5678);
        QCOMPARE(step(registers, rule, MemoryView::of(stack)), StepResult::Stepped);
        QCOMPARE(registers.pc(), 0x100U);
        QCOMPARE(registers.value[reg::kRbp], 0x1234U);
        QCOMPARE(registers.value[reg::kRbx], 0x5678U);
        NarrowFrame frame{kCode, 0x7000, 0x1234};
        QCOMPARE(stepNarrow(frame, rule, stack), StepResult::Stepped);
        QCOMPARE(frame.bp, 0x1234U);
    }

    void refusesAFrameThatDoesNotRise()
    {
        const FrameRule rule = ruleOf({0x0c, 6, 0}); // CFA = rbp
        const Words words;
        NarrowFrame frame{kCode, 0x7010, 0x7010};
        QCOMPARE(stepNarrow(frame, rule, words.stack()), StepResult::BadRule);
        Registers registers = registersAt(kCode, 0x7010, 0x7010);
        const CopiedStack stack = words.stack();
        QCOMPARE(step(registers, rule, MemoryView::of(stack)), StepResult::BadRule);
    }

    void neverReadsOutsideTheStack()
    {
        const Words words;
        const CopiedStack stack = words.stack();
        std::uint64_t value = 0;
        QVERIFY(stack.read(0x7038, value));
        QVERIFY(!stack.read(0x7039, value));
        QVERIFY(!stack.read(0x6fff, value));
        QVERIFY(!stack.read(~std::uint64_t{0}, value));
        NarrowFrame frame{kCode, 0x7040, 0};
        QCOMPARE(stepNarrow(frame, ruleOf({}), stack), StepResult::Unreadable);
    }
};

QTEST_APPLESS_MAIN(UnwindEhFrameTest)
#include "unwind_eh_frame_test.moc"

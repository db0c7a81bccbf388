// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/unwind/eh_frame.h"
#include "capture/unwind/find_module.h"
#include "capture/unwind/unwinder.h"
#include "tests/capture/cfi_bytes.h"
#include "tests/support/fuzz_rounds.h"

#include <QTest>

#include <dlfcn.h>

#include <memory>
#include <random>

using namespace capture::unwind;

namespace {

/// A copy with nothing behind its last byte, so that a sanitizer sees any read beyond it.
struct ExactCopy
{
    ExactCopy(const std::uint8_t *data, std::size_t size)
        : bytes(new std::uint8_t[size])
        , count(size)
    {
        std::memcpy(bytes.get(), data, size);
    }
    Section section(std::uint64_t address) const { return {bytes.get(), count, address}; }
    std::unique_ptr<std::uint8_t[]> bytes;
    std::size_t count;
};

struct FuzzRules
{
    const EhFrameTables &tables;
    FrameRule rule(std::uint64_t pc) const { return ruleAt(tables, pc); }
    bool row(std::uint64_t pc, CfiRow &row, Section &section) const
    {
        section = tables.frames;
        return rowAt(tables, pc, row) == FindResult::Found;
    }
};

/// Looks up and walks with damaged tables; all that is asked is that it ends, within its ranges.
void exercise(const EhFrameTables &tables, const std::vector<std::uint64_t> &pcs, std::mt19937_64 &random)
{
    std::uint64_t words[64];
    for (std::uint64_t &word : words)
        word = random() % 2 == 0 ? pcs[random() % pcs.size()] : 0x7000 + random() % sizeof(words);
    const CopiedStack stack{reinterpret_cast<const std::uint8_t *>(words), sizeof(words), 0x7000};
    Registers registers;
    for (unsigned number = 0; number < reg::kCount; ++number)
        registers.set(number, 0x7000 + 8 * (random() % 64));
    registers.set(reg::kReturnAddress, pcs[random() % pcs.size()]);
    FuzzRules rules{tables};
    std::uint64_t frames[32];
    const StackWalk walk = unwind(registers, rules, stack, frames, std::size(frames));
    QVERIFY(walk.count >= 1 && walk.count <= std::size(frames));
    QVERIFY(unwindFull(registers, rules, MemoryView::of(stack), frames, std::size(frames)).count <= std::size(frames));
}

void fuzz(const Section &header, const Section &frames, const std::vector<std::uint64_t> &pcs, unsigned rounds)
{
    std::mt19937_64 random(20240229);
    rounds = tests::fuzzRounds(rounds);
    for (unsigned round = 0; round < rounds; ++round) {
        const std::size_t cut = round % 4 == 0 ? random() % (frames.size + 1) : frames.size;
        const ExactCopy frameCopy(frames.data, cut);
        const ExactCopy headerCopy(header.data, round % 8 == 1 ? random() % (header.size + 1) : header.size);
        for (unsigned i = 0; i < 8 && frameCopy.count > 0; ++i)
            frameCopy.bytes[random() % frameCopy.count] = static_cast<std::uint8_t>(random());
        if (round % 2 == 0 && headerCopy.count > 0)
            headerCopy.bytes[random() % headerCopy.count] ^= static_cast<std::uint8_t>(1U << (random() % 8));
        EhFrameTables tables;
        tables.frames = frameCopy.section(frames.address);
        if (round % 3 != 0)
            tables.header = headerCopy.section(header.address);
        exercise(tables, pcs, random);
    }
}

} // namespace

class UnwindFuzzTest : public QObject
{
    Q_OBJECT
private Q_SLOTS:
    void survivesDamagedHandMadeTables()
    {
        CfiBytes bytes("zRS", {0x0c, 7, 8, 0x90, 1});
        std::vector<std::uint64_t> pcs;
        const CfiBytes::Bytes codes[] = {
            {0x41, 0x0e, 16, 0x86, 2, 0x43, 0x0d, 6, 0x4c, 0x0c, 7, 8},
            {0x0f, 11, 0x77, 8, 0x80, 0, 0x3f, 0x1a, 0x3b, 0x2a, 0x33, 0x24, 0x22},
            {0x0f, 3, 0x76, 0x78, 0x06, 0x10, 6, 2, 0x76, 0, 0x10, 3, 2, 0x76, 0x70},
            {0x0e, 16, 0x86, 2, 0x0a, 0x44, 0x0c, 6, 32, 0x44, 0x0b, 0x44, 0xc6, 0x16, 3, 2, 0x77, 0},
            {0x0f, 9, 0x77, 8, 0x12, 0x28, 0xfd, 0xff, 0x2f, 0xfa, 0xff}, // branches back for ever
        };
        for (std::uint64_t i = 0; i < 20; ++i) {
            bytes.addFunction(0x401000 + i * 0x20, 0x20, codes[i % std::size(codes)]);
            pcs.push_back(0x401000 + i * 0x20 + i % 16);
        }
        const EhFrameTables tables = bytes.tables();
        fuzz(tables.header, tables.frames, pcs, 6000);
    }

    void survivesDamagedTablesOfARealLibrary()
    {
        LocalModule module;
        const auto pc = reinterpret_cast<std::uint64_t>(dlsym(RTLD_DEFAULT, "strtod"));
        QVERIFY(pc != 0);
        if (!findModule(weakFindObject(), pc, module))
            QSKIP("this libc has no _dl_find_object (glibc 2.35 and later)");
        // A slice of the table keeps a round cheap.
        const Section all = module.tables.frames;
        const Section slice{all.data, std::min<std::size_t>(all.size, 8192), all.address};
        std::vector<std::uint64_t> pcs;
        FrameEntry entry;
        for (std::size_t offset = 0; offset < slice.size;) {
            if (readEntry(slice, offset, entry) == FindResult::Found)
                pcs.push_back(entry.begin + (entry.end - entry.begin) / 2);
        }
        QVERIFY(pcs.size() > 50);
        fuzz({module.tables.header.data, 4096, module.tables.header.address}, slice, pcs, 400);
    }
};

QTEST_APPLESS_MAIN(UnwindFuzzTest)
#include "unwind_fuzz_test.moc"

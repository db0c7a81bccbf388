// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/proc/resident_parts.h"

#include <QTest>

#include <sys/mman.h>
#include <unistd.h>

#include <cstring>

using namespace capture;
using model::MemoryPartsRow;

namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;

/// A mapping with everything in it resident, or `resident` bytes.
MappingUse use(
    std::uint64_t begin, std::uint64_t bytes, const char *rights, const char *path = "", std::int64_t resident = -1)
{
    MappingUse result;
    result.mapping.begin = begin;
    result.mapping.end = begin + bytes;
    result.mapping.isReadable = rights[0] == 'r';
    result.mapping.isWritable = rights[1] == 'w';
    result.mapping.isExecutable = rights[2] == 'x';
    result.mapping.isShared = rights[3] == 's';
    result.mapping.path = path;
    result.residentBytes = resident >= 0 ? resident : static_cast<std::int64_t>(bytes);
    return result;
}

std::int64_t sumOf(const MemoryPartsRow &row)
{
    return row.heap + row.mappings + row.stacks + row.files + row.shared + row.tracer + row.unknown;
}

const ResidentBytes kNobodyKnows;

} // namespace

class ResidentPartsTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void namesWhatThePathsTell();
    void knowsModuleDataArenasAndStacks();
    void guessesNoStacksWhereThreadsAreKnown();
    void leavesToTheAllocatorWhatNobodyElseClaims();
    void sharesOutWhatTheKernelJoined();
    void addsUpToTheWhole();
    void carriesOnWhatWasMeasured();
    void countsPagesOfThisProcess();
};

void ResidentPartsTest::namesWhatThePathsTell()
{
    const MemoryPartsRow row = residentParts(
        {use(0x1000, 100, "r-xp", "/usr/bin/program"), use(0x2000, 200, "rw-p", "[heap]"),
            use(0x3000, 300, "rw-s", "/dev/shm/queue"), use(0x4000, 400, "rw-s", "/memfd:genesis-heap"),
            use(0x5000, 500, "rw-s", "/memfd:other"), use(0x6000, 600, "r-xp", "/usr/lib/libgenesis_heaptracer.so"),
            use(0x7000, 700, "rw-p", "[stack]"), use(0x8000, 800, "rw-s", ""), use(0x9000, 900, "r-xp", "[vdso]")},
        {}, kNobodyKnows);
    QCOMPARE(row.files, 100);
    QCOMPARE(row.heap, 200);
    QCOMPARE(row.shared, 300 + 500 + 800);
    QCOMPARE(row.tracer, 400 + 600);
    QCOMPARE(row.stacks, 700);
    QCOMPARE(row.unknown, 900);
    QCOMPARE(row.mappings, 0);
}

void ResidentPartsTest::knowsModuleDataArenasAndStacks()
{
    const std::uint64_t arena = 0x7f0000000000, stack = 0x7f1000001000;
    const MemoryPartsRow row = residentParts(
        {use(0x1000, 0x1000, "rw-p", "/usr/bin/program"), use(0x2000, 0x1000, "rw-p"), use(arena, kMiB, "rw-p"),
            use(arena + kMiB, 63 * kMiB, "---p", "", 0), use(stack - 0x1000, 0x1000, "---p", "", 0),
            use(stack, 8 * kMiB, "rw-p", "", 5000), use(0x7f2000000000 + 0x3000, kMiB, "rw-p", "", 77)},
        {}, kNobodyKnows);
    QCOMPARE(row.files, 0x2000);
    QCOMPARE(row.heap, static_cast<std::int64_t>(kMiB));
    QCOMPARE(row.stacks, 5000);
    QCOMPARE(row.unknown, 77); // nobody has told what it is for
}

void ResidentPartsTest::guessesNoStacksWhereThreadsAreKnown()
{
    KnownMemory known;
    known.stackTops = {0x7f1000011800};
    const MemoryPartsRow row
        = residentParts({use(0x7f1000000000 + 0x10000, 0x10000, "rw-p", "", 600),
                            use(0x7f2000000000, 0x4000, "---p", "", 0), use(0x7f2000004000, kMiB, "rw-p", "", 700)},
            known, kNobodyKnows);
    QCOMPARE(row.stacks, 600);
    QCOMPARE(row.unknown, 700); // behind a guard, as allocators put some, too
}

void ResidentPartsTest::leavesToTheAllocatorWhatNobodyElseClaims()
{
    KnownMemory known;
    known.isTraced = known.isWhole = true;
    known.mappings = {{0x10000, 0x20000}};
    known.stackTops = {0x35000};
    const MemoryPartsRow row
        = residentParts({use(0x10000, 0x10000, "rw-p", "", 500), use(0x30000, 0x10000, "rw-p", "", 600),
                            use(0x50000, 0x10000, "rw-p", "", 700)},
            known, kNobodyKnows);
    QCOMPARE(row.mappings, 500);
    QCOMPARE(row.stacks, 600);
    QCOMPARE(row.heap, 700);
    QCOMPARE(row.unknown, 0);
}

void ResidentPartsTest::sharesOutWhatTheKernelJoined()
{
    KnownMemory known;
    known.isTraced = known.isWhole = true;
    known.mappings = {{0x10000, 0x14000}};
    known.tracerRanges = {{0x14000, 0x18000}};
    const std::vector<MappingUse> uses{use(0x10000, 0x10000, "rw-p", "", 1000)};
    const MemoryPartsRow byLength = residentParts(uses, known, kNobodyKnows);
    QCOMPARE(byLength.mappings, 250);
    QCOMPARE(byLength.tracer, 250);
    QCOMPARE(byLength.heap, 500);
    const MemoryPartsRow byPages = residentParts(uses, known,
        [](std::uint64_t begin, std::uint64_t) { return std::optional<std::int64_t>(begin == 0x10000 ? 900 : 50); });
    QCOMPARE(byPages.mappings, 900);
    QCOMPARE(byPages.tracer, 50);
    QCOMPARE(byPages.heap, 50);
    // Never more than there is, whatever the pages were in another moment.
    const MemoryPartsRow tooMany
        = residentParts(uses, known, [](std::uint64_t, std::uint64_t) { return std::optional<std::int64_t>(5000); });
    QCOMPARE(sumOf(tooMany), 1000);
}

void ResidentPartsTest::addsUpToTheWhole()
{
    MemoryPartsRow row;
    row.heap = 600;
    row.files = 300;
    row.unknown = 50;
    QCOMPARE(addedUp(row, 1000).unknown, 100);
    QCOMPARE(addedUp(row, 930).unknown, 30);
    QCOMPARE(addedUp(row, 800).heap, 500);
    for (const std::int64_t total : {0, 1, 500, 5000})
        QCOMPARE(sumOf(addedUp(row, total)), total);
}

void ResidentPartsTest::carriesOnWhatWasMeasured()
{
    MemoryPartsRow row;
    row.heap = 600;
    row.files = 300;
    row.shared = 100;
    row.isMeasured = true;
    const MemoryPartsRow later = carriedOn(row, {1000, 600, 300, 100}, {1300, 750, 350, 200});
    QVERIFY(!later.isMeasured);
    QCOMPARE(later.files, 350);
    QCOMPARE(later.shared, 200);
    QCOMPARE(later.heap, 600);
    QCOMPARE(later.unknown, 150);
    QCOMPARE(sumOf(later), 1300);
}

void ResidentPartsTest::countsPagesOfThisProcess()
{
    constexpr std::size_t kBytes = 64 * 4096;
    void *memory = ::mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    QVERIFY(memory != MAP_FAILED);
    std::memset(memory, 1, 10 * 4096);
    PageMap pages(::getpid());
    const auto begin = reinterpret_cast<std::uint64_t>(memory);
    const auto resident = pages.residentBytes(begin, begin + kBytes);
    ::munmap(memory, kBytes);
    if (!resident)
        QSKIP("/proc/self/pagemap may not be read here");
    QCOMPARE(*resident, 10 * 4096);
}

QTEST_GUILESS_MAIN(ResidentPartsTest)
#include "resident_parts_test.moc"

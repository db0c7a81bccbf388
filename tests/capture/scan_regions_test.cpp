// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/scan/glibc_arena.h"
#include "capture/scan/scan_regions.h"
#include "capture/scan/scan_room.h"
#include "capture/scan/word_reader.h"

#include <QtTest>

#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>

using namespace capture;

namespace {

constexpr std::uint64_t kMiB = 1u << 20;

MemoryMapping mapping(std::uint64_t begin, std::uint64_t end, const char *access, const std::string &path = {})
{
    MemoryMapping one;
    one.begin = begin;
    one.end = end;
    one.isReadable = access[0] == 'r';
    one.isWritable = access[1] == 'w';
    one.isShared = access[2] == 's';
    one.path = path;
    return one;
}

model::ScanBlock block(std::uint64_t address, std::uint64_t size)
{
    model::ScanBlock one;
    one.address = address;
    one.size = size & 0xff'ffff'ffffu;
    return one;
}

bool isRoot(const std::vector<model::RootRange> &roots, std::uint64_t address)
{
    return std::any_of(roots.begin(), roots.end(),
        [=](const model::RootRange &range) { return address >= range.begin && address < range.end; });
}

bool isRead(const std::vector<ScanRegion> &regions, std::uint64_t address)
{
    return std::any_of(regions.begin(), regions.end(),
        [=](const ScanRegion &region) { return address >= region.begin && address < region.end; });
}

} // namespace

/// Which memory is looked through, and what of it holds blocks by itself.
class ScanRegionsTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void readsWhatCanHoldPointers()
    {
        const auto regions = scanRegions(
            {mapping(0x10000, 0x11000, "r-p", "/bin/app"), mapping(0x11000, 0x12000, "rwp", "/bin/app"),
                mapping(0x12000, 0x13000, "rwp"), mapping(0x20000, 0x21000, "rwp", "[heap]"),
                mapping(0x30000, 0x31000, "rws", "/tmp/file"), mapping(0x40000, 0x41000, "---"),
                mapping(0x50000, 0x51000, "r-p", "[vvar]"), mapping(0x60000, 0x61000, "rws", "/dev/zero"),
                mapping(0x70000, 0x71000, "rwp", "/lib/libgenesis_heaptracer.so"), mapping(0x71000, 0x72000, "rwp")},
            {}, {});
        QVERIFY(!isRead(regions, 0x10000));
        QVERIFY(isRead(regions, 0x11000));
        QVERIFY(isRead(regions, 0x20000));
        QVERIFY(!isRead(regions, 0x30000));
        QVERIFY(!isRead(regions, 0x40000));
        QVERIFY(!isRead(regions, 0x50000));
        QVERIFY(isRead(regions, 0x60000));
        QVERIFY(!isRead(regions, 0x70000));
        QVERIFY(!isRead(regions, 0x71000)); // the tracer's zeroed data
        QCOMPARE(regions[1].name, std::string("variables of app"));
        QCOMPARE(regions[1].moduleBase, std::uint64_t{0x10000});
    }

    void stackIsReadFromItsPointerUp()
    {
        const std::vector<MemoryMapping> mappings{mapping(0xf000, 0x10000, "---"), mapping(0x10000, 0x20000, "rwp"),
            mapping(0x80000, 0x90000, "rwp", "[stack]")};
        const auto regions = scanRegions(mappings, {{7, 0x18000, 0x1f700, {}}, {8, 0x88000, 0x500, {}}}, {});
        QVERIFY(!isRead(regions, 0x17000));
        QVERIFY(isRead(regions, 0x18000 - 128));
        QVERIFY(isRead(regions, 0x1fff8)); // thread-local memory
        QVERIFY(!isRead(regions, 0x87000));
        QVERIFY(isRead(regions, 0x8fff8));
        QCOMPARE(regions[0].name, std::string("stack of thread 7"));
    }

    void stackWithoutGuardKeepsItsNeighbours()
    {
        const auto regions = scanRegions({mapping(0x10000, 0x20000, "rwp")}, {{7, 0x18000, 0x1f700, {}}}, {});
        QVERIFY(isRead(regions, 0x11000));
    }

    void otherStackThanTheThreadsLeavesItWhole()
    {
        // The thread stands on a coroutine's stack: its own is read from end to end.
        const auto regions = scanRegions(
            {mapping(0xf000, 0x10000, "---"), mapping(0x10000, 0x20000, "rwp"), mapping(0x40000, 0x50000, "rwp")},
            {{7, 0x48000, 0x1f700, {}}}, {});
        QVERIFY(isRead(regions, 0x10000) && isRead(regions, 0x40000));
    }

    void allocatorsMemoryIsNoRoot()
    {
        const std::vector<ScanRegion> regions{{0x10000, 0x20000, ScanRegion::Kind::Break, 0, "heap"},
            {64 * kMiB, 66 * kMiB, ScanRegion::Kind::Anonymous, 0, "arena"},
            {200 * kMiB, 210 * kMiB, ScanRegion::Kind::Anonymous, 0, "anonymous"}};
        const model::BlockIndex blocks({block(0x11000, 100), block(64 * kMiB + 0x100, 100),
            block(201 * kMiB + 16, 4096), block(201 * kMiB + 0x20000, 64), block(205 * kMiB, 64)});
        const auto roots = rootRanges(regions, {}, blocks, true);
        QVERIFY(!isRoot(roots, 0x18000));
        QVERIFY(!isRoot(roots, 65 * kMiB));            // an arena of glibc's, to its end
        QVERIFY(isRoot(roots, 200 * kMiB));            // before the first block
        QVERIFY(!isRoot(roots, 201 * kMiB));           // its header
        QVERIFY(!isRoot(roots, 201 * kMiB + 0x10000)); // a small gap
        QVERIFY(isRoot(roots, 203 * kMiB));            // a large one may be the program's
        QVERIFY(isRoot(roots, 209 * kMiB));
        const auto all = rootRanges(regions, {}, blocks, false);
        for (const std::uint64_t address : {std::uint64_t{0x18000}, 65 * kMiB, 201 * kMiB + 0x10000})
            QVERIFY(isRoot(all, address));
    }

    void mappingsOfTheProgramStayRoots()
    {
        KnownMemory known;
        known.mappings = {{201 * kMiB, 201 * kMiB + 0x4000}};
        const auto regions = scanRegions({mapping(200 * kMiB, 203 * kMiB, "rwp")}, {}, known);
        const model::BlockIndex blocks({block(201 * kMiB - 0x1000, 64), block(201 * kMiB + 0x4010, 64)});
        const auto roots = rootRanges(regions, {}, blocks, true);
        QVERIFY(isRoot(roots, 201 * kMiB + 0x2000));
        QVERIFY(!isRoot(roots, 201 * kMiB - 0x800));
    }

    void threadLocalMemoryStaysARoot()
    {
        const std::vector<ScanRegion> regions{{0x100000, 0x110000, ScanRegion::Kind::Anonymous, 0, "anonymous"}};
        const model::BlockIndex blocks({block(0x101000, 64), block(0x10f000, 64)});
        const std::vector<StoppedThread> threads{{7, 0x500, 0x108740, {}}};
        QVERIFY(isRoot(rootRanges(regions, threads, blocks, true), 0x108700));
        QVERIFY(!isRoot(rootRanges(regions, {}, blocks, true), 0x108700));
        const auto roots = rootRanges(regions, threads, blocks, true);
        for (std::size_t i = 1; i < roots.size(); ++i)
            QVERIFY(roots[i].begin >= roots[i - 1].end);
    }

    void blocksEndWhereTheMemoryDoes()
    {
        const MappedExtent extent(
            {mapping(0x10000, 0x12000, "rw-p"), mapping(0x12000, 0x20000, "---p"), mapping(0x30000, 0x31000, "rw-p")});
        QCOMPARE(extent.endOf(0x11000, 0x11800), std::uint64_t{0x11800});
        QCOMPARE(extent.endOf(0x11000, std::uint64_t{1} << 57), std::uint64_t{0x20000});
        QCOMPARE(extent.endOf(0x30ff0, 0x40000), std::uint64_t{0x31000});
        for (const std::uint64_t nowhere : {0xffff, 0x20000, 0x31000, 0x50000})
            QCOMPARE(extent.endOf(nowhere, nowhere + 16), nowhere);
        QCOMPARE(MappedExtent({}).endOf(0x1000, 0x2000), std::uint64_t{0x1000});
    }

    void roomIsMadeForWhatIsResident()
    {
        constexpr std::uint64_t kGiB = 1u << 30;
        const std::size_t least = wordsToExpect({});
        // Nine gigabytes that were never touched are no reason to take a gigabyte.
        QCOMPARE(wordsToExpect({6, 9 * kGiB, 4 * kMiB, 8 * kGiB}), least);
        QCOMPARE(wordsToExpect({6, 9 * kGiB, 9 * kGiB, 64 * kGiB}), std::size_t{9 * kGiB / 8 / 20});
        QCOMPARE(wordsToExpect({1'000'000, 64 * kMiB, 64 * kMiB, 8 * kGiB}), std::size_t{2'000'000});
        QCOMPARE(wordsToExpect({100'000'000, kGiB, kGiB, 160 * kMiB}), std::size_t{40 * kMiB / 16});
        QVERIFY(residentBytesOf(::getpid()) > kMiB);
        QVERIFY(availableBytes() > kMiB);
    }

    void filterKnowsTheSegmentsOfBlocks()
    {
        SegmentFilter filter;
        const std::uint64_t begin = 0x1234'5678'9000, end = begin + 700 * kMiB;
        filter.add(begin, end);
        filter.add(0x7000'0000'0000, 0x7000'0000'0010);
        for (std::uint64_t at = begin; at < end; at += 2 * kMiB)
            QVERIFY(filter.mayPoint(at));
        QVERIFY(filter.mayPoint(end - 1));
        QVERIFY(!filter.mayPoint(begin - 2 * kMiB) && !filter.mayPoint(end + 2 * kMiB));
        QVERIFY(filter.mayPoint(0x7000'0000'0000) && !filter.mayPoint(0x7000'0000'0000 + 2 * kMiB));
        filter.add(0, UINT64_MAX); // in no time
        QVERIFY(filter.mayPoint(0x4000'0000'0000) && filter.mayPoint((std::uint64_t{1} << 47) - 1));
    }

    void findsTheListsOfFreeMemoryOfGlibc()
    {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
        QSKIP("the sanitizer's own allocator serves malloc here");
#endif
        // Those of this very process, which has used malloc; no other part of libc may look like them.
        std::free(std::malloc(1));
        int found = 0;
        const MemoryMapping *last = nullptr;
        const std::vector<MemoryMapping> maps = readMaps(::getpid());
        for (const MemoryMapping &one : maps) {
            const bool isLibc = one.path.ends_with("/libc.so.6") && one.isWritable;
            const bool isBehind = last && one.path.empty() && one.begin == last->end;
            if (isLibc || isBehind) {
                const std::span<const std::uint64_t> words(
                    reinterpret_cast<const std::uint64_t *>(static_cast<std::uintptr_t>(one.begin)),
                    (one.end - one.begin) / 8);
                if (const auto arena = findMainArena(words, one.begin)) {
                    ++found;
                    QVERIFY(arena->begin >= one.begin && arena->end <= one.end);
                }
            }
            last = isLibc ? &one : nullptr;
        }
        QCOMPARE(found, 1);
    }
};

QTEST_APPLESS_MAIN(ScanRegionsTest)
#include "scan_regions_test.moc"

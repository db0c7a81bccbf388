// SPDX-License-Identifier: GPL-3.0-or-later
// Damaged records of kernel rings, and damaged rings: decoding ends, stays within the record, and makes nothing larger than it. The kernel
// writes them, but a stack, a name and a path in them are the target's, and a kernel of another version may write what we do not know.
#include "capture/perf/perf_record.h"
#include "capture/perf/perf_ring.h"
#include "capture/perf/trace_record.h"
#include "tests/capture/perf_bytes.h"
#include "tests/support/fuzz_rounds.h"

#include <QTest>

#include <array>
#include <memory>
#include <random>
#include <span>

using namespace capture;

namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr std::array kKinds{TraceRecordKind::Enter, TraceRecordKind::Exit, TraceRecordKind::EnterStack,
    TraceRecordKind::Switch, TraceRecordKind::SwitchStack, TraceRecordKind::Unknown};

Bytes filled(PerfBytes record, unsigned words)
{
    for (std::uint64_t i = 0; i < words; ++i)
        record.add(i % 3 == 0 ? i : std::uint64_t{8});
    return record.bytes();
}

/// Whole records of every kind that is decoded.
std::vector<Bytes> wholeRecords()
{
    const auto sample = [](std::uint64_t chain, std::uint64_t stackBytes) {
        PerfBytes record = PerfBytes::sampleHead(chain > 0 ? PERF_RECORD_MISC_KERNEL : PERF_RECORD_MISC_USER);
        record.add(chain);
        for (std::uint64_t i = 0; i < chain; ++i)
            record.add(0xffffffff81000000 + i);
        record.registers().add(stackBytes);
        for (std::uint64_t i = 0; i < stackBytes / 8; ++i)
            record.add(i);
        return record.add(stackBytes).bytes();
    };
    std::vector<Bytes> records{sample(0, 0), sample(0, 256), sample(5, 64)};
    for (const std::uint16_t misc : {std::uint16_t{0}, std::uint16_t{1U << 14}}) {
        PerfBytes mapping(PERF_RECORD_MMAP2, misc);
        mapping.add(std::int32_t{10}).add(std::int32_t{11});
        mapping.add(std::uint64_t{0x400000}).add(std::uint64_t{0x1000}).add(std::uint64_t{0});
        mapping.add(std::uint32_t{20}).add(std::uint32_t{1}).add(std::uint64_t{77}).add(std::uint64_t{0});
        mapping.add(std::uint32_t{5}).add(std::uint32_t{2}).text("/usr/bin/a program");
        records.push_back(mapping.trailer(10, 11, 5000, 1).bytes());
    }
    records.push_back(PerfBytes(PERF_RECORD_COMM, 0)
                          .add(std::int32_t{10})
                          .add(std::int32_t{11})
                          .text("name")
                          .trailer(10, 11, 1, 0)
                          .bytes());
    for (const std::uint32_t type : {PERF_RECORD_FORK, PERF_RECORD_EXIT, PERF_RECORD_LOST, PERF_RECORD_THROTTLE,
             PERF_RECORD_SWITCH, PERF_RECORD_LOST_SAMPLES})
        records.push_back(filled(PerfBytes(type, 0), 7));
    // What the recorder's tracepoints and switches give: their fields stand elsewhere, so anything with lengths in it will do.
    for (const unsigned words : {6U, 12U, 40U})
        records.push_back(filled(PerfBytes(PERF_RECORD_SAMPLE, 0), words));
    return records;
}

/// Some bytes, words or the length are others; the length that it says is right again in most cases, as a ring gives no others.
Bytes damaged(Bytes record, std::mt19937_64 &random)
{
    static constexpr std::uint64_t kWords[]
        = {0, 1, 2, 8, 0xffff, 0x7fffffff, 0xffffffff, UINT64_MAX, UINT64_MAX - 7, std::uint64_t{1} << 61, 1U << 31};
    for (std::size_t i = 1 + random() % 4; i > 0; --i) {
        const std::size_t words = record.size() / 8;
        if (const std::size_t at = words > 0 ? 8 * (random() % words) : 0; random() % 2 == 0 && words > 0)
            std::memcpy(record.data() + at, &kWords[random() % std::size(kWords)], 8);
        else if (!record.empty())
            record[random() % record.size()] = static_cast<std::uint8_t>(random());
    }
    if (random() % 3 == 0)
        record.resize(random() % (record.size() + 1));
    if (record.size() >= sizeof(perf_event_header) && random() % 8 != 0) {
        perf_event_header header;
        std::memcpy(&header, record.data(), sizeof header);
        header.size = static_cast<std::uint16_t>(record.size());
        header.type = random() % 4 == 0 ? static_cast<std::uint32_t>(random() % 24) : header.type;
        std::memcpy(record.data(), &header, sizeof header);
    }
    return record;
}

void checkSample(const PerfSample &sample, std::size_t bytes)
{
    QVERIFY(sample.stack.size() + 8 * sample.kernelChain.size() <= bytes);
}

void check(const PerfRecord &record, std::size_t bytes)
{
    if (const auto *sample = std::get_if<PerfSample>(&record.content))
        checkSample(*sample, bytes);
    else if (const auto *stack = std::get_if<CopiedUserStack>(&record.content))
        checkSample(stack->sample, bytes);
    else if (const auto *mapping = std::get_if<PerfMapping>(&record.content))
        QVERIFY(mapping->path.size() <= bytes && mapping->buildId.size() <= 40);
    else if (const auto *name = std::get_if<PerfName>(&record.content))
        QVERIFY(name->name.size() <= bytes);
}

/// Counts what became of records, so that a fuzzer which only makes what is refused at once is noticed.
struct Outcomes
{
    unsigned decoded = 0, refused = 0;
    void add(DecodeResult result, const PerfRecord &record, std::size_t bytes)
    {
        decoded += result == DecodeResult::Decoded ? 1 : 0;
        refused += result == DecodeResult::Bad ? 1 : 0;
        if (result == DecodeResult::Decoded)
            check(record, bytes);
    }
};

void decodeAll(std::span<const std::uint8_t> bytes, Outcomes &outcomes)
{
    PerfRecord record;
    const DecodeResult result = decodePerfRecord(bytes, record);
    outcomes.add(result, record, bytes.size());
    traceRecordId(bytes);
    for (const TraceRecordKind kind : kKinds) {
        const DecodeResult traced = decodeTraceRecord(bytes, kind, record);
        outcomes.add(traced, record, bytes.size());
    }
}

} // namespace

class PerfFuzzTest : public QObject
{
    Q_OBJECT
private Q_SLOTS:
    void recordsOfAllKinds()
    {
        const std::vector<Bytes> whole = wholeRecords();
        std::mt19937_64 random(20261126);
        Outcomes outcomes;
        const unsigned rounds = tests::fuzzRounds(20'000);
        for (unsigned round = 0; round < rounds && !QTest::currentTestFailed(); ++round) {
            const Bytes bytes = damaged(whole[random() % whole.size()], random);
            // With nothing behind the last byte, so that a sanitizer sees any read beyond it.
            const auto exact = std::make_unique<std::uint8_t[]>(bytes.size());
            std::copy(bytes.begin(), bytes.end(), exact.get());
            decodeAll({exact.get(), bytes.size()}, outcomes);
        }
        QVERIFY2(outcomes.decoded > rounds / 2, qPrintable(QString::number(outcomes.decoded)));
        QVERIFY2(outcomes.refused > rounds / 2, qPrintable(QString::number(outcomes.refused)));
    }

    /// A ring whose places and lengths are not what the kernel would write: all of it is read or counted, once.
    void rings()
    {
        constexpr std::size_t kBytes = 4096;
        const std::vector<Bytes> whole = wholeRecords();
        std::mt19937_64 random(20261127);
        Outcomes outcomes;
        std::uint64_t bad = 0;
        const unsigned rounds = tests::fuzzRounds(1000);
        for (unsigned round = 0; round < rounds && !QTest::currentTestFailed(); ++round) {
            const auto data = std::make_unique<std::uint8_t[]>(kBytes);
            perf_event_mmap_page page{};
            page.data_tail = page.data_head = 8 * (random() % (round % 2 == 0 ? 1024 : 1U << 30));
            PerfRing ring = PerfRing::over(&page, data.get(), kBytes);
            const std::uint64_t begin = page.data_head;
            while (page.data_head - begin < kBytes - 700) {
                const Bytes &original = whole[random() % whole.size()];
                const Bytes record = random() % 4 == 0 ? damaged(original, random) : original;
                for (const std::uint8_t byte : record)
                    data[page.data_head++ % kBytes] = byte;
                page.data_head = (page.data_head + 7) / 8 * 8;
            }
            if (round % 16 == 0)
                page.data_head = random(); // more than fits, or behind the reader
            std::uint64_t taken = 0;
            const std::uint64_t all = page.data_head - begin;
            PerfRing::Outcome outcome;
            do {
                outcome = ring.read(1024, [&](std::span<const std::uint8_t> bytes) {
                    taken += bytes.size();
                    decodeAll(bytes, outcomes);
                });
                bad += outcome.badBytes;
                taken += outcome.badBytes;
            } while (outcome.hasMore);
            QCOMPARE(taken, all);
            QCOMPARE(page.data_tail, page.data_head);
        }
        QVERIFY(outcomes.decoded > rounds);
        QVERIFY(bad > 0);
    }
};

QTEST_GUILESS_MAIN(PerfFuzzTest)
#include "perf_fuzz_test.moc"

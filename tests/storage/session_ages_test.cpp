// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/age_history.h"
#include "storage/database.h"
#include "storage/session_writer.h"
#include "tests/storage/sample_session.h"

#include <random>

using namespace model;
using Parts = storage::SessionReader::Parts;

/// Histories of ages come back as they were written, brought up to their clock.
class SessionAgesTest : public QObject
{
    Q_OBJECT

private:
    QTemporaryDir m_folder;
    std::string file(const char *name) const { return m_folder.filePath(QString::fromUtf8(name)).toStdString(); }

    static StackAges history(std::uint32_t first, std::size_t count)
    {
        StackAges ages{
            ImageId(0u), StackId(kStackEndCount), 3, first, Duration::fromMs(10'000), {}, {{64, {7'000'000'000}}}};
        for (std::size_t i = 0; i < count; ++i) {
            const auto n = static_cast<std::int64_t>(i);
            ages.buckets.push_back({10 + n, n % 4, n == 0 ? 5 : 0, 100 - n, -50 + n * 1000});
        }
        return ages;
    }

    static EventBatch batchWith(std::int64_t second, const AgeClock &clock, std::vector<StackAges> stacks)
    {
        EventBatch batch;
        batch.span = {{second * 1'000'000'000}, {(second + 1) * 1'000'000'000}};
        batch.ageClocks = {clock};
        batch.stackAges = std::move(stacks);
        return batch;
    }

private Q_SLOTS:
    void historiesAreCodedWithoutLoss()
    {
        const StackAges ages = history(5, 100);
        StackAges read;
        const std::string bytes = storage::encodeHistory(ages);
        QVERIFY(storage::decodeHistory(bytes, read));
        QVERIFY(read.buckets == ages.buckets);
        QVERIFY(read.examples == ages.examples);
        QVERIFY(bytes.size() < 1000);
        for (std::size_t cut = 0; cut < bytes.size(); ++cut)
            QVERIFY(!storage::decodeHistory(std::string_view(bytes).substr(0, cut), read));
        QVERIFY(!storage::decodeHistory(bytes + "x", read));
    }

    void nothingInABlobIsTrusted()
    {
        std::mt19937 random(4);
        const std::string good = storage::encodeHistory(history(0, 40));
        for (int i = 0; i < 3000; ++i) {
            std::string bytes = good;
            for (int j = 0; j < 3; ++j)
                bytes[random() % bytes.size()] = static_cast<char>(random());
            StackAges read;
            if (!storage::decodeHistory(bytes, read))
                continue;
            QVERIFY(read.buckets.size() <= kMostAgeBuckets);
            for (AgeBucket &bucket : read.buckets) {
                const AgeBucket before = bucket;
                cutToPossible(bucket);
                QVERIFY(before == bucket);
            }
        }
    }

    void comesBackUpToItsClock()
    {
        SampleSession sample;
        static_cast<void>(sample.stackAt(1));
        auto writer = storage::SessionWriter::create(file("ages"), sample.info());
        VERIFY_RESULT(writer);
        AgeClock clock{ImageId(0u), {1'000}, Duration::fromMs(10'000), 50, 1, 0, 1};
        const StackAges ages = history(5, 45);
        VERIFY_RESULT(writer->write(batchWith(0, clock, {ages}), sample.tables()));
        auto reader = storage::SessionReader::open(file("ages"));
        VERIFY_RESULT(reader);
        QVERIFY(!(*reader->snapshot({}))->heapAges); // not asked for
        auto snapshot = *reader->snapshot({}, {}, Parts::WithAges);
        QCOMPARE(snapshot->damage, std::string());
        QCOMPARE(snapshot->heapAges->stacks.size(), std::size_t{1});
        QVERIFY(snapshot->heapAges->stacks[0].buckets == ages.buckets);
        QCOMPARE(snapshot->heapAges->stacks[0].firstBucket, 5u);
        // The stack does nothing more while the clock goes on and doubles its bucket.
        clock.bucket = Duration::fromMs(20'000);
        clock.buckets = 80;
        VERIFY_RESULT(writer->write(batchWith(1, clock, {}), sample.tables()));
        QVERIFY(*reader->poll());
        snapshot = *reader->snapshot({}, {}, Parts::WithAges);
        QCOMPARE(snapshot->damage, std::string());
        const StackAges &now = snapshot->heapAges->stacks.at(0);
        QCOMPARE(now.firstBucket, 2u);
        QCOMPARE(now.buckets.size(), std::size_t{78});
        QCOMPARE(now.buckets.back().liveBytes, ages.buckets.back().liveBytes);
        QCOMPARE(now.buckets.back().born, std::int64_t{0});
        std::int64_t born = 0, expected = 0;
        for (const AgeBucket &bucket : now.buckets)
            born += bucket.born;
        for (const AgeBucket &bucket : ages.buckets)
            expected += bucket.born;
        QCOMPARE(born, expected);
    }

    void addsUpTheParts()
    {
        SampleSession sample;
        static_cast<void>(sample.stackAt(1));
        auto writer = storage::SessionWriter::create(file("parts"), sample.info());
        VERIFY_RESULT(writer);
        const AgeClock clock{ImageId(0u), {0}, Duration::fromMs(10'000), 50, 2, 0, 1};
        StackAges later = history(20, 30);
        later.part = 4;
        VERIFY_RESULT(writer->write(batchWith(0, clock, {history(10, 40), later}), sample.tables()));
        auto reader = storage::SessionReader::open(file("parts"));
        const auto snapshot = *reader->snapshot({}, {}, Parts::WithAges);
        QCOMPARE(snapshot->heapAges->stacks.size(), std::size_t{1});
        const StackAges &sum = snapshot->heapAges->stacks[0];
        QCOMPARE(sum.buckets.size(), std::size_t{40});
        QCOMPARE(sum.buckets[0].born, std::int64_t{10});
        QCOMPARE(sum.buckets[10].born, std::int64_t{20 + 10});
        QCOMPARE(sum.buckets[0].died, std::int64_t{10});
    }

    void leavesOutWhatCannotBe()
    {
        SampleSession sample;
        static_cast<void>(sample.stackAt(1));
        auto writer = storage::SessionWriter::create(file("wrong"), sample.info());
        VERIFY_RESULT(writer);
        const AgeClock clock{ImageId(0u), {0}, Duration::fromMs(10'000), 20, 2, 0, 1};
        StackAges elsewhere = history(0, 10);
        elsewhere.stack = StackId(99'999u);
        VERIFY_RESULT(writer->write(batchWith(0, clock, {history(0, 40), elsewhere}), sample.tables()));
        auto reader = storage::SessionReader::open(file("wrong"));
        auto snapshot = *reader->snapshot({}, {}, Parts::WithAges);
        QVERIFY(snapshot->heapAges->stacks.empty());
        QVERIFY(snapshot->damage.find("stack_age") != std::string::npos);
    }
};

QTEST_APPLESS_MAIN(SessionAgesTest)
#include "session_ages_test.moc"

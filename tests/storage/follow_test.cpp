// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/database.h"
#include "storage/follow/follow_copy.h"
#include "storage/follow/follow_source.h"
#include "storage/schema.h"
#include "storage/writer_lock.h"
#include "tests/storage/sample_session.h"
#include "tests/support/long_session.h"

#include <QFile>

#include <random>

using namespace model;
using storage::FollowCopy;
using storage::FollowSource;

class FollowTest : public QObject
{
    Q_OBJECT

private:
    QTemporaryDir m_folder;
    std::string file(const char *name) const { return m_folder.filePath(QString::fromUtf8(name)).toStdString(); }

    /// All rows of all tables, as text; what a copy does not take over is left out.
    static std::vector<std::string> contents(const std::string &path)
    {
        auto database = storage::Database::open(path, storage::OpenMode::ReadWrite);
        const auto tables = storage::tableDeclarations(storage::schemaVersion());
        std::vector<std::string> all;
        for (const auto &[name, sql] : *tables) {
            const bool isSession = name == "session";
            auto rows = database->prepare(
                "SELECT * FROM " + name + (isSession ? " WHERE key NOT IN ('control_address', 'recorder_pid')" : ""));
            while (rows && *rows->step()) {
                std::string line = name;
                for (int i = 0; i < rows->columnCount(); ++i) {
                    const std::string_view blob = rows->blob(i);
                    line += "|" + std::string(rows->isNull(i) ? "NULL" : blob.empty() ? rows->text(i) : blob);
                }
                all.push_back(std::move(line));
            }
        }
        std::sort(all.begin(), all.end());
        return all;
    }

    /// The first row that one of the two has and the other has not, and how many there are.
    static QByteArray difference(const std::string &path, const std::string &other)
    {
        const auto a = contents(path), b = contents(other);
        std::vector<std::string> rows;
        std::set_symmetric_difference(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(rows));
        if (rows.empty())
            return {};
        return QByteArray::number(static_cast<qsizetype>(rows.size()))
            + " rows, the first: " + QByteArray::fromStdString(rows.front()).left(200);
    }

    /// Sends what is new; whether there is more to come.
    static bool pump(FollowSource &source, FollowCopy &copy)
    {
        std::mt19937 random(7);
        std::string bytes;
        const auto more = source.poll([&bytes](std::string_view piece) {
            bytes += piece;
            return Result<void>();
        });
        if (!more)
            qFatal("%s", more.error().text().c_str());
        for (std::size_t at = 0; at < bytes.size();) {
            const std::size_t size = std::min<std::size_t>(1 + random() % 5000, bytes.size() - at);
            if (const auto fed = copy.feed(std::string_view(bytes).substr(at, size)); !fed)
                qFatal("%s", fed.error().text().c_str());
            at += size;
        }
        return *more;
    }

private Q_SLOTS:
    void copiesARecordingAsItGrows()
    {
        SampleSession sample;
        auto writer = sample.begin(file("live"), 1);
        VERIFY_RESULT(writer);
        auto source = FollowSource::open(file("live"));
        VERIFY_RESULT(source);
        FollowCopy copy(file("copy"));
        QVERIFY(pump(*source, copy));
        auto viewer = storage::SessionReader::open(file("copy"));
        VERIFY_RESULT(viewer);
        for (int i = 1; i < 12; ++i) {
            VERIFY_RESULT(writer->write(sample.batch(i, 3 + i), sample.tables()));
            QVERIFY(pump(*source, copy));
            VERIFY_RESULT(viewer->poll());
            const auto snapshot = *viewer->snapshot({});
            QCOMPARE(snapshot->tickEnds.size(), static_cast<std::size_t>(i + 1));
            QCOMPARE(snapshot->info.state, SessionState::Recording);
            QCOMPARE(snapshot->damage, std::string());
            QVERIFY(snapshot->info.controlAddress.empty());
        }
        sample.info().state = SessionState::Complete;
        VERIFY_RESULT(writer->finish(sample.info()));
        QVERIFY(!pump(*source, copy));
        QVERIFY(copy.isComplete());
        VERIFY_RESULT(copy.finish());
        QCOMPARE(difference(file("copy"), file("live")), QByteArray());
        QVERIFY(!QFile::exists(m_folder.filePath(QStringLiteral("copy-wal"))));
        VERIFY_RESULT(viewer->poll());
        QCOMPARE(viewer->info().state, SessionState::Complete);
    }

    void sendsOnlyWhatIsNew()
    {
        SampleSession sample;
        auto writer = sample.begin(file("long"), 60, 50);
        auto source = FollowSource::open(file("long"));
        std::size_t bytes = 0;
        const auto count = [&bytes](std::string_view piece) {
            bytes += piece.size();
            return Result<void>();
        };
        VERIFY_RESULT(source->poll(count));
        const std::size_t first = std::exchange(bytes, 0);
        VERIFY_RESULT(source->poll(count));
        QCOMPARE(bytes, std::size_t{0});
        VERIFY_RESULT(writer->write(sample.batch(60, 50), sample.tables()));
        VERIFY_RESULT(source->poll(count));
        QVERIFY2(bytes > 0 && bytes < first / 10, qPrintable(QString::number(bytes)));
    }

    void goesOnWithACopyAfterEitherSideEnded()
    {
        SampleSession sample;
        auto writer = sample.begin(file("broken"), 4);
        {
            auto source = FollowSource::open(file("broken"));
            FollowCopy copy(file("resumed"));
            QVERIFY(pump(*source, copy));
            QVERIFY(!copy.hasEnded());
            VERIFY_RESULT(copy.finish());
        }
        auto reader = storage::SessionReader::open(file("resumed"));
        VERIFY_RESULT(reader);
        QCOMPARE(reader->info().state, SessionState::Unfinished);
        QCOMPARE((*reader->snapshot({}))->tickEnds.size(), std::size_t{4});
        QCOMPARE((*reader->snapshot({}))->damage, std::string()); // all that came is in the file itself
        VERIFY_RESULT(writer->write(sample.batch(4), sample.tables()));
        auto source = FollowSource::open(file("broken"));
        FollowCopy copy(file("resumed"));
        QVERIFY(pump(*source, copy));
        writer = Error("killed");
        QVERIFY(!pump(*source, copy));
        QVERIFY(copy.hasEnded() && !copy.isComplete());
        VERIFY_RESULT(copy.finish());
        QCOMPARE(difference(file("resumed"), file("broken")), QByteArray());
        SampleSession other;
        VERIFY_RESULT(other.make(file("other"), 1));
        auto another = FollowSource::open(file("other"));
        FollowCopy wrong(file("resumed"));
        std::string bytes;
        VERIFY_RESULT(another->poll([&bytes](std::string_view piece) {
            bytes += piece;
            return Result<void>();
        }));
        const auto refused = wrong.feed(bytes);
        QVERIFY(!refused && refused.error().text().find("holds another recording") != std::string::npos);
    }

    void takesExpiredRowsAway()
    {
        SampleSession sample;
        auto writer = sample.begin(file("expires"), 8);
        auto source = FollowSource::open(file("expires"));
        FollowCopy copy(file("expired"));
        QVERIFY(pump(*source, copy));
        {
            auto database = storage::Database::open(file("expires"), storage::OpenMode::ReadWrite);
            VERIFY_RESULT(database->execute("DELETE FROM heap WHERE tick < 5"));
        }
        VERIFY_RESULT(writer->write(sample.batch(8), sample.tables()));
        QVERIFY(pump(*source, copy));
        VERIFY_RESULT(copy.finish());
        auto database = storage::Database::open(file("expired"), storage::OpenMode::ReadWrite);
        QCOMPARE(*database->integer("SELECT min(tick) FROM heap"), std::int64_t{5});
        QCOMPARE(*database->integer("SELECT count(*) FROM tick"), std::int64_t{9});
    }

    /// Ticks, and with a budget all but the coarsest, expire while the copy is made; a second stream goes on with the copy of the first.
    void staysEqualWhileLevelsExpire_data()
    {
        QTest::addColumn<qint64>("budgetBytes");
        QTest::newRow("two hours and a half") << qint64{0};
        QTest::newRow("with a budget") << qint64{100'000};
    }
    void staysEqualWhileLevelsExpire()
    {
        QFETCH(qint64, budgetBytes);
        constexpr int kTicks = 460;
        tests::LongSession session({.stacks = 40,
            .changedStacks = 8,
            .cpuStacks = 12,
            .cpuSamples = 1,
            .threads = 2,
            .tickNs = budgetBytes > 0 ? 150'000'000'000 : 20'000'000'000,
            .isSampled = true,
            .hasAreas = true,
            .hasLosses = true});
        SessionInfo info;
        if (budgetBytes > 0)
            info.config.budget = ByteBudget{budgetBytes, {24ll * 3'600'000'000'000}};
        const std::string live = file(budgetBytes > 0 ? "expiring2" : "expiring"), copied = live + "copy";
        auto writer = storage::SessionWriter::create(live, info);
        VERIFY_RESULT(writer);
        std::optional<FollowSource> source;
        std::optional<FollowCopy> copy;
        for (int i = 0; i < kTicks; ++i) {
            // Silent for long: of its tables nothing is left but sums.
            EventBatch batch = session.next();
            if (i > kTicks / 3) {
                batch.areas.clear();
                batch.areaTicks.clear();
            }
            VERIFY_RESULT(writer->write(batch, session.tables()));
            if (i == kTicks / 2) {
                source.reset();
                VERIFY_RESULT(copy->finish());
                copy.reset();
            }
            if (i % 7 != 0 || (i > kTicks / 2 && i < kTicks * 3 / 4))
                continue;
            if (!source) {
                source.emplace(*FollowSource::open(live));
                copy.emplace(copied);
            }
            QVERIFY(pump(*source, *copy));
            if (i % 70 == 0)
                QCOMPARE(difference(copied, live), QByteArray());
        }
        info.state = SessionState::Complete;
        VERIFY_RESULT(writer->finish(info));
        while (pump(*source, *copy)) { }
        VERIFY_RESULT(copy->finish());
        QCOMPARE(difference(copied, live), QByteArray());
        auto database = storage::Database::open(copied, storage::OpenMode::ReadWrite);
        QVERIFY(*database->integer("SELECT count(*) FROM heap WHERE tick = 0") > 0);
        QVERIFY(*database->integer("SELECT count(*) FROM loss") > 0);
        const int coarsest = budgetBytes > 0 ? 3 : 0;
        QVERIFY(*database->integer("SELECT kept_from_ns FROM level WHERE level = " + std::to_string(coarsest)) > 0);
    }

    /// A follower that takes its time keeps no transaction open meanwhile, so the log can be folded in; what is written then comes too.
    void readsPieceByPiece()
    {
        tests::LongSession session({.stacks = 3000, .changedStacks = 1500, .cpuStacks = 50});
        auto writer = storage::SessionWriter::create(file("large"), {});
        VERIFY_RESULT(writer);
        for (int i = 0; i < 100; ++i)
            VERIFY_RESULT(writer->write(session.next(), session.tables()));
        auto source = FollowSource::open(file("large"));
        FollowCopy copy(file("largecopy"));
        std::optional<storage::Database> other
            = std::move(*storage::Database::open(file("large"), storage::OpenMode::ReadWrite));
        std::size_t total = 0, greatest = 0;
        std::int64_t busy = 0;
        int pieces = 0;
        const auto take = [&](std::string_view piece) -> Result<void> {
            total += piece.size();
            greatest = std::max(greatest, piece.size());
            ++pieces;
            if (auto written = writer->write(session.next(), session.tables()); !written)
                return written;
            busy += *other->integer("PRAGMA wal_checkpoint(TRUNCATE)");
            return copy.feed(piece);
        };
        VERIFY_RESULT(source->poll(take));
        QVERIFY2(total > 9'000'000 && pieces > 2, qPrintable(QString::number(total)));
        QVERIFY2(greatest < 6'000'000, qPrintable(QString::number(greatest)));
        QCOMPARE(busy, std::int64_t{0});
        QCOMPARE(copy.batches(), std::int64_t{1});
        SessionInfo info;
        info.state = SessionState::Complete;
        other.reset();
        VERIFY_RESULT(writer->finish(info));
        while (pump(*source, copy)) { }
        VERIFY_RESULT(copy.finish());
        QCOMPARE(difference(file("largecopy"), file("large")), QByteArray());
    }

    /// The newest bucket alone takes more than a piece.
    void comesToAnEndBehindALargeBucket()
    {
        constexpr int kProcesses = 20'000;
        TableBuilder tables;
        EventBatch crowded;
        for (int i = 0; i < kProcesses; ++i) {
            const ProcessId process = tables.addProcess({.pid = 100 + i});
            MetricValues values;
            for (std::size_t metric = 0; metric < kMetricCount; ++metric)
                values.set(static_cast<Metric>(metric), 1 << 20);
            crowded.metrics.push_back({process, values});
            MemoryPartsRow parts{.process = process};
            parts.mappings = 1 << 20;
            crowded.memoryParts.push_back(parts);
        }
        auto writer = storage::SessionWriter::create(file("crowded"), {});
        VERIFY_RESULT(writer);
        for (int i = 0; i < 14; ++i) {
            EventBatch batch = i == 3 ? crowded : EventBatch();
            batch.span = {{i * 1'000'000'000ll}, {(i + 1) * 1'000'000'000ll}};
            batch.recorderCpuNs = 1;
            VERIFY_RESULT(writer->write(batch, tables));
        }
        auto source = FollowSource::open(file("crowded"));
        FollowCopy copy(file("crowdedcopy"));
        int pieces = 0;
        std::size_t total = 0;
        const auto take = [&](std::string_view piece) -> Result<void> {
            total += piece.size();
            return ++pieces > 20 ? Result<void>(Error("It does not come to an end")) : copy.feed(piece);
        };
        VERIFY_RESULT(source->poll(take));
        QVERIFY2(total > 12'000'000 && pieces > 2, qPrintable(QString::number(total)));
        QCOMPARE(copy.batches(), std::int64_t{1});
        QCOMPARE(difference(file("crowdedcopy"), file("crowded")), QByteArray());
    }

    void sendsEachScanOnce()
    {
        SampleSession sample;
        auto writer = sample.begin(file("scanned"), 1);
        VERIFY_RESULT(writer);
        auto source = FollowSource::open(file("scanned"));
        FollowCopy copy(file("scannedcopy"));
        const auto sentFor = [&](EventBatch batch) {
            std::size_t bytes = 0;
            if (const auto written = writer->write(batch, sample.tables()); !written)
                qFatal("%s", written.error().text().c_str());
            const auto more = source->poll([&](std::string_view piece) {
                bytes += piece.size();
                return copy.feed(piece);
            });
            return more ? bytes : std::size_t{0};
        };
        QVERIFY(sentFor(sample.batch(1)) > 0);
        EventBatch large = sample.batch(2);
        for (int i = 0; i < 3000; ++i)
            large.scans.at(0).paths.push_back(large.scans.at(0).paths.front());
        const std::size_t withScan = sentFor(large), after = sentFor(sample.batch(3));
        QVERIFY2(withScan > 300'000 && after > 0 && after < withScan / 10, qPrintable(QString::number(after)));
        QCOMPARE(difference(file("scannedcopy"), file("scanned")), QByteArray());
    }

    void keepsASealedRecordingSealed()
    {
        const auto key = *storage::SealKey::make(storage::SecretText::of("p"), {1, 1 << 20});
        SampleSession sample;
        auto writer = storage::SessionWriter::create(file("sealed"), sample.info(), key);
        VERIFY_RESULT(writer->write(sample.batch(0), sample.tables()));
        auto source = FollowSource::open(file("sealed"), key);
        VERIFY_RESULT(source);
        std::string bytes;
        VERIFY_RESULT(source->poll([&bytes](std::string_view piece) {
            bytes += piece;
            return Result<void>();
        }));
        FollowCopy plain(file("inclear"));
        const auto refused = plain.feed(bytes);
        QVERIFY(!refused && refused.error().text().find("add --seal") != std::string::npos);
        QVERIFY(!QFile::exists(m_folder.filePath(QStringLiteral("inclear"))));
        FollowCopy copy(file("sealedcopy"), key);
        VERIFY_RESULT(copy.feed(bytes));
        VERIFY_RESULT(copy.finish());
        QVERIFY(storage::isSealed(file("sealedcopy")));
        QVERIFY(storage::SessionReader::open(file("sealedcopy"), key).has_value());
    }

    void survivesBadStreams()
    {
        SampleSession sample;
        VERIFY_RESULT(sample.make(file("good"), 3));
        auto source = FollowSource::open(file("good"));
        std::string good;
        VERIFY_RESULT(source->poll([&good](std::string_view piece) {
            good += piece;
            return Result<void>();
        }));
        FollowCopy noise(file("noise"));
        QVERIFY(noise.feed("Welcome to host!\n").error().text().find("login script") != std::string::npos);
        std::mt19937 random(3);
        for (int round = 0; round < 60; ++round) {
            std::string bytes = good;
            for (unsigned i = 0; i < 1 + random() % 4; ++i)
                bytes[random() % bytes.size()] ^= static_cast<char>(1 << (random() % 8));
            const std::string path = file(("bad" + std::to_string(round)).c_str());
            FollowCopy copy(path);
            static_cast<void>(copy.feed(bytes));
            static_cast<void>(copy.finish());
            if (QFile::exists(QString::fromStdString(path)))
                if (auto reader = storage::SessionReader::open(path))
                    static_cast<void>(reader->snapshot({}));
        }
    }
};

QTEST_APPLESS_MAIN(FollowTest)
#include "follow_test.moc"

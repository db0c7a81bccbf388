// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/scan_reading.h"
#include "storage/scan_loader.h"
#include "storage/scan_writer.h"
#include "storage/schema.h"
#include "tests/storage/sample_session.h"

using namespace model;

class ScanLoaderTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void keepsTheStacksOfTheNewestScans()
    {
        QTemporaryDir folder;
        const std::string path = folder.filePath(QStringLiteral("scans")).toStdString();
        SampleSession sample;
        VERIFY_RESULT(sample.make(path, 6));
        auto database = storage::Database::open(path, storage::OpenMode::ReadWrite);
        VERIFY_RESULT(database);
        storage::Damage damage;
        storage::LoadedSession session;
        storage::LoadContext context{*database, damage, -1, 1 << 20};
        VERIFY_RESULT(storage::loadTables(context, session));
        const auto stacks = *database->integer("SELECT count(*) FROM scan_stack WHERE scan > 3");
        QVERIFY(stacks > 0 && stacks < *database->integer("SELECT count(*) FROM scan_stack"));
        VERIFY_RESULT(storage::loadScans(context, session, static_cast<std::size_t>(stacks)));
        check(session, 6, 4);
        QCOMPARE(damage.text(), std::string());

        // Those that come later push out others; what a snapshot was given stays as it is.
        const auto before = session.scans;
        VERIFY_RESULT(database->execute("INSERT INTO scan SELECT 7, image, when_ns, proof, limits, confirms, stop_ns,"
                                        " analysis_ns, scanned_bytes, unreadable_bytes, threads, missed_threads,"
                                        " interrupted_calls, min_age_ns, reachable_blocks, reachable_bytes,"
                                        " possibly_blocks, possibly_bytes, indirectly_blocks, indirectly_bytes,"
                                        " directly_blocks, directly_bytes, unjudged_blocks, unjudged_bytes,"
                                        " confirmed_blocks, confirmed_bytes FROM scan WHERE id = 6;"
                                        "UPDATE scan_stack SET scan = 7 WHERE scan = 1"));
        VERIFY_RESULT(storage::loadScans(context, session, static_cast<std::size_t>(stacks)));
        check(session, 7, 5);
        QVERIFY(!before[3]->stacks.empty());
        QCOMPARE(damage.text(), std::string());
    }

    void olderScansAreThinnedAsTheyAreWritten()
    {
        auto database = storage::Database::open({}, storage::OpenMode::Memory);
        VERIFY_RESULT(database);
        VERIFY_RESULT(storage::createSchema(*database, storage::schemaVersion()));
        auto writer = storage::ScanWriter::prepare(*database);
        VERIFY_RESULT(writer);
        storage::RowWriter rows;
        const auto write = [&](std::uint32_t id, std::uint32_t image) {
            MemoryScan scan;
            scan.id = id;
            scan.image = ImageId(image);
            scan.limits = id == 1 ? "2 threads were not stopped" : "";
            const BlockSum held{3, 300}, lost{1, 10};
            scan.sums = ReachSums{held, {}, {}, lost, {}};
            ScannedStack losing{StackId(1u), ReachSums{BlockSum{}, {}, {}, lost, {}}, {}, {}, {}};
            ScannedStack holding{StackId(2u), ReachSums{held, {}, {}, {}, {}}, {}, {}, held};
            scan.stacks = {losing, holding};
            HolderPath path{StackId(2u), held, "a root", {}};
            path.way.push_back({StackId(2u), 1});
            scan.paths.push_back(path);
            writer->write(scan, rows);
        };
        std::uint32_t id = 0;
        for (int i = 0; i < storage::kWholeScans; ++i)
            write(++id, 1);
        const auto count
            = [&](const char *what) { return *database->integer("SELECT count(*) FROM " + std::string(what)); };
        QCOMPARE(count("scan_stack"), 2 * storage::kWholeScans);

        // Another image's scans do not push out this one's; the next of its own does, and the sums stay.
        write(++id, 2);
        QCOMPARE(count("scan_stack"), 2 * id);
        write(++id, 1);
        write(++id, 1);
        VERIFY_RESULT(rows.take());
        QCOMPARE(count("scan WHERE reachable_bytes = 300 AND directly_bytes = 10"), id);
        QCOMPARE(count("scan_stack WHERE stack = 1"), id);
        for (const char *table : {"scan_stack WHERE stack = 2", "scan_path", "scan_step"}) {
            QCOMPARE(count(table), id - 2);
            QCOMPARE(count((std::string(table)
                         + (std::string(table).find("WHERE") != std::string::npos ? " AND" : " WHERE") + " scan <= 2")
                               .c_str()),
                0);
        }
        QCOMPARE(count("scan WHERE limits LIKE '%newer scans%'"), 2);
        QCOMPARE(count("scan WHERE id = 1 AND limits LIKE '2 threads were not stopped. Of %newer scans'"), 1);
    }

    void howMemoryWasReadIsNoLimit()
    {
        const std::string copied
            = std::string(kReadFromCopy) + ", which lived for 5 ms, while the program changed 1 KiB of it";
        const ScanLimits parts = scanLimits("2 threads were not stopped. " + copied + ". 3 bytes could not be read");
        QCOMPARE(parts.limits, std::string("2 threads were not stopped. 3 bytes could not be read"));
        QCOMPARE(parts.reading, copied);
        QCOMPARE(scanLimits("no copy").limits, std::string("no copy"));
        QVERIFY(scanLimits("").limits.empty() && scanLimits("").reading.empty());
    }

private:
    /// `count` scans with their sums, of which those from `first` on have their stacks.
    static void check(const storage::LoadedSession &session, std::size_t count, std::uint32_t first)
    {
        QCOMPARE(session.scans.size(), count);
        for (const auto &scan : session.scans) {
            QCOMPARE(scan->stacks.empty(), scan->id < first);
            QCOMPARE(scan->limits.find("so many newer scans") != std::string::npos, scan->id < first);
            QVERIFY(scan->lost().bytes > 0 || scan->id == 1);
        }
    }
};

QTEST_APPLESS_MAIN(ScanLoaderTest)
#include "scan_loader_test.moc"

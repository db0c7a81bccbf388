// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/scan_loader.h"
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

private:
    /// `count` scans with their sums, of which those from `first` on have their stacks.
    static void check(const storage::LoadedSession &session, std::size_t count, std::uint32_t first)
    {
        QCOMPARE(session.scans.size(), count);
        for (const auto &scan : session.scans) {
            QCOMPARE(scan->stacks.empty(), scan->id < first);
            QCOMPARE(scan->limits.find("newer scans") != std::string::npos, scan->id < first);
            QVERIFY(scan->lost().bytes > 0 || scan->id == 1);
        }
    }
};

QTEST_APPLESS_MAIN(ScanLoaderTest)
#include "scan_loader_test.moc"

// SPDX-License-Identifier: GPL-3.0-or-later
// The power goes in the middle of a recording: what a disk can then hold is opened. GENESIS_TEST_CUTS says at how many moments (default 30 a case).
#include "storage/database.h"
#include "tests/storage/power_cut_disk.h"
#include "tests/storage/sample_session.h"

#include <filesystem>

using namespace model;
using tests::PowerCutDisk;

namespace {

constexpr int kTicks = 75; // past the end of a minute, and past what the log holds before it is folded in
constexpr int kStacks = 60;

int cutCount()
{
    return qEnvironmentVariableIsSet("GENESIS_TEST_CUTS") ? qEnvironmentVariableIntValue("GENESIS_TEST_CUTS") : 30;
}

/// A recording, with what was promised at each moment of it.
struct Recorded
{
    std::vector<std::size_t> promised; ///< after so many operations tick i was said to be in the file
    std::size_t created = 0;           ///< after so many the file was said to be there
    std::size_t finished = 0;          ///< after so many it was said to be finished
};

} // namespace

class PowerCutTest : public QObject
{
    Q_OBJECT

private:
    QTemporaryDir m_folder;

    static storage::SealKeyPointer makeKey()
    {
        return *storage::SealKey::make(storage::SecretText::of("p"), {1, 1 << 20});
    }

    static Recorded record(PowerCutDisk &disk, const std::string &path, const storage::SealKeyPointer &key)
    {
        SampleSession sample;
        Recorded recorded;
        auto writer = storage::SessionWriter::create(path, sample.info(), key);
        if (!writer)
            qFatal("%s", writer.error().text().c_str());
        recorded.created = disk.operations();
        for (int i = 0; i < kTicks; ++i) {
            if (const auto done = writer->write(sample.batch(i, kStacks), sample.tables()); !done)
                qFatal("%s", done.error().text().c_str());
            recorded.promised.push_back(disk.operations());
        }
        sample.info().state = SessionState::Complete;
        if (const auto done = writer->finish(sample.info()); !done)
            qFatal("%s", done.error().text().c_str());
        recorded.finished = disk.operations();
        disk.stop();
        return recorded;
    }

    static void passesIntegrityCheck(const std::string &path, const storage::SealKeyPointer &key)
    {
        auto database = storage::Database::open(path, storage::OpenMode::ReadWrite, key);
        VERIFY_RESULT(database);
        auto check = database->prepare("PRAGMA integrity_check");
        QVERIFY(check.has_value());
        const auto row = check->step();
        QVERIFY(row && *row);
        QCOMPARE(QByteArray(check->text(0).data(), static_cast<qsizetype>(check->text(0).size())), QByteArray("ok"));
    }

    /// What may be said of a sealed log whose last frames are torn; of a plain one SQLite's checksums say it, and it is not mentioned.
    static bool isLogsEnd(const std::string &damage)
    {
        return damage.starts_with("The end of its log is not what was sealed");
    }

    /// What was promised by `operations` is there, and at most the tick that was being written besides.
    static void holdsWhatWasPromised(
        const std::string &path, std::size_t operations, const Recorded &recorded, const storage::SealKeyPointer &key)
    {
        const auto promised
            = static_cast<std::size_t>(std::upper_bound(recorded.promised.begin(), recorded.promised.end(), operations)
                - recorded.promised.begin());
        auto reader = storage::SessionReader::open(path, key);
        if (!reader && operations < recorded.created)
            return; // nothing was promised yet; it says so
        VERIFY_RESULT(reader);
        const auto snapshot = reader->snapshot({});
        VERIFY_RESULT(snapshot);
        QVERIFY2((*snapshot)->damage.find("altered") == std::string::npos || isLogsEnd((*snapshot)->damage),
            (*snapshot)->damage.c_str());
        const std::size_t ticks = (*snapshot)->tickEnds.size();
        QVERIFY2(ticks >= promised, qPrintable(QStringLiteral("%1 of %2 ticks").arg(ticks).arg(promised)));
        QVERIFY(ticks <= promised + 1);
        std::int64_t byStack = 0;
        for (const HeapCost &cost : (*snapshot)->heap)
            byStack += cost.allocations;
        QCOMPARE(byStack, static_cast<std::int64_t>(ticks) * kStacks * (kStacks + 1) / 2);
        QCOMPARE((*snapshot)->heapSummary.allocations, byStack);
        if (operations >= recorded.finished) {
            QCOMPARE(reader->info().state, SessionState::Complete);
            QVERIFY(!std::filesystem::exists(path + "-wal"));
        }
        reader = Error("closed");
        passesIntegrityCheck(path, key);
    }

private Q_SLOTS:
    void losesNoTickThatWasWritten_data()
    {
        QTest::addColumn<bool>("isSealed");
        QTest::addColumn<int>("loss");
        for (const bool isSealed : {false, true}) {
            const char *kind = isSealed ? "sealed" : "plain";
            QTest::addRow("%s, all is lost that was not synced", kind) << isSealed << int(PowerCutDisk::Loss::All);
            QTest::addRow("%s, any of it is lost or torn", kind) << isSealed << int(PowerCutDisk::Loss::Some);
            QTest::addRow("%s, nothing is lost", kind) << isSealed << int(PowerCutDisk::Loss::None);
        }
    }
    void losesNoTickThatWasWritten()
    {
        QFETCH(bool, isSealed);
        QFETCH(int, loss);
        const storage::SealKeyPointer key = isSealed ? makeKey() : storage::SealKeyPointer();
        const std::string base = m_folder.path().toStdString(), written = base + "/written", image = base + "/image";
        for (const std::string &folder : {written, image}) {
            std::filesystem::remove_all(folder);
            std::filesystem::create_directory(folder);
        }
        PowerCutDisk disk(written);
        const Recorded recorded = record(disk, written + "/s", key);
        QVERIFY2(disk.syncs("s") > 0, "the log was never folded in, or its syncs were not seen");
        std::mt19937 random(static_cast<unsigned>(loss) + 11);
        const std::size_t beginOfEnd = recorded.promised.back();
        for (int cut = 0; cut < cutCount(); ++cut) {
            // A third of them while it is finished, which takes few operations.
            const std::size_t from = cut % 3 == 0 ? beginOfEnd : 0;
            const std::size_t at = cut == 0 ? recorded.finished : from + random() % (recorded.finished - from + 1);
            std::filesystem::remove_all(image);
            std::filesystem::create_directory(image);
            disk.restore(at, static_cast<PowerCutDisk::Loss>(loss), random, image);
            holdsWhatWasPromised(image + "/s", at, recorded, key);
            if (QTest::currentTestFailed()) {
                qWarning(
                    "cut after %zu of %zu operations (finishing begins after %zu)", at, recorded.finished, beginOfEnd);
                return;
            }
        }
    }
};

QTEST_APPLESS_MAIN(PowerCutTest)
#include "power_cut_integration_test.moc"

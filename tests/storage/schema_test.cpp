// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/schema.h"
#include "tests/storage/sample_session.h"

using namespace model;

class SchemaTest : public QObject
{
    Q_OBJECT

private:
    QTemporaryDir m_folder;
    std::string file(const char *name) const { return m_folder.filePath(QString::fromUtf8(name)).toStdString(); }

private Q_SLOTS:
    void hasAColumnForEachMetric()
    {
        auto database = storage::Database::open({}, storage::OpenMode::Memory);
        VERIFY_RESULT(storage::migrate(*database));
        auto columns = database->prepare("SELECT name FROM pragma_table_info('metric') ORDER BY cid");
        std::vector<std::string> found, expected = {"tick", "process"};
        while (*columns->step())
            found.emplace_back(columns->text(0));
        for (const MetricInfo &metric : kMetrics)
            expected.emplace_back(metric.key);
        QCOMPARE(found, expected);
    }

    void numbersItsMigrations()
    {
        auto database = storage::Database::open({}, storage::OpenMode::Memory);
        VERIFY_RESULT(storage::migrate(*database));
        QCOMPARE(*database->integer("PRAGMA user_version"), std::int64_t{storage::schemaVersion()});
        VERIFY_RESULT(storage::migrate(*database));
        VERIFY_RESULT(database->execute("PRAGMA user_version=77"));
        QVERIFY(!storage::migrate(*database));
    }

    void namesEveryKindOfLoss()
    {
        SampleSession sample;
        auto writer = sample.begin(file("losses"), 0);
        EventBatch batch = sample.batch(0);
        batch.losses.clear();
        for (std::size_t kind = 0; kind < kLossKindCount; ++kind)
            batch.losses.push_back({static_cast<LossKind>(kind), {}, 1, ""});
        VERIFY_RESULT(writer->write(batch, sample.tables()));
        auto database = storage::Database::open(file("losses"), storage::OpenMode::ReadWrite);
        auto rows = database->prepare("SELECT loss FROM v_losses");
        for (std::size_t kind = 0; kind < kLossKindCount; ++kind) {
            QVERIFY(*rows->step());
            QCOMPARE(rows->text(0), lossKey(static_cast<LossKind>(kind)));
        }
    }

    /// Four programs with 50 MiB, one after the other; then one more beside a small one that goes on.
    void countsThePeakOfWhatLivedAtTheSameTime()
    {
        auto database = storage::Database::open({}, storage::OpenMode::Memory);
        VERIFY_RESULT(storage::migrate(*database));
        const auto run = [&database](const QString &sql) {
            const auto done = database->execute(sql.toUtf8().constData());
            QVERIFY2(done.has_value(), sql.toUtf8().constData());
        };
        const auto peak = [&database] {
            auto rows = database->prepare("SELECT heap_peak_mib || '' FROM v_session");
            return *rows->step() ? std::string(rows->text(0)) : std::string();
        };
        run(QStringLiteral("INSERT INTO tick VALUES (1, 0, 0, 1000, 0, 0), (2, 0, 1000, 2000, 0, 0)"));
        const auto image = [&run](int id, int begin, const QString &end, int tick, int mib) {
            run(QStringLiteral("INSERT INTO image VALUES (%1, 0, %1, 0, 0, 0, %2, %3, 2, 0)")
                    .arg(id)
                    .arg(begin)
                    .arg(end));
            run(QStringLiteral("INSERT INTO heap_tick VALUES (%1, %2, 0, 0, 0, %3 << 20, 1, 1, 0, 0, 0, 0)")
                    .arg(tick)
                    .arg(id)
                    .arg(mib));
            run(QStringLiteral(
                "INSERT INTO heap_peak (image, revision, when_ns, bytes, blocks) VALUES (%1, 0, %2, %3 << 20, 1)")
                    .arg(id)
                    .arg(begin)
                    .arg(mib));
        };
        for (int i = 0; i < 4; ++i) // two in each tick
            image(i, 500 * i, QString::number(500 * i + 400), 1 + i / 2, 50);
        QCOMPARE(peak(), std::string("50.0"));
        image(4, 1200, QStringLiteral("NULL"), 2, 7);
        QCOMPARE(peak(), std::string("57.0"));
    }

    void answersThroughItsViews_data()
    {
        QTest::addColumn<QByteArray>("sql");
        QTest::addColumn<QByteArray>("expected");
        const auto row = [](const char *sql, const char *expected) {
            QTest::newRow(sql) << QByteArray(sql) << QByteArray(expected);
        };
        row("SELECT command || '|' || pid || '|' || started_utc || '|' || duration_s || '|' || state || '|' || ticks "
            "|| '|'"
            " || allocations || '|' || cpu_samples FROM v_session",
            "/usr/bin/demo --name two words |4128|2023-11-14 22:13:20|10.0|complete|10|60|75");
        row("SELECT pid || executable || heap || heap_note FROM v_process WHERE image = 1",
            "4129/usr/bin/staticnot tracedit is statically linked");
        row("SELECT time_s || '|' || threads || '|' || cpu_user_percent FROM v_metrics LIMIT 1", "1.0|9000|7.0");
        row("SELECT function || '|' || live_blocks || '|' || allocations || '|' || self_allocations FROM "
            "v_heap_by_function"
            " WHERE function = 'main'",
            "main|40|60|0");
        row("SELECT function || '|' || allocations || '|' || self_allocations FROM v_heap_by_function WHERE function = "
            "'leaf2'",
            "leaf2|30|30");
        row("SELECT total_percent || '|' || self_percent || '|' || samples FROM v_cpu_by_function WHERE function = "
            "'main'",
            "100.0|0.0|75");
        row("SELECT count || '|' || detail || '|' || first_s || '|' || last_s FROM v_losses WHERE loss = "
            "'events_dropped'",
            "45|ring|0.0|10.0");
        row("SELECT begin_s || '|' || allocations || '|' || cpu_s || '|' || marks FROM v_timeline LIMIT 1",
            "0.0|6|0.03|mark 0");
    }
    void answersThroughItsViews()
    {
        QFETCH(QByteArray, sql);
        QFETCH(QByteArray, expected);
        if (!QFile::exists(m_folder.filePath(QStringLiteral("views")))) {
            SampleSession sample;
            VERIFY_RESULT(sample.make(file("views"), 10));
        }
        auto database = storage::Database::open(file("views"), storage::OpenMode::ReadWrite);
        auto rows = database->prepare(sql.toStdString());
        VERIFY_RESULT(rows);
        const auto row = rows->step();
        VERIFY_RESULT(row);
        QCOMPARE(std::string(rows->text(0)), expected.toStdString());
    }
};

QTEST_APPLESS_MAIN(SchemaTest)
#include "schema_test.moc"

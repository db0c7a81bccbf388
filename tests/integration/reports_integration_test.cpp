// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/integration/genprof_runner.h"

#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QTest>

using tests::GenprofRunner;
using tests::Ran;

namespace {

QStringList words(const char *line) { return QString::fromUtf8(line).split(u' '); }

/// Fields of each line of a CSV text (RFC 4180); empty where a quote is not closed.
QList<QStringList> parseCsv(const QByteArray &text)
{
    QList<QStringList> rows;
    QStringList row;
    QByteArray field;
    bool isQuoted = false;
    for (qsizetype i = 0; i < text.size(); ++i) {
        const char c = text.at(i);
        if (isQuoted && c == '"' && i + 1 < text.size() && text.at(i + 1) == '"') {
            field += '"';
            ++i;
        } else if (c == '"') {
            isQuoted = !isQuoted;
        } else if (!isQuoted && (c == ',' || c == '\n')) {
            row << QString::fromUtf8(field);
            field.clear();
            if (c == '\n')
                rows << std::exchange(row, {});
        } else if (isQuoted || c != '\r') {
            field += c;
        }
    }
    return isQuoted || !field.isEmpty() ? QList<QStringList>() : rows;
}

} // namespace

class ReportsIntegrationTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void summaryHasTheDocumentedKeys();
    void everyJsonReportIsOneObject_data();
    void everyJsonReportIsOneObject();
    void everyCsvReportHasEqualRows_data();
    void everyCsvReportHasEqualRows();
    void collapsedStacksBeginAtTheRoot_data();
    void collapsedStacksBeginAtTheRoot();
    void collapsedStacksAddUpToTheTotal();
    void textReportsNameWhatMatters_data();
    void textReportsNameWhatMatters();
    void timeAndProcessNarrowAReport();
    void writesToAFile();
    void saysWhatIsWrongWithAFile_data();
    void saysWhatIsWrongWithAFile();

private:
    Ran report(const QStringList &options) const
    {
        return m_runner.genprof(QStringList{QStringLiteral("report"), m_runner.session()} + options);
    }

    const GenprofRunner m_runner;
};

void ReportsIntegrationTest::initTestCase()
{
    const Ran ran = m_runner.record(words("-q --tick 100 --cpu 999"),
        {QStringLiteral("sh"), QStringLiteral("-c"),
            QStringLiteral("/usr/bin/python3 -c 'import time; x = [bytearray(700 + i % 9) for i in range(30000)]; "
                           "print(sum(i * i for i in range(1500000))); time.sleep(1.5); "
                           "y = [bytearray(900) for i in range(1000)]' | tail -n 1")});
    QCOMPARE(ran.exitCode, 0);
}

void ReportsIntegrationTest::summaryHasTheDocumentedKeys()
{
    const QJsonObject summary = m_runner.report(QStringLiteral("summary"));
    for (const char *path :
        {"command", "pid", "start", "duration_ns", "ticks", "heap.allocations", "heap.frees", "heap.allocated_bytes",
            "heap.live_bytes", "heap.live_blocks", "heap.peak_bytes", "heap.temporary", "cpu.samples", "cpu.lost",
            "stacks.distinct", "stacks.truncated", "stacks.broken", "losses.events_dropped"}) {
        QJsonValue value = summary;
        for (const QString &key : QString::fromUtf8(path).split(u'.'))
            value = value[key];
        QVERIFY2(!value.isUndefined() && !value.isNull(), path);
    }
    QVERIFY(summary[QStringLiteral("heap")][QStringLiteral("allocations")].toInteger() >= 30000);
}

void ReportsIntegrationTest::everyJsonReportIsOneObject_data()
{
    QTest::addColumn<QString>("view");
    for (const char *view : {"summary", "metrics", "heap", "cpu", "leaks", "growth", "losses"})
        QTest::newRow(view) << view;
}

void ReportsIntegrationTest::everyJsonReportIsOneObject()
{
    QFETCH(QString, view);
    const Ran ran = report({QStringLiteral("--what"), view, QStringLiteral("--format"), QStringLiteral("json")});
    QCOMPARE(ran.exitCode, 0);
    QVERIFY(ran.err.isEmpty());
    QJsonParseError error{};
    QVERIFY2(QJsonDocument::fromJson(ran.out, &error).isObject(), qPrintable(error.errorString()));
}

void ReportsIntegrationTest::everyCsvReportHasEqualRows_data() { everyJsonReportIsOneObject_data(); }

void ReportsIntegrationTest::everyCsvReportHasEqualRows()
{
    QFETCH(QString, view);
    const Ran ran = report({QStringLiteral("--what"), view, QStringLiteral("--format"), QStringLiteral("csv")});
    QCOMPARE(ran.exitCode, 0);
    const QList<QStringList> rows = parseCsv(ran.out);
    QVERIFY(rows.size() >= (view == u"leaks" ? 1 : 2)); // so short a recording has no suspects
    QVERIFY(rows.first().size() >= 2);
    for (const QStringList &row : rows)
        QCOMPARE(row.size(), rows.first().size());
    if (view == u"heap" || view == u"cpu") {
        const Ran cut = report({QStringLiteral("--what"), view, QStringLiteral("--format"), QStringLiteral("csv"),
            QStringLiteral("--top"), QStringLiteral("2")});
        QCOMPARE(cut.exitCode, 0);
        QCOMPARE(parseCsv(cut.out), rows.first(3));
    }
}

void ReportsIntegrationTest::collapsedStacksBeginAtTheRoot_data()
{
    QTest::addColumn<QString>("view");
    QTest::newRow("heap") << "heap";
    QTest::newRow("cpu") << "cpu";
}

void ReportsIntegrationTest::collapsedStacksBeginAtTheRoot()
{
    QFETCH(QString, view);
    QStringList options{QStringLiteral("--what"), view, QStringLiteral("--format"), QStringLiteral("collapsed")};
    if (view == u"heap")
        options << QStringLiteral("--cost") << QStringLiteral("allocated");
    const Ran ran = report(options);
    QCOMPARE(ran.exitCode, 0);
    const QList<QByteArray> lines = ran.out.trimmed().split('\n');
    QVERIFY(lines.size() > 10);
    qsizetype fromMain = 0;
    for (const QByteArray &line : lines) {
        const qsizetype space = line.lastIndexOf(' ');
        bool isNumber = false;
        QVERIFY2(line.mid(space + 1).toLongLong(&isNumber) > 0 && isNumber, line.constData());
        const QByteArray root = line.left(line.indexOf(';'));
        fromMain += root.contains("_start") || root.contains("main") ? 1 : 0;
        QVERIFY2(!line.startsWith("malloc"), line.constData());
    }
    QVERIFY2(fromMain * 2 > lines.size(), ran.out.left(2000).constData());
}

void ReportsIntegrationTest::collapsedStacksAddUpToTheTotal()
{
    qint64 sum = 0;
    for (const QByteArray &line :
        report(words("--what heap --cost allocations --format collapsed")).out.trimmed().split('\n'))
        sum += line.mid(line.lastIndexOf(' ') + 1).toLongLong();
    const QJsonObject summary = m_runner.report(QStringLiteral("summary"));
    QCOMPARE(sum, summary[QStringLiteral("heap")][QStringLiteral("allocations")].toInteger());
}

void ReportsIntegrationTest::textReportsNameWhatMatters_data()
{
    QTest::addColumn<QString>("options");
    QTest::addColumn<QString>("said");
    QTest::newRow("summary") << "--what summary"
                             << "python3";
    QTest::newRow("metrics") << "--what metrics"
                             << "Resident memory";
    QTest::newRow("heap") << "--what heap --cost allocated"
                          << "PyByteArray";
    QTest::newRow("cpu") << "--what cpu"
                         << "_PyEval_EvalFrameDefault";
    QTest::newRow("leaks") << "--what leaks"
                           << "Nothing can be said of leaks";
    QTest::newRow("growth") << "--what growth"
                            << "Resident memory";
    QTest::newRow("losses") << "--what losses"
                            << "Heap events dropped";
}

void ReportsIntegrationTest::textReportsNameWhatMatters()
{
    QFETCH(QString, options);
    QFETCH(QString, said);
    const Ran ran = report(options.split(u' '));
    QCOMPARE(ran.exitCode, 0);
    QVERIFY2(ran.out.contains(said.toUtf8()), ran.out.constData());
}

void ReportsIntegrationTest::timeAndProcessNarrowAReport()
{
    const QJsonObject summary = m_runner.report(QStringLiteral("summary"));
    const qint64 whole = summary[QStringLiteral("heap")][QStringLiteral("allocations")].toInteger();
    qint64 sum = 0;
    for (const QJsonValue process : summary[QStringLiteral("processes")].toArray()) {
        const QString pid = QString::number(process[QStringLiteral("pid")].toInteger());
        sum += m_runner
                   .report(QStringLiteral("summary"),
                       {QStringLiteral("--process"), pid})[QStringLiteral("heap")][QStringLiteral("allocations")]
                   .toInteger();
    }
    QCOMPARE(sum, whole);
    const qint64 early = m_runner
                             .report(QStringLiteral("summary"),
                                 words("--from 0 --to 100ms"))[QStringLiteral("heap")][QStringLiteral("allocations")]
                             .toInteger();
    QVERIFY2(early < whole, qPrintable(QStringLiteral("%1 of %2").arg(early).arg(whole)));
    const Ran never = report(words("--from 5h"));
    QCOMPARE(never.exitCode, 1);
    QVERIFY2(never.err.contains("Nothing was recorded"), never.err.constData());
    QCOMPARE(report(words("--process 1")).exitCode, 1);
}

void ReportsIntegrationTest::writesToAFile()
{
    const Ran printed = report(words("--format json"));
    QCOMPARE(report(words("--format json -o out.json")).exitCode, 0);
    QFile file(m_runner.path(QStringLiteral("out.json")));
    QVERIFY(file.open(QIODevice::ReadOnly));
    QVERIFY(file.readAll() == printed.out);
    const Ran refused = report(words("-o no/such/folder/out"));
    QCOMPARE(refused.exitCode, 1);
    QVERIFY2(refused.err.contains("No such file or directory"), refused.err.constData());
    QCOMPARE(report(words("-o /dev/full")).exitCode, 1);
}

void ReportsIntegrationTest::saysWhatIsWrongWithAFile_data()
{
    QTest::addColumn<QByteArray>("content");
    QTest::newRow("missing") << QByteArray();
    QTest::newRow("text") << QByteArray("hello, this is no session\n");
    QTest::newRow("binary") << QByteArray(100'000, '\x7f');
}

void ReportsIntegrationTest::saysWhatIsWrongWithAFile()
{
    QFETCH(QByteArray, content);
    const QString path = m_runner.path(QStringLiteral("wrong.gprof-session"));
    QFile::remove(path);
    if (!content.isEmpty()) {
        QFile file(path);
        QVERIFY(file.open(QIODevice::WriteOnly));
        file.write(content);
    }
    const Ran ran = m_runner.genprof({QStringLiteral("report"), path});
    QCOMPARE(ran.exitCode, 1);
    QVERIFY(ran.out.isEmpty());
    QVERIFY2(ran.err.contains("wrong.gprof-session"), ran.err.constData());
}

QTEST_GUILESS_MAIN(ReportsIntegrationTest)
#include "reports_integration_test.moc"

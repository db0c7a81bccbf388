// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/integration/genprof_runner.h"

#include <QElapsedTimer>
#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QTest>

using tests::GenprofRunner;
using tests::Ran;

namespace {

QStringList words(const char *line) { return QString::fromUtf8(line).split(u' '); }

} // namespace

/// What users do with session files, through genprof itself.
class FilesIntegrationTest : public QObject
{
    Q_OBJECT

private:
    const GenprofRunner m_runner;

    QByteArray bytesOf(const QString &path) const
    {
        QFile file(path);
        return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
    }

private Q_SLOTS:
    void masksSecretsOfCommandLines()
    {
        const Ran ran = m_runner.record(words("-q --cpu off --redact ticket"),
            {QStringLiteral("sh"), QStringLiteral("-c"),
                QStringLiteral("/bin/echo --password zebra-one; true TOKEN=zebra-two"),
                QStringLiteral("--ticket=zebra-three"), QStringLiteral("https://joe:zebra-four@host/"),
                QStringLiteral("plain-argument")});
        QCOMPARE(ran.exitCode, 0);
        QCOMPARE(ran.out, QByteArray("--password zebra-one\n")); // the command itself gets them
        const QByteArray bytes = bytesOf(m_runner.session());
        QVERIFY(bytes.contains("plain-argument") && bytes.contains("--ticket=***"));
        QVERIFY2(!bytes.contains("zebra"), bytes.mid(bytes.indexOf("zebra") - 40, 100).constData());
    }

    void answersInSql()
    {
        const Ran ran = m_runner.genprof(
            {QStringLiteral("sql"), m_runner.session(), QStringLiteral("--format"), QStringLiteral("json")},
            "SELECT pid, name FROM v_threads; SELECT count(*) AS n FROM heap;");
        QVERIFY2(ran.exitCode == 0, ran.err.constData());
        const QJsonArray answers = QJsonDocument::fromJson(ran.out).array();
        QCOMPARE(answers.size(), qsizetype{2});
        QVERIFY(!answers[0][QStringLiteral("rows")].toArray().isEmpty());
        const Ran cut = m_runner.genprof({QStringLiteral("sql"), m_runner.session(),
            QStringLiteral("SELECT * FROM string"), QStringLiteral("--rows"), QStringLiteral("2")});
        QVERIFY(cut.err.contains("there are more than 2 rows"));
        const Ran wrong
            = m_runner.genprof({QStringLiteral("sql"), m_runner.session(), QStringLiteral("DELETE FROM heap")});
        QCOMPARE(wrong.exitCode, 1);
        QVERIFY(wrong.err.contains("opened for reading alone"));
    }

    void listsTagsAndPrunes()
    {
        const QString session = m_runner.session(), folder = m_runner.path({});
        QCOMPARE(m_runner.genprof({QStringLiteral("tag"), session, QStringLiteral("nightly")}).exitCode, 0);
        QCOMPARE(m_runner.genprof({QStringLiteral("note"), session, QStringLiteral("two"), QStringLiteral("words")})
                     .exitCode,
            0);
        const Ran list = m_runner.genprof({QStringLiteral("list"), folder, QStringLiteral("--search"),
            QStringLiteral("NIGHTLY words"), QStringLiteral("--format"), QStringLiteral("json")});
        const QJsonArray entries = QJsonDocument::fromJson(list.out).array();
        QCOMPARE(entries.size(), qsizetype{1});
        QCOMPARE(entries[0][QStringLiteral("note")].toString(), QStringLiteral("two words"));
        QVERIFY(entries[0][QStringLiteral("command")].toString().contains(QStringLiteral("plain-argument")));
        QVERIFY(m_runner.genprof({QStringLiteral("list"), folder, QStringLiteral("--search"), QStringLiteral("absent")})
                    .out.isEmpty());
        const QString copy = m_runner.path(QStringLiteral("copy.gprof-session"));
        QVERIFY(QFile::copy(session, copy));
        const QString cut = m_runner.path(QStringLiteral("cut.gprof-session"));
        QVERIFY(QFile::copy(session, cut) && QFile::resize(cut, QFileInfo(cut).size() / 2));
        const QStringList prune{QStringLiteral("prune"), folder, QStringLiteral("--keep"), QStringLiteral("1")};
        QVERIFY(m_runner.genprof(prune).out.contains("would be removed"));
        QVERIFY(QFile::exists(session) && QFile::exists(copy));
        QCOMPARE(m_runner.genprof({QStringLiteral("tag"), session, QStringLiteral("keep")}).exitCode, 0);
        QVERIFY(m_runner.genprof(prune + QStringList{QStringLiteral("--yes")}).exitCode == 0);
        QVERIFY(QFile::exists(session));
        QVERIFY(QFile::exists(cut)); // what is damaged is nobody's to throw away
    }

    void followsARecordingThroughAPipe()
    {
        const QString live = m_runner.path(QStringLiteral("live")), copy = m_runner.path(QStringLiteral("followed")),
                      word = m_runner.path(QStringLiteral("word"));
        const QString program = GenprofRunner::program();
        const Ran ran = m_runner.run(QStringLiteral("sh"),
            {QStringLiteral("-c"),
                QStringLiteral("\"$0\" record -q --cpu off --tick 100 -o \"$1\" -- "
                               "sh -c 'while ! test -e \"$0\"; do sleep 0.1; done; exit 3' \"$3\" & "
                               "until \"$0\" report \"$1\" >/dev/null 2>&1; do sleep 0.05; done; "
                               "{ \"$0\" follow \"$1\" | \"$0\" follow --into \"$2\"; } & "
                               "until \"$0\" report \"$2\" >/dev/null 2>&1; do sleep 0.05; done; "
                               "\"$0\" report \"$2\" --format json; touch \"$3\"; wait"),
                program, live, copy, word});
        const QJsonObject while_ = QJsonDocument::fromJson(ran.out).object();
        QVERIFY2(while_.value(QStringLiteral("state")).toString() == QStringLiteral("recording"), ran.err.constData());
        QVERIFY(ran.err.contains("grows; genesis-profiler"));
        const QJsonObject a = QJsonDocument::fromJson(
            m_runner.genprof({QStringLiteral("report"), live, QStringLiteral("--format"), QStringLiteral("json")}).out)
                                  .object();
        const QJsonObject b = QJsonDocument::fromJson(
            m_runner.genprof({QStringLiteral("report"), copy, QStringLiteral("--format"), QStringLiteral("json")}).out)
                                  .object();
        QCOMPARE(b.value(QStringLiteral("state")).toString(), QStringLiteral("complete"));
        QVERIFY(a.value(QStringLiteral("heap")) == b.value(QStringLiteral("heap")));
        QVERIFY(a.value(QStringLiteral("ticks")) == b.value(QStringLiteral("ticks")));
        QVERIFY(!QFile::exists(copy + QStringLiteral("-wal")));
    }

    void saysWhenAStreamEndsEarly()
    {
        const Ran empty = m_runner.genprof(
            {QStringLiteral("follow"), QStringLiteral("--into"), m_runner.path(QStringLiteral("x"))});
        QCOMPARE(empty.exitCode, 1);
        QVERIFY2(empty.err.contains("held no session"), empty.err.constData());
        const Ran stream = m_runner.genprof({QStringLiteral("follow"), m_runner.session()});
        QCOMPARE(stream.exitCode, 0);
        const Ran cut
            = m_runner.genprof({QStringLiteral("follow"), QStringLiteral("--into"), m_runner.path(QStringLiteral("y"))},
                stream.out.left(stream.out.size() - 6));
        QCOMPARE(cut.exitCode, 1);
        QVERIFY2(cut.err.contains("Start the same pipeline again to go on"), cut.err.constData());
        const Ran again = m_runner.genprof(
            {QStringLiteral("follow"), QStringLiteral("--into"), m_runner.path(QStringLiteral("y"))}, stream.out);
        QVERIFY2(again.exitCode == 0, again.err.constData());
    }
};

QTEST_GUILESS_MAIN(FilesIntegrationTest)
#include "files_integration_test.moc"

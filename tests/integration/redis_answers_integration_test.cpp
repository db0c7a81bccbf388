// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/integration/genprof_runner.h"

#include <QElapsedTimer>
#include <QJsonArray>
#include <QJsonDocument>
#include <QStandardPaths>
#include <QTest>

using namespace Qt::StringLiterals;
using tests::GenprofRunner;
using tests::Ran;

namespace {

constexpr int kMinutes = 20;

/// A low rate, so that two servers and their recorders have two cores to themselves.
const QString kEightCommands
    = u"redis-benchmark -s r.sock -q -c 2 -n 3000 -r 2000 -d 100 -t set,get,incr,lpush,lpop,sadd,hset,spop; "
      "redis-cli -s r.sock del mylist >/dev/null; sleep 1"_s;
/// Keys of 15 seconds, and each tenth of them for ever.
const QString kKeysForEver
    = u"redis-benchmark -s r.sock -q -c 2 -n 900 -r 1000000000 set short:__rand_int__ a-value-of-a-hundred-bytes EX "
      u"15; "
      "redis-benchmark -s r.sock -q -c 2 -n 100 -r 1000000000 set ever:__rand_int__ a-value-of-a-hundred-bytes; sleep 1"_s;

/// A redis-server under load for twenty minutes, with its stability test, and two scans for lost memory towards the end.
class Redis
{
public:
    explicit Redis(const QString &load)
    {
        const QString server = m_runner.redisServer();
        m_process = m_runner.start({u"soak"_s, u"-q"_s, u"-o"_s, m_runner.session(), u"--alerts"_s, u"off"_s,
            u"--for"_s, QString::number(kMinutes) + u"m"_s, u"--stop-early"_s, u"never"_s, u"--load"_s, load, u"--"_s,
            server, u"--port"_s, u"0"_s, u"--save"_s, QString(), u"--unixsocket"_s, u"r.sock"_s});
    }

    void scan() const { m_runner.control({u"scan"_s}); }

    int exitCode() const
    {
        constexpr int kSlackMs = 120'000;
        return m_process->waitForFinished(kMinutes * 60'000 + kSlackMs) ? m_process->exitCode() : -1;
    }

    QJsonObject report(const QString &what) const { return m_runner.report(what); }
    QByteArray said() const { return m_process->readAllStandardError(); }

private:
    GenprofRunner m_runner;
    std::unique_ptr<QProcess> m_process;
};

/// Functions that are accused of growing or having lost memory.
QStringList accused(const QJsonObject &leaks)
{
    QStringList functions;
    for (const QJsonValue item : leaks["items"_L1].toArray())
        if (item["tier"_L1] != u"idle"_s)
            functions << item["function"_L1].toString();
    return functions;
}

qint64 lostBlocks(const QJsonObject &lost)
{
    qint64 blocks = 0;
    for (const QJsonValue scan : lost["scans"_L1].toArray())
        blocks += scan["definitely_lost"_L1]["blocks"_L1].toInteger()
            + scan["indirectly_lost"_L1]["blocks"_L1].toInteger();
    return blocks;
}

} // namespace

/// What is said of a server that nobody here wrote: nothing while it does the same all the time; where its keys come from, once some are
/// never thrown away; and never that what it holds is lost.
class RedisAnswersIntegrationTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void twentyMinutesUnderLoad()
    {
        if (qEnvironmentVariableIntValue("GENESIS_LONG_TESTS") == 0)
            QSKIP("takes twenty minutes: GENESIS_LONG_TESTS=1 runs it");
        for (const char *tool : {"redis-check-rdb", "redis-benchmark", "redis-cli"})
            if (QStandardPaths::findExecutable(QLatin1StringView(tool)).isEmpty())
                QSKIP("redis-server, redis-benchmark or redis-cli is not installed");
        const Redis calm(kEightCommands), growing(kKeysForEver);
        QTest::qWait((kMinutes - 2) * 60'000);
        growing.scan();
        calm.scan();
        QTest::qWait(35'000); // only blocks that are lost in both are
        growing.scan();
        calm.scan();
        const int calmCode = calm.exitCode(), growingCode = growing.exitCode();

        QVERIFY2(calmCode == 0, calm.said().constData());
        QCOMPARE(accused(calm.report(u"leaks"_s)), QStringList());
        QCOMPARE(lostBlocks(calm.report(u"lost"_s)), 0);

        QVERIFY2(growingCode == 1, growing.said().constData());
        const QString named = accused(growing.report(u"leaks"_s)).join(u' ');
        for (const char *place : {"createEmbeddedStringObject", "dictAddRaw"}) // a value and its entry
            QVERIFY2(named.contains(QLatin1StringView(place)), qPrintable(named));
        const QJsonObject lost = growing.report(u"lost"_s);
        QCOMPARE(lost["scans"_L1].toArray().size(), 2);
        QCOMPARE(lostBlocks(lost), 0);
    }
};

QTEST_GUILESS_MAIN(RedisAnswersIntegrationTest)
#include "redis_answers_integration_test.moc"

// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/process_list.h"

#include <QTest>

class ProcessListTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void everyWordOfASearchMustOccur_data()
    {
        QTest::addColumn<QByteArray>("search");
        QTest::addColumn<bool>("isFound");
        QTest::newRow("nothing") << QByteArray("") << true;
        QTest::newRow("blanks") << QByteArray(" \t ") << true;
        QTest::newRow("pid") << QByteArray("4711") << true;
        QTest::newRow("part of the pid") << QByteArray("71") << true;
        QTest::newRow("name in other case") << QByteArray("REDIS") << true;
        QTest::newRow("argument") << QByteArray("--port") << true;
        QTest::newRow("user and argument") << QByteArray("6380 alice") << true;
        QTest::newRow("path") << QByteArray("/usr/bin") << true;
        QTest::newRow("one word of two") << QByteArray("redis bob") << false;
        QTest::newRow("other") << QByteArray("postgres") << false;
    }
    void everyWordOfASearchMustOccur()
    {
        QFETCH(QByteArray, search);
        QFETCH(bool, isFound);
        model::RunningProcess process;
        process.pid = 4711;
        process.user = "alice";
        process.name = "redis-server";
        process.executable = "/usr/bin/redis-check-rdb";
        process.commandLine = "redis-server --port 6380";
        QCOMPARE(model::matchesSearch(process, search.toStdString()), isFound);
    }
};

QTEST_APPLESS_MAIN(ProcessListTest)
#include "process_list_test.moc"

// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/report/csv_writer.h"

#include <QTest>

using namespace model;

class CsvWriterTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void quotesCsvFields_data()
    {
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<QByteArray>("field");
        QTest::newRow("plain") << QByteArray("main") << QByteArray("main");
        QTest::newRow("comma") << QByteArray("f(int, char)") << QByteArray("\"f(int, char)\"");
        QTest::newRow("quote") << QByteArray("say \"a\"") << QByteArray("\"say \"\"a\"\"\"");
        QTest::newRow("control") << QByteArray("a\nb\tc\x01") << QByteArray("a\\nb\\tc\\x01");
        QTest::newRow("backslash") << QByteArray("a\\n") << QByteArray("a\\\\n");
        QTest::newRow("blank") << QByteArray(" a") << QByteArray("\" a\"");
        QTest::newRow("no UTF-8") << QByteArray("a\xff\xc3\xbc\xc3,\xe2\x82")
                                  << QByteArray("\"a\\xff\xc3\xbc\\xc3,\\xe2\\x82\"");
        QTest::newRow("empty") << QByteArray("") << QByteArray("");
    }

    void quotesCsvFields()
    {
        QFETCH(QByteArray, text);
        QFETCH(QByteArray, field);
        QCOMPARE(QByteArray::fromStdString(csvField(text.toStdString())), field);
    }
};

QTEST_APPLESS_MAIN(CsvWriterTest)
#include "csv_writer_test.moc"

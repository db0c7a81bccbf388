// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/passphrase.h"

#include <QTest>

#include <fcntl.h>
#include <unistd.h>

#include <array>

using namespace app;

class PassphraseTest : public QObject
{
    Q_OBJECT

private:
    /// What is read of a descriptor that holds `text`.
    static model::Result<storage::SecretText> given(const std::string &text)
    {
        std::array<int, 2> ends{};
        if (::pipe2(ends.data(), O_CLOEXEC) != 0 || ::write(ends[1], text.data(), text.size()) < 0)
            qFatal("no pipe");
        ::close(ends[1]);
        return readPassphrase({.fd = ends[0], .keyring = {}}, "");
    }

private Q_SLOTS:
    void isTheFirstLine_data()
    {
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<QByteArray>("passphrase");
        QTest::newRow("a line") << QByteArray("secret\n") << QByteArray("secret");
        QTest::newRow("without its end") << QByteArray("secret") << QByteArray("secret");
        QTest::newRow("of Windows") << QByteArray("secret\r\n") << QByteArray("secret");
        QTest::newRow("of several") << QByteArray("secret\nmore\n") << QByteArray("secret");
        QTest::newRow("of much") << "secret\n" + QByteArray(2000, 'x') << QByteArray("secret");
        QTest::newRow("of exactly as much as is read") << "secret\n" + QByteArray(1017, 'x') << QByteArray("secret");
        QTest::newRow("the longest") << QByteArray(1023, 'x') + '\n' << QByteArray(1023, 'x');
    }
    void isTheFirstLine()
    {
        QFETCH(QByteArray, text);
        QFETCH(QByteArray, passphrase);
        const auto read = given(text.toStdString());
        QVERIFY2(read.has_value(), read ? "" : read.error().text().c_str());
        QCOMPARE(QByteArray(read->view().data(), static_cast<qsizetype>(read->size())), passphrase);
    }

    void saysWhatIsNone()
    {
        for (const char *none : {"", "\n", "\nsecond"}) {
            const auto read = given(none);
            QVERIFY(!read && read.error().text().find("There is no passphrase in descriptor") != std::string::npos);
        }
        const auto tooLong = given(std::string(1024, 'x') + "\n");
        QVERIFY(!tooLong && tooLong.error().text().find("is longer than 1023 bytes") != std::string::npos);
    }
};

QTEST_APPLESS_MAIN(PassphraseTest)
#include "passphrase_test.moc"

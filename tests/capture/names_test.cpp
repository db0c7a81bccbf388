// SPDX-License-Identifier: GPL-3.0-or-later
// Names of functions as people read them, and of variables.
#include "capture/symbols/demangler.h"
#include "capture/symbols/variable_names.h"

#include <QCoreApplication>
#include <QTest>

#include <dlfcn.h>
#include <sys/stat.h>

namespace kept {

std::uint64_t words[4];

} // namespace kept

class NamesTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void namesAreDemangled_data()
    {
        QTest::addColumn<QByteArray>("symbol");
        QTest::addColumn<QByteArray>("name");
        QTest::newRow("C") << QByteArray("malloc") << QByteArray("malloc");
        QTest::newRow("C++") << QByteArray("_ZN3foo3barEi") << QByteArray("foo::bar(int)");
        QTest::newRow("Rust") << QByteArray("_ZN4core3ptr13drop_in_place17h0123456789abcdefE")
                              << QByteArray("core::ptr::drop_in_place");
        QTest::newRow("Rust, generic") << QByteArray(
            "_ZN50_$LT$T$u20$as$u20$core..convert..Into$LT$U$GT$$GT$4into17h0123456789abcdefE")
                                       << QByteArray("<T as core::convert::Into<U>>::into");
        QTest::newRow("not one") << QByteArray("_Zx") << QByteArray("_Zx");
    }
    void namesAreDemangled()
    {
        QFETCH(QByteArray, symbol);
        QFETCH(QByteArray, name);
        QCOMPARE(QByteArray::fromStdString(capture::demangled(symbol.constData())), name);
    }

    void variablesHaveTheirNames()
    {
        Dl_info info{};
        QVERIFY(::dladdr(&kept::words, &info) != 0);
        const std::uint64_t offset
            = reinterpret_cast<std::uint64_t>(&kept::words) - reinterpret_cast<std::uint64_t>(info.dli_fbase);
        const std::string path = QCoreApplication::applicationFilePath().toStdString();
        struct stat file = {};
        QCOMPARE(::stat(path.c_str(), &file), 0);
        capture::VariableNames names;
        QCOMPARE(names.of(path, file.st_ino, offset), std::string("kept::words"));
        QCOMPARE(names.of(path, file.st_ino, offset + 8), std::string("kept::words +0x8"));
        QCOMPARE(names.of(path, file.st_ino, 0), std::string()); // the file's header
        QCOMPARE(names.of("/no/such/file", file.st_ino, offset), std::string());
        QCOMPARE(capture::VariableNames().of(path, file.st_ino + 1, offset), std::string()); // put there since
    }
};

QTEST_GUILESS_MAIN(NamesTest)
#include "names_test.moc"

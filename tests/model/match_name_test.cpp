// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/compare/match_name.h"

#include <QTest>

using namespace model;

class MatchNameTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void namesLoseWhatABuildNumbers_data()
    {
        QTest::addColumn<QString>("name");
        QTest::addColumn<QString>("match");
        const auto row = [](const char *name, const char *match) {
            QTest::newRow(name) << QString::fromUtf8(name) << QString::fromUtf8(match);
        };
        row("parse", "parse");
        row("parse.part.0", "parse");
        row("parse.constprop.0.isra.1", "parse");
        row("parse.cold", "parse");
        row("parse.lto_priv.0", "parse");
        row("parse.llvm.1234567", "parse");
        row("local.123", "local");
        row("a::parse(int) [clone .part.0] [clone .cold]", "a::parse(int)");
        row("name[abi:cxx11](int)", "name[abi:cxx11](int)");
        row("run()::{lambda(int)#2}::operator()(int) const", "run()::{lambda(int)#}::operator()(int) const");
        row("f<{unnamed type#1}>(void)", "f<{unnamed type#}>(void)");
        row("run()::'lambda3'(int)::operator()(int) const", "run()::'lambda'(int)::operator()(int) const");
        row("lambda3", "lambda3");
        row("operator.", "operator.");
        row("v1.5", "v1");
    }

    void namesLoseWhatABuildNumbers()
    {
        QFETCH(QString, name);
        QFETCH(QString, match);
        QCOMPARE(QString::fromStdString(matchName(name.toStdString())), match);
    }

    void modulesLoseTheirVersion()
    {
        QCOMPARE(moduleMatchName("/usr/lib/libfoo.so.1.2.3"), std::string("libfoo.so"));
        QCOMPARE(moduleMatchName("/opt/bin/server"), std::string("server"));
        QCOMPARE(moduleMatchName("[kernel]"), std::string("[kernel]"));
    }
};

QTEST_APPLESS_MAIN(MatchNameTest)
#include "match_name_test.moc"

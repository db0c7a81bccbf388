// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/heap/absent_tracer.h"

#include <QTemporaryDir>
#include <QTest>

#include <filesystem>
#include <fstream>

class AbsentTracerTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void readsWhyFromTheProcess_data();
    void readsWhyFromTheProcess();
    void aSocketThatItCanSeeIsWithinReach();
    void aSandboxOfTheProgramsOwnIsNoContainer();
};

void AbsentTracerTest::readsWhyFromTheProcess_data()
{
    QTest::addColumn<QByteArray>("environment"); // entries separated by |
    QTest::addColumn<QByteArray>("network");
    QTest::addColumn<QByteArray>("says"); // nothing: no reason is seen
    QTest::newRow("as it should be") << QByteArray("A=1|LD_PRELOAD=/x/t.so|GENESIS_TRACER=a:b:0000|")
                                     << QByteArray("net:[1]") << QByteArray();
    QTest::newRow("with others") << QByteArray("LD_PRELOAD=/x/t.so:/lib/j.so|") << QByteArray("net:[1]")
                                 << QByteArray();
    QTest::newRow("replaced") << QByteArray("GENESIS_TRACER=a:b:0000|LD_PRELOAD=/lib/j.so|") << QByteArray("net:[1]")
                              << QByteArray("an LD_PRELOAD of its own (/lib/j.so)");
    QTest::newRow("taken out") << QByteArray("GENESIS_TRACER=a:b:0000|") << QByteArray("net:[1]")
                               << QByteArray("without LD_PRELOAD, by which");
    QTest::newRow("cleared") << QByteArray("A=1|") << QByteArray("net:[1]") << QByteArray("an environment of its own");
    QTest::newRow("other network") << QByteArray("LD_PRELOAD=/x/t.so|") << QByteArray("net:[2]")
                                   << QByteArray("another network namespace");
    QTest::newRow("emptied") << QByteArray("") << QByteArray("net:[1]") << QByteArray("an environment of its own");
    QTest::newRow("ended") << QByteArray("") << QByteArray("net:[1]") << QByteArray();
    QTest::newRow("hidden") << QByteArray() << QByteArray("net:[1]") << QByteArray();
}

void AbsentTracerTest::readsWhyFromTheProcess()
{
    QFETCH(QByteArray, environment);
    QFETCH(QByteArray, network);
    QFETCH(QByteArray, says);
    const QTemporaryDir folder;
    const std::filesystem::path root = folder.path().toStdString();
    for (const char *process : {"self", "12"})
        std::filesystem::create_directories(root / process / "ns");
    std::filesystem::create_symlink("net:[1]", root / "self" / "ns" / "net");
    std::filesystem::create_symlink(network.toStdString(), root / "12" / "ns" / "net");
    std::ofstream(root / "12" / "cmdline") << (std::string_view(QTest::currentDataTag()) == "ended" ? "" : "program");
    if (!environment.isNull())
        std::ofstream(root / "12" / "environ") << environment.replace('|', '\0').toStdString();
    const std::string why = capture::absenceOfTracer(12, {"/x/t.so", {}, root.string()});
    if (says.isEmpty())
        QCOMPARE(why, std::string());
    else
        QVERIFY2(why.find(says.toStdString()) != std::string::npos, why.c_str());
    QCOMPARE(capture::isOutOfReach(12, {{}, {}, root.string()}), network != "net:[1]");
}

void AbsentTracerTest::aSocketThatItCanSeeIsWithinReach()
{
    const QTemporaryDir folder;
    const std::filesystem::path root = folder.path().toStdString();
    for (const char *process : {"self", "12"}) {
        std::filesystem::create_directories(root / process / "ns");
        std::filesystem::create_symlink(std::string("net:") + process, root / process / "ns" / "net");
    }
    std::filesystem::create_directories(root / "12" / "root" / "run");
    QVERIFY(capture::isOutOfReach(12, {"/x/t.so", {}, root.string()}));
    QVERIFY(capture::isOutOfReach(12, {"/x/t.so", "/run/socket", root.string()})); // a container, with files of its own
    std::ofstream(root / "12" / "root" / "run" / "socket") << "";
    QVERIFY(!capture::isOutOfReach(12, {"/x/t.so", "/run/socket", root.string()}));
}

/// Browsers put their own processes into namespaces: genprof cannot be started in there.
void AbsentTracerTest::aSandboxOfTheProgramsOwnIsNoContainer()
{
    for (const bool isOwn : {true, false}) {
        const QTemporaryDir folder;
        const std::filesystem::path root = folder.path().toStdString();
        const auto add
            = [&root](const std::string &pid, const std::string &parent, const char *network, const char *exe) {
                  std::filesystem::create_directories(root / pid / "ns");
                  std::filesystem::create_symlink(network, root / pid / "ns" / "net");
                  std::filesystem::create_symlink(exe, root / pid / "exe");
                  std::ofstream(root / pid / "stat")
                      << pid << " (x) S " << parent
                      << " 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 100 1000 100 18446744073709551615 "
                         "1 1 1 0 0 0 0 0 0 0 0 0 17 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n";
              };
        add("self", "1", "net:[1]", "/usr/bin/genprof");
        add("12", "1", "net:[1]", isOwn ? "/usr/lib/browser" : "/usr/bin/runc");
        add("13", "12", "net:[2]", "/usr/lib/browser");
        add("14", "13", "net:[2]", "/usr/lib/browser");
        const std::string why = capture::outOfReach(14, {"/x/t.so", {}, root.string()});
        QVERIFY2((why.find("sandbox") != std::string::npos) == isOwn, why.c_str());
        QVERIFY2((why.find("start genprof in there") == std::string::npos) == isOwn, why.c_str());
        QVERIFY(capture::outOfReach(12, {"/x/t.so", {}, root.string()}).empty());
    }
}

QTEST_GUILESS_MAIN(AbsentTracerTest)
#include "absent_tracer_test.moc"

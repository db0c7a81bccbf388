// SPDX-License-Identifier: GPL-3.0-or-later
#include <QFile>
#include <QProcess>
#include <QTemporaryDir>
#include <QTest>

namespace tests {

/// The scripts of `installer`, with the tools that they call replaced by ones that only say so.
class ScriptsTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init();
    void refuseWhatTheyDoNotKnow_data();
    void refuseWhatTheyDoNotKnow();
    void depsDoesNothingWhenAllIsInstalled();
    void depsInstallsOnlyWhatIsMissing();
    void depsTellsWhatToDoWhenAptFails();
    void depsLeavesPackagesAloneWhenAsked();

private:
    /// Puts a program in front of the PATH that runs `body` as a shell script.
    void replace(const QString &program, const QByteArray &body);
    /// Runs a script of the folder `installer`; its exit code. What it said is in m_said.
    int run(const QString &script, const QStringList &arguments, const QString &variable = {});

    QTemporaryDir m_tools;
    QString m_said;
};

void ScriptsTest::init()
{
    QVERIFY(m_tools.isValid());
    m_said.clear();
    replace(QStringLiteral("dpkg-query"), "echo installed");
    replace(QStringLiteral("sudo"), "exec \"$@\"");
    replace(QStringLiteral("apt-get"), "echo \"apt-get $*\"");
}

void ScriptsTest::replace(const QString &program, const QByteArray &body)
{
    QFile file(m_tools.filePath(program));
    QVERIFY(file.open(QIODevice::WriteOnly | QIODevice::Truncate));
    file.write("#!/bin/sh\n" + body + "\n");
    QVERIFY(file.setPermissions(QFile::ReadOwner | QFile::WriteOwner | QFile::ExeOwner));
}

int ScriptsTest::run(const QString &script, const QStringList &arguments, const QString &variable)
{
    QStringList environment = QProcess::systemEnvironment();
    environment.removeIf([](const QString &line) { return line.startsWith(QLatin1String("GENESIS_SKIP_DEPS=")); });
    environment << QStringLiteral("PATH=%1:%2").arg(m_tools.path(), qEnvironmentVariable("PATH")) << variable;
    QProcess process;
    process.setEnvironment(environment);
    process.setProcessChannelMode(QProcess::MergedChannels);
    process.start(qEnvironmentVariable("GENESIS_SOURCE_DIR") + QStringLiteral("/installer/") + script, arguments);
    if (!process.waitForFinished(10'000))
        m_said = process.errorString();
    m_said += QString::fromUtf8(process.readAll());
    return process.exitStatus() == QProcess::NormalExit ? process.exitCode() : -1;
}

void ScriptsTest::refuseWhatTheyDoNotKnow_data()
{
    QTest::addColumn<QString>("script");
    QTest::addColumn<QStringList>("arguments");
    QTest::addColumn<QString>("words");
    const auto row = [](const char *script, const QStringList &arguments, const char *words) {
        QTest::addRow("%s %s", script, qPrintable(arguments.join(QLatin1Char(' '))))
            << QString::fromUtf8(script) << arguments << QString::fromUtf8(words);
    };
    row("deps", {QStringLiteral("all")}, "say run, test or checks");
    row("run", {QStringLiteral("ls")}, "usage: installer/run [-- CMD");
    row("run", {QStringLiteral("--")}, "no command after --");
    row("test", {QStringLiteral("fast")}, "no preset 'fast'");
}

void ScriptsTest::refuseWhatTheyDoNotKnow()
{
    QFETCH(QString, script);
    QFETCH(QStringList, arguments);
    QFETCH(QString, words);
    QCOMPARE(run(script, arguments), 1);
    QVERIFY2(m_said.contains(words), qPrintable(m_said));
}

void ScriptsTest::depsDoesNothingWhenAllIsInstalled()
{
    QCOMPARE(run(QStringLiteral("deps"), {QStringLiteral("test")}), 0);
    QCOMPARE(m_said, QString());
}

void ScriptsTest::depsInstallsOnlyWhatIsMissing()
{
    replace(QStringLiteral("dpkg-query"), "case $* in *ninja-build*) exit 1 ;; esac; echo installed");
    QCOMPARE(run(QStringLiteral("deps"), {}), 0);
    QVERIFY2(m_said.contains(QLatin1String("deps: installing with apt-get: ninja-build\n")), qPrintable(m_said));
    QVERIFY2(m_said.contains(QLatin1String("install --no-install-recommends ninja-build\n")), qPrintable(m_said));
}

void ScriptsTest::depsTellsWhatToDoWhenAptFails()
{
    replace(QStringLiteral("dpkg-query"), "case $* in *ninja-build*) exit 1 ;; esac; echo installed");
    replace(QStringLiteral("apt-get"), "exit 100");
    QCOMPARE(run(QStringLiteral("deps"), {}), 1);
    QVERIFY2(m_said.contains(QLatin1String("could not install: ninja-build\n")), qPrintable(m_said));
    QVERIFY2(m_said.contains(QLatin1String("network")), qPrintable(m_said));
}

void ScriptsTest::depsLeavesPackagesAloneWhenAsked()
{
    replace(QStringLiteral("dpkg-query"), "exit 1");
    QCOMPARE(run(QStringLiteral("deps"), {}, QStringLiteral("GENESIS_SKIP_DEPS=1")), 0);
    QCOMPARE(m_said, QString());
}

} // namespace tests

QTEST_GUILESS_MAIN(tests::ScriptsTest)
#include "scripts_test.moc"

// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/installer/installed_tree.h"

#include <QDir>
#include <QFileInfo>
#include <QJsonDocument>
#include <QJsonObject>
#include <QRegularExpression>
#include <QSettings>
#include <QTest>

namespace tests {

/// The tree that `cmake --install` makes, in a folder of its own: whatever the programs need, they have to find there.
class InstalledTreeIntegrationTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void recordsTheHeapWithTheInstalledTracer();
    void bringsTheHeaderForPrograms();
    void desktopEntryHasAnIcon();
    void saysUnderWhichLicencesItIs();
    void explainsTheWindowsOptions();
    void bringsWhatPackagesMustHave();
    void completesCommandLines_data();
    void completesCommandLines();

private:
    QString at(const QString &path) const { return m_tree.at(path); }

    QByteArray unpacked(const QString &path) const
    {
        return runProgram(QStringLiteral("gzip"), {QStringLiteral("-dc"), at(path)}).out;
    }

    InstalledTree m_tree;
};

void InstalledTreeIntegrationTest::initTestCase()
{
    const QString failure = m_tree.install();
    QVERIFY2(failure.isEmpty(), qPrintable(failure));
}

void InstalledTreeIntegrationTest::recordsTheHeapWithTheInstalledTracer()
{
    const QString genprof = at(QStringLiteral("bin/genprof"));
    const QString session = at(QStringLiteral("demo.gprof-session"));
    const Outcome recorded = runProgram(genprof,
        {QStringLiteral("record"), QStringLiteral("-o"), session, QStringLiteral("--"),
            qEnvironmentVariable("GENESIS_BUILD_DIR") + QStringLiteral("/bin/genesis-demo"), QStringLiteral("1")});
    QVERIFY2(recorded.exitCode == 0, qPrintable(recorded.text));
    const Outcome reported = runProgram(genprof,
        {QStringLiteral("report"), session, QStringLiteral("--what"), QStringLiteral("summary"),
            QStringLiteral("--format"), QStringLiteral("json")});
    QVERIFY2(reported.exitCode == 0, qPrintable(reported.text));
    const QJsonObject heap = QJsonDocument::fromJson(reported.out).object()[QLatin1String("heap")].toObject();
    // 2,000 orders, each of several blocks; 200 audit records of two blocks stay.
    QVERIFY2(heap[QLatin1String("allocations")].toDouble() > 10'000, qPrintable(reported.text));
    QVERIFY2(heap[QLatin1String("live_blocks")].toDouble() >= 400, qPrintable(reported.text));
}

void InstalledTreeIntegrationTest::bringsTheHeaderForPrograms()
{
    const QString header = at(QStringLiteral("include/genesis_profiler.h"));
    QVERIFY2(QFileInfo(header).size() > 0, qPrintable(header));
}

void InstalledTreeIntegrationTest::desktopEntryHasAnIcon()
{
    const QSettings entry(at(QStringLiteral("share/applications/genesis-profiler.desktop")), QSettings::IniFormat);
    const QString icon = entry.value(QStringLiteral("Desktop Entry/Icon")).toString();
    const QString file = at(QStringLiteral("share/icons/hicolor/scalable/apps/%1.svg").arg(icon));
    QVERIFY2(QFileInfo(file).size() > 0, qPrintable(file));
}

void InstalledTreeIntegrationTest::saysUnderWhichLicencesItIs()
{
    QFile file(at(QStringLiteral("share/doc/genesis-profiler/copyright")));
    QVERIFY2(file.open(QFile::ReadOnly), qPrintable(file.fileName()));
    const QByteArray text = file.readAll();
    QVERIFY2(text.contains("Files: capture/tracer/*"), text.constData());
    QVERIFY2(text.contains("Permission is hereby granted, free of charge"), text.constData());    // MIT, whole
    QVERIFY(QFileInfo(at(QStringLiteral("share/doc/genesis-profiler/LICENSE"))).size() > 30'000); // the GPL, whole
}

void InstalledTreeIntegrationTest::explainsTheWindowsOptions()
{
    const QString text = QString::fromUtf8(unpacked(QStringLiteral("share/man/man1/genesis-profiler.1.gz")))
                             .replace(QLatin1String("\\-"), QLatin1String("-"));
    const Outcome help = runProgram(at(QStringLiteral("bin/genesis-profiler")), {QStringLiteral("--help")});
    const QRegularExpression option(QStringLiteral("^  .*?(--[a-z-]+)"), QRegularExpression::MultilineOption);
    int found = 0;
    for (auto each = option.globalMatch(QString::fromUtf8(help.out)); each.hasNext(); ++found) {
        const QString name = each.next().captured(1);
        QVERIFY2(text.contains(name), qPrintable(name));
    }
    QVERIFY2(found >= 6, qPrintable(help.text));
}

/// What Debian asks of each package, and what software centres read.
void InstalledTreeIntegrationTest::bringsWhatPackagesMustHave()
{
    QVERIFY(unpacked(QStringLiteral("share/man/man1/genprof.1.gz")).contains(".SH EXIT STATUS"));
    const QByteArray changes = unpacked(QStringLiteral("share/doc/genesis-profiler/changelog.Debian.gz"));
    const QString version
        = QString::fromUtf8(runProgram(at(QStringLiteral("bin/genprof")), {QStringLiteral("--version")}).out)
              .trimmed()
              .section(u' ', -1);
    QVERIFY2(changes.startsWith(QStringLiteral("genesis-profiler (%1-1) ").arg(version).toUtf8()),
        (version.toUtf8() + '\n' + changes).constData());
    QFile metainfo(at(QStringLiteral("share/metainfo/genesis-profiler.metainfo.xml")));
    QVERIFY2(metainfo.open(QFile::ReadOnly), qPrintable(metainfo.fileName()));
    const QByteArray text = metainfo.readAll();
    const QByteArray entry("genesis-profiler.desktop");
    QVERIFY2(text.contains("<id>" + entry + "</id>"), text.constData());
    QVERIFY2(text.contains("<launchable type=\"desktop-id\">" + entry + "</launchable>"), text.constData());
    QVERIFY(QFile::exists(at(QStringLiteral("share/applications/") + QString::fromLatin1(entry))));
}

void InstalledTreeIntegrationTest::completesCommandLines_data()
{
    QTest::addColumn<QString>("line");
    QTest::addColumn<QString>("offered"); // each behind a bar
    const auto row = [](const char *name, const char *line, const char *offered) {
        QTest::newRow(name) << QString::fromLatin1(line) << QString::fromLatin1(offered);
    };
    row("commands", "genprof re", "|record|redact|report");
    row("commands of a command", "genprof baseline ", "|list|remove|save|show");
    row("options", "genprof record --he", "|--heap|--help");
    row("a choice", "genprof record --heap ", "|auto|full|off|sampled");
    row("a list", "genprof report --what l", "|leaks|losses|lost");
    row("a list with reasons", "genprof report --cost ", "|allocated|allocations|live|peak|temporary");
    row("formats", "genprof report --format ", "|collapsed|csv|html|json|junit|pprof|prometheus|text");
    row("a number", "genprof report --top ", "");
    row("orders", "genprof ctl --json a.gprof-session ", "|mark|mode|pause|resume|scan|status|stop");
    row("modes", "genprof ctl a.gprof-session mode f", "|full");
    row("sessions and folders", "genprof report --what heap a", "|a folder|a.gprof-session");
    row("other files, where there are no sessions", "genprof sql b", "|b.txt");
    row("files of an option", "genprof record --alerts b", "|b.txt");
    row("a command's files", "genprof record -q -- ls b", "|b.txt");
    row("the window's options", "genesis-profiler --com", "|--compare");
    row("the window's sessions", "genesis-profiler a.", "|a.gprof-session");
}

void InstalledTreeIntegrationTest::completesCommandLines()
{
    QFETCH(QString, line);
    QFETCH(QString, offered);
    const QStringList words = line.split(QLatin1Char(' '));
    const QTemporaryDir folder;
    QVERIFY(QDir(folder.path()).mkdir(QStringLiteral("a folder")));
    for (const char *name : {"a.gprof-session", "a.txt", "b.txt"})
        QVERIFY(QFile(folder.filePath(QString::fromLatin1(name))).open(QFile::WriteOnly));
    QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
    environment.insert(QStringLiteral("PATH"), at(QStringLiteral("bin:")) + environment.value(QStringLiteral("PATH")));
    const QString script = at(QStringLiteral("share/bash-completion/completions/")) + words.first();
    QStringList arguments{QStringLiteral("--norc"), QStringLiteral("-c"),
        QStringLiteral(R"(source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=()
            $(complete -p "$1" | sed 's/.*-F \([^ ]*\) .*/\1/'); printf '%s\n' "${COMPREPLY[@]}")"),
        script};
    const Outcome outcome = runProgram(QStringLiteral("bash"), arguments + words, environment, folder.path());
    QStringList lines = QString::fromUtf8(outcome.out).split(QLatin1Char('\n'), Qt::SkipEmptyParts);
    lines.sort();
    lines.prepend(QString());
    QVERIFY2(outcome.exitCode == 0 && lines.join(QLatin1Char('|')) == offered, qPrintable(outcome.text));
}

} // namespace tests

QTEST_GUILESS_MAIN(tests::InstalledTreeIntegrationTest)
#include "installed_tree_integration_test.moc"

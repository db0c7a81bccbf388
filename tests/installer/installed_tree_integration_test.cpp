// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/installer/installed_tree.h"

#include <QDir>
#include <QFileInfo>
#include <QJsonDocument>
#include <QJsonObject>
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
    void keepsTheTracersLicenceBesideTheWholes();

private:
    QString at(const QString &path) const { return m_tree.at(path); }

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

void InstalledTreeIntegrationTest::keepsTheTracersLicenceBesideTheWholes()
{
    const QDir documents(at(QStringLiteral("share/doc/genesis-profiler")));
    QVERIFY2(documents.exists(QStringLiteral("LICENSE")), qPrintable(documents.path()));
    QVERIFY2(documents.exists(QStringLiteral("LICENSE.tracer")), qPrintable(documents.path()));
}

} // namespace tests

QTEST_GUILESS_MAIN(tests::InstalledTreeIntegrationTest)
#include "installed_tree_integration_test.moc"

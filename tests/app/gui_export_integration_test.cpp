// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/gui_export.h"
#include "tests/storage/sample_session.h"
#include "ui/file_path.h"

#include <QApplication>
#include <QFileInfo>
#include <QImage>
#include <QProcess>

#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <iterator>

using namespace Qt::StringLiterals;

/// `genesis-profiler --export`: every page, every table, no window.
class GuiExportTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void writesEveryPageAndTable();
    void writesIntoAFolderWhoseNameIsNoText();
    void comparesWithAnotherSession();
    void opensSealedSessionsWithTheirPassphrase();
    void saysWhyThereIsNothingToExport();
    void saysWhatToDoWithoutADisplay();

private:
    QTemporaryDir m_folder;
};

void GuiExportTest::writesEveryPageAndTable()
{
    SampleSession sample;
    const QString file = m_folder.filePath(u"sample.gprof-session"_s);
    QVERIFY(sample.make(file.toStdString(), 6));
    const QString folder = m_folder.filePath(u"out/put"_s);
    const auto written = app::exportSession(*qApp, file, folder);
    QVERIFY2(written.has_value(), written ? "" : written.error().text().c_str());
    for (const char *page : {"overview", "heap", "heat-map", "cpu", "forecast", "advice", "capture"}) {
        const QImage picture(folder + u'/' + QLatin1StringView(page) + u".png"_s);
        QVERIFY2(picture.width() >= 1024, page);
    }
    for (const QString &name : *written)
        QVERIFY2(QFileInfo(folder + u'/' + name).size() > 0, qPrintable(name));
    QVERIFY(written->contains(u"overview-metrics.csv"_s));
    QVERIFY(written->contains(u"capture-losses.csv"_s));
    QVERIFY(written->contains(u"report.html"_s));
    QVERIFY2(!written->contains(u"compare.png"_s), "there is nothing to compare with");
    QCOMPARE(QStringList(written->begin(), written->end()).removeDuplicates(), 0);
}

void GuiExportTest::writesIntoAFolderWhoseNameIsNoText()
{
    namespace fs = std::filesystem;
    SampleSession sample;
    const QString file = m_folder.filePath(u"plain.gprof-session"_s);
    QVERIFY(sample.make(file.toStdString(), 3));
    const fs::path above = m_folder.filePath(u"no-text"_s).toStdString(), folder = above / "r\xe9p";
    const auto written = app::exportSession(*qApp, file, ui::pathOf(folder.string()));
    QVERIFY2(written.has_value(), written ? "" : written.error().text().c_str());
    for (const char *name : {"overview.png", "overview-metrics.csv", "report.html"})
        QVERIFY2(fs::file_size(folder / name) > 0, name);
    // Neither a folder of another name, nor what was written on the way.
    QCOMPARE(std::distance(fs::directory_iterator(above), {}), 1);
    QCOMPARE(std::distance(fs::directory_iterator(folder), {}), written->size());
    fs::remove_all(above); // QTemporaryDir would not find it
}

void GuiExportTest::comparesWithAnotherSession()
{
    SampleSession sample;
    const QString before = m_folder.filePath(u"before.gprof-session"_s);
    const QString after = m_folder.filePath(u"after.gprof-session"_s);
    const QString folder = m_folder.filePath(u"compared"_s);
    QVERIFY(sample.make(before.toStdString(), 3));
    QVERIFY(sample.make(after.toStdString(), 6));
    const auto written = app::exportSession(*qApp, after, folder, {}, before);
    QVERIFY2(written.has_value(), written ? "" : written.error().text().c_str());
    for (const char *name : {"compare.png", "compare-all.csv", "compare-report.html", "compare-data.json"})
        QVERIFY2(written->contains(QLatin1StringView(name)), name);
    QFile data(folder + u"/compare-data.json"_s);
    QVERIFY(data.open(QFile::ReadOnly));
    const QByteArray json = data.readAll();
    QVERIFY(json.indexOf("before.gprof-session") < json.indexOf("after.gprof-session"));
    QVERIFY(json.indexOf("before.gprof-session") > 0);
    const auto failed = app::exportSession(*qApp, after, folder, {}, m_folder.filePath(u"absent.gprof-session"_s));
    QVERIFY(!failed);
    QVERIFY(QString::fromStdString(failed.error().text()).contains(u"absent"_s));
}

void GuiExportTest::opensSealedSessionsWithTheirPassphrase()
{
    const QString file = m_folder.filePath(u"sealed.gprof-session"_s), folder = m_folder.filePath(u"unsealed"_s);
    SampleSession sample;
    const auto key = storage::SealKey::make(storage::SecretText::of("open sesame"), {1, 1 << 20});
    QVERIFY(key.has_value());
    auto writer = storage::SessionWriter::create(file.toStdString(), sample.info(), *key);
    QVERIFY(writer.has_value());
    QVERIFY(writer->write(sample.batch(0), sample.tables()).has_value());
    QVERIFY(writer->finish(sample.info()).has_value());
    const auto exported = [&](const char *passphrase) {
        app::PassphraseSource source;
        int ends[2] = {};
        if (passphrase && ::pipe(ends) == 0) {
            static_cast<void>(::write(ends[1], passphrase, std::strlen(passphrase)));
            ::close(ends[1]);
            source.fd = ends[0]; // closed when it is read
        }
        const auto written = app::exportSession(*qApp, file, folder, source);
        return written ? QString() : QString::fromStdString(written.error().text());
    };
    QVERIFY(exported(nullptr).contains(u"--passphrase-fd"_s));
    QVERIFY(exported("wrong\n").contains(u"wrong passphrase"_s));
    QCOMPARE(exported("open sesame\n"), QString());
    QVERIFY(QFileInfo(folder + u"/overview.png"_s).size() > 0);
}

/// Not Qt's abort with a core file.
void GuiExportTest::saysWhatToDoWithoutADisplay()
{
    const QString program = qEnvironmentVariable("GENESIS_BUILD_DIR") + u"/bin/genesis-profiler"_s;
    if (!QFileInfo(program).isExecutable())
        QSKIP("genesis-profiler is not built");
    QProcess process;
    QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
    for (const QString &name :
        {u"DISPLAY"_s, u"WAYLAND_DISPLAY"_s, u"WAYLAND_SOCKET"_s, u"QT_QPA_PLATFORM"_s, u"XDG_SESSION_TYPE"_s})
        environment.remove(name);
    process.setProcessEnvironment(environment);
    process.start(program, {u"x.gprof-session"_s});
    QVERIFY(process.waitForFinished());
    const QByteArray said = process.readAllStandardError();
    QCOMPARE(process.exitStatus(), QProcess::NormalExit);
    QCOMPARE(process.exitCode(), 1);
    QVERIFY2(said.count('\n') == 1 && said.contains("--export") && said.contains("genprof report"), said.constData());
}

void GuiExportTest::saysWhyThereIsNothingToExport()
{
    const auto written = app::exportSession(*qApp, m_folder.filePath(u"absent"_s), m_folder.filePath(u"out"_s));
    QVERIFY(!written);
    QVERIFY(QString::fromStdString(written.error().text()).contains(u"absent"_s));
}

QTEST_MAIN(GuiExportTest)
#include "gui_export_integration_test.moc"

// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/gui_export.h"
#include "tests/storage/sample_session.h"

#include <QApplication>
#include <QFileInfo>
#include <QImage>

#include <unistd.h>

#include <cstring>

using namespace Qt::StringLiterals;

/// `genesis-profiler --export`: every page, every table, no window.
class GuiExportTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void writesEveryPageAndTable();
    void comparesWithAnotherSession();
    void opensSealedSessionsWithTheirPassphrase();
    void saysWhyThereIsNothingToExport();

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

void GuiExportTest::saysWhyThereIsNothingToExport()
{
    const auto written = app::exportSession(*qApp, m_folder.filePath(u"absent"_s), m_folder.filePath(u"out"_s));
    QVERIFY(!written);
    QVERIFY(QString::fromStdString(written.error().text()).contains(u"absent"_s));
}

QTEST_MAIN(GuiExportTest)
#include "gui_export_integration_test.moc"

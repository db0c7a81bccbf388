// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/gui_settings.h"

#include <QSettings>
#include <QTemporaryDir>
#include <QTest>

using namespace Qt::StringLiterals;

/// What the window's forms say again after a restart.
class GuiSettingsTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void childrenComeBackAsTheyWereChosen_data()
    {
        QTest::addColumn<bool>("followsChildren");
        QTest::addColumn<bool>("untilAllEnd");
        QTest::newRow("children") << true << false;
        QTest::newRow("children, until all end") << true << true;
        QTest::newRow("no children") << false << false;
    }
    void childrenComeBackAsTheyWereChosen()
    {
        QFETCH(bool, followsChildren);
        QFETCH(bool, untilAllEnd);
        const QTemporaryDir folder;
        const QString file = folder.filePath(u"settings.ini"_s);
        {
            QSettings settings(file, QSettings::IniFormat);
            ui::LaunchRequest request;
            request.program = u"/usr/bin/make"_s;
            request.followsChildren = followsChildren;
            request.untilAllEnd = untilAllEnd;
            app::GuiSettings(settings).setRequest(request);
        }
        QSettings settings(file, QSettings::IniFormat);
        const ui::LaunchRequest request = app::GuiSettings(settings).request();
        QCOMPARE(request.program, u"/usr/bin/make"_s);
        QCOMPARE(request.followsChildren, followsChildren);
        QCOMPARE(request.untilAllEnd, untilAllEnd);
    }
};

QTEST_MAIN(GuiSettingsTest)
#include "gui_settings_test.moc"

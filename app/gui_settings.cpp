// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/gui_settings.h"

#include <QDir>
#include <QSettings>
#include <QStandardPaths>

namespace app {

using namespace Qt::StringLiterals;

GuiSettings::GuiSettings(QSettings &settings)
    : m_settings(settings)
{
}

ui::Appearance GuiSettings::appearance() const
{
    const QString name = m_settings.value(u"window/appearance"_s).toString();
    return name == u"dark"_s ? ui::Appearance::Dark
        : name == u"light"_s ? ui::Appearance::Light
                             : ui::Appearance::System;
}

void GuiSettings::setAppearance(ui::Appearance appearance)
{
    m_settings.setValue(u"window/appearance"_s,
        appearance == ui::Appearance::Dark        ? u"dark"_s
            : appearance == ui::Appearance::Light ? u"light"_s
                                                  : u"system"_s);
}

QByteArray GuiSettings::windowGeometry() const { return m_settings.value(u"window/geometry"_s).toByteArray(); }

void GuiSettings::setWindowGeometry(const QByteArray &geometry) { m_settings.setValue(u"window/geometry"_s, geometry); }

ui::LaunchRequest GuiSettings::request() const
{
    ui::LaunchRequest request;
    request.program = m_settings.value(u"launch/program"_s).toString();
    request.arguments = m_settings.value(u"launch/arguments"_s).toString();
    request.directory = m_settings.value(u"launch/directory"_s).toString();
    request.environment = m_settings.value(u"launch/environment"_s).toString();
    request.heap = m_settings.value(u"launch/heapMode"_s, request.heap).toString();
    request.followsChildren = m_settings.value(u"launch/children"_s, request.followsChildren).toBool();
    request.untilAllEnd = m_settings.value(u"launch/until_all_end"_s, request.untilAllEnd).toBool();
    request.cpuHz = m_settings.value(u"launch/cpu_hz"_s, request.cpuHz).toInt();
    request.systemCalls = m_settings.value(u"launch/system_calls"_s, request.systemCalls).toBool();
    request.waits = m_settings.value(u"launch/waits"_s, request.waits).toBool();
    request.tickMs = m_settings.value(u"launch/tick_ms"_s, request.tickMs).toInt();
    return request;
}

void GuiSettings::setRequest(const ui::LaunchRequest &request)
{
    m_settings.setValue(u"launch/program"_s, request.program);
    m_settings.setValue(u"launch/arguments"_s, request.arguments);
    m_settings.setValue(u"launch/directory"_s, request.directory);
    m_settings.setValue(u"launch/environment"_s, request.environment);
    m_settings.setValue(u"launch/heapMode"_s, request.heap);
    m_settings.setValue(u"launch/children"_s, request.followsChildren);
    m_settings.setValue(u"launch/until_all_end"_s, request.untilAllEnd);
    m_settings.setValue(u"launch/cpu_hz"_s, request.cpuHz);
    m_settings.setValue(u"launch/system_calls"_s, request.systemCalls);
    m_settings.setValue(u"launch/waits"_s, request.waits);
    m_settings.setValue(u"launch/tick_ms"_s, request.tickMs);
}

QString GuiSettings::recordingsFolder() const
{
    const QString documents = QStandardPaths::writableLocation(QStandardPaths::DocumentsLocation);
    const QString usual = QDir(QDir(documents).exists() ? documents : QDir::homePath()).filePath(u"Profiles"_s);
    return m_settings.value(u"recordings/folder"_s, usual).toString();
}

} // namespace app

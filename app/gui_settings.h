// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/launch_request.h"
#include "ui/theme.h"

#include <QByteArray>
#include <QString>

class QSettings;

namespace app {

/// What the window remembers between runs. Owns nothing; the settings are passed in, so that a test brings its own.
class GuiSettings
{
public:
    explicit GuiSettings(QSettings &settings);

    ui::Appearance appearance() const;
    void setAppearance(ui::Appearance appearance);

    QByteArray windowGeometry() const;
    void setWindowGeometry(const QByteArray &geometry);

    /// The last request, without its process.
    ui::LaunchRequest request() const;
    void setRequest(const ui::LaunchRequest &request);

    /// Where new sessions go: what was set, else "Profiles" in the documents' folder.
    QString recordingsFolder() const;

private:
    QSettings &m_settings;
};

} // namespace app

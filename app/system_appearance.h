// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QObject>

class QDBusVariant;

namespace app {

/// What the desktop prefers, dark or light, from its settings portal (org.freedesktop.appearance, color-scheme). Says nothing where there is no
/// portal. Lives in the GUI thread; never blocks it.
class SystemAppearance : public QObject
{
    Q_OBJECT

public:
    using QObject::QObject;

    /// Asks now, and listens for changes.
    void ask();

Q_SIGNALS:
    void darkPreferred(bool dark);

private Q_SLOTS:
    void onSettingChanged(const QString &group, const QString &key, const QDBusVariant &value);
};

} // namespace app

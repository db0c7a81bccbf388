// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QString>

namespace ui {

/// What a search asks of the names of functions: that they contain a text, in any case of its letters; or, where it stands in quotes,
/// that they are it, whole or as they read in short.
class NameNeedle
{
public:
    NameNeedle() = default;
    explicit NameNeedle(const QString &search);

    /// The search for this function and no other whose name contains the same.
    static QString exactly(const QString &wholeName) { return u'"' + wholeName + u'"'; }

    bool isEmpty() const { return m_name.isEmpty(); }
    bool matches(const QString &wholeName) const;
    /// Without quotes, for a sentence that has its own.
    const QString &name() const { return m_name; }

private:
    QString m_name;
    bool m_isExact = false;
};

} // namespace ui

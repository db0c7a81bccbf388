// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/file_path.h"

#include <QDir>

#include <algorithm>
#include <filesystem>

namespace ui {

QString pathOf(std::string_view bytes)
{
    const QString whole = QString::fromUtf8(bytes.data(), static_cast<qsizetype>(bytes.size()));
    if (!whole.contains(QChar::ReplacementCharacter))
        return whole;
    QString path;
    while (!bytes.empty()) {
        // The shortest that is a character; none has more than four bytes.
        QString character;
        std::size_t length = 0;
        while (length < std::min<std::size_t>(bytes.size(), 4)) {
            character = QString::fromUtf8(bytes.data(), static_cast<qsizetype>(++length));
            if (character.toUtf8() == QByteArrayView(bytes.data(), static_cast<qsizetype>(length)))
                break;
            character.clear();
        }
        if (character.isEmpty()) {
            character = QChar(static_cast<char16_t>(0xdc00 + static_cast<unsigned char>(bytes.front())));
            length = 1;
        }
        path += character;
        bytes.remove_prefix(length);
    }
    return path;
}

std::string pathBytes(const QString &path)
{
    std::string bytes;
    for (qsizetype i = 0; i < path.size(); ++i) {
        const char16_t unit = path[i].unicode();
        const bool isPair = path[i].isHighSurrogate() && i + 1 < path.size() && path[i + 1].isLowSurrogate();
        if (unit >= 0xdc80 && unit <= 0xdcff)
            bytes += static_cast<char>(unit - 0xdc00);
        else
            bytes += path.mid(i, isPair ? 2 : 1).toStdString();
        i += isPair ? 1 : 0;
    }
    return bytes;
}

QString absolutePath(const QString &path)
{
    return QDir::cleanPath(path.startsWith(u'/') ? path : QDir::currentPath() + u'/' + path);
}

QString shownPath(const QString &path)
{
    QString shown;
    for (qsizetype i = 0; i < path.size(); ++i) {
        const char16_t unit = path[i].unicode();
        const bool isByte = unit >= 0xdc80 && unit <= 0xdcff && (i == 0 || !path[i - 1].isHighSurrogate());
        shown += isByte ? QStringLiteral("\\x%1").arg(unit - 0xdc00, 2, 16) : QString(path[i]);
    }
    return shown;
}

bool isThere(const QString &path)
{
    std::error_code error;
    return !path.isEmpty() && std::filesystem::exists(pathBytes(path), error);
}

bool isSameFile(const QString &a, const QString &b)
{
    std::error_code error;
    return !a.isEmpty() && !b.isEmpty() && std::filesystem::equivalent(pathBytes(a), pathBytes(b), error);
}

} // namespace ui

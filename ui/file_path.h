// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QString>

#include <string>
#include <string_view>

namespace ui {

/// A path of bytes as the window hands it on. Bytes that are no UTF-8 become lone surrogates (U+DC80 to U+DCFF; PEP 383), so that pathBytes() gives back
/// what it was. QString::fromUtf8() would make another name of it, which no file has.
QString pathOf(std::string_view bytes);

/// The bytes of a path that pathOf() made, or of any other.
std::string pathBytes(const QString &path);

/// An absolute path without dots. QFileInfo::absoluteFilePath() goes by bytes where the path is relative, and loses what is no text.
QString absolutePath(const QString &path);

/// A path as it is shown: "a\xff.gprof-session".
QString shownPath(const QString &path);

/// Whether there is a file; QFileInfo finds none whose path is no text.
bool isThere(const QString &path);

/// Whether two paths lead to one file that is there; for the same reason.
bool isSameFile(const QString &a, const QString &b);

} // namespace ui

// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QRegularExpression>
#include <QString>

#include <string_view>

namespace ui {

/// UTF-8 of the model as Qt shows it; invalid bytes become replacement characters.
inline QString text(std::string_view utf8)
{
    return QString::fromUtf8(utf8.data(), static_cast<qsizetype>(utf8.size()));
}

/// `sentence` with numbers and their units kept in one line: "4.04 s" is never broken before the s, nor "MiB/h" behind the stroke,
/// nor an interval behind its dash.
inline QString withWholeNumbers(QString sentence)
{
    static const QRegularExpression kUnit(
        QStringLiteral("(?<=\\d) (?=(?:%|[nuµm]?s|min|h|d|[KMGT]?i?B|k|M|Hz)(?![A-Za-z]))"));
    static const QRegularExpression kPer(
        QStringLiteral("(\\d[\u00a0 ](?:[KMGT]?i?B|k|M))/(?=(?:s|min|h|d)(?![A-Za-z]))"));
    static const QRegularExpression kInterval(QStringLiteral("(?<=\\d)–(?=\\d)"));
    sentence.replace(kUnit, QString(QChar::Nbsp)).replace(kInterval, QStringLiteral("\u2060–\u2060"));
    return sentence.replace(kPer, QStringLiteral("\\1/\u2060")); // word joiner
}

/// At most two lines of sentences: those at the begin, and `more`, which may be empty, where some were left out.
inline QString firstSentences(const QString &sentences, const QString &more)
{
    constexpr qsizetype kMost = 200;
    if (sentences.size() <= kMost)
        return sentences;
    const qsizetype end = sentences.lastIndexOf(QStringLiteral(". "), kMost);
    const QString begin = end < 0 ? sentences.left(kMost) + QChar(0x2026) : sentences.left(end + 1);
    return more.isEmpty() ? begin : begin + QChar(u' ') + more;
}

} // namespace ui

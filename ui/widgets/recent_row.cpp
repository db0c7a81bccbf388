// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/widgets/recent_row.h"

#include "model/base/format_units.h"
#include "ui/file_path.h"
#include "ui/text.h"
#include "ui/widgets/labels.h"

#include <QDateTime>
#include <QFileInfo>
#include <QKeyEvent>
#include <QVBoxLayout>

namespace ui {

QString whenText(std::int64_t wallNs)
{
    if (wallNs <= 0)
        return RecentRow::tr("at a time that is not known"); // what was left of a damaged file did not say
    const QDateTime when = QDateTime::fromMSecsSinceEpoch(wallNs / 1'000'000);
    const qint64 days = when.date().daysTo(QDate::currentDate());
    const QString time = when.toString(QStringLiteral("HH:mm"));
    return days == 0 ? RecentRow::tr("today %1").arg(time)
        : days == 1  ? RecentRow::tr("yesterday %1").arg(time)
                     : when.toString(QStringLiteral("yyyy-MM-dd HH:mm"));
}

RecentRow::RecentRow(const model::RecentSession &session, const QString &action, QWidget *parent)
    : QPushButton(parent)
    , m_path(pathOf(session.path))
{
    setProperty("kind", QStringLiteral("row"));
    setMinimumHeight(50);
    const QString shown = shownPath(m_path);
    setToolTip(session.isThere ? shown : tr("%1 is gone").arg(shown));
    setEnabled(session.isThere);
    setAccessibleName(action.arg(shown));
    auto *words = new QVBoxLayout(this);
    words->setContentsMargins(8, 6, 8, 6);
    words->setSpacing(1);
    auto *name = new ElidedLabel;
    name->setText(QFileInfo(shown).completeBaseName());
    name->setFont(textFont(font(), TextSize::Body, TextWeight::Strong));
    auto *facts = new ElidedLabel;
    facts->setFont(textFont(font(), TextSize::Caption));
    facts->setToken(Token::InkMuted);
    QString known = session.isThere
        ? tr("%1 · %2 · %3")
              .arg(whenText(session.startWallNs), ui::text(model::formatDuration(session.duration)),
                  ui::text(model::formatBytes(static_cast<double>(session.fileBytes))))
        : tr("the file is gone");
    for (const std::string &tag : session.tags)
        known += QStringLiteral(" · #") + ui::text(tag);
    if (!session.note.empty())
        known += QStringLiteral(" · ") + ui::text(session.note).simplified(); // notes may have several lines
    facts->setText(known);
    for (ElidedLabel *label : {name, facts}) {
        label->setAttribute(Qt::WA_TransparentForMouseEvents);
        words->addWidget(label);
    }
}

/// Buttons take Space alone outside dialogs; the entry of a list is opened with Enter.
void RecentRow::keyPressEvent(QKeyEvent *event)
{
    const bool isEnter = event->key() == Qt::Key_Return || event->key() == Qt::Key_Enter;
    if (!isEnter)
        return QPushButton::keyPressEvent(event);
    if (!event->isAutoRepeat())
        click();
}

} // namespace ui

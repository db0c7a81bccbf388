// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/widgets/status_line.h"

#include "model/analysis/coverage.h"
#include "model/base/format_counted.h"
#include "model/base/format_steady.h"
#include "model/report/session_words.h"
#include "ui/file_path.h"
#include "ui/text.h"
#include "ui/widgets/labels.h"

#include <QFileInfo>
#include <QHBoxLayout>

namespace ui {

namespace {

/// Long enough to be read by who looks elsewhere first.
constexpr int kSaysMs = 8000;

QLabel *addPart(QHBoxLayout *layout)
{
    QLabel *label = newLabel({}, TextSize::Caption, TextWeight::Normal, "muted");
    label->setContentsMargins(0, 0, 16, 0);
    layout->addWidget(label);
    return label;
}

} // namespace

StatusLine::StatusLine(QWidget *parent)
    : QFrame(parent)
    , m_dot(new StateDot)
    , m_file(new ElidedLabel)
{
    setObjectName(QStringLiteral("statusLine"));
    auto *layout = new QHBoxLayout(this);
    layout->setContentsMargins(16, 4, 16, 4);
    layout->setSpacing(6);
    layout->addWidget(m_dot);
    m_losses = addPart(layout);
    m_redacted = addPart(layout);
    m_stacks = addPart(layout);
    m_recorder = addPart(layout);
    layout->addStretch(1);
    m_file->setFont(textFont(font(), TextSize::Caption));
    m_file->setToken(Token::InkMuted);
    m_file->setSizePolicy(QSizePolicy::Maximum, QSizePolicy::Fixed);
    layout->addWidget(m_file, 1);
    m_saying.setSingleShot(true);
    m_saying.setInterval(kSaysMs);
    connect(&m_saying, &QTimer::timeout, this, &StatusLine::showFile);
}

void StatusLine::setSnapshot(const std::shared_ptr<const model::Snapshot> &snapshot)
{
    setVisible(snapshot != nullptr);
    if (!snapshot)
        return;
    const model::Coverage coverage = model::coverage(*snapshot);
    const model::LossNotice notice = model::lossNotice(*snapshot, coverage);
    m_dot->setToken(coverage.worst() == model::Trust::Partial ? Token::Warn : Token::Ok);
    m_losses->setText(text(notice.words));
    m_losses->setToolTip(snapshot->damage.empty() ? tr("More of this stands in Capture") : text(snapshot->damage));
    setTone(m_losses, toneOf(notice.trust));
    const QString redacted = text(model::redactionText(snapshot->info));
    m_redacted->setText(redacted.isEmpty()             ? QString()
            : snapshot->info.redaction->keepsFunctions ? tr("redacted, but for functions and files")
                                                       : tr("redacted: names are stand-ins"));
    m_redacted->setToolTip(redacted);
    m_redacted->setVisible(!redacted.isEmpty());
    const model::StackQuality &quality = snapshot->stackQuality;
    m_stacks->setText(quality.distinct > 0
            ? tr("stacks whole %1")
                  .arg(text(
                      model::formatShareOf(quality.distinct - quality.truncated - quality.broken, quality.distinct)))
            : QString());
    m_stacks->setVisible(quality.distinct > 0);
    setTone(m_stacks, toneOf(coverage.stacks));
    m_stacks->setToolTip(
        tr("%1, %2 cut off, %3 not walked to their start")
            .arg(text(model::formatCounted(quality.distinct, "stack")), text(model::formatCount(quality.truncated)),
                text(model::formatCount(quality.broken))));
    const double cpu = snapshot->info.duration.ns > 0
        ? static_cast<double>(snapshot->recorderCpuNs) / static_cast<double>(snapshot->info.duration.ns)
        : 0;
    m_recorder->setText(
        tr("recorder %1 CPU, %2")
            .arg(text(model::formatSteady(100 * cpu, model::Unit::Percent)),
                text(model::formatSteady(static_cast<double>(snapshot->recorderRssBytes), model::Unit::Bytes))));
    m_recorder->setToolTip(tr("Mean share of one core, and resident memory, of the recorder itself"));
    m_fileText = (m_isSealed ? tr("sealed · %1 · %2") : tr("%1 · %2"))
                     .arg(shownPath(QFileInfo(pathOf(snapshot->file)).fileName()),
                         text(model::formatSteady(static_cast<double>(snapshot->fileBytes), model::Unit::Bytes)));
    m_fileDetails = m_isSealed
        ? tr("%1\nIs encrypted with a passphrase. Reports, tables and pictures saved from here are not.")
              .arg(shownPath(pathOf(snapshot->file)))
        : shownPath(pathOf(snapshot->file));
    if (!m_saying.isActive())
        showFile();
}

void StatusLine::say(const QString &what, const QString &details)
{
    m_file->setText(what);
    m_file->setToolTip(details);
    m_file->setToken(Token::Ink);
    m_saying.start();
}

void StatusLine::showFile()
{
    m_file->setText(m_fileText);
    m_file->setToolTip(m_fileDetails);
    m_file->setToken(Token::InkMuted);
}

} // namespace ui

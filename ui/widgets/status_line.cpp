// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/widgets/status_line.h"

#include "model/base/format_counted.h"
#include "model/base/format_steady.h"
#include "model/report/session_words.h"
#include "ui/file_path.h"
#include "ui/text.h"
#include "ui/widgets/labels.h"

#include <QFileInfo>
#include <QHBoxLayout>

#include <algorithm>

namespace ui {

namespace {

/// Kinds that mean that something happened and was not seen. How stacks ended is shown by itself.
bool isLost(model::LossKind kind)
{
    using enum model::LossKind;
    return kind == EventsDropped || kind == SamplesLost || kind == SamplesThrottled || kind == BadRecords
        || kind == ActivityLost;
}

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
    std::int64_t lost = 0;
    std::int64_t unmeasured = 0;
    std::int64_t notTaken = 0;
    for (const model::LossTotal &loss : snapshot->losses) {
        lost += isLost(loss.kind) ? loss.count : 0;
        unmeasured += loss.kind == model::LossKind::ProcessesMissed ? loss.count : 0;
        notTaken += loss.kind == model::LossKind::SamplesMissed ? loss.count : 0;
    }
    const bool isDamaged = !snapshot->damage.empty(); // what it says of losses is not whole either
    const bool isGood = lost == 0 && !isDamaged;
    m_dot->setToken(isGood ? Token::Ok : Token::Warn);
    m_losses->setText(isDamaged ? tr("the file is damaged")
            : lost > 0          ? tr("%1 lost").arg(text(model::formatCounted(lost, "event")))
            : unmeasured > 0    ? tr("%1 processes too short to measure").arg(text(model::formatCount(unmeasured)))
            : notTaken > 0      ? tr("%1 not taken").arg(text(model::formatCounted(notTaken, "CPU sample")))
                                : tr("no events lost"));
    m_losses->setToolTip(isDamaged ? text(snapshot->damage) : tr("More of this stands in Capture"));
    setTone(m_losses, isGood ? "muted" : "warn");
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

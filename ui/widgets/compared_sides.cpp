// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/widgets/compared_sides.h"

#include "model/report/session_words.h"
#include "ui/pages/page_text.h"
#include "ui/text.h"
#include "ui/widgets/labels.h"
#include "ui/widgets/recent_row.h"

#include <QComboBox>
#include <QFileInfo>
#include <QGridLayout>
#include <QHBoxLayout>
#include <QSignalBlocker>

#include <algorithm>

namespace ui {

namespace {

QString sideText(const model::Snapshot &snapshot, bool isHeld)
{
    const QString file = QFileInfo(text(snapshot.file)).completeBaseName();
    const QString what = selectionText(snapshot);
    return isHeld ? QStringLiteral("%1 · %2").arg(file, what)
                  : QStringLiteral("%1 · %2 · %3 · %4")
                        .arg(file, whenText(snapshot.info.startWallNs), what, text(model::commandText(snapshot)));
}

} // namespace

ComparedSides::ComparedSides(QWidget *parent)
    : Card({}, parent)
{
    auto *line = new QHBoxLayout;
    line->setSpacing(12);
    auto *grid = new QGridLayout;
    grid->setHorizontalSpacing(12);
    grid->setVerticalSpacing(4);
    const std::array titles{tr("Before (A)"), tr("After (B)")};
    for (int i = 0; i < 2; ++i) {
        const auto s = static_cast<std::size_t>(i);
        grid->addWidget(newLabel(titles[s], TextSize::Body, TextWeight::Normal, "muted"), i, 0);
        m_names[s] = new ElidedLabel;
        m_names[s]->setElideMode(Qt::ElideRight);
        m_names[s]->setFont(textFont(font(), TextSize::Body, TextWeight::Strong));
        grid->addWidget(m_names[s], i, 1);
    }
    grid->setColumnStretch(1, 1);
    line->addLayout(grid, 1);
    m_per = new QComboBox;
    m_per->setAccessibleName(tr("Costs are divided by"));
    m_per->setToolTip(tr("What costs of a time are divided by before they are compared"));
    m_per->setSizeAdjustPolicy(QComboBox::AdjustToContents);
    m_per->setMaximumWidth(220);
    m_swap = new QPushButton(tr("Swap"));
    m_swap->setToolTip(tr("The one before becomes the one after"));
    m_other = new QPushButton(tr("Another…"));
    m_other->setToolTip(tr("Compare with another session, or another time"));
    m_time = new QPushButton(tr("Part…"));
    m_time->setCheckable(true);
    m_time->setToolTip(tr("Shows the other session's timeline, to compare a part of it only"));
    m_time->hide();
    line->addWidget(m_time, 0, Qt::AlignVCenter);
    line->addWidget(m_per, 0, Qt::AlignVCenter);
    line->addWidget(m_swap, 0, Qt::AlignVCenter);
    line->addWidget(m_other, 0, Qt::AlignVCenter);
    body()->addLayout(line);
    connect(m_time, &QPushButton::clicked, this, &ComparedSides::timeToggled);
    connect(m_swap, &QPushButton::clicked, this, &ComparedSides::swapWanted);
    connect(m_other, &QPushButton::clicked, this, &ComparedSides::dropWanted);
    connect(m_per, &QComboBox::activated, this,
        [this](int row) { Q_EMIT normalisationChosen(m_choices[static_cast<std::size_t>(row)]); });
    setPossible({});
}

void ComparedSides::setSides(const std::array<std::shared_ptr<const model::Snapshot>, 2> &sides, bool isHeld)
{
    for (std::size_t i = 0; i < sides.size(); ++i)
        m_names[i]->setText(sides[i] ? sideText(*sides[i], isHeld) : tr("…"));
}

void ComparedSides::setTimeShown(bool isPossible, bool isShown)
{
    m_time->setVisible(isPossible);
    m_time->setChecked(isShown);
}

void ComparedSides::setPossible(const std::vector<model::Normalisation> &possible)
{
    const int row = m_per->currentIndex();
    const model::Normalisation chosen = row >= 0 ? m_choices[static_cast<std::size_t>(row)] : model::Normalisation();
    m_choices = {{model::PerWork::Nothing, {}}, {model::PerWork::Second, {}}};
    m_choices.insert(m_choices.end(), possible.begin(), possible.end());
    if (std::find(m_choices.begin(), m_choices.end(), chosen) == m_choices.end())
        m_choices.push_back(chosen); // said to be impossible, rather than silently changed
    const QSignalBlocker blocker(m_per);
    m_per->clear();
    for (const model::Normalisation &choice : m_choices)
        m_per->addItem(
            choice.per == model::PerWork::Nothing ? tr("costs as recorded") : text(model::perWorkText(choice)));
    setNormalisation(chosen);
}

void ComparedSides::setNormalisation(const model::Normalisation &normalisation)
{
    const auto found = std::find(m_choices.begin(), m_choices.end(), normalisation);
    const QSignalBlocker blocker(m_per);
    if (found != m_choices.end())
        m_per->setCurrentIndex(static_cast<int>(found - m_choices.begin()));
}

} // namespace ui

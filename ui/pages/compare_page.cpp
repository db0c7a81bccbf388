// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/pages/compare_page.h"

#include "model/report/comparison_report.h"
#include "ui/charts/difference_flame_view.h"
#include "ui/charts/timeline_view.h"
#include "ui/models/function_difference_model.h"
#include "ui/models/stack_difference_model.h"
#include "ui/models/total_difference_model.h"
#include "ui/pages/page_text.h"
#include "ui/text.h"
#include "ui/widgets/banner.h"
#include "ui/widgets/card.h"
#include "ui/widgets/columns_that_fit.h"
#include "ui/widgets/compare_chooser.h"
#include "ui/widgets/compared_sides.h"
#include "ui/widgets/labels.h"
#include "ui/widgets/search_field.h"

#include <QButtonGroup>
#include <QCheckBox>
#include <QFileInfo>
#include <QLabel>
#include <QLineEdit>
#include <QScrollBar>
#include <QSignalBlocker>
#include <QSplitter>
#include <QStackedWidget>
#include <QTimer>
#include <QTreeView>

#include <algorithm>
#include <utility>

namespace ui {

using model::Side;

namespace {

constexpr int kExportWidthPx = 1600;

/// Whether two snapshots differ in nothing that is compared: the second one of a session that is opened brings the ages of its blocks only.
bool isSameView(const model::Snapshot *a, const model::Snapshot *b)
{
    return a && b && a->file == b->file && a->selection == b->selection && a->info.duration == b->info.duration
        && a->info.state == b->info.state && a->fileBytes == b->fileBytes;
}

/// What both sessions can be divided by.
std::vector<model::Normalisation> possibleForBoth(const model::Snapshot &a, const model::Snapshot &b)
{
    std::vector<model::Normalisation> both = model::possibleWork(a);
    const std::vector<model::Normalisation> other = model::possibleWork(b);
    std::erase_if(both, [&other](const model::Normalisation &each) {
        return std::find(other.begin(), other.end(), each) == other.end();
    });
    return both;
}

} // namespace

QString ComparePage::subtitle() const
{
    if (!m_open || !m_other)
        return {};
    const QString per = text(model::perWorkText(m_normalisation));
    const QString what = m_isHeld ? tr("two times of this session")
                                  : tr("with %1").arg(QFileInfo(text(m_other->file)).completeBaseName());
    return per.isEmpty() ? what : what + QStringLiteral(" · ") + per;
}

void ComparePage::setSnapshot(std::shared_ptr<const model::Snapshot> snapshot)
{
    const bool isOther = !m_open || !snapshot || m_open->file != snapshot->file;
    const bool isSame = isSameView(m_open.get(), snapshot.get());
    m_open = std::move(snapshot);
    m_chooser->setSnapshot(m_open);
    // A held time belongs to the session that was open; another session stays to be compared with.
    if (isOther && (m_isHeld || !m_open))
        drop();
    if (!isSame)
        rebuild();
}

void ComparePage::setRecent(std::vector<model::RecentSession> sessions) { m_chooser->setRecent(std::move(sessions)); }

/// What was divided by only as two times of one session were compared.
void ComparePage::leaveHeld()
{
    if (std::exchange(m_isPerSecondAsHeld, false)) {
        m_normalisation = {};
        m_sides->setNormalisation(m_normalisation);
    }
}

void ComparePage::setOtherWaiting(const QString &path)
{
    leaveHeld();
    m_other.reset();
    m_otherSelection->reset();
    m_apart.reset();
    m_isApartAwaited = false;
    m_isHeld = false;
    m_isSwapped = false;
    m_isWaiting = true;
    m_problem.clear();
    m_chooser->setProblem({});
    m_slowSeconds = 0;
    m_slow->start();
    say(tr("Reading %1…").arg(QFileInfo(path).fileName()));
    showState();
}

void ComparePage::setOther(std::shared_ptr<const model::Snapshot> other, Role role)
{
    if (!other)
        return drop();
    const bool isSame = isSameView(m_other.get(), other.get()) && m_role == role;
    m_isWaiting = false;
    m_other = std::move(other);
    m_role = role;
    if (!isSame)
        rebuild();
}

void ComparePage::setOtherFailed(const QString &sentence)
{
    drop();
    m_chooser->setProblem(sentence);
}

void ComparePage::hold()
{
    if (!m_open)
        return;
    m_isHeld = true;
    m_isSwapped = false;
    // Two times of a run are hardly ever of one length.
    if (m_normalisation == model::Normalisation() && !m_isNormalisationChosen) {
        m_normalisation.per = model::PerWork::Second;
        m_isPerSecondAsHeld = true;
    }
    setOther(m_open);
    m_sides->setNormalisation(m_normalisation);
}

void ComparePage::drop()
{
    m_job.cancel();
    m_treeJob.cancel();
    const bool had = m_other || m_isWaiting;
    leaveHeld();
    m_other.reset();
    m_otherSelection->reset();
    m_isHeld = false;
    m_isSwapped = false;
    m_isWaiting = false;
    m_chooser->setProblem({});
    showCompared(nullptr);
    if (had)
        Q_EMIT otherDropped();
    Q_EMIT subtitleChanged();
}

void ComparePage::cancel()
{
    if (m_isWaiting)
        return drop();
    m_job.cancel();
    m_problem = tr("Comparing was cancelled. Choose another time, or another session.");
    showState();
}

Side ComparePage::openSide() const
{
    bool isAfter = true;
    if (m_role == Role::After)
        isAfter = false;
    else if (m_role == Role::ByTime && m_isHeld)
        isAfter = m_open->selection.time && m_other->selection.time
            ? m_open->selection.time->begin >= m_other->selection.time->begin
            : m_open->span.begin >= m_other->span.begin;
    else if (m_role == Role::ByTime)
        isAfter = m_open->info.startWallNs >= m_other->info.startWallNs;
    return isAfter != m_isSwapped ? Side::B : Side::A;
}

std::shared_ptr<const model::Snapshot> ComparePage::side(Side side) const
{
    const auto &own = side == openSide() ? m_open : m_other;
    return m_apart && own && own->span.begin < m_apart->span.begin && m_apart->span.begin < own->span.end ? m_apart
                                                                                                          : own;
}

/// Times are widened to whole steps of the recording. Of two that are apart the later one goes without the step that they share, as on the command
/// line: no cost is counted on both sides. False while that is not done.
bool ComparePage::separate()
{
    const bool isOpenLater = m_open->selection.time && m_other->selection.time
        && m_other->selection.time->end <= m_open->selection.time->begin;
    const model::Snapshot &later = isOpenLater ? *m_open : *m_other, &earlier = isOpenLater ? *m_other : *m_open;
    const bool areApart
        = later.selection.time && earlier.selection.time && earlier.selection.time->end <= later.selection.time->begin;
    const bool isNeeded = m_isHeld && areApart && earlier.span.end > later.span.begin;
    if (!isNeeded) {
        m_apart.reset();
        m_isApartAwaited = false;
        return true;
    }
    if (earlier.span.end >= later.span.end) {
        m_problem = tr("Both times lie in one step of the recording, which ends at %1: select one further away.")
                        .arg(text(model::formatOffset(earlier.span.end, true)));
        return false;
    }
    model::Selection wanted = later.selection;
    wanted.time->begin = earlier.span.end;
    if (m_apart && m_apart->file == later.file && m_apart->selection == wanted && m_apart->span.end >= later.span.end)
        return true;
    m_apart.reset();
    if (m_isApartAwaited && m_apartWanted == wanted)
        return false;
    m_isApartAwaited = true;
    m_apartWanted = wanted;
    Q_EMIT apartWanted(wanted);
    return false;
}

void ComparePage::setApart(std::shared_ptr<const model::Snapshot> apart)
{
    if (!std::exchange(m_isApartAwaited, false) || !m_open || !m_other)
        return;
    m_apart = std::move(apart);
    if (m_apart)
        return rebuild();
    m_problem = tr("The later time could not be read.");
    showCompared(nullptr);
    settle();
}

void ComparePage::rebuild()
{
    if (!m_open || !m_other) {
        showState();
        return;
    }
    m_problem.clear();
    const bool areApart = separate();
    m_sides->setSides({side(Side::A), side(Side::B)}, m_isHeld);
    m_sides->setPossible(possibleForBoth(*m_open, *m_other));
    showOtherTimeline();
    if (m_isHeld && m_open->selection == m_other->selection) {
        m_job.cancel();
        m_problem
            = tr("%1 is held. Now select another time above, and the two are compared.").arg(selectionText(*m_other));
        showCompared(nullptr);
        return;
    }
    if (!areApart) {
        m_job.cancel();
        if (!m_problem.isEmpty())
            showCompared(nullptr);
        else if (!m_compared)
            say(tr("Comparing…"));
        return;
    }
    // A recording brings its next snapshot before a long job ends: let it end.
    const bool isLive = m_open->info.state == model::SessionState::Recording;
    if (isLive && m_job.isRunning()) {
        m_isStale = true;
        return;
    }
    m_isStale = false;
    if (!m_slow->isActive()) {
        m_slowSeconds = 0;
        m_slow->start();
    }
    if (!m_compared)
        say(tr("Comparing…"));
    using Compared = model::Result<model::ComparedSessions>;
    m_job.run(
        [a = side(Side::A), b = side(Side::B), per = m_normalisation](std::stop_token stop) -> std::optional<Compared> {
            Compared compared = model::compareSessions(a, b, per, model::comparableCosts(), stop);
            if (stop.stop_requested())
                return std::nullopt;
            return compared;
        },
        [this](Compared compared) {
            m_problem = compared ? QString() : text(compared.error().text());
            showCompared(compared ? std::make_shared<const model::ComparedSessions>(std::move(*compared)) : nullptr);
        });
    showState();
    Q_EMIT subtitleChanged();
}

void ComparePage::settle()
{
    if (!isBusy()) {
        m_slow->stop();
        m_progress->setText({});
        Q_EMIT settled();
    }
    if (m_isStale && !m_job.isRunning())
        rebuild();
}

std::string ComparePage::costKey() const
{
    return m_compared && m_cost < m_compared->costs.size() ? std::string(m_compared->costs[m_cost].cost.key)
                                                           : m_costKey;
}

void ComparePage::showCompared(std::shared_ptr<const model::ComparedSessions> compared)
{
    m_compared = std::move(compared);
    m_cost = 0;
    m_summary = m_compared ? model::comparisonSummary(*m_compared) : model::ComparisonSummary();
    if (m_compared)
        for (std::size_t i = 0; i < m_compared->costs.size(); ++i)
            if (m_compared->costs[i].cost.key == m_costKey)
                m_cost = i;
    const int scrolled = m_totalView->verticalScrollBar()->value();
    {
        const QSignalBlocker blocker(m_totalView->selectionModel());
        m_totals->setCompared(m_compared);
    }
    m_totalView->setCurrentIndex(m_totals->index(static_cast<int>(m_cost), 0));
    m_totalView->verticalScrollBar()->setValue(scrolled);
    makeTree();
    showDetails();
    showState();
}

void ComparePage::chooseRow(int row)
{
    if (!m_compared || row < 0 || static_cast<std::size_t>(row) >= m_compared->costs.size()
        || static_cast<std::size_t>(row) == m_cost)
        return;
    m_cost = static_cast<std::size_t>(row);
    m_costKey = std::string(m_compared->costs[m_cost].cost.key);
    makeTree();
    showDetails();
}

void ComparePage::showCost(const std::string &key)
{
    m_costKey = key;
    for (std::size_t i = 0; m_compared && i < m_compared->costs.size(); ++i)
        if (m_compared->costs[i].cost.key == key)
            m_totalView->setCurrentIndex(m_totals->index(static_cast<int>(i), 0));
}

void ComparePage::makeTree()
{
    if (!m_compared) {
        m_treeJob.cancel();
        m_tree.reset();
        m_flame->setTree(std::make_shared<const model::DifferenceTree>());
        return;
    }
    m_treeJob.run([compared = m_compared, cost = m_cost](
                      std::stop_token stop) { return model::differenceTree(compared->costs[cost], stop); },
        [this](model::DifferenceTree tree) {
            m_tree = std::make_shared<const model::DifferenceTree>(std::move(tree));
            m_flame->setTree(m_tree);
            m_flame->showBranching();
        });
}

void ComparePage::showDetails()
{
    const int view = m_views->checkedId();
    m_viewStack->setCurrentIndex(view);
    const bool isAllGrey = m_compared && m_compared->costs[m_cost].comparison.certainty == model::Certainty::Unknown;
    m_scale->setVisible(view == FlameGraph && !isAllGrey);
    m_onlyDifferent->setVisible(view != FlameGraph);
    for (QAbstractButton *button : m_parts->buttons())
        button->setVisible(view == Functions);
    m_functionFilter->setOnlySignificant(m_onlyDifferent->isChecked());
    m_stackFilter->setOnlySignificant(m_onlyDifferent->isChecked());
    m_functions->setCost(m_compared, m_cost, static_cast<CostPart>(m_parts->checkedId()));
    m_stacks->setCost(m_compared, m_cost);
    placeDetailControls();
    sayNothing();
    if (!m_compared)
        return;
    const model::ComparedCost &cost = m_compared->costs[m_cost];
    const bool isEstimated = cost.comparison.certainty == model::Certainty::Estimated;
    constexpr int kInterval = static_cast<int>(DifferenceColumn::Interval);
    m_functionColumns->setWanted(FunctionDifferenceModel::FirstColumn + kInterval, isEstimated);
    m_stackColumns->setWanted(StackDifferenceModel::FirstColumn + kInterval, isEstimated);
    m_details->setTitle(text(cost.cost.label));
    m_details->setCaption(detailsCaption(cost.comparison));
}

void ComparePage::say(const QString &sentence)
{
    m_sentence->setText(sentence);
    m_sentence->setVisible(!sentence.isEmpty());
}

void ComparePage::showState()
{
    const bool isChosen = m_other || m_isWaiting;
    m_stack->setCurrentWidget(isChosen ? static_cast<QWidget *>(m_content) : m_chooser);
    if (!isChosen)
        return;
    if (m_compared)
        say(text(m_summary.sentence));
    else if (!m_problem.isEmpty())
        say(m_problem);
    QStringList notes;
    if (!m_summary.unmatched.empty())
        notes << tr("Not matched, so new or gone: %1").arg(text(m_summary.unmatched));
    if (m_compared)
        for (const std::string &note : m_compared->notes)
            notes << text(note);
    m_notes->setText(notes.join(QStringLiteral(" · ")));
    m_notes->setVisible(!notes.isEmpty());
    m_results->setVisible(m_compared != nullptr);
    Q_EMIT subtitleChanged();
}

void ComparePage::showOtherTimeline()
{
    const bool isShown = isTimelineShown();
    m_otherTimeline->setSnapshot(m_other && !m_isHeld ? m_other : nullptr);
    m_otherTimeline->setVisible(isShown);
    m_otherHint->setVisible(isShown);
    m_sides->setTimeShown(m_other && !m_isHeld, isShown);
    if (isShown)
        m_otherHint->setText(tr("Time of %1: drag to compare a part of it, double click for all")
                                 .arg(QFileInfo(text(m_other->file)).completeBaseName()));
}

void ComparePage::applyFind(const QString &needle)
{
    m_flame->setSearch(needle);
    m_functionFilter->setFilterFixedString(needle);
    m_stackFilter->setFilterFixedString(needle);
    sayNothing();
    if (m_filter->text() != needle)
        m_filter->setText(needle);
}

/// Stacks of the open session are known to the inspector; those of the other one are opened in their row.
void ComparePage::inspect(const QModelIndex &index)
{
    const model::StackDifference *group = m_stacks->groupAt(m_stackFilter->mapToSource(index));
    if (group != nullptr && group->side == openSide() && !m_compared->costs[m_cost].cost.area)
        m_selection.setInspected(InspectedStack{group->stack, {}});
}

std::vector<Export> ComparePage::exports()
{
    if (!m_compared)
        return {};
    const model::ComparisonReportOptions all{.rows = 0};
    std::vector<Export> made;
    made.push_back({QStringLiteral("compare-all"), tr("Comparison"), {},
        [compared = m_compared, all](std::ostream &out) { model::writeComparisonCsv(out, *compared, all); }});
    if (m_tree)
        made.push_back(
            {QStringLiteral("compare-") + text(costKey()).replace(u'_', u'-') + QStringLiteral("-flame-graph"),
                tr("Differential flame graph"), [this] { return m_flame->image(kExportWidthPx); }, {}});
    made.push_back({QStringLiteral("compare-report"), tr("Comparison"), {}, {},
        [compared = m_compared](std::ostream &out) { model::writeComparisonHtml(out, *compared); }});
    made.push_back({QStringLiteral("compare-data"), tr("Comparison"), {}, {}, {},
        [compared = m_compared, all](std::ostream &out) { model::writeComparisonJson(out, *compared, all); }});
    return made;
}

} // namespace ui

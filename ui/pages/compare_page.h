// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/compare/difference_tree.h"
#include "model/recent_session.h"
#include "model/report/comparison_summary.h"
#include "ui/background_job.h"
#include "ui/models/cost_columns.h"
#include "ui/pages/page.h"
#include "ui/selection.h"

#include <optional>

class QBoxLayout;
class QButtonGroup;
class QCheckBox;
class QLabel;
class QSplitter;
class QStackedWidget;
class QTimer;
class QTreeView;

namespace ui {

class Banner;
class Card;
class ColumnsThatFit;
class CompareChooser;
class ComparedSides;
class DifferenceFilterModel;
class DifferenceFlameView;
class DifferenceScale;
class FunctionDifferenceModel;
class SearchField;
class StackDifferenceModel;
class TimelineView;
class TotalDifferenceModel;

/// What the open session and another one, or two times of it, differ in: totals of every cost, then of the chosen one a differential flame graph,
/// functions and stacks. The open session counts as it is selected, another one as it is selected in a timeline of its own. Knows no files: it asks for the other session, and is given a snapshot of it.
class ComparePage : public Page
{
    Q_OBJECT

public:
    explicit ComparePage(Selection &selection, QWidget *parent = nullptr);

    QString key() const override { return QStringLiteral("compare"); }
    QString title() const override { return tr("Compare"); }
    QString iconName() const override { return QStringLiteral("compare"); }
    QString subtitle() const override;
    void setSnapshot(std::shared_ptr<const model::Snapshot> snapshot) override;
    bool isBusy() const override
    {
        return m_isWaiting || m_isApartAwaited || m_job.isRunning() || m_treeJob.isRunning();
    }
    bool listsFunctions() const override { return m_compared != nullptr; }
    bool isEmpty() const override { return !m_other && !m_isWaiting; }
    std::vector<Export> exports() override;

    /// Sessions to choose from; those of the same program come first.
    void setRecent(std::vector<model::RecentSession> sessions);

    /// Which of the two the other session is; by the time of recording where nobody says it.
    enum class Role { ByTime, Before, After };
    /// Compares with this session from now on; null: with none any more. Newer snapshots of it may follow.
    void setOther(std::shared_ptr<const model::Snapshot> other, Role role = Role::ByTime);
    /// The other session is on its way: otherWanted() was answered by hand.
    void setOtherWaiting(const QString &path);
    /// The other session cannot be read, and why.
    void setOtherFailed(const QString &sentence);

    /// The snapshot that apartWanted() asked for; null: it could not be made.
    void setApart(std::shared_ptr<const model::Snapshot> apart);

    /// Chooses a cost by its key, as its row would.
    void showCost(const std::string &key);
    /// The comparison that is shown; null while there is none.
    const std::shared_ptr<const model::ComparedSessions> &compared() const { return m_compared; }

Q_SIGNALS:
    /// The session at `path` is to be compared with: setOther() or setOtherFailed() is waited for.
    void otherWanted(const QString &path);
    /// Another time of the other session is to be compared: setOther() with a snapshot of that.
    void otherTimeWanted(const model::Selection &selection);
    /// Two times of the open session are apart, but share a step of the recording: setApart() with a snapshot of the later one without it.
    void apartWanted(const model::Selection &selection);
    /// Somebody wants to choose a file.
    void fileWanted();
    /// The other session is not wanted any more.
    void otherDropped();

protected:
    void resizeEvent(QResizeEvent *event) override;
    bool eventFilter(QObject *watched, QEvent *event) override;

private:
    enum View { FlameGraph, Functions, Stacks };

    void setUpTop(QBoxLayout *column);
    void setUpContent(QBoxLayout *column);
    QWidget *newTotals();
    QWidget *newDetails();
    QWidget *newDetailControls();
    QTreeView *newView(const QString &name);
    void setUpConnections();

    model::Side openSide() const;
    std::shared_ptr<const model::Snapshot> side(model::Side side) const;
    bool separate();
    void hold();
    void drop();
    void cancel();
    void rebuild();
    void settle();
    void showCompared(std::shared_ptr<const model::ComparedSessions> compared);
    void chooseRow(int row);
    void makeTree();
    void showDetails();
    void leaveHeld();
    void showState();
    void showOtherTimeline();
    bool isTimelineShown() const;
    void placeDetailControls();
    void say(const QString &sentence);
    QString detailsCaption(const model::Comparison &comparison) const;
    void sayNothing();
    void applyFind(const QString &needle);
    void inspect(const QModelIndex &index);
    std::string costKey() const;

    Selection &m_selection;
    std::shared_ptr<const model::Snapshot> m_open;
    std::shared_ptr<const model::Snapshot> m_other;
    std::shared_ptr<const model::Snapshot>
        m_apart;                    ///< the later of two times of one session, without the steps of the earlier
    model::Selection m_apartWanted; ///< what it was asked for
    bool m_isApartAwaited = false;
    bool m_isHeld = false; ///< the other one is a time of the open session
    Role m_role = Role::ByTime;
    bool m_isSwapped = false;
    bool m_isWaiting = false;             ///< for the other session
    bool m_isNormalisationChosen = false; ///< by the user
    bool m_isPerSecondAsHeld = false;     ///< nobody has chosen that
    bool m_isStale = false;               ///< a newer snapshot came while the job worked
    QString m_problem;                    ///< why there is no comparison, as a sentence
    model::Normalisation m_normalisation;
    std::shared_ptr<const model::ComparedSessions> m_compared;
    model::ComparisonSummary m_summary;
    std::string m_costKey; ///< chosen; empty: the first
    std::size_t m_cost = 0;
    std::shared_ptr<const model::DifferenceTree> m_tree;
    BackgroundJob m_job;
    BackgroundJob m_treeJob;
    QTimer *m_slow = nullptr;
    int m_slowSeconds = 0;

    Selection *m_otherSelection = nullptr; ///< of the other session; the crosshair and the text to find are not shared
    TimelineView *m_otherTimeline = nullptr;
    QLabel *m_otherHint = nullptr;
    ComparedSides *m_sides = nullptr;
    Banner *m_progress = nullptr;
    QLabel *m_sentence = nullptr;
    QLabel *m_notes = nullptr;
    QStackedWidget *m_stack = nullptr; ///< chooser, comparison
    CompareChooser *m_chooser = nullptr;
    QWidget *m_content = nullptr;
    QSplitter *m_results = nullptr;         ///< totals and where they changed
    std::optional<bool> m_isTimelineWanted; ///< of the other session; empty: where it has room
    QTreeView *m_totalView = nullptr;
    ColumnsThatFit *m_totalColumns = nullptr;
    TotalDifferenceModel *m_totals = nullptr;
    Card *m_details = nullptr;
    QBoxLayout *m_controls = nullptr; ///< what is shown, and its settings
    QButtonGroup *m_views = nullptr;
    QButtonGroup *m_parts = nullptr;
    QCheckBox *m_onlyDifferent = nullptr;
    SearchField *m_filter = nullptr;
    DifferenceScale *m_scale = nullptr;
    QStackedWidget *m_viewStack = nullptr;
    DifferenceFlameView *m_flame = nullptr;
    QTreeView *m_functionView = nullptr;
    QTreeView *m_stackView = nullptr;
    ColumnsThatFit *m_functionColumns = nullptr;
    ColumnsThatFit *m_stackColumns = nullptr;
    QLabel *m_nothing = nullptr; ///< in place of a table without rows
    FunctionDifferenceModel *m_functions = nullptr;
    StackDifferenceModel *m_stacks = nullptr;
    DifferenceFilterModel *m_functionFilter = nullptr;
    DifferenceFilterModel *m_stackFilter = nullptr;
};

} // namespace ui

// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/aggregate/call_tree.h"
#include "model/aggregate/function_table.h"
#include "ui/background_job.h"
#include "ui/models/cost_columns.h"
#include "ui/models/expanded_rows.h"
#include "ui/pages/page.h"
#include "ui/selection.h"
#include "ui/theme_colors.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

class QButtonGroup;
class QBoxLayout;
class QComboBox;
class QLabel;
class QMenu;
class QPushButton;
class QSplitter;
class QStackedWidget;
class QTreeView;

namespace ui {

class CallTreeModel;
class Card;
class EmptyState;
class FlameGraphView;
class FunctionTableModel;
class NodeFilterModel;
class NotedTreeView;
class SearchField;
class ThreadBox;

/// A page about where a cost comes from: its flame graph above, below it the call tree, callers first or callees first, or the
/// functions. The heap and the CPU page are this with their own costs.
class CostPage : public Page
{
    Q_OBJECT

public:
    struct Choice
    {
        model::CostKind kind;
        QString label; ///< of the button
    };

    void setSnapshot(std::shared_ptr<const model::Snapshot> snapshot) override;
    bool isBusy() const override { return m_job->isRunning(); }
    void takeKeys() override;
    bool listsFunctions() const override { return true; }
    void openAt(model::CostKind kind) override;
    void showStack(const InspectedStack &stack) override;
    QString subtitle() const override;
    std::vector<Export> exports() override;

    /// Shows another cost, as its button would.
    void showCost(model::CostKind kind);
    model::CostKind shownCost() const { return m_kind; }

    /// `costs` not empty, all of one source. `barToken`: colour of the bars in tables.
    CostPage(Selection &selection, std::vector<Choice> costs, Token barToken, QWidget *parent);

    /// What the whole is called in the subtitle: "412.6 MiB in 1.9 M blocks".
    virtual QString wholeText(const model::Snapshot &snapshot) const = 0;
    const model::Snapshot *snapshot() const { return m_snapshot.get(); } ///< null: none is open
    /// Why there is nothing to show, with what to do about it; empty: there is something.
    virtual QString emptyText(const model::Snapshot &snapshot) const = 0;
    virtual void writeStacks(std::ostream &out, const model::Snapshot &snapshot) const = 0;

protected:
    void showEvent(QShowEvent *event) override;
    void resizeEvent(QResizeEvent *event) override;
    bool eventFilter(QObject *watched, QEvent *event) override;

private:
    static constexpr int kLeastNamePx = 160; ///< of a function, beside its indentation

    /// How the table orders what the flame graph shows.
    enum class Order { CalleesFirst, CallersFirst, Functions };

    /// What a job makes of a snapshot.
    struct Result
    {
        std::shared_ptr<const model::CallTree> topDown;
        std::shared_ptr<const model::CallTree> shown; ///< top-down or bottom-up; what the table shows
        model::FunctionTable functions;
        std::vector<std::string> functionNames; ///< as the table shows them, by row
    };

    void setUpControls();
    void addCostButtons(QBoxLayout *row);
    void addOrderButtons(QBoxLayout *row);
    void showColumnsThatFit(QTreeView *view);
    void showHiddenColumns();
    void setUpContent();
    QWidget *makeFlameCard();
    QWidget *makeTableCard();
    NotedTreeView *makeView();
    void setUpConnections();

    void showWhetherEmpty();
    void showThreads();
    bool hasOtherCosts();
    void rebuild();
    static std::optional<Result> compute(
        const model::Snapshot &snapshot, const CostView &view, Order order, std::stop_token stop);
    void show(Result result);
    void showFlameCaption();
    void showTree();
    bool hasOpenRow() const;
    void openRenamed(const std::vector<model::StackId> &stacks);
    void openHotPath();
    void expandHotPath();
    void showHotPathInFlame();
    void takeInHand();
    QModelIndex rowOf(model::NodeId node) const; ///< in the tree's view
    int levelsWithRoom() const;                  ///< of the tree, that leave names room
    void showAsBeforeFind();
    void expandHits(const QString &needle);
    void fitColumns(QTreeView *view, bool isTree);
    void noteDepth(QModelIndex opened);
    void fitIndentation();
    static void filterRows(QTreeView &view, NodeFilterModel &filter, const QString &needle);
    void applyFind(const QString &needle);
    void forgetSession();
    InspectedStack choiceOf(model::NodeId node, const model::CallTree &tree) const;
    void choose(InspectedStack what);
    void chooseNothing();
    void showChoice();
    void showWanted();
    void showRowOf(model::NodeId node);
    model::NodeId nodeFor(const InspectedStack &what) const; ///< in the flame graph
    QModelIndex chosenTreeRow(model::NodeId inFlame) const;
    QModelIndex chosenFunctionRow(model::NodeId inFlame) const;
    void openWayTo(QModelIndex row);
    /// The selected row; the current one may be but where the keys begin.
    static QModelIndex chosenRow(const QTreeView &view);
    static void selectRow(QTreeView &view, const QModelIndex &row);
    void flameSelectionChanged(model::NodeId node);
    void treeSelectionChanged();
    void functionSelectionChanged();
    void showCallers(const QModelIndex &ofFunction);
    /// The table that is shown; an empty export while there is none.
    Export tableExport();
    Export flameExport(const QString &name) const;
    void showMenu(const QString &name, model::NodeId inFlame, const QPoint &globalPosition);
    void addZoomActions(QMenu &menu, model::NodeId node);

    Selection &m_selection;
    std::vector<Choice> m_costs;
    Token m_barToken;
    model::CostKind m_kind;
    Order m_order = Order::CalleesFirst;
    std::shared_ptr<const model::Snapshot> m_snapshot;
    std::shared_ptr<const model::Snapshot> m_shownSnapshot; ///< what m_result was made from
    Result m_result;
    CostView m_view;
    std::optional<InspectedStack> m_chosen; ///< by whoever reads the page; outlives trees that do not have it
    std::optional<InspectedStack> m_wanted; ///< to be chosen once there is a row of it
    bool m_isChoiceThere = false;           ///< as a row of the tree
    bool m_isFitted = false;
    bool m_wantsHotPath = true;
    bool m_isArranging = false;               ///< what opens and closes is not by hand
    bool m_isOtherTree = true;                ///< rows to come have another order: where one read is no place in it
    int m_deepest = 0;                        ///< level of what was opened in the tree
    std::optional<ExpandedRows> m_beforeFind; ///< what was open; empty: nothing is searched for
    bool m_isOtherThanFound = false;          ///< the search began in another tree
    bool m_opensWhenSeen = false; ///< the hot path was opened before it was known how much of it can be seen

    BackgroundJob *m_job = nullptr;
    QButtonGroup *m_costButtons = nullptr;
    QWidget *m_costBox = nullptr;    ///< holds them
    QComboBox *m_costList = nullptr; ///< the same costs where the buttons have no room
    QButtonGroup *m_orderButtons = nullptr;
    QBoxLayout *m_controls = nullptr; ///< cost buttons, and the rest
    ThreadBox *m_threads = nullptr;   ///< null: the costs are not kept by thread
    SearchField *m_filter = nullptr;
    Card *m_flameCard = nullptr;
    EmptyState *m_empty = nullptr;
    QStackedWidget *m_stack = nullptr;
    QSplitter *m_splitter = nullptr;
    FlameGraphView *m_flame = nullptr;
    QPushButton *m_zoomOut = nullptr;
    QStackedWidget *m_tables = nullptr;
    QLabel *m_hiddenColumns = nullptr; ///< names those that have no room
    NotedTreeView *m_treeView = nullptr;
    NotedTreeView *m_functionView = nullptr;
    CallTreeModel *m_treeModel = nullptr;
    NodeFilterModel *m_treeFilter = nullptr;
    FunctionTableModel *m_functionModel = nullptr;
    NodeFilterModel *m_functionFilter = nullptr;
};

} // namespace ui

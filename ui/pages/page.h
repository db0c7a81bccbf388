// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/analysis/coverage.h"
#include "model/analysis/summary.h"
#include "model/snapshot.h"
#include "ui/selection.h"

#include <QImage>
#include <QString>
#include <QWidget>

#include <functional>
#include <iosfwd>
#include <memory>
#include <optional>
#include <vector>

class QVBoxLayout;

namespace ui {

/// Something that a page can write to a file: a picture or a table.
struct Export
{
    QString name;                                      ///< of the file without ending: "heap-flame-graph"
    QString label;                                     ///< for the menu: "Flame graph"
    std::function<QImage()> picture;                   ///< PNG; empty for a table
    std::function<void(std::ostream &)> table;         ///< CSV; empty for a picture
    std::function<void(std::ostream &)> document = {}; ///< HTML; empty for the others
    std::function<void(std::ostream &)> data = {};     ///< JSON; empty for the others
};

/// A page of the window. It gets a snapshot and the selection (in its constructor), and knows no other page.
class Page : public QWidget
{
    Q_OBJECT

public:
    using QWidget::QWidget;

    /// Stable name, lower case with dashes: begins the names of exported files. "heap".
    virtual QString key() const = 0;
    /// As in the list of pages: "Heap".
    virtual QString title() const = 0;
    /// Name of its icon in resources/icons, without ending.
    virtual QString iconName() const = 0;
    /// What the page shows now, behind the title: "live bytes · 12:03–12:09 · 412.6 MiB in 1.9 M blocks".
    virtual QString subtitle() const { return {}; }
    /// Of what the subtitle tells of losses: a warning where results are partial.
    virtual model::Trust subtitleTrust() const { return model::Trust::Whole; }

    /// A new view of the session; null: none is open. Called up to four times a second while recording; long work goes to a
    /// BackgroundJob. Must keep scroll position, selection and expanded rows.
    virtual void setSnapshot(std::shared_ptr<const model::Snapshot> snapshot) = 0;

    /// Whether a job of the page still works on the last snapshot; settled() follows when not.
    virtual bool isBusy() const { return false; }

    /// Whether the page shows nothing of the session, because somebody has to choose something first.
    virtual bool isEmpty() const { return false; }

    /// Gives the keyboard to what the page is about: the first that takes it, unless a page knows better.
    virtual void takeKeys();
    /// Whether the page lists functions, and so follows Selection::findText().
    virtual bool listsFunctions() const { return false; }
    /// Whether stacks are chosen on the page, so that the inspector has its place beside it.
    virtual bool choosesStacks() const { return listsFunctions(); }

    /// What an inspector that is closed will take of the page's width when it opens. Rows of controls are laid out for what remains: a click
    /// that opens it must not move what is clicked.
    void setInspectorRoom(int px) { m_inspectorRoom = px; }

    /// Shows this cost, or the one that stands nearest to it; a page without costs stays as it is.
    virtual void openAt(model::CostKind) { }

    /// Chooses a stack as a click on its row would, as soon as the page has it; a page without such rows stays as it is.
    virtual void showStack(const InspectedStack &) { }

    /// What the page can export, in the order of a menu. The functions may be called until the next setSnapshot().
    virtual std::vector<Export> exports() { return {}; }

    /// The page itself as it stands, at its size, with a scale of 2.
    QImage picture();

protected:
    /// Adds what scrolls up and down to `outer`: a column whose cards stand 16 pixels apart. Its widget is the page's.
    static QVBoxLayout *addScrollingColumn(QVBoxLayout *outer);

    /// One of exports(), for a link or menu beside what it saves; empty where there is no such now.
    Export pictureNamed(const QString &name);
    Export tableNamed(const QString &name);

    /// The width beside an inspector, whether it is open or not.
    int widthBesideInspector() const { return width() - m_inspectorRoom; }

Q_SIGNALS:
    void subtitleChanged();
    void settled();
    /// Somebody wants to see evidence that another page has, by one of its costs or as that page stands.
    void pageWanted(model::CardPage page, std::optional<model::CostKind> cost = std::nullopt);
    /// The same, of one stack.
    void stackWanted(model::CardPage page, std::optional<model::CostKind> cost, const ui::InspectedStack &stack);

private:
    int m_inspectorRoom = 0;
};

} // namespace ui

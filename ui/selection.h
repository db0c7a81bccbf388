// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/aggregate/cost_kind.h"
#include "model/aggregate/stack_scope.h"
#include "model/selection.h"
#include "model/snapshot.h"

#include <QObject>
#include <QString>

#include <optional>
#include <vector>

namespace ui {

/// The row or rectangle that was chosen, and the cost that it was chosen by.
struct ChosenCost
{
    model::CostKind kind = model::CostKind::Live;
    model::StackScope scope; ///< the stacks that are merged there

    friend bool operator==(const ChosenCost &, const ChosenCost &) = default;
};

/// A stack that somebody wants to know more about.
struct InspectedStack
{
    model::StackId stack;
    model::ImageId image;             ///< invalid: of any image
    std::optional<ChosenCost> chosen; ///< what the stack is but the heaviest of; empty: the stack itself was chosen

    friend bool operator==(const InspectedStack &, const InspectedStack &) = default;
};

/// Whether a change begins something of its own or goes on with the last one (the next notch of a wheel, a dragged edge):
/// then stepBack() undoes both at once.
enum class Gesture { New, Continued };

/// How one looks at the session: the one source of truth that every page follows. Lives in the GUI thread; the main window owns it.
/// Setters do nothing when nothing changes, so two views that follow each other do not loop.
class Selection : public QObject
{
    Q_OBJECT

public:
    using QObject::QObject;

    /// What snapshots are made for.
    const model::Selection &current() const { return m_current; }

    void setTime(std::optional<model::TimeRange> time, Gesture gesture = Gesture::New);
    void setProcess(std::optional<model::ProcessId> process);
    void setThread(std::optional<model::ThreadId> thread);
    /// Back to the selection before the last change; to everything when there is none.
    void stepBack();
    /// Everything: another session was opened.
    void reset();

    /// Text that tables and flame graphs search for; empty: nothing.
    const QString &findText() const { return m_findText; }
    void setFindText(const QString &text);

    /// What the inspector shows.
    const std::optional<InspectedStack> &inspected() const { return m_inspected; }
    void setInspected(std::optional<InspectedStack> stack);

    /// The moment under the pointer, shared by all charts; empty: outside of them.
    const std::optional<model::Timestamp> &crosshair() const { return m_crosshair; }
    void setCrosshair(std::optional<model::Timestamp> when);

Q_SIGNALS:
    /// A new snapshot is on its way.
    void changed(const model::Selection &selection);
    void findTextChanged(const QString &text);
    void inspectedChanged();
    void crosshairMoved();

private:
    void remember(Gesture gesture);
    void change(const model::Selection &selection);

    model::Selection m_current;
    std::vector<model::Selection> m_history; ///< at most kMostSteps
    QString m_findText;
    std::optional<InspectedStack> m_inspected;
    std::optional<model::Timestamp> m_crosshair;
};

} // namespace ui

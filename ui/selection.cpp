// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/selection.h"

namespace ui {

namespace {
constexpr std::size_t kMostSteps = 50;
}

void Selection::change(const model::Selection &selection)
{
    if (selection == m_current)
        return;
    m_current = selection;
    Q_EMIT changed(m_current);
}

void Selection::remember(Gesture gesture)
{
    if (gesture == Gesture::Continued && !m_history.empty())
        return;
    if (m_history.size() == kMostSteps)
        m_history.erase(m_history.begin());
    m_history.push_back(m_current);
}

void Selection::setTime(std::optional<model::TimeRange> time, Gesture gesture)
{
    if (time && time->isEmpty())
        time.reset();
    if (time == m_current.time)
        return;
    remember(gesture);
    model::Selection next = m_current;
    next.time = time;
    change(next);
}

void Selection::setProcess(std::optional<model::ProcessId> process)
{
    if (process == m_current.process)
        return;
    remember(Gesture::New);
    model::Selection next = m_current;
    next.process = process;
    next.thread.reset(); // a thread belongs to one process
    change(next);
}

void Selection::setThread(std::optional<model::ThreadId> thread)
{
    if (thread == m_current.thread)
        return;
    remember(Gesture::New);
    model::Selection next = m_current;
    next.thread = thread;
    change(next);
}

void Selection::stepBack()
{
    model::Selection previous;
    if (!m_history.empty()) {
        previous = m_history.back();
        m_history.pop_back();
    }
    change(previous);
}

void Selection::reset()
{
    m_history.clear();
    setInspected(std::nullopt);
    setCrosshair(std::nullopt);
    setFindText({});
    change({});
}

void Selection::setFindText(const QString &text)
{
    if (text == m_findText)
        return;
    m_findText = text;
    Q_EMIT findTextChanged(m_findText);
}

void Selection::setInspected(std::optional<InspectedStack> stack)
{
    if (stack == m_inspected)
        return;
    m_inspected = stack;
    Q_EMIT inspectedChanged();
}

void Selection::setCrosshair(std::optional<model::Timestamp> when)
{
    if (when == m_crosshair)
        return;
    m_crosshair = when;
    Q_EMIT crosshairMoved();
}

} // namespace ui

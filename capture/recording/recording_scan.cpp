// SPDX-License-Identifier: GPL-3.0-or-later
// The recording's scans for lost memory.
#include "capture/recording/recording.h"

#include <utility>

namespace capture {

namespace {

/// How long the end of a recording waits for a scan that is under way.
constexpr std::chrono::milliseconds kFinalScan{30'000};

} // namespace

std::string Recording::askForScan(const ScanWish &wish)
{
    if (!m_scans)
        return "The heap is not recorded, so no block is known that could be lost: record with --heap full";
    if (m_targetEnded && !m_nextLookForOthers)
        return "The program has ended, and its memory with it";
    if (!m_scanPlan.ask(now(), wish))
        return "A scan that somebody asked for is still to be confirmed by a second one: ask again when that is done";
    m_scanError.clear();
    m_scansAreAwaited = true;
    return {};
}

void Recording::runScans(model::Timestamp moment)
{
    if (!m_scans || m_end)
        return;
    if (m_scans->hasEnds())
        scanEnds();
    if (m_scans->hasUnread())
        scanAgain();
    const bool isScanning = m_scans->isScanning();                 // asked first: what is done by then is taken
    const bool isCollected = m_looked && !m_looked->scans.empty(); // by an early look of this tick
    if (m_scans->hasScans() || isCollected)
        closeTick(0); // stored before anybody is told
    if (isScanning)
        return;
    if (const auto due = m_scanPlan.takeDue(moment))
        beginScan(*due);
    else if (!m_scanPlan.isAsked())
        answerScans({});
}

void Recording::beginScan(const ScanParameters &parameters)
{
    closeTick(0); // what was lost of events by now is known then
    m_scanBefore = m_lastScan;
    const ScanStart start = m_scans->beginScan(parameters);
    m_scanPlan.begun(now());
    if (!start.error.empty() && start.error != m_scanError && (start.begun > 0 || !m_scansAreAwaited))
        m_onMessage("Scan for lost memory: " + start.error);
    m_scanError = start.error;
    if (start.begun == 0 && !m_scanPlan.isAsked())
        answerScans(start.error);
}

void Recording::scanEnds()
{
    closeTick(0); // what was lost of events by now is known then
    const ScanStart start = m_scans->scanEnds();
    if (!start.error.empty())
        m_onMessage("Scan for lost memory at the end of a process: " + start.error);
}

void Recording::scanAgain()
{
    closeTick(0); // what was lost of events by now is known then
    const ScanStart start = m_scans->scanAgain();
    if (start.error.empty())
        return;
    m_onMessage("Scan for lost memory, again: " + start.error);
    m_scanError = start.error;
}

void Recording::answerScans(const std::string &error)
{
    if (!std::exchange(m_scansAreAwaited, false) || !m_server)
        return;
    ControlReply reply;
    reply.error = error;
    if (error.empty() && m_lastScan == m_scanBefore) // an earlier scan is no answer to this wish
        reply.error = m_scanError.empty() ? "The scan came to nothing" : m_scanError;
    reply.scan = m_lastScan;
    reply.status = m_status.status();
    reply.status.state = m_end ? model::SessionState::Stopping : m_info.state;
    m_server->answerDeferred(reply);
}

void Recording::finishScans()
{
    if (m_scans)
        m_scans->waitForScans(kFinalScan);
    if (m_scans && m_scans->hasUnread())
        m_onMessage(
            "A scan for lost memory came to nothing: the copy that it was to read ended, and so did the recording");
    answerScans("The recording ended before the scan was done");
}

} // namespace capture

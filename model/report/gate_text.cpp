// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/aggregate/function_index.h"
#include "model/aggregate/stack_text.h"
#include "model/report/difference_words.h"
#include "model/report/gate_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <ostream>
#include <string>
#include <vector>

namespace model {

namespace {

std::string_view mark(const GateFinding &finding)
{
    if (finding.isBlind())
        return "absent";
    switch (finding.outcome) {
    case GateOutcome::Worse:
        return "WORSE ";
    case GateOutcome::Unclear:
        return "unclear";
    case GateOutcome::Grown:
        return "grown ";
    case GateOutcome::Passed:
        return finding.isOnlyTold ? "told  " : "ok    ";
    case GateOutcome::Absent:
        return "–     ";
    }
    return {};
}

/// "f (a.cpp:12)", or "f" where its place is not known.
std::string frameText(const GateFrame &frame)
{
    const std::string place = shortPlace(frame.file, frame.line);
    return shortFunctionName(frame.function) + (place.empty() ? "" : " (" + place + ")");
}

/// The functions nearest to the leaf, short: "c (c.cpp:3) ← b ← a (a.cpp:1)"; up to the one to look at, however far that is.
std::string leafFirst(const GateStack &stack)
{
    constexpr std::size_t kMost = 5;
    std::string text;
    for (std::size_t at = 0; at < stack.frames.size() && at < kMost; ++at)
        text += (at == 0 ? "" : " ← ") + frameText(stack.frames[at]);
    if (stack.shown >= kMost)
        text += (stack.shown > kMost ? " ← … ← " : " ← ") + frameText(stack.frame());
    return text + (std::max(stack.shown + 1, kMost) < stack.frames.size() ? " ← …" : "");
}

std::string stackText(const GateStack &stack, Unit unit)
{
    const Difference difference{.a = stack.base, .b = stack.current};
    if (stack.base == 0)
        return fmt::format("{}  {}", costText(stack.current, unit), leafFirst(stack));
    return fmt::format("{} ({} → {})  {}", changeText(difference, unit), costText(stack.base, unit),
        costText(stack.current, unit), leafFirst(stack));
}

/// "+0.5 %, at most 64 MiB".
std::string limitCell(const GateFinding &finding)
{
    std::string text
        = finding.hasBase && !finding.isOnlyTold ? gateLimitText(finding.limit, gateKeyInfo(finding.key).unit) : "";
    if (const std::string most = mostText(finding); !most.empty())
        text += (text.empty() ? "" : ", ") + most;
    return text;
}

/// The unit of the costs of a finding's stacks: those of times are CPU time.
Unit unitOfStacks(const GateFinding &finding) { return gateKeyInfo(finding.key).unit; }

/// Why figures are missing, as far as it is long and stands for several of them, or among the notes, too: it is told once, below the rows, which
/// refer to it by its number.
class SharedReasons
{
public:
    explicit SharedReasons(const GateReport &report)
    {
        std::vector<std::string> seen = report.notes;
        for (const GateFinding &finding : report.findings) {
            if (!isToldWith(finding) || finding.note.size() < kLong)
                continue;
            if (!contains(seen, finding.note))
                seen.push_back(finding.note);
            else if (!has(finding.note))
                m_reasons.push_back(finding.note);
        }
    }

    bool has(const std::string &reason) const { return contains(m_reasons, reason); }

    std::string textOf(const GateFinding &finding) const
    {
        const auto found = std::find(m_reasons.begin(), m_reasons.end(), finding.note);
        if (found == m_reasons.end() || !isToldWith(finding))
            return findingText(finding);
        GateFinding shortened = finding;
        shortened.note = fmt::format("See [{}].", found - m_reasons.begin() + 1);
        return findingText(shortened);
    }

    void write(std::ostream &out) const
    {
        for (std::size_t i = 0; i < m_reasons.size(); ++i)
            out << fmt::format("  [{}] {}\n", i + 1, m_reasons[i]);
    }

    bool isEmpty() const { return m_reasons.empty(); }

private:
    static constexpr std::size_t kLong = 60; // bytes: below, a row may well hold it

    /// Whether the text of the finding has its note.
    static bool isToldWith(const GateFinding &finding)
    {
        return finding.outcome == GateOutcome::Absent || !finding.hasBase;
    }

    static bool contains(const std::vector<std::string> &texts, const std::string &text)
    {
        return std::find(texts.begin(), texts.end(), text) != texts.end();
    }

    std::vector<std::string> m_reasons; ///< in the order of the rows
};

} // namespace

std::string gateVerdictText(const GateReport &report)
{
    if (!report.failure.empty())
        return report.hasProgramFailed ? "program failed" : "failed";
    return std::string(outcomeKey(report.verdict()));
}

void writeGateText(std::ostream &out, const GateReport &report)
{
    out << fmt::format(
        "Gate: {}\n  {}{}\n\n", report.command, report.against.empty() ? "by limits" : "against ", report.against);
    const SharedReasons reasons(report);
    for (const GateFinding &finding : report.findings) {
        out << fmt::format("  {}  {}\n", mark(finding), reasons.textOf(finding));
        for (const GateStack &stack : finding.stacks)
            out << fmt::format("            {}\n", stackText(stack, unitOfStacks(finding)));
    }
    if (!report.notes.empty() || !reasons.isEmpty())
        out << '\n';
    reasons.write(out);
    for (const std::string &note : report.notes)
        if (!reasons.has(note))
            out << "  " << note << '\n';
    if (!report.failure.empty())
        out << "  " << report.failure << '\n';
    out << fmt::format("\n{} in {:.1f} s\n", gateVerdictText(report), report.seconds);
}

void writeGateMarkdown(std::ostream &out, const GateReport &report)
{
    out << fmt::format("### Gate: {}\n\n{}{}{}\n", gateVerdictText(report), markdownCell(report.command),
        report.against.empty() ? "" : " against ", markdownCell(report.against));
    if (!report.failure.empty())
        out << "\n> " << markdownCell(report.failure) << '\n';
    if (!report.findings.empty())
        out << "\n| | quantity | base | now | change | limit |\n|---|---|--:|--:|--:|--:|\n";
    for (const GateFinding &finding : report.findings) {
        const GateKeyInfo &info = gateKeyInfo(finding.key);
        const bool isAbsent = finding.outcome == GateOutcome::Absent;
        const Difference difference{.a = finding.base, .b = finding.current};
        out << fmt::format("| {} | {} | {} | {} | {} | {} |\n",
            finding.outcome == GateOutcome::Worse             ? "**worse**"
                : finding.isOnlyTold && !finding.isBeyondMost ? "told"
                                                              : outcomeKey(finding.outcome),
            info.label, finding.hasBase && !isAbsent ? costText(finding.base, info.unit) : "",
            isAbsent ? "" : costText(finding.current, info.unit),
            finding.hasBase && !isAbsent ? relativeText(difference) : "", limitCell(finding));
    }
    for (const GateFinding &finding : report.findings)
        for (const GateStack &stack : finding.stacks)
            out << fmt::format(
                "\n- {}: {}", gateKeyInfo(finding.key).label, markdownCell(stackText(stack, unitOfStacks(finding))));
    out << '\n';
    for (const std::string &note : report.notes)
        out << "\n> " << markdownCell(note) << '\n';
}

} // namespace model

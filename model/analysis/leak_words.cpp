// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/analysis/leak_words.h"

#include "model/aggregate/heap_modes.h"
#include "model/aggregate/process_images.h"
#include "model/aggregate/sampling_error.h"
#include "model/aggregate/unrecorded_heap.h"
#include "model/analysis/coverage.h"
#include "model/analysis/forecast_words.h"
#include "model/analysis/leak_scan_words.h"
#include "model/base/format_interval.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <set>
#include <string_view>
#include <tuple>

namespace model {

namespace {

std::string blocks(std::int64_t count) { return formatCount(count) + (count == 1 ? " block" : " blocks"); }

std::string shareText(double share, const Interval &interval)
{
    return withInterval(formatShare(share), intervalParts(interval.low * 100, interval.high * 100, Unit::Percent));
}

/// "blocks", or where they are sampled, what was seen of them.
std::string_view countedAs(const Snapshot &snapshot) { return isHeapSampled(snapshot) ? "sampled blocks" : "blocks"; }

std::string survivalSentence(const Snapshot &snapshot, const LeakItem &item, Duration bucket)
{
    const LeakTest &test = item.stacks.front().test;
    std::int64_t survivors = 0, born = 0;
    for (const LeakStack &stack : item.stacks) {
        survivors += stack.test.survivors;
        born += stack.test.born;
    }
    return fmt::format("Of {} {} that are old enough, {} are still there: {}.", formatCount(born), countedAs(snapshot),
               formatCount(survivors), shareText(item.leakShare, item.leakShare95))
        + (test.diedInAll > 0 ? fmt::format(
               " 99 of 100 that were freed lived no longer than {}.", ageText(test.deathAge99 + 1, bucket))
                              : std::string(" None was ever freed."));
}

std::string plateauSentence(const LeakTest &test, Duration bucket)
{
    return fmt::format(
        "Older than {}, {} {} freed; at that rate at most {} of them would go while as much time passes again.",
        ageText(test.matureAge, bucket), blocks(test.lateDeaths), test.lateDeaths == 1 ? "was" : "were",
        formatShare(1 - std::exp(-test.clearedShare)));
}

std::string cohortSentence(const LeakTest &test, Duration bucket)
{
    return fmt::format("{} of {} spans of {} left such blocks behind.", test.cohortsWithSurvivors, test.cohorts,
        formatDuration(bucket));
}

std::string exampleSentence(const Snapshot &snapshot, const LeakItem &item)
{
    std::string text;
    const Timestamp end{snapshot.info.duration.ns};
    for (const LeakStack &stack : item.stacks) {
        for (const LiveExample &example : stack.ages->examples)
            text += fmt::format("{}{}, {} old", text.empty() ? "" : "; ",
                formatBytes(static_cast<double>(example.size)), formatDuration(end - example.birth));
        if (!text.empty())
            break;
    }
    return text.empty() ? text : "For example: " + text + '.';
}

std::string growthSentence(const LeakItem &item)
{
    constexpr double kMostT = 1000; // beyond it the number says nothing: a straight line
    const double t = item.stacks.front().test.slopeT;
    return fmt::format("{} live in {} now, growing by {} with 95 % certainty; t {}.",
        formatBytes(static_cast<double>(item.liveBytes)), blocks(item.liveBlocks),
        formatInterval(item.bytesPerHour95.low, item.bytesPerHour95.high, Unit::BytesPerHour),
        t > kMostT ? fmt::format("> {:g}", kMostT) : fmt::format("= {:.1f}", t));
}

std::string cautionOf(const Snapshot &snapshot, const LeakItem &item, Duration bucket)
{
    const LeakTest &test = item.stacks.front().test;
    std::string text;
    for (const LeakStack &stack : item.stacks)
        if (stack.withdrawn && text.empty())
            text = fmt::format(
                "It was accused at {} before, and by {} it had freed more than half of those blocks: that "
                "was a false report. ",
                formatOffset(stack.withdrawn->accused), formatOffset(*stack.withdrawn->withdrawn));
    if (item.tier == LeakTier::Lost) {
        if (!item.isConfirmed && hasEnded(*snapshot.tables, item.image))
            text += "One scan alone says so. Two in a longer run, 30 s apart, confirm it. ";
        else if (!item.isConfirmed)
            text += "One scan alone says so: its pointer may have been on its way. A second scan confirms it. ";
        if (item.scan && item.scan->proof == ScanProof::LowerBound)
            text += "More may be lost: not every block was known to the scan. ";
    }
    if (item.tier == LeakTier::CouldBeCache) {
        if (test.isNeverFreed)
            text += "Nothing that it allocates was freed while it was looked at, so a cache that is not full yet, or "
                    "sessions longer than the recording, look the same. ";
        if (test.isConcave)
            text += "It grows more slowly than before, as a cache does that fills. ";
        if (test.isStillFreed)
            text += "Old blocks are still freed now and then: some may just live very long. ";
        text += "A longer recording tells. ";
    }
    if (!item.isConfirmed && (item.tier == LeakTier::Growing || item.tier == LeakTier::CouldBeCache))
        text += fmt::format("Not confirmed: it was followed for {} of the {} that confirm it. ",
            ageText(test.buckets, bucket), ageText(kConfirmedLeakBuckets, bucket));
    if (!text.empty())
        text.pop_back();
    return text;
}

/// Places, of which one may have items of more than one tier.
std::int64_t count(const LeakReport &report, std::initializer_list<LeakTier> tiers)
{
    std::set<std::tuple<std::uint32_t, std::string_view, std::string_view>> places;
    for (const LeakItem &item : report.items)
        if (std::find(tiers.begin(), tiers.end(), item.tier) != tiers.end())
            places.emplace(item.image.value, item.module, item.function);
    return static_cast<std::int64_t>(places.size());
}

/// "1 place has lost memory for good"; empty if none did.
std::string lostSentence(const LeakReport &report)
{
    const std::int64_t lost = count(report, {LeakTier::Lost});
    if (lost == 0)
        return {};
    const auto isOf = [&report](bool isConfirmed) {
        return std::any_of(report.items.begin(), report.items.end(), [isConfirmed](const LeakItem &item) {
            return item.tier == LeakTier::Lost && item.isConfirmed == isConfirmed;
        });
    };
    return fmt::format("{} {} lost memory{}", formatCount(lost), lost == 1 ? "place has" : "places have",
        !isOf(false)     ? " for good"
            : isOf(true) ? ", some of them for good, others by one scan"
                         : ", by one scan");
}

std::string lossEvidence(const LeakItem &item)
{
    const std::string when = formatOffset(item.scan->when);
    std::string text = fmt::format("The scan at {} found no pointer to {} in {} of it any more", when,
        formatBytes(static_cast<double>(item.lost.bytes)), blocks(item.lost.blocks));
    if (item.scan->confirms != 0)
        text += item.lostTwice == item.lost ? std::string(", as an earlier one did")
                                            : fmt::format(", {} of it lost in an earlier one too",
                                                formatBytes(static_cast<double>(item.lostTwice.bytes)));
    return text + '.';
}

/// How the tool's own accusations of this recording fared.
std::string precisionNote(const LeakReport &report)
{
    constexpr std::size_t kMostNames = 3;
    if (report.withdrawn.empty())
        return {};
    std::string names;
    for (std::size_t i = 0; i < std::min(report.withdrawn.size(), kMostNames); ++i)
        names += (names.empty() ? "" : ", ") + report.withdrawn[i];
    return fmt::format(
        "{} of {} {} that {} accused while it was recorded freed those blocks later, so that was wrong: {}{}.",
        report.withdrawn.size(), report.claims, report.claims == 1 ? "stack" : "stacks",
        report.claims == 1 ? "was" : "were", names, report.withdrawn.size() > kMostNames ? ", …" : "");
}

void addSamplingNote(const Snapshot &snapshot, LeakReport &report)
{
    if (!isHeapSampled(snapshot))
        return;
    report.notes.push_back(fmt::format(
        "Sampled, one allocation each {}: leaks of which less than some twenty blocks were seen are missed. Where one "
        "block "
        "in ten is seen, about a third of the leaks is missed that full recording finds, where one in a hundred, two "
        "thirds; false reports do not become more frequent.",
        formatBytes(static_cast<double>(longestPeriod(snapshot)))));
}

/// The histories of ages begin anew where blocks are counted in another way.
void addStepNote(const Snapshot &snapshot, LeakReport &report)
{
    const auto steps = heapStepsIn(snapshot, {{}, {snapshot.info.duration.ns}});
    if (!steps.empty())
        report.notes.push_back(
            fmt::format("How the heap was recorded changed, last at {}: only blocks from after that are judged.",
                formatOffset(steps.back().when, true)));
}

std::string notEnoughSentence(const LeakReport &report)
{
    const std::string_view what = count(report, {LeakTier::Lost}) > 0 ? "growth" : "leaks";
    if (report.state == LeakReport::State::NoData)
        return fmt::format("Nothing can be said of {}.", what);
    if (report.buckets >= kLeastLeakBuckets)
        return fmt::format("Nothing can be said of {} yet: no stack has allocated for long enough; {} are followed.",
            what, formatCount(report.followed));
    return fmt::format("Nothing can be said of {} yet: {} were seen, {} are needed.", what,
        report.bucket.ns > 0 ? ageText(report.buckets, report.bucket) : "0 s",
        formatDuration({(report.bucket.ns > 0 ? report.bucket.ns : kFirstAgeBucket.ns)
            * static_cast<std::int64_t>(kLeastLeakBuckets)}));
}

} // namespace

std::string ageText(std::size_t buckets, Duration bucket)
{
    return formatDuration({bucket.ns * static_cast<std::int64_t>(buckets)});
}

void tellLeak(const Snapshot &snapshot, LeakItem &item)
{
    const LeakStack &first = item.stacks.front();
    const Duration bucket = first.ages ? first.ages->bucket : Duration{};
    const bool grows = first.ages && first.test.leaks();
    if (item.tier == LeakTier::Lost) {
        item.title = fmt::format("{} lost {} in {}", item.place, formatBytes(static_cast<double>(item.lost.bytes)),
            blocks(item.lost.blocks));
        if (const std::int64_t behind = item.held.bytes - item.lost.bytes; behind > 0)
            item.title += fmt::format(", and {} behind them", formatBytes(static_cast<double>(behind)));
        item.evidence.push_back(lossEvidence(item));
        if (grows)
            item.evidence.push_back(growthSentence(item));
        if (std::string acquittal = acquittalOfLost(item); !acquittal.empty())
            item.evidence.push_back(std::move(acquittal));
    } else if (item.tier == LeakTier::Idle) {
        item.title = fmt::format(
            "{} holds {}, which do not grow", item.place, formatBytes(static_cast<double>(item.liveBytes)));
    } else {
        item.title
            = fmt::format("{} keeps {}", item.place, rateText(item.bytesPerHour, item.bytesPerHour95, Unit::Bytes));
        item.evidence.push_back(growthSentence(item));
        if (first.test.growsUnderneath)
            item.evidence.emplace_back(
                "Its live blocks swing too much to show that: it is what each span of time left behind.");
        if (std::string scanned = scanOfSuspect(snapshot, item); !scanned.empty())
            item.evidence.push_back(std::move(scanned));
    }
    item.caution = cautionOf(snapshot, item, bucket);
    if (!first.ages || !first.test.isEnough)
        return;
    item.evidence.push_back(survivalSentence(snapshot, item, bucket));
    item.evidence.push_back(plateauSentence(first.test, bucket));
    if (item.tier != LeakTier::Idle && grows)
        item.evidence.push_back(cohortSentence(first.test, bucket));
    if (std::string examples = exampleSentence(snapshot, item); !examples.empty())
        item.evidence.push_back(std::move(examples));
}

void tellLeaks(const Snapshot &snapshot, LeakReport &report)
{
    const std::string lost = lostSentence(report);
    if (std::string note = precisionNote(report); !note.empty())
        report.notes.push_back(std::move(note));
    if (report.state != LeakReport::State::Done) {
        report.sentence = (lost.empty() ? "" : lost + ". ") + notEnoughSentence(report);
        if (report.state == LeakReport::State::NoData)
            report.notes.push_back(whyNoHeap(snapshot).value_or(
                "The recording holds no ages of blocks: it ended within its first seconds, no heap was traced, "
                "or it "
                "was made by an older version."));
        addStepNote(snapshot, report);
        return;
    }
    const std::int64_t found = count(report, {LeakTier::Growing, LeakTier::CouldBeCache});
    const std::string seen = fmt::format("{} {} looked at for {}", formatCount(report.tested),
        report.tested == 1 ? "stack was" : "stacks were", ageText(report.buckets, report.bucket));
    const std::string growing = found == 0
        ? std::string()
        : fmt::format("{} {} growing", formatCount(found), found == 1 ? "place keeps" : "places keep");
    report.sentence = lost.empty() && growing.empty()
        ? fmt::format("No leak found; {}.", seen)
        : fmt::format("{}{}{}; {}.", lost, lost.empty() || growing.empty() ? "" : ", ", growing, seen);
    if (found > 0)
        report.notes.push_back(
            fmt::format("If nothing leaked at all, about {:.2g} of these reports would be expected by chance.",
                report.expectedFalse));
    if (report.buckets < kConfirmedLeakBuckets)
        report.notes.push_back(
            fmt::format("Still early: {} of the {} after which answers are confirmed; each place counts "
                        "from when it began to allocate.",
                ageText(report.buckets, report.bucket), ageText(kConfirmedLeakBuckets, report.bucket)));
    if (report.folded > 0)
        report.notes.push_back(fmt::format("{} suspicious {} left out: in 24 hours {} would hold less than {}.",
            formatCount(report.folded), report.folded == 1 ? "stack is" : "stacks are",
            report.folded == 1 ? "it" : "each", formatBytes(static_cast<double>(report.foldedBelow))));
    if (report.tooMany > 0)
        report.notes.push_back(fmt::format("{} stacks were not followed, because {} were already.",
            formatCount(report.tooMany), formatCount(report.followed)));
    addSamplingNote(snapshot, report);
    addStepNote(snapshot, report);
    if (coverage(snapshot).heap == Trust::Partial)
        report.notes.emplace_back("Heap events are incomplete, and a lost free looks like a leak.");
}

} // namespace model

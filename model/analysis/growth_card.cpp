// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/analysis/growth_card.h"

#include "model/aggregate/heap_modes.h"
#include "model/aggregate/memory_parts.h"
#include "model/analysis/forecast_words.h"
#include "model/analysis/rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <tuple>

namespace model {

const Recommendation *firstOf(const Recommendations &found, std::string_view rule)
{
    const auto item = std::find_if(
        found.items.begin(), found.items.end(), [rule](const Recommendation &each) { return each.rule == rule; });
    return item == found.items.end() ? nullptr : &*item;
}

/// "4.1 MiB/h (3.7–4.6)" split before the bracket.
std::pair<std::string, std::string> splitInterval(const std::string &text)
{
    const std::size_t bracket = text.find(" (");
    if (bracket == std::string::npos)
        return {text, {}};
    return {text.substr(0, bracket), text.substr(bracket + 2, text.size() - bracket - 3)};
}

namespace {

/// Null where there is none of this name.
const Evidence *evidenceOf(const Recommendation &item, std::string_view what)
{
    const auto found = std::find_if(
        item.evidence.begin(), item.evidence.end(), [what](const Evidence &each) { return each.what == what; });
    return found == item.evidence.end() ? nullptr : &*found;
}

/// What places go on to keep. Of several the rate is of all together, as the forecast beside it is of the whole program, and the first one's is in the sentence.
void tellRates(const Recommendations &found, const Recommendation &first, SummaryCard &card)
{
    std::size_t places = 0, measured = 0;
    double perHour = 0;
    for (const Recommendation &item : found.items) {
        if (item.rule != kGrowingStackRule.key || item.endedAfter)
            continue;
        ++places;
        if (item.evidence.front().what == kLostByScan)
            continue; // known in bytes alone
        ++measured;
        perHour += item.evidence.front().value;
    }
    const std::string &rate = first.evidence.front().text;
    std::tie(card.number, card.qualifier) = measured > 1
        ? std::pair(rateText(perHour, Unit::Bytes), fmt::format("in {} places together", measured))
        : splitInterval(rate);
    card.number = "+" + card.number;
    card.state = first.confidence >= 0.6 ? CardState::Danger : CardState::Warn;
    card.sentence = fmt::format("{} {} what {} allocate{}. First: {}{}{}.", places,
        places == 1 ? "place keeps" : "places keep", places == 1 ? "it" : "they", places == 1 ? "s" : "", first.place,
        first.where.empty() ? "" : ", " + first.where, measured > 1 ? ", with " + rate : "");
}

SummaryCard placesCard(const Snapshot &snapshot, const Recommendations &found)
{
    SummaryCard card{.title = "Growth",
        .number = kNothingGrows,
        .sentence = "Growth was not looked for.",
        .page = CardPage::Heap,
        .cost = CostKind::Growth,
        .action = "Show the heap",
        .spark = overWholeTicks(timeSeries(snapshot, HeapQuantity::LiveBytes), snapshot)};
    constexpr std::string_view kGrowth = "Growth:";
    const auto lacking = std::find_if(found.notLookedAt.begin(), found.notLookedAt.end(),
        [](const std::string &text) { return text.starts_with(kGrowth); });
    if (lacking != found.notLookedAt.end()) {
        card.number = kNotKnown;
        card.qualifier.clear();
        card.state = CardState::Unknown;
        card.sentence = lacking->substr(std::min(lacking->find_first_not_of(' ', kGrowth.size()), lacking->size()));
        if (!card.sentence.empty())
            card.sentence[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(card.sentence[0])));
    }
    if (found.growth) {
        const GrowthLook &look = *found.growth;
        card.qualifier = fmt::format("tested {} of {} stacks for {}", formatCount(look.tested),
            formatCount(look.stacks), formatDuration(snapshot.span.length()));
        card.sentence = fmt::format("No place in the heap was found that grows by {} or more{}.", look.least,
            look.limit.empty() ? "" : "; " + look.limit);
        card.state = look.limit.empty() ? CardState::Ok : CardState::Unknown;
    }
    const auto isGrowing = [](const Recommendation &item) { return item.rule == kGrowingStackRule.key; };
    const auto goesOn = [&](const Recommendation &item) { return isGrowing(item) && !item.endedAfter; };
    const auto going = std::find_if(found.items.begin(), found.items.end(), goesOn);
    const Recommendation *first = going != found.items.end() ? &*going : firstOf(found, kGrowingStackRule.key);
    if (first == nullptr)
        return card;
    card.page = CardPage::Recommendations;
    card.action = "Show the evidence";
    if (first->endedAfter) {
        const Evidence *kept = evidenceOf(*first, kKeptInTime);
        card.number = kept != nullptr ? "+" + kept->text : kNotKnown;
        card.qualifier = evidenceOf(*first, kLeftAtEnd) != nullptr
            ? fmt::format("kept until it ended after {}", formatDuration(*first->endedAfter))
            : fmt::format("kept in the {} selected", formatDuration(snapshot.span.length()));
        card.state = CardState::Unknown;
        card.sentence = first->title
            + ". A command that builds up what it works on looks like this, and so does a leak: a longer run tells.";
        return card;
    }
    if (first->evidence.front().what == kLostByScan) {
        card.number = kNotKnown; // see addLost()
        card.qualifier.clear();
        card.sentence = fmt::format("First: {}{}.", first->place, first->where.empty() ? "" : ", " + first->where);
        return card;
    }
    tellRates(found, *first, card);
    return card;
}

/// Lost memory stays lost: what the scan that found most of it says, at its card.
void addLost(const Snapshot &snapshot, SummaryCard &growth)
{
    const MemoryScan *worst = nullptr;
    for (const auto &scan : snapshot.scans) {
        const bool isSelected
            = !snapshot.selection.time || (snapshot.span.begin < scan->when && scan->when <= snapshot.span.end);
        if (isSelected && scan->lost().bytes > (worst ? worst->lost().bytes : 0))
            worst = scan.get();
    }
    if (!worst)
        return;
    growth.state = CardState::Danger;
    if (growth.number == kNotKnown || growth.number == kNothingGrows) {
        growth.number = formatBytes(static_cast<double>(worst->lost().bytes));
        growth.qualifier = "lost";
    }
    growth.sentence = fmt::format("{} in {} are lost ({} confirmed): no pointer leads to them any more. {}",
        formatBytes(static_cast<double>(worst->lost().bytes)),
        worst->lost().blocks == 1 ? "1 block" : formatCount(worst->lost().blocks) + " blocks",
        formatBytes(static_cast<double>(worst->confirmed.bytes)), growth.sentence);
}

/// A heap that does not grow is not all: a program may have memory of its own beside it, as interpreters do.
void addOtherGrowth(
    const Snapshot &snapshot, const Recommendations &found, const ResidentGrowth &other, SummaryCard &growth)
{
    constexpr double kNextToNothing = 0.2; // of the growth beside it: not what a reader looks for
    for (const Recommendation &item : found.items)
        if (item.rule == kGrowingStackRule.key && item.evidence.front().what != kLostByScan
            && item.evidence.front().value > kNextToNothing * other.perHour)
            return;
    const std::string rate = rateText(other.perHour, Unit::Bytes);
    if (isCountedAgain(other)) {
        growth.sentence += fmt::format(" Resident memory grows by {}, but in pages that processes share and that count "
                                       "for each of them; counted once, it grew by {} in that time.",
            rate, formatBytes(std::max(*other.onceBytes, 0.0)));
        return;
    }
    const bool mayBeSame = other.isSharedByMany && !other.onceBytes;
    growth.number = "+" + formatBytes(other.onceBytes ? std::min(*other.onceBytes, other.bytes) : other.bytes);
    growth.qualifier = fmt::format("resident, in {}", other.label);
    growth.state = other.isFinished || mayBeSame ? CardState::Unknown : CardState::Warn;
    std::string sentence = fmt::format("Resident memory grows by {}, mostly {}", rate, other.label);
    if (mayBeSame)
        sentence += ", which counts for each process that touches it: how much is the same was not read";
    if (!other.mappedBy.empty())
        sentence
            += fmt::format("; most of those that were made ({}) by {}", formatBytes(other.mappedBytes), other.mappedBy);
    const bool isListed = other.key == kMappingsPart
        && std::any_of(snapshot.areas.begin(), snapshot.areas.end(),
            [](const MemoryArea &area) { return area.kind == AreaKind::Mapping; });
    if (isListed)
        sentence += ": see by whom under Mappings (genprof report --what mappings --cost allocated)";
    sentence += '.';
    if (other.isFinished)
        sentence += " The command ended by itself: what it needs for its work looks like this too.";
    growth.sentence = sentence + ' ' + growth.sentence; // what the number is of comes first
    growth.spark = overWholeTicks(timeSeries(snapshot, Metric::Rss), snapshot);
    growth.page = isListed ? CardPage::Areas : CardPage::Forecast;
    growth.cost = isListed ? std::optional(CostKind::Allocated) : std::nullopt;
    growth.action = isListed ? "Show the mappings" : "Show the forecast";
}

/// What the live heap as a whole grew by in the selected time.
struct HeapRise
{
    double before = 0; ///< bytes
    double after = 0;
    Timestamp until;     ///< nearly all of it was there
    bool isOver = false; ///< and nothing came after that for a good while
};

/// Nothing where it did not grow by much, or only as the program started.
std::optional<HeapRise> heapRise(const Snapshot &snapshot)
{
    constexpr double kLeastBytes = 1 << 20, kLeastShare = 0.2; // of what it grew to
    constexpr double kNearlyAll = 0.95;
    constexpr double kStart = 0.1, kStill = 0.2; // of the time
    std::vector<SeriesPoint> points;
    for (const auto &segment : judgedSeries(snapshot, HeapQuantity::LiveBytes, snapshot.span).segments)
        for (const SeriesPoint &point : segment)
            if (snapshot.span.begin <= point.when && point.when <= snapshot.span.end)
                points.push_back(point);
    if (points.size() < 2)
        return std::nullopt;
    HeapRise rise{.before = points.front().value, .after = points.back().value};
    const double grown = rise.after - rise.before;
    if (grown < std::max(kLeastBytes, kLeastShare * rise.after))
        return std::nullopt;
    const double least = rise.before + kNearlyAll * grown;
    const auto below = std::find_if(
        points.rbegin(), points.rend(), [least](const SeriesPoint &point) { return point.value < least; });
    rise.until = below.base()->when; // the first is below, and the last is not
    const double seconds = snapshot.span.length().seconds();
    rise.isOver = (snapshot.span.end - rise.until).seconds() >= kStill * seconds;
    return (rise.until - snapshot.span.begin).seconds() < kStart * seconds ? std::nullopt : std::optional(rise);
}

/// That no place goes on growing does not deny what the heap shows.
void addHeapRise(const Snapshot &snapshot, const Recommendations &found, SummaryCard &growth)
{
    const std::optional<HeapRise> rise = heapRise(snapshot);
    if (!rise || !found.growth || growth.number != kNothingGrows)
        return;
    const GrowthLook &look = *found.growth;
    growth.number = "+" + formatBytes(rise->after - rise->before);
    growth.qualifier = rise->isOver ? "live heap, until " + formatOffset(rise->until) : "live heap, not steadily";
    growth.state = CardState::Unknown;
    growth.sentence = fmt::format("The live heap grew from {} to {}{}: no place was found that {} growing, by {} or "
                                  "more{}.",
        formatBytes(rise->before), formatBytes(rise->after),
        rise->isOver ? " until " + formatOffset(rise->until) + " and has stood still since" : "",
        rise->isOver ? "goes on" : "keeps", look.least, look.limit.empty() ? "" : "; " + look.limit);
}

} // namespace

SummaryCard growthCard(
    const Snapshot &snapshot, const Recommendations &found, const std::optional<ResidentGrowth> &other)
{
    SummaryCard card = placesCard(snapshot, found);
    if (other)
        addOtherGrowth(snapshot, found, *other, card);
    addLost(snapshot, card);
    addHeapRise(snapshot, found, card);
    return card;
}

} // namespace model

// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/stack_histories.h"

#include "model/analysis/leak_test.h"
#include "tests/support/random_counts.h"

#include <algorithm>
#include <cmath>
#include <functional>

namespace tests {

using namespace model;

namespace {

constexpr std::array<std::string_view, kBehaviours> kNames{"short", "long", "heavy-tailed", "init only", "warm cache",
    "bounded cache", "periodic batch", "load ramp", "burst", "sessions", "leak, all", "leak, fraction",
    "leak, heavy-tailed", "leak, late", "leak, slow", "leak, error path", "unfilled cache",
    "sessions beyond the window", "one late batch", "cache of finite keys", "Pareto lifetimes"};

/// Share of blocks that live beyond age a, in buckets.
using Survival = std::function<double(double)>;

Survival weibull(double mean, double shape = 1)
{
    return [=](double age) { return std::exp(-std::pow((age + 0.5) / mean, shape)); };
}

double forEver(double) { return 1; }

/// A stack while it is made.
class Stack
{
public:
    Stack(const HistoryOptions &options, Random &random)
        : m_options(options)
        , m_random(random)
        , m_history(options.buckets)
    {
    }

    std::size_t size() const { return m_history.size(); }

    /// `count` blocks are born in bucket `i`; the share `kept` never dies, the others as `survival` says.
    void cohort(std::size_t i, std::int64_t count, const Survival &survival, double kept = 0)
    {
        const std::int64_t seen = sample(count);
        const std::int64_t permanent = binomial(m_random, seen, std::min(kept, 1.0));
        std::int64_t rest = seen - permanent;
        double before = 1;
        for (std::size_t age = 0; i + age < size(); ++age) {
            const double now = survival(static_cast<double>(age));
            const std::int64_t left = binomial(m_random, rest, before > 0 ? now / before : 0);
            m_history[age].died += rest - left;
            rest = left;
            before = now;
            live(i + age, rest + permanent);
        }
        m_history[i].born += seen;
        m_history[i].alive += rest + permanent;
    }

    /// All blocks of cohort `i` die together when bucket `end` begins.
    void batch(std::size_t i, std::int64_t count, std::size_t end)
    {
        const std::int64_t seen = sample(count);
        m_history[i].born = seen;
        for (std::size_t j = i; j < std::min(end, size()); ++j)
            live(j, seen);
        if (end < size())
            m_history[end - i].died += seen;
        else
            m_history[i].alive = seen;
    }

    /// First in, first out, at most `capacity` at a time.
    void queue(const std::vector<std::int64_t> &births, std::int64_t capacity)
    {
        std::vector<std::int64_t> left(size());
        const std::int64_t room = sample(capacity);
        std::int64_t held = 0;
        for (std::size_t j = 0; j < size(); ++j) {
            left[j] = m_history[j].born = sample(births[j]);
            held += left[j];
            for (std::size_t i = 0; i <= j && held > room; ++i) {
                const std::int64_t evicted = std::min(left[i], held - room);
                left[i] -= evicted;
                held -= evicted;
                m_history[j - i].died += evicted;
            }
            live(j, held);
        }
        for (std::size_t i = 0; i < size(); ++i)
            m_history[i].alive = left[i];
    }

    std::vector<AgeBucket> take() { return std::move(m_history); }

private:
    std::int64_t sample(std::int64_t count)
    {
        return m_options.sampledShare < 1 ? binomial(m_random, count, m_options.sampledShare) : count;
    }
    void live(std::size_t bucket, std::int64_t seen)
    {
        const double blocks = static_cast<double>(seen) / m_options.sampledShare;
        m_history[bucket].liveBlocks += std::llround(blocks);
        m_history[bucket].liveBytes += std::llround(blocks * m_options.blockBytes);
    }

    const HistoryOptions &m_options;
    Random &m_random;
    std::vector<AgeBucket> m_history;
};

void makeInitOnly(Stack &stack, double rate, Random &random)
{
    const auto count = static_cast<std::size_t>(random.uniform(1, 6));
    const std::int64_t born = poisson(random, rate * 5);
    for (std::size_t i = 0; i < count; ++i)
        stack.cohort(i, born, forEver);
}

/// Births that fade away: a cache that has seen all its keys.
void makeFading(Stack &stack, double rate, double tau, Random &random)
{
    for (std::size_t i = 0; i < stack.size(); ++i)
        stack.cohort(i, poisson(random, rate * std::exp(-static_cast<double>(i) / tau)), forEver);
}

void makeQueue(Stack &stack, double rate, Random &random)
{
    std::vector<std::int64_t> births;
    for (std::size_t i = 0; i < stack.size(); ++i)
        births.push_back(poisson(random, rate));
    stack.queue(births, std::llround(rate * random.uniform(3, 30)));
}

void makePeriodic(Stack &stack, double rate, Random &random)
{
    const auto period = static_cast<std::size_t>(random.uniform(4, 18));
    for (std::size_t i = 0; i < stack.size(); ++i)
        stack.batch(i, poisson(random, rate), (i / period + 1) * period);
}

void makeRamp(Stack &stack, double rate, Random &random)
{
    const double rise = random.uniform(0.5, 2);
    const Survival survival = weibull(powerOfTen(random, -0.5, 0.8));
    for (std::size_t i = 0; i < stack.size(); ++i) {
        const double at = static_cast<double>(i) / static_cast<double>(stack.size());
        stack.cohort(i, poisson(random, rate * (1 + rise * at)), survival);
    }
}

void makeBurst(Stack &stack, double rate, Random &random)
{
    const Survival survival = weibull(random.uniform(2, 8));
    for (std::size_t i = 0; i < stack.size(); ++i) {
        const double at = static_cast<double>(i) / static_cast<double>(stack.size());
        stack.cohort(i, poisson(random, at > 0.4 && at < 0.55 ? rate * 8 : rate), survival);
    }
}

/// Births at a steady rate, one survival for all, and a share that stays, which may depend on the bucket.
void makeSteady(
    Stack &stack, double rate, const Survival &survival, Random &random,
    const std::function<double(std::size_t)> &keptIn = [](std::size_t) { return 0.0; })
{
    for (std::size_t i = 0; i < stack.size(); ++i)
        stack.cohort(i, poisson(random, rate), survival, keptIn(i));
}

void makeHealthy(Behaviour behaviour, Stack &stack, double rate, Random &random)
{
    switch (behaviour) {
    case Behaviour::ShortLived:
        return makeSteady(stack, rate, weibull(powerOfTen(random, -1.5, 0)), random);
    case Behaviour::LongLived:
        return makeSteady(stack, rate, weibull(powerOfTen(random, 0.2, 1.2)), random);
    case Behaviour::HeavyTailed:
        return makeSteady(stack, rate, weibull(powerOfTen(random, -0.3, 0.7), 0.4), random);
    case Behaviour::InitOnly:
        return makeInitOnly(stack, rate, random);
    case Behaviour::WarmCache:
        return makeFading(stack, rate, random.uniform(2, 14), random);
    case Behaviour::BoundedCache:
        return makeQueue(stack, rate, random);
    case Behaviour::PeriodicBatch:
        return makePeriodic(stack, rate, random);
    case Behaviour::LoadRamp:
        return makeRamp(stack, rate, random);
    case Behaviour::Burst:
        return makeBurst(stack, rate, random);
    default:
        return makeSteady(stack, rate, weibull(random.uniform(10, 24), 1.5), random);
    }
}

void makeLeak(Behaviour behaviour, Stack &stack, double rate, Random &random)
{
    switch (behaviour) {
    case Behaviour::LeakFraction: {
        const Survival survival = weibull(powerOfTen(random, -1, 0.6));
        const double kept = powerOfTen(random, -2.5, -0.3);
        return makeSteady(stack, rate, survival, random, [=](std::size_t) { return kept; });
    }
    case Behaviour::LeakHeavyTailed: {
        const Survival survival = weibull(powerOfTen(random, -0.3, 0.5), 0.5);
        const double kept = powerOfTen(random, -1.7, -0.3);
        return makeSteady(stack, rate, survival, random, [=](std::size_t) { return kept; });
    }
    case Behaviour::LeakLate: {
        const Survival survival = weibull(powerOfTen(random, -1, 0.3));
        const auto start = static_cast<std::size_t>(static_cast<double>(stack.size()) * random.uniform(0.2, 0.6));
        const double kept = powerOfTen(random, -1.7, -0.2);
        return makeSteady(stack, rate, survival, random, [=](std::size_t i) { return i >= start ? kept : 0.0; });
    }
    case Behaviour::LeakSlow:
        return makeSteady(stack, random.uniform(0.2, 2), forEver, random);
    case Behaviour::LeakError: {
        const Survival survival = weibull(powerOfTen(random, -1, 0.3));
        return makeSteady(stack, rate, survival, random,
            [&random](std::size_t) { return random.uniform() < 0.15 ? random.uniform(0.1, 0.6) : 0.0; });
    }
    default:
        return makeSteady(stack, rate, forEver, random);
    }
}

void makeAdversary(Behaviour behaviour, Stack &stack, double rate, Random &random)
{
    const auto window = static_cast<double>(stack.size());
    if (behaviour == Behaviour::FiniteKeyCache)
        return makeFading(stack, rate, window * random.uniform(0.25, 2), random);
    if (behaviour == Behaviour::ParetoLifetimes) {
        const double scale = random.uniform(0.3, 2);
        return makeSteady(
            stack, rate, [=](double age) { return std::pow(1 + (age + 0.5) / scale, -0.8); }, random);
    }
    // The other three cannot be told apart within the window: nothing is freed.
    makeSteady(stack, rate, forEver, random);
}

} // namespace

std::string_view nameOf(Behaviour behaviour) { return kNames.at(static_cast<std::size_t>(behaviour)); }

std::vector<AgeBucket> stackHistory(Behaviour behaviour, const HistoryOptions &options, Random &random)
{
    Stack stack(options, random);
    const double rate = powerOfTen(random, 0.3, 3.5);
    if (behaviour < Behaviour::LeakFull)
        makeHealthy(behaviour, stack, rate, random);
    else if (behaviour < Behaviour::UnfilledCache)
        makeLeak(behaviour, stack, rate, random);
    else
        makeAdversary(behaviour, stack, rate, random);
    return stack.take();
}

double flaggedShare(Behaviour behaviour, const HistoryOptions &options, int runs, std::uint64_t seed)
{
    Random random(seed * 64 + static_cast<std::uint64_t>(behaviour));
    int flagged = 0;
    for (int i = 0; i < runs; ++i)
        flagged += testLeak(stackHistory(behaviour, options, random)).leaks() ? 1 : 0;
    return static_cast<double>(flagged) / runs;
}

RuleScore scoreLeakRule(const HistoryOptions &options, int runs, std::uint64_t seed)
{
    RuleScore score;
    for (std::size_t i = 0; i < kHealthyBehaviours; ++i)
        score.falsePositives += flaggedShare(behaviourAt(i), options, runs, seed) / kHealthyBehaviours;
    for (std::size_t i = kHealthyBehaviours; i < kHealthyBehaviours + kLeakingBehaviours; ++i)
        score.recall += flaggedShare(behaviourAt(i), options, runs, seed) / kLeakingBehaviours;
    return score;
}

} // namespace tests

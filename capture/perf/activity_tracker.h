// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "capture/perf/perf_record.h"
#include "capture/perf/wait_reasons.h"
#include "model/event_batch.h"
#include "model/tables/table_builder.h"

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <unordered_map>
#include <vector>

namespace capture {

/// Whose a record is.
struct ActivityOwner
{
    model::ThreadId thread;
    model::ImageId image;
};

/// Makes costs of the system calls and waits of threads, from records in order of time. Each thread is in at most one call, and in at most one
/// wait (which may lie in the call). What goes on at the end of a tick is counted there with the time that passed, and goes on. Of a
/// record that comes twice the second does nothing. Capture thread only.
class ActivityTracker
{
public:
    ActivityTracker(model::TableBuilder &tables, WaitReasons::FunctionAt kernelFunctionAt)
        : m_tables(tables)
        , m_reasons(std::move(kernelFunctionAt))
    {
    }

    /// The owner is asked for when a record of the thread is met first, and again after forget().
    using FindOwner = std::function<ActivityOwner()>;

    /// The stack of what is known without a copied one: the function that makes the call.
    using FindStack = std::function<model::StackId()>;

    /// `atPlace` is asked where no stack of the call's place is known; it may be empty.
    void entered(
        const PerfRecord &record, const CallEntered &call, const FindOwner &owner, const FindStack &atPlace = {});
    void returned(const PerfRecord &record, const CallReturned &call);
    void switched(const PerfRecord &record, const ThreadSwitched &how, const FindOwner &owner);
    /// The user stack of the call or switch that is told at about the same moment. Of switches it also says why; one that comes without is taken
    /// for another of the last wait of its thread that came with one.
    void stackCopied(const PerfRecord &record, const CopiedUserStack &copied, model::StackId stack);

    void threadEnded(std::int32_t tid, std::uint64_t timeNs);
    /// The process runs another program: owners are asked for anew.
    void forget(std::int32_t pid);
    /// Calls are not recorded from here on: those that are open end here, as far as is known.
    void interruptCalls(std::uint64_t timeNs);

    /// They are again. `uncounted`: system calls since the last such moment or collect() of which it is only known that they were made; they are
    /// shared out among those that were recorded in that time, or before it where there were none then.
    void resumeCalls(std::uint64_t timeNs, std::int64_t uncounted);

    /// Appends what was gathered since the last time, up to `timeNs`, and starts anew. `uncounted`: as above. Returns how many calls could not be
    /// shared out, as none was recorded before.
    std::int64_t collect(std::uint64_t timeNs, std::int64_t uncounted, model::EventBatch &batch);

    void setPaused(bool isPaused) { m_isPaused = isPaused; }

private:
    enum Sort : std::size_t { kCall, kWait, kSortCount };
    struct Place
    {
        std::uint64_t pc = 0, sp = 0;
        bool operator==(const Place &) const = default;
    };
    struct PlaceHash
    {
        std::size_t operator()(const Place &place) const noexcept;
    };
    /// A call or wait that goes on.
    struct Open
    {
        ActivityOwner owner;
        model::Activity activity;
        std::optional<std::uint32_t> call; ///< of a wait
        std::uint64_t secondArgument = 0;  ///< of a call
        Place place;
        bool isPageFault = false, isCounted = false, isOwnStack = false;
        std::uint64_t countedUntilNs = 0;
        std::optional<model::StackId> stack;   ///< with the leaf that names the activity, once it is known
        std::optional<model::StackId> atPlace; ///< what is known without a copied one, where none was of its place
    };
    struct Copied
    {
        Place place;
        std::uint64_t timeNs = 0;
        model::StackId stack;
        std::vector<std::uint64_t> kernelChain{}; ///< of a switch
        std::uint64_t secondArgument = 0;
    };
    struct Counts
    {
        std::int64_t count = 0, timeNs = 0, errors = 0, bytes = 0;
        Counts &operator+=(const Counts &other);
        Counts scaled(double factor) const;
    };
    struct Sums
    {
        Counts recorded; ///< since calls were recorded again, or the tick began
        Counts earlier;  ///< of the tick before that, with what was shared out
        Counts last;     ///< recorded in the part of the time before, of this tick or another
        std::int64_t ownStacks = 0, estimated = 0;
        Sums &operator+=(const Sums &other);
    };
    /// What was done at a place whose stack is not known yet.
    struct Pending
    {
        Open open;
        Sums sums;
    };
    struct Thread
    {
        std::int32_t pid = 0;
        std::optional<ActivityOwner> owner;
        std::array<std::optional<Open>, kSortCount> open;
        std::array<std::optional<Copied>, kSortCount> copied;        ///< the last of each sort
        std::array<std::uint64_t, kSortCount> lastEndNs{};           ///< of a call, of a wait
        std::unordered_map<Place, model::StackId, PlaceHash> stacks; ///< last seen
        std::unordered_map<Place, std::vector<Pending>, PlaceHash> pending;
    };
    struct Key
    {
        std::uint32_t thread, image, activity, stack;
        bool operator==(const Key &) const = default;
    };
    struct KeyHash
    {
        std::size_t operator()(const Key &key) const noexcept;
    };
    Thread &threadOf(const PerfRecord &record, const FindOwner &owner);
    void resolveStack(Thread &thread, Sort sort);
    Sums &sumsOf(Thread &thread, Open &open);
    void settle(Thread &thread, const std::vector<Pending> &pending, std::optional<model::StackId> caller);
    model::StackId stackOf(const Open &open, model::StackId caller);
    /// Counts what passed of an open call or wait until `timeNs`.
    Sums *count(Thread &thread, Sort sort, std::uint64_t timeNs);
    void close(Thread &thread, Sort sort, std::uint64_t timeNs);
    void beginWait(Thread &thread, std::uint64_t timeNs, const ThreadSwitched &how);
    /// Says what an open wait is for, from the last stack that was copied of its thread.
    void explainWait(Thread &thread);
    model::FrameId leafOf(const Open &open);
    template <typename Function> void forEachSums(Function function);
    void shareOut(std::uint64_t timeNs, std::int64_t uncounted);

    model::TableBuilder &m_tables;
    WaitReasons m_reasons;
    std::unordered_map<std::int32_t, Thread> m_threads;
    std::unordered_map<Key, Sums, KeyHash> m_sums;
    std::unordered_map<std::uint64_t, model::FrameId> m_leaves;
    /// The last stack of a process at a pc, in whatever thread: for threads that end before one of theirs is copied.
    std::unordered_map<Place, model::StackId, PlaceHash> m_shared; ///< `sp` is the pid
    std::int64_t m_withoutStack = 0;
    std::int64_t m_notShared = 0;                         ///< uncounted calls of the tick
    std::uint64_t m_partBeginNs = 0, m_interruptedNs = 0; ///< 0: calls are recorded
    bool m_isPaused = false;
};

} // namespace capture

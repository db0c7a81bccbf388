// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/perf/activity_tracker.h"

#include <fmt/format.h>
#include <sys/syscall.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace capture {

namespace {

constexpr std::size_t kMostPlaces = 8192;          ///< remembered of a thread, and of all
constexpr std::size_t kMostStackNodes = 4'000'000; ///< of the whole recording
constexpr std::int64_t kLeastErrno = -4095;        ///< results from here to −1 are errors
constexpr std::uint64_t kSameCallNs = 5'000;       ///< a record that is told twice is told twice at once

/// Whether the result of a call says how many bytes it moved.
bool movesBytes(std::uint32_t call)
{
    switch (call) {
    case SYS_read:
    case SYS_write:
    case SYS_pread64:
    case SYS_pwrite64:
    case SYS_readv:
    case SYS_writev:
    case SYS_preadv:
    case SYS_pwritev:
    case SYS_sendto:
    case SYS_recvfrom:
    case SYS_sendmsg:
    case SYS_recvmsg:
    case SYS_sendfile:
    case SYS_splice:
    case SYS_getdents64:
    case SYS_getrandom:
        return true;
    default:
        return false;
    }
}

std::size_t mixed(std::uint64_t a, std::uint64_t b)
{
    const std::uint64_t h = (a * 0x9e3779b97f4a7c15ull + b) * 0xd6e8feb86659fd93ull;
    return static_cast<std::size_t>(h ^ (h >> 32));
}

} // namespace

std::size_t ActivityTracker::PlaceHash::operator()(const Place &place) const noexcept
{
    return mixed(place.pc, place.sp);
}

std::size_t ActivityTracker::KeyHash::operator()(const Key &key) const noexcept
{
    return mixed((std::uint64_t{key.thread} << 32) | key.image, (std::uint64_t{key.activity} << 32) | key.stack);
}

ActivityTracker::Thread &ActivityTracker::threadOf(const PerfRecord &record, const FindOwner &owner)
{
    Thread &thread = m_threads[record.tid];
    thread.pid = record.pid;
    if (!thread.owner)
        thread.owner = owner();
    return thread;
}

/// The frame that names the activity: a module of its own beside the kernel's.
model::FrameId ActivityTracker::leafOf(const Open &open)
{
    const std::uint64_t call = open.activity.isWait() ? open.call ? *open.call + 2 : open.isPageFault ? 1 : 0 : 0;
    const std::uint64_t address = (std::uint64_t{open.activity.value} << 16) | call;
    const auto [it, isNew] = m_leaves.try_emplace(address);
    if (!isNew)
        return it->second;
    const model::ModuleId module
        = m_tables.module(open.activity.isWait() ? "[waits]" : "[system calls]", "", model::ModuleKind::Kernel);
    it->second = m_tables.frame(module, address, model::FrameKind::Exact);
    std::string name;
    if (!open.activity.isWait()) {
        name = "sys_" + model::systemCallName(open.activity.value);
    } else {
        name = fmt::format("[{}]", model::waitClassInfo(open.activity.waitClass()).key);
        if (open.activity.waitClass() == model::WaitClass::Processor)
            name += " preempted";
        else if (open.call)
            name += ' ' + model::systemCallName(*open.call);
        else if (open.isPageFault)
            name += " page fault";
    }
    const model::SourceLine line{.function = m_tables.string(name), .file = m_tables.string(""), .line = 0};
    m_tables.setSymbols(it->second, model::FrameSymbols::State::Resolved, {line});
    return it->second;
}

ActivityTracker::Counts &ActivityTracker::Counts::operator+=(const Counts &other)
{
    count += other.count;
    timeNs += other.timeNs;
    errors += other.errors;
    bytes += other.bytes;
    return *this;
}

ActivityTracker::Counts ActivityTracker::Counts::scaled(double factor) const
{
    const auto times
        = [factor](std::int64_t value) { return static_cast<std::int64_t>(static_cast<double>(value) * factor); };
    return {times(count), times(timeNs), times(errors), times(bytes)};
}

ActivityTracker::Sums &ActivityTracker::Sums::operator+=(const Sums &other)
{
    recorded += other.recorded;
    earlier += other.earlier;
    last += other.last;
    ownStacks += other.ownStacks;
    estimated += other.estimated;
    return *this;
}

model::StackId ActivityTracker::stackOf(const Open &open, model::StackId caller)
{
    const bool isFull = m_tables.tables().stacks.size() >= kMostStackNodes;
    return m_tables.stack(isFull ? model::TableBuilder::root(model::StackEnd::TableFull) : caller, leafOf(open));
}

/// Its own stack, or the last one of its place; else it stays open.
void ActivityTracker::resolveStack(Thread &thread, Sort sort)
{
    Open &open = *thread.open[sort];
    if (open.stack)
        return;
    const std::optional<Copied> &copied = thread.copied[sort];
    if (copied && copied->place == open.place && copied->timeNs > thread.lastEndNs[sort]) {
        open.stack = stackOf(open, copied->stack);
        open.isOwnStack = true;
    } else if (const auto known = thread.stacks.find(open.place); known != thread.stacks.end()) {
        open.stack = stackOf(open, known->second);
    }
}

ActivityTracker::Sums &ActivityTracker::sumsOf(Thread &thread, Open &open)
{
    if (open.stack)
        return m_sums[{open.owner.thread.value, open.owner.image.value, open.activity.value, open.stack->value}];
    std::vector<Pending> &pending = thread.pending[open.place];
    for (Pending &each : pending)
        if (each.open.activity == open.activity && each.open.call == open.call
            && each.open.owner.thread == open.owner.thread && each.open.owner.image == open.owner.image)
            return each.sums;
    pending.push_back({open, {}});
    return pending.back().sums;
}

/// Puts what waited for the stack of its place there; without one, where another thread of the process was in the same function, or at that
/// function alone; and where not even the place is known, at no stack.
void ActivityTracker::settle(Thread &thread, const std::vector<Pending> &pending, std::optional<model::StackId> caller)
{
    if (pending.empty())
        return;
    // Where the kernel gives switches no place, a wait may be anywhere: another stack of the thread would blame what does not wait.
    if (const Place &place = pending.front().open.place; !caller && place != Place{}) {
        const auto shared = m_shared.find({place.pc, static_cast<std::uint64_t>(thread.pid)});
        caller = shared != m_shared.end() ? std::optional(shared->second) : pending.front().open.atPlace;
    }
    for (const Pending &each : pending) {
        if (!caller)
            m_withoutStack += each.sums.recorded.count + each.sums.earlier.count;
        const model::StackId stack
            = stackOf(each.open, caller.value_or(model::TableBuilder::root(model::StackEnd::Unreadable)));
        m_sums[{each.open.owner.thread.value, each.open.owner.image.value, each.open.activity.value, stack.value}]
            += each.sums;
    }
}

ActivityTracker::Sums *ActivityTracker::count(Thread &thread, Sort sort, std::uint64_t timeNs)
{
    Open &open = *thread.open[sort];
    resolveStack(thread, sort);
    const std::uint64_t passed = timeNs > open.countedUntilNs ? timeNs - open.countedUntilNs : 0;
    open.countedUntilNs = std::max(open.countedUntilNs, timeNs);
    if (m_isPaused)
        return nullptr;
    Sums &sums = sumsOf(thread, open);
    sums.recorded.timeNs += static_cast<std::int64_t>(passed);
    if (!open.isCounted) {
        open.isCounted = true;
        ++sums.recorded.count;
        sums.ownStacks += open.isOwnStack ? 1 : 0;
    }
    return &sums;
}

void ActivityTracker::close(Thread &thread, Sort sort, std::uint64_t timeNs)
{
    if (!thread.open[sort])
        return;
    count(thread, sort, timeNs);
    thread.open[sort].reset();
    thread.lastEndNs[sort] = timeNs;
}

void ActivityTracker::entered(
    const PerfRecord &record, const CallEntered &call, const FindOwner &owner, const FindStack &atPlace)
{
    Thread &thread = threadOf(record, owner);
    const model::Activity activity = model::Activity::call(call.number);
    if (const auto &open = thread.open[kCall]; open && open->activity == activity
        && open->place == Place{call.pc, call.sp} && record.timeNs - open->countedUntilNs < kSameCallNs)
        return;
    close(thread, kCall, record.timeNs); // one that never returned: an exec, a record that was lost
    thread.open[kCall] = Open{.owner = *thread.owner,
        .activity = activity,
        .secondArgument = call.secondArgument,
        .place = {call.pc, call.sp},
        .countedUntilNs = record.timeNs};
    Open &open = *thread.open[kCall];
    if (atPlace && !thread.stacks.contains(open.place) && !thread.pending.contains(open.place))
        open.atPlace = atPlace();
}

void ActivityTracker::returned(const PerfRecord &record, const CallReturned &call)
{
    const auto found = m_threads.find(record.tid);
    if (found == m_threads.end() || !found->second.open[kCall])
        return;
    Thread &thread = found->second;
    const std::uint32_t number = thread.open[kCall]->activity.value;
    if (call.number >= 0 && call.number != static_cast<std::int64_t>(number))
        return; // of another call, whose begin was lost
    if (Sums *sums = count(thread, kCall, record.timeNs)) {
        sums->recorded.errors += call.result < 0 && call.result >= kLeastErrno ? 1 : 0;
        sums->recorded.bytes += call.result > 0 && movesBytes(number) ? call.result : 0;
    }
    close(thread, kCall, record.timeNs);
}

void ActivityTracker::explainWait(Thread &thread)
{
    Open &open = *thread.open[kWait];
    const std::optional<Open> &call = thread.open[kCall];
    const std::optional<Copied> &copied = thread.copied[kWait];
    const bool isOfThis = copied && copied->timeNs > thread.lastEndNs[kWait];
    // What is known of the call that it waits in is better than what an earlier wait was for.
    const bool isByCall = call && !isOfThis;
    if (isByCall) {
        open.place = call->place;
        open.atPlace = call->atPlace;
    } else if (copied) {
        open.place = copied->place;
    }
    if (open.activity == model::Activity::wait(model::WaitClass::Processor))
        return;
    const std::vector<std::uint64_t> none;
    const WaitReason reason = m_reasons.of(copied && !isByCall ? copied->kernelChain : none,
        call         ? call->secondArgument
            : copied ? copied->secondArgument
                     : 0,
        call ? std::optional(call->activity.value) : std::nullopt);
    open.activity = model::Activity::wait(reason.waitClass);
    open.call = reason.call;
    open.isPageFault = reason.isPageFault;
}

void ActivityTracker::beginWait(Thread &thread, std::uint64_t timeNs, const ThreadSwitched &how)
{
    thread.open[kWait] = Open{.owner = *thread.owner,
        .activity = model::Activity::wait(how.isPreempted ? model::WaitClass::Processor : model::WaitClass::Other),
        .countedUntilNs = timeNs};
    explainWait(thread);
}

void ActivityTracker::switched(const PerfRecord &record, const ThreadSwitched &how, const FindOwner &owner)
{
    Thread &thread = threadOf(record, owner);
    if (how.isOut) {
        if (!thread.open[kWait])
            beginWait(thread, record.timeNs, how);
    } else {
        close(thread, kWait, record.timeNs);
    }
}

void ActivityTracker::stackCopied(const PerfRecord &record, const CopiedUserStack &copied, model::StackId stack)
{
    Thread &thread = m_threads[record.tid];
    thread.pid = record.pid;
    const Place place{copied.sample.registers.pc(), copied.sample.registers.sp()};
    const Sort sort = copied.isOfSwitch ? kWait : kCall;
    if (thread.stacks.size() > kMostPlaces)
        thread.stacks.clear();
    if (m_shared.size() > kMostPlaces)
        m_shared.clear();
    m_shared[{place.pc, static_cast<std::uint64_t>(record.pid)}] = stack;
    thread.stacks[place] = stack;
    thread.copied[sort] = Copied{place, record.timeNs, stack};
    if (sort == kWait) {
        thread.copied[sort]->kernelChain = copied.sample.kernelChain;
        thread.copied[sort]->secondArgument = copied.sample.registers.value[unwind::reg::kRsi];
        // It may come late.
        if (const auto &open = thread.open[kWait]; open && !open->isCounted && record.timeNs > thread.lastEndNs[kWait])
            explainWait(thread);
    }
    if (const auto pending = thread.pending.find(place); pending != thread.pending.end()) {
        settle(thread, pending->second, stack);
        thread.pending.erase(pending);
    }
}

void ActivityTracker::threadEnded(std::int32_t tid, std::uint64_t timeNs)
{
    const auto found = m_threads.find(tid);
    if (found == m_threads.end())
        return;
    close(found->second, kCall, timeNs);
    close(found->second, kWait, timeNs);
    for (const auto &[place, pending] : found->second.pending)
        settle(found->second, pending, std::nullopt);
    m_threads.erase(found);
}

void ActivityTracker::forget(std::int32_t pid)
{
    std::erase_if(m_shared, [pid](const auto &each) { return each.first.sp == static_cast<std::uint64_t>(pid); });
    for (auto &[tid, thread] : m_threads) {
        if (thread.pid != pid)
            continue;
        for (const auto &[place, pending] : thread.pending)
            settle(thread, pending, std::nullopt);
        thread.owner.reset();
        thread.pending.clear();
        thread.stacks.clear();
    }
}

void ActivityTracker::interruptCalls(std::uint64_t timeNs)
{
    for (auto &[tid, thread] : m_threads)
        close(thread, kCall, timeNs);
    m_interruptedNs = timeNs;
}

void ActivityTracker::resumeCalls(std::uint64_t timeNs, std::int64_t uncounted)
{
    shareOut(timeNs, uncounted);
    m_interruptedNs = 0;
}

/// Of all calls, with the thread that they are of.
template <typename Function> void ActivityTracker::forEachSums(Function function)
{
    for (auto &[key, sums] : m_sums)
        if (!model::Activity{key.activity}.isWait())
            function(key.thread, sums);
    for (auto &[tid, thread] : m_threads)
        for (auto &[place, pending] : thread.pending)
            for (Pending &each : pending)
                if (!each.open.activity.isWait())
                    function(each.open.owner.thread.value, each.sums);
}

/// Each sum gets its part, rounded so that the parts add up; and no thread more time than passed while its calls were not recorded.
void ActivityTracker::shareOut(std::uint64_t timeNs, std::int64_t uncounted)
{
    std::int64_t recorded = 0, before = 0;
    forEachSums([&](std::uint32_t, const Sums &sums) {
        recorded += sums.recorded.count;
        before += sums.last.count;
    });
    const auto weightOf = [&](const Sums &sums) -> const Counts & { return recorded > 0 ? sums.recorded : sums.last; };
    const std::int64_t weight = recorded > 0 ? recorded : before;
    const double factor
        = weight > 0 ? static_cast<double>(uncounted) / static_cast<double>(weight) : 0; // so many more of each
    std::unordered_map<std::uint32_t, double> timeOf;
    if (factor > 0)
        forEachSums([&](std::uint32_t thread, const Sums &sums) {
            timeOf[thread] += factor * static_cast<double>(weightOf(sums).timeNs);
        });
    const auto unseenNs = static_cast<double>(timeNs - std::min(timeNs, std::max(m_partBeginNs, m_interruptedNs)));
    std::int64_t passed = 0, given = 0;
    forEachSums([&](std::uint32_t thread, Sums &sums) {
        if (factor > 0) {
            const Counts &like = weightOf(sums);
            passed += like.count;
            const auto until = static_cast<std::int64_t>(factor * static_cast<double>(passed) + 0.5);
            Counts more = like.scaled(factor);
            more.count = std::exchange(given, until);
            more.count = given - more.count;
            if (const double time = timeOf[thread]; time > unseenNs)
                more.timeNs = static_cast<std::int64_t>(static_cast<double>(more.timeNs) * unseenNs / time);
            sums.estimated += more.count;
            sums.earlier += more;
        }
        sums.earlier += sums.recorded;
        if (recorded > 0)
            sums.last = sums.recorded;
        sums.recorded = {};
    });
    m_notShared += weight > 0 ? 0 : uncounted;
    m_partBeginNs = timeNs;
}

std::int64_t ActivityTracker::collect(std::uint64_t timeNs, std::int64_t uncounted, model::EventBatch &batch)
{
    for (auto &[tid, thread] : m_threads) {
        for (const Sort sort : {kCall, kWait})
            if (thread.open[sort])
                count(thread, sort, timeNs);
        for (const auto &[place, pending] : thread.pending)
            settle(thread, pending, std::nullopt);
        thread.pending.clear();
    }
    shareOut(timeNs, uncounted);
    batch.activities.reserve(batch.activities.size() + m_sums.size());
    for (auto it = m_sums.begin(); it != m_sums.end();) {
        auto &[key, sums] = *it;
        sums.earlier += sums.recorded; // of a wait
        const Counts &all = sums.earlier;
        if (all.count != 0 || all.timeNs != 0)
            batch.activities.push_back({model::ThreadId(key.thread), model::ImageId(key.image),
                model::StackId(key.stack), model::Activity{key.activity}, all.count, all.timeNs, all.errors, all.bytes,
                sums.ownStacks, sums.estimated});
        sums = {.last = sums.last};
        it = sums.last.count == 0 ? m_sums.erase(it) : std::next(it);
    }
    if (m_withoutStack > 0)
        batch.losses.push_back({model::LossKind::StacksUnreadable, model::ImageId(), m_withoutStack,
            "of system calls and waits, where none was copied"});
    m_withoutStack = 0;
    return std::exchange(m_notShared, 0);
}

} // namespace capture

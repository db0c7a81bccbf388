// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/perf/activity_tracker.h"

#include <QTest>

#include <linux/futex.h>
#include <sys/syscall.h>

#include <map>

using namespace capture;
using namespace model;

namespace {

constexpr std::int32_t kPid = 10;
constexpr std::uint64_t kMs = 1'000'000;

PerfRecord recordAt(std::uint64_t ms, std::int32_t tid = kPid)
{
    PerfRecord record;
    record.timeNs = ms * kMs;
    record.pid = kPid;
    record.tid = tid;
    return record;
}

CopiedUserStack copied(std::uint64_t pc, std::uint64_t sp, bool isOfSwitch)
{
    CopiedUserStack stack{.isOfSwitch = isOfSwitch, .sample = {}};
    stack.sample.registers.set(unwind::reg::kReturnAddress, pc);
    stack.sample.registers.set(unwind::reg::kRsp, sp);
    return stack;
}

/// A tracker, and kernel functions by address: 1 nothing, 2 futex, 3 read, 4 a page fault, 5 epoll_wait, 6 and 7 what such jump to.
struct Fixture
{
    TableBuilder tables;
    ActivityTracker tracker{tables, [](std::uint64_t address) -> std::string_view {
                                switch (address + 1) {
                                case 2:
                                    return "__x64_sys_futex";
                                case 3:
                                    return "__x64_sys_read";
                                case 4:
                                    return "asm_exc_page_fault";
                                case 5:
                                    return "__x64_sys_epoll_wait";
                                case 6:
                                    return "ksys_read";
                                case 7:
                                    return "do_sys_poll";
                                default:
                                    return "schedule";
                                }
                            }};
    ActivityTracker::FindOwner owner = [] { return ActivityOwner{ThreadId(0u), ImageId(0u)}; };

    StackId stack(std::uint64_t address)
    {
        const ModuleId module = tables.module("app", "", ModuleKind::File);
        return tables.stack(
            TableBuilder::root(StackEnd::ReachedStart), tables.frame(module, address, FrameKind::ReturnAddress));
    }
    void call(std::uint64_t beginMs, std::uint64_t endMs, std::uint32_t number, std::int64_t result)
    {
        tracker.entered(recordAt(beginMs), {number, 100, 200}, owner);
        tracker.returned(recordAt(endMs), {number, result});
    }
    void wait(std::uint64_t beginMs, std::uint64_t endMs, std::vector<std::uint64_t> kernel, std::uint64_t argument = 0,
        bool isPreempted = false)
    {
        CopiedUserStack stack = copied(300, 400, true);
        stack.sample.kernelChain = std::move(kernel);
        stack.sample.registers.set(unwind::reg::kRsi, argument);
        tracker.stackCopied(recordAt(beginMs), stack, this->stack(0x30));
        tracker.switched(recordAt(beginMs), {true, isPreempted}, owner);
        tracker.switched(recordAt(endMs), {false, false}, owner);
    }
    std::vector<ActivityDelta> collect(std::uint64_t ms, std::int64_t uncounted = 0)
    {
        EventBatch batch;
        tracker.collect(ms * kMs, uncounted, batch);
        return batch.activities;
    }
    std::string leafOf(const ActivityDelta &row) const
    {
        const ProgramTables &t = tables.tables();
        const FrameSymbols &symbols = t.symbols.at(t.stacks.at(row.stack.index()).frame.index());
        return std::string(t.text(t.lines.at(symbols.first).function));
    }
};

} // namespace

class ActivityTrackerTest : public QObject
{
    Q_OBJECT
private Q_SLOTS:
    void addsUpCallsByWhatTheyReturn()
    {
        Fixture f;
        f.call(1, 3, SYS_read, 40);
        f.call(5, 6, SYS_read, -11);
        f.call(7, 8, SYS_read, 0);
        const auto rows = f.collect(10);
        QCOMPARE(rows.size(), std::size_t{1});
        QCOMPARE(rows[0].count, 3);
        QCOMPARE(rows[0].timeNs, std::int64_t(4 * kMs));
        QCOMPARE(rows[0].errors, 1);
        QCOMPARE(rows[0].bytes, 40);
        QCOMPARE(f.leafOf(rows[0]), std::string("sys_read"));
        QVERIFY(f.collect(20).empty());
    }

    void spreadsACallOverTheTicksInWhichItGoesOn()
    {
        Fixture f;
        f.tracker.entered(recordAt(4), {SYS_read, 100, 200}, f.owner);
        auto rows = f.collect(10);
        QCOMPARE(rows.at(0).count, 1);
        QCOMPARE(rows.at(0).timeNs, std::int64_t(6 * kMs));
        rows = f.collect(20);
        QCOMPARE(rows.at(0).count, 0);
        QCOMPARE(rows.at(0).timeNs, std::int64_t(10 * kMs));
        f.tracker.returned(recordAt(21), {SYS_read, 7});
        rows = f.collect(30);
        QCOMPARE(rows.at(0).timeNs, std::int64_t(1 * kMs));
        QCOMPARE(rows.at(0).bytes, 7);
    }

    void putsCallsAtTheirOwnStackOrTheLastOneOfTheirPlace()
    {
        Fixture f;
        // The stack may come before the call's own record, or after it.
        f.tracker.stackCopied(recordAt(1), copied(100, 200, false), f.stack(0x10));
        f.call(1, 2, SYS_read, 0);
        f.tracker.entered(recordAt(3), {SYS_read, 101, 200}, f.owner);
        f.tracker.stackCopied(recordAt(3), copied(101, 200, false), f.stack(0x20));
        f.tracker.returned(recordAt(4), {SYS_read, 0});
        f.call(5, 6, SYS_read, 0); // without one: that of the same place
        const auto rows = f.collect(10);
        QCOMPARE(rows.size(), std::size_t{2});
        for (const ActivityDelta &row : rows) {
            const StackId caller = f.tables.tables().stacks.at(row.stack.index()).parent;
            QVERIFY(caller == f.stack(0x10) ? row.count == 2 && row.ownStacks == 1
                                            : caller == f.stack(0x20) && row.count == 1 && row.ownStacks == 1);
        }
    }

    void putsACallOfANewPlaceAtItsFunctionAlone()
    {
        Fixture f;
        f.call(1, 2, SYS_read, 0);
        f.tracker.stackCopied(recordAt(1), copied(100, 200, false), f.stack(0x10));
        int asked = 0;
        const auto atPlace = [&] {
            ++asked;
            return f.stack(0x99);
        };
        for (const std::uint64_t beginMs : {3, 5}) {
            f.tracker.entered(recordAt(beginMs), {SYS_getdents64, 101, 200}, f.owner, atPlace);
            f.tracker.returned(recordAt(beginMs + 1), {SYS_getdents64, 0});
        }
        const auto rows = f.collect(10);
        QCOMPARE(rows.size(), std::size_t{2});
        for (const ActivityDelta &row : rows) {
            const StackId caller = f.tables.tables().stacks.at(row.stack.index()).parent;
            const bool isRead = row.activity == Activity::call(SYS_read);
            QVERIFY2(caller == f.stack(isRead ? 0x10 : 0x99), "not at what was copied last");
            QCOMPARE(row.count, isRead ? 1 : 2);
        }
        QCOMPARE(asked, 1);
    }

    void ignoresWhatIsToldTwice()
    {
        Fixture f;
        f.tracker.entered(recordAt(1), {SYS_read, 100, 200}, f.owner);
        f.tracker.entered(recordAt(1), {SYS_read, 100, 200}, f.owner);
        f.tracker.returned(recordAt(2), {SYS_read, 5});
        f.tracker.returned(recordAt(2), {SYS_read, 5});
        const auto rows = f.collect(10);
        QCOMPARE(rows.at(0).count, 1);
        QCOMPARE(rows.at(0).bytes, 5);
    }

    void endsCallsThatNeverReturn()
    {
        Fixture f;
        f.tracker.entered(recordAt(1), {SYS_execve, 100, 200}, f.owner);
        f.tracker.forget(kPid);
        f.call(3, 4, SYS_read, 0);
        f.tracker.entered(recordAt(5), {SYS_exit_group, 100, 200}, f.owner);
        f.tracker.threadEnded(kPid, 6 * kMs);
        f.tracker.returned(recordAt(7), {SYS_read, 0}); // of a call whose begin was lost
        std::int64_t count = 0, time = 0;
        for (const ActivityDelta &row : f.collect(10)) {
            count += row.count;
            time += row.timeNs;
        }
        QCOMPARE(count, 3);
        QCOMPARE(time, std::int64_t((2 + 1 + 1) * kMs));
        QVERIFY(f.collect(20).empty());
    }

    void tellsWhatWaitsAreFor_data()
    {
        QTest::addColumn<QList<int>>("kernel");
        QTest::addColumn<int>("argument");
        QTest::addColumn<bool>("isPreempted");
        QTest::addColumn<int>("expected");
        QTest::addColumn<QString>("leaf");
        QTest::newRow("mutex") << QList<int>{1, 2} << (FUTEX_WAIT | FUTEX_PRIVATE_FLAG) << false << int(WaitClass::Lock)
                               << "[lock] futex";
        QTest::newRow("condition") << QList<int>{1, 2}
                                   << (FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME) << false
                                   << int(WaitClass::Condition) << "[condition] futex";
        QTest::newRow("read") << QList<int>{1, 3} << 0 << false << int(WaitClass::Io) << "[io] read";
        QTest::newRow("fault") << QList<int>{1, 4} << 0 << false << int(WaitClass::Memory) << "[memory] page fault";
        QTest::newRow("fault in a call") << QList<int>{1, 4, 3} << 0 << false << int(WaitClass::Io) << "[io] read";
        QTest::newRow("events") << QList<int>{1, 5} << 0 << false << int(WaitClass::Events) << "[events] epoll_wait";
        QTest::newRow("jumped to") << QList<int>{1, 6} << 0 << false << int(WaitClass::Io) << "[io] read";
        QTest::newRow("another worker") << QList<int>{1, 7} << 0 << false << int(WaitClass::Events) << "[events] poll";
        QTest::newRow("preempted") << QList<int>{1, 3} << 0 << true << int(WaitClass::Processor)
                                   << "[processor] preempted";
        QTest::newRow("nothing known") << QList<int>{} << 0 << false << int(WaitClass::Other) << "[other]";
    }
    void tellsWhatWaitsAreFor()
    {
        QFETCH(QList<int>, kernel);
        QFETCH(int, argument);
        QFETCH(bool, isPreempted);
        QFETCH(int, expected);
        QFETCH(QString, leaf);
        Fixture f;
        f.wait(2, 9, {kernel.begin(), kernel.end()}, static_cast<std::uint64_t>(argument), isPreempted);
        const auto rows = f.collect(10);
        QCOMPARE(rows.size(), std::size_t{1});
        QVERIFY(rows[0].activity == Activity::wait(static_cast<WaitClass>(expected)));
        QCOMPARE(rows[0].timeNs, std::int64_t(7 * kMs));
        QCOMPARE(QString::fromStdString(f.leafOf(rows[0])), leaf);
    }

    void takesASwitchWithoutStackForTheLastOneOfItsThread()
    {
        Fixture f;
        f.wait(1, 2, {1, 3});
        f.tracker.switched(recordAt(3), {true, false}, f.owner);
        f.tracker.switched(recordAt(7), {false, false}, f.owner);
        const auto rows = f.collect(10);
        QCOMPARE(rows.size(), std::size_t{1});
        QVERIFY(rows[0].activity == Activity::wait(WaitClass::Io));
        QCOMPARE(rows[0].count, 2);
        QCOMPARE(rows[0].ownStacks, 1);
        QCOMPARE(rows[0].timeNs, std::int64_t(5 * kMs));
    }

    void putsAWaitWithoutAPlaceAtNoStack()
    {
        Fixture f;
        // The last stack of the thread is of a call that is over: nothing says that the wait was there.
        f.tracker.stackCopied(recordAt(1), copied(100, 200, false), f.stack(0x30));
        f.call(1, 2, SYS_read, 0);
        f.tracker.switched(recordAt(3), {true, false}, f.owner);
        f.tracker.switched(recordAt(5), {false, false}, f.owner);
        EventBatch batch;
        f.tracker.collect(10 * kMs, 0, batch);
        QCOMPARE(batch.activities.size(), std::size_t{2});
        const ProgramTables &tables = f.tables.tables();
        for (const ActivityDelta &row : batch.activities) {
            const StackEnd end = tables.endOf(row.stack);
            QCOMPARE(end, row.activity.isWait() ? StackEnd::Unreadable : StackEnd::ReachedStart);
        }
        QCOMPARE(batch.losses.size(), std::size_t{1});
        QCOMPARE(batch.losses[0].kind, LossKind::StacksUnreadable);
        QCOMPARE(batch.losses[0].count, 1);
    }

    void sharesOutCallsThatWereOnlyCounted()
    {
        Fixture f;
        f.call(1, 2, SYS_read, 10);
        f.call(2, 3, SYS_read, 10);
        f.call(3, 4, SYS_write, 10);
        std::int64_t count = 0, estimated = 0;
        for (const ActivityDelta &row : f.collect(10, 300)) {
            count += row.count;
            estimated += row.estimated;
            if (row.activity == Activity::call(SYS_read))
                QCOMPARE(row.bytes, 20 * 101);
        }
        QCOMPARE(estimated, 300);
        QCOMPARE(count, 303);
        // Where none was recorded, they are taken for those before; where none was before either, they are nobody's.
        std::int64_t later = 0;
        for (const ActivityDelta &row : f.collect(20, 7))
            later += row.estimated;
        QCOMPARE(later, 7);
        Fixture none;
        EventBatch batch;
        QCOMPARE(none.tracker.collect(20 * kMs, 7, batch), 7);
    }

    void takesUncountedCallsForThoseJustBefore()
    {
        Fixture f;
        for (std::uint64_t ms = 0; ms < 50; ++ms)
            f.call(ms, ms + 1, SYS_read, 10); // slow, and all of them recorded
        f.tracker.resumeCalls(50 * kMs, 0);
        f.call(50, 51, SYS_getuid, 0);
        f.tracker.interruptCalls(60 * kMs);
        f.tracker.resumeCalls(100 * kMs, 1000);
        f.call(100, 101, SYS_write, 1);
        f.tracker.interruptCalls(101 * kMs);
        std::map<std::uint32_t, ActivityDelta> rows;
        for (const ActivityDelta &row : f.collect(110, 20))
            rows[row.activity.value] = row;
        QCOMPARE(rows.at(SYS_read).count, 50);
        QCOMPARE(rows.at(SYS_read).estimated, 0);
        QCOMPARE(rows.at(SYS_getuid).count, 1001);
        QCOMPARE(rows.at(SYS_write).count, 21);
        // 1,000 times 1 ms did not pass while they were not recorded: 40 ms did, and 9 for the others.
        QCOMPARE(rows.at(SYS_getuid).timeNs, std::int64_t(41 * kMs));
        QCOMPARE(rows.at(SYS_write).timeNs, std::int64_t(10 * kMs));
    }

    void countsNothingWhilePaused()
    {
        Fixture f;
        f.tracker.setPaused(true);
        f.call(1, 2, SYS_read, 10);
        QVERIFY(f.collect(10).empty());
    }
};

QTEST_APPLESS_MAIN(ActivityTrackerTest)
#include "activity_tracker_test.moc"

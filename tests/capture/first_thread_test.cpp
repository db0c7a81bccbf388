// SPDX-License-Identifier: GPL-3.0-or-later
// Processes whose first thread has ended before the others: the kernel shows nothing of their memory in their own directory.
#include "capture/proc/process_sampler.h"
#include "tests/capture/proc_fixture.h"

#include <QTest>

#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <thread>

using model::Metric;
using tests::FakeProcess;
using tests::kSecond;
using tests::valueOf;
using Fixture = tests::ProcFixture;

class FirstThreadTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void aZombieLeadersMemoryIsReadFromAnotherThread()
    {
        Fixture f;
        FakeProcess p{.pid = 10, .rssKb = 1000, .threads = {11, 12}};
        f.proc.set(p);
        f.start({10});
        const model::ImageId image = f.table.currentImage(10);
        p.state = 'Z';
        p.threads = {12};
        for (const long rssKb : {3000L, 4000L}) {
            p.rssKb = rssKb;
            f.proc.set(p);
            const auto batch = f.tickAfter(kSecond);
            QCOMPARE(valueOf(batch.metrics.front(), Metric::Rss), (rssKb + 2048) * 1024);
            QVERIFY(batch.losses.empty());
        }
        p.threads = {13}; // which it had started meanwhile
        p.rssKb = 5000;
        f.proc.set(p);
        QCOMPARE(valueOf(f.tickAfter(kSecond).metrics.front(), Metric::Rss), (5000 + 2048) * 1024);
        QCOMPARE(f.table.currentImage(10), image);
        p.state = 'S'; // the thread called exec
        p.threads = {};
        p.startStack += 16;
        p.rssKb = 700;
        f.proc.set(p);
        QCOMPARE(valueOf(f.tickAfter(kSecond).metrics.front(), Metric::Rss), (700 + 2048) * 1024);
        QVERIFY(f.table.currentImage(10) != image);
    }

    void aZombieLeaderWhoseMemoryNobodyTellsIsALoss()
    {
        Fixture f;
        f.proc.set({.pid = 10, .state = 'Z', .threads = {11}, .hidesMemory = true});
        f.start({10});
        std::size_t losses = 0;
        for (int tick = 0; tick < 5; ++tick) {
            const auto batch = f.tickAfter(kSecond);
            QVERIFY(!batch.metrics.front().values.get(Metric::Rss));
            for (const model::Loss &loss : batch.losses)
                losses += loss.kind == model::LossKind::MetricsUnreadable ? 1 : 0;
        }
        QCOMPARE(losses, std::size_t{1});
    }

    void aRealProcessWhoseFirstThreadHasEndedHasItsMemory()
    {
#if defined(__SANITIZE_THREAD__)
        QSKIP("The thread sanitizer ends a forked process that begins a thread and ends its first one");
#endif
        int ready[2];
        QCOMPARE(::pipe(ready), 0);
        const pid_t child = ::fork();
        if (child == 0) {
            std::thread([&] {
                ::close(ready[1]); // the test waits for the end of the first thread by /proc
                ::pause();
            }).detach();
            ::syscall(SYS_exit, 0);
        }
        ::close(ready[1]);
        char nothing;
        QCOMPARE(::read(ready[0], &nothing, 1), 0);
        ::close(ready[0]);
        QTRY_COMPARE(capture::processState(child).value_or('?'), 'Z');
        auto sampler = capture::ProcessSampler::open("/proc", child, true);
        QVERIFY(sampler && sampler->stat());
        capture::StatusReading status;
        QVERIFY(sampler->status(status));
        const std::int64_t resident = status.residentBytes.value_or(0);
        const std::string executable = sampler->executable();
        const auto files = sampler->openFiles().value_or(0);
        const bool hasSmaps = !sampler->smaps().value_or(std::string()).empty();
        ::kill(child, SIGKILL);
        ::waitpid(child, nullptr, 0);
        QVERIFY(resident > 1 << 20);
        QCOMPARE(executable, std::filesystem::read_symlink("/proc/self/exe").string());
        QVERIFY(files >= 3);
        QVERIFY(hasSmaps);
    }
};

QTEST_APPLESS_MAIN(FirstThreadTest)
#include "first_thread_test.moc"

// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/background_job.h"

#include <QSignalSpy>
#include <QTest>

#include <atomic>
#include <semaphore>

/// Work that is overtaken never shows.
class BackgroundJobTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void deliversInTheOwnersThread();
    void newerRunCancelsTheOlder();
    void deliversNothingWhenTheWorkWasStopped();
    void cancelEndsIt();
    void destroyingStopsTheWork();
};

void BackgroundJobTest::deliversInTheOwnersThread()
{
    ui::BackgroundJob job;
    QSignalSpy finished(&job, &ui::BackgroundJob::finished);
    QThread *worker = nullptr;
    QThread *delivery = nullptr;
    job.run([](std::stop_token) { return QThread::currentThread(); },
        [&](QThread *thread) {
            worker = thread;
            delivery = QThread::currentThread();
        });
    QVERIFY(job.isRunning());
    QVERIFY(finished.wait());
    QVERIFY(!job.isRunning());
    QVERIFY(worker != nullptr && worker != delivery);
    QCOMPARE(delivery, QThread::currentThread());
}

void BackgroundJobTest::newerRunCancelsTheOlder()
{
    ui::BackgroundJob job;
    QSignalSpy finished(&job, &ui::BackgroundJob::finished);
    std::vector<int> delivered;
    std::binary_semaphore begun(0);
    job.run(
        [&begun](std::stop_token stop) {
            begun.release();
            while (!stop.stop_requested())
                std::this_thread::yield();
            return 1;
        },
        [&](int value) { delivered.push_back(value); });
    begun.acquire();
    job.run([](std::stop_token) { return 2; }, [&](int value) { delivered.push_back(value); });
    QVERIFY(finished.wait());
    QCOMPARE(delivered, std::vector<int>{2});
    QCOMPARE(finished.count(), 1);
}

void BackgroundJobTest::deliversNothingWhenTheWorkWasStopped()
{
    ui::BackgroundJob job;
    QSignalSpy finished(&job, &ui::BackgroundJob::finished);
    bool isDelivered = false;
    job.run([](std::stop_token) { return std::optional<int>(); }, [&](int) { isDelivered = true; });
    QVERIFY(finished.wait());
    QVERIFY(!isDelivered);
}

void BackgroundJobTest::cancelEndsIt()
{
    ui::BackgroundJob job;
    QSignalSpy finished(&job, &ui::BackgroundJob::finished);
    bool isDelivered = false;
    job.run([](std::stop_token) { return 1; }, [&](int) { isDelivered = true; });
    job.cancel();
    QCOMPARE(finished.count(), 1);
    QVERIFY(!job.isRunning());
    job.run([](std::stop_token) { return 2; }, [](int) {});
    QVERIFY(finished.wait());
    QVERIFY(!isDelivered);
}

void BackgroundJobTest::destroyingStopsTheWork()
{
    std::atomic<bool> hasReturned = false;
    {
        ui::BackgroundJob job;
        std::binary_semaphore begun(0);
        job.run(
            [&](std::stop_token stop) {
                begun.release();
                while (!stop.stop_requested())
                    std::this_thread::yield();
                hasReturned = true;
                return 0;
            },
            [](int) {});
        begun.acquire();
    }
    QVERIFY(hasReturned);
}

QTEST_GUILESS_MAIN(BackgroundJobTest)
#include "background_job_test.moc"

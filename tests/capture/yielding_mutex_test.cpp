// SPDX-License-Identifier: GPL-3.0-or-later
// A lock that one thread wants nearly always, and others now and then.
#include "capture/yielding_mutex.h"

#include <QtTest>

#include <atomic>
#include <mutex>
#include <thread>

using namespace capture;
using namespace std::chrono_literals;

class YieldingMutexTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    /// However soon the one that has just let go of it wants it again.
    void whoWaitsHasItNext()
    {
        YieldingMutex mutex(60s);
        for (int i = 0; i < 20; ++i) {
            std::atomic<bool> hadIt = false;
            mutex.lockAfterOthers();
            std::jthread waiting([&] {
                const std::lock_guard lock(mutex);
                hadIt = true;
            });
            while (!mutex.isWanted())
                std::this_thread::yield();
            mutex.unlock();
            mutex.lockAfterOthers();
            const bool isInTurn = hadIt;
            mutex.unlock();
            QVERIFY(isInTurn);
        }
    }

    void whereNobodyWaitsItIsHadAtOnce()
    {
        YieldingMutex mutex(60s);
        for (int i = 0; i < 1000; ++i) {
            mutex.lockAfterOthers();
            const std::lock_guard lock(mutex, std::adopt_lock);
            QVERIFY(!mutex.isWanted());
        }
    }
};

QTEST_GUILESS_MAIN(YieldingMutexTest)
#include "yielding_mutex_test.moc"

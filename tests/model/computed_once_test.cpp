// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/base/computed_once.h"

#include <QTest>

#include <atomic>
#include <latch>
#include <thread>
#include <vector>

using model::ComputedOnce;

class ComputedOnceTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void manyWhoAskShareOneValue()
    {
        const ComputedOnce<int> once;
        std::atomic<int> computed = 0;
        std::vector<std::shared_ptr<const int>> seen(8);
        {
            std::vector<std::jthread> threads;
            for (auto &value : seen)
                threads.emplace_back([&] { value = once.get({}, [&] { return std::optional(++computed); }); });
        }
        QCOMPARE(computed.load(), 1);
        for (const auto &value : seen)
            QCOMPARE(value, seen.front());
        QCOMPARE(*seen.front(), 1);
    }

    void anotherTakesOverWhereOneGivesUp()
    {
        const ComputedOnce<int> once;
        std::latch begun(1), mayEnd(1);
        std::shared_ptr<const int> first, second;
        {
            std::jthread gives([&] {
                first = once.get({}, [&]() -> std::optional<int> {
                    begun.count_down();
                    mayEnd.wait();
                    return std::nullopt;
                });
            });
            begun.wait();
            std::jthread takes([&] { second = once.get({}, [] { return std::optional(7); }); });
            mayEnd.count_down();
        }
        QVERIFY(!first);
        QVERIFY(second);
        QCOMPARE(*second, 7);
    }

    void whoWaitsCanBeStopped()
    {
        const ComputedOnce<int> once;
        std::latch begun(1), mayEnd(1);
        std::jthread computes([&] {
            once.get({}, [&] {
                begun.count_down();
                mayEnd.wait();
                return std::optional(1);
            });
        });
        begun.wait();
        std::stop_source stop;
        bool wasAsked = false;
        std::shared_ptr<const int> value;
        std::thread waits([&] {
            value = once.get(stop.get_token(), [&] {
                wasAsked = true;
                return std::optional(2);
            });
        });
        stop.request_stop();
        waits.join(); // while the other one computes
        QVERIFY(!value && !wasAsked);
        mayEnd.count_down();
    }

    void aCopyKnowsNothing()
    {
        const ComputedOnce<int> once;
        QCOMPARE(*once.get({}, [] { return std::optional(1); }), 1);
        ComputedOnce<int> copy = once;
        QCOMPARE(*copy.get({}, [] { return std::optional(2); }), 2);
        copy = once;
        QCOMPARE(*copy.get({}, [] { return std::optional(3); }), 3);
        QCOMPARE(*once.get({}, [] { return std::optional(4); }), 1);
    }
};

QTEST_APPLESS_MAIN(ComputedOnceTest)
#include "computed_once_test.moc"

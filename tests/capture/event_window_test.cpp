// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/heap/event_pairing.h"
#include "capture/heap/event_window.h"

#include <QtTest>

#include <algorithm>
#include <array>
#include <random>
#include <utility>
#include <vector>

using namespace capture;

class EventWindowTest : public QObject
{
    Q_OBJECT

    using Added = std::pair<std::uint64_t, std::uint64_t>; ///< when, and what it is called
    std::array<ThreadHistory, 3> m_threads;

    static bool add(EventWindow &window, std::uint64_t units, std::uint64_t name, ThreadHistory &thread)
    {
        if (!window.makeRoom())
            return false;
        EventWindow::Adder adder(window, 1, thread);
        adder.add(name, 0, units);
        window.take(adder);
        return true;
    }
    static std::vector<Added> contents(EventWindow &window)
    {
        std::vector<Added> entries;
        window.visit([&](const EventWindow::Entry &entry) { entries.emplace_back(entry.units, entry.pointer); });
        return entries;
    }

private Q_SLOTS:
    void putsEventsOfThreadsInTheOrderOfTheirStamps()
    {
        std::mt19937_64 random(1);
        EventWindow window;
        std::uint64_t begin = 1'000'000;
        for (int round = 0; round < 200; ++round, begin += 5000) {
            window.open(begin, begin + random() % 3000);
            QVERIFY(window.last() >= begin);
            std::vector<Added> added;
            for (ThreadHistory &thread : m_threads) {
                std::vector<std::uint64_t> stamps(random() % (round < 100 ? 50 : 1000));
                for (std::uint64_t &units : stamps)
                    units = begin + random() % (window.last() - begin + 1);
                std::sort(stamps.begin(), stamps.end());
                for (const std::uint64_t units : stamps) {
                    added.emplace_back(units, added.size());
                    QVERIFY(add(window, units, added.back().second, thread));
                }
            }
            std::sort(added.begin(), added.end()); // of equal stamps what was added first
            QCOMPARE(window.size(), added.size());
            QVERIFY(contents(window) == added);
        }
    }

    void isAsShortAsItsEventsAreMany()
    {
        EventWindow window;
        const auto fill = [&](std::uint64_t perMoment) {
            window.open(1, 100'000);
            for (std::uint64_t units = window.begin(); units <= window.last(); ++units)
                for (std::uint64_t i = 0; i < perMoment; ++i)
                    add(window, units, i, m_threads[0]);
        };
        for (int round = 0; round < 20; ++round)
            fill(40);
        QVERIFY(window.size() <= 1024);
        fill(0);
        for (int round = 0; round < 20; ++round)
            fill(0);
        QVERIFY(window.last() - window.begin() > 500);
    }

    void goesNoFurtherThanItMay()
    {
        EventWindow window;
        window.open(70, 75);
        QCOMPARE(window.last(), std::uint64_t{75});
        window.open(UINT64_MAX - 1, UINT64_MAX);
        QCOMPARE(window.last(), UINT64_MAX);
        QVERIFY(add(window, UINT64_MAX, 1, m_threads[0]));
        QVERIFY(add(window, UINT64_MAX - 1, 2, m_threads[1]));
        QVERIFY((contents(window) == std::vector<Added>{{UINT64_MAX - 1, 2}, {UINT64_MAX, 1}}));
    }

    /// As only a hostile target can have them.
    void hasAnEndHoweverManyEventsAMomentHas()
    {
        EventWindow window;
        window.open(5, 5);
        std::size_t count = 0;
        while (count < 1'000'000 && add(window, 5, count, m_threads[count % 2]))
            ++count;
        QVERIFY(count >= 10'000 && count < 1'000'000);
        QCOMPARE(contents(window).size(), count);
        QCOMPARE(contents(window).back().second, std::uint64_t{count - 1});
    }
};

QTEST_GUILESS_MAIN(EventWindowTest)
#include "event_window_test.moc"

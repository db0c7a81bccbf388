// SPDX-License-Identifier: GPL-3.0-or-later
// What tells targets that their recorder is alive.
#include "capture/heap/heartbeat.h"

#include <QtTest>

#include <memory>
#include <thread>

using namespace capture;
using namespace std::chrono_literals;

namespace {

/// Whether the heart beats within a second.
bool beats(wire::Header &header)
{
    const std::uint64_t before = header.heartbeat.load();
    for (int i = 0; i < 1000 && header.heartbeat.load() == before; ++i)
        std::this_thread::sleep_for(1ms);
    return header.heartbeat.load() != before;
}

std::unique_ptr<wire::Header> makeHeader(std::uint64_t heartbeat)
{
    auto header = std::make_unique<wire::Header>();
    header->heartbeat.store(heartbeat);
    return header;
}

} // namespace

class HeartbeatTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void allImagesSeeThatTheRecorderIsAlive()
    {
        const auto one = makeHeader(1), two = makeHeader(8);
        Heartbeat heartbeat(1ms);
        const Heartbeat::Place first(heartbeat, *one);
        QVERIFY(beats(*one));
        {
            Heartbeat::Place second(heartbeat, *two), moved(std::move(second));
            QVERIFY(beats(*two));
            QVERIFY(beats(*one));
        }
        const std::uint64_t left = two->heartbeat.load();
        QVERIFY(beats(*one) && beats(*one));
        QCOMPARE(two->heartbeat.load(), left);
    }

    /// Whether the recorder rests is for the recorder to say.
    void restIsLeftAlone()
    {
        const auto resting = makeHeader(1), busy = makeHeader(8);
        Heartbeat heartbeat(1ms);
        const Heartbeat::Place first(heartbeat, *resting), second(heartbeat, *busy);
        for (int i = 0; i < 5; ++i) {
            QVERIFY(beats(*resting) && beats(*busy));
            QCOMPARE(resting->heartbeat.load() & 1, std::uint64_t{1});
            QCOMPARE(busy->heartbeat.load() & 1, std::uint64_t{0});
        }
    }

    /// One that hangs is not to hold up its targets for ever.
    void recorderThatDoesNotGetOnIsSilent()
    {
        const auto header = makeHeader(1);
        Heartbeat heartbeat(1ms, 50ms);
        const Heartbeat::Place place(heartbeat, *header);
        std::this_thread::sleep_for(100ms);
        std::uint64_t before = 0;
        QTRY_VERIFY(std::exchange(before, header->heartbeat.load()) == header->heartbeat.load());
        std::this_thread::sleep_for(50ms);
        QCOMPARE(header->heartbeat.load(), before);
        heartbeat.noteWork();
        QVERIFY(beats(*header));
    }
};

QTEST_GUILESS_MAIN(HeartbeatTest)
#include "heartbeat_test.moc"

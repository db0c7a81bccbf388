// SPDX-License-Identifier: GPL-3.0-or-later
// Whether what is below a thread's stack pointer is its stack's own.
#include "capture/target/stack_room.h"

#include <QtTest>

#include <cstdint>

namespace {

using capture::StackRoom;

constexpr std::uint64_t kBytes = 4096;

} // namespace

class StackRoomTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void tellsStacksFromHeaps_data()
    {
        QTest::addColumn<QByteArray>("maps");
        QTest::addColumn<quint64>("stackPointer");
        QTest::addColumn<quint64>("threadPointer");
        QTest::addColumn<StackRoom>("room");
        const QByteArray first("7f0000000000-7f0000021000 rw-p 00000000 00:00 0 [stack]\n");
        const QByteArray guarded("7f0000000000-7f0000001000 ---p 00000000 00:00 0\n"
                                 "7f0000001000-7f0000100000 rw-p 00000000 00:00 0\n");
        const QByteArray plain("7f0000001000-7f0000100000 rw-p 00000000 00:00 0\n");
        const QByteArray named("7f0000001000-7f0000100000 rw-p 00000000 00:00 0 [anon: glibc: pthread stack: 7]\n");
        const QByteArray heap("7f0000001000-7f0000100000 rw-p 00000000 00:00 0 [heap]\n");
        const QByteArray arena("7effffff0000-7f0000000000 ---p 00000000 00:00 0\n"
                               "7f0000000000-7f0000100000 rw-p 00000000 00:00 0\n");
        const quint64 elsewhere = 0x7e0000000000;
        const auto row = [](const char *name, const QByteArray &maps, quint64 sp, quint64 tp, StackRoom room) {
            QTest::newRow(name) << maps << sp << tp << room;
        };
        row("first stack", first, 0x7f0000020000, elsewhere, StackRoom::Enough);
        row("first stack, at its end", first, 0x7f0000000800, elsewhere, StackRoom::MayGrow);
        row("thread", guarded, 0x7f00000f0000, 0x7f00000ff6c0, StackRoom::Enough);
        row("thread, at its end", guarded, 0x7f0000001800, 0x7f00000ff6c0, StackRoom::None);
        row("thread, guard not mapped", plain, 0x7f00000f0000, 0x7f00000ff6c0, StackRoom::Enough);
        row("thread, named", named, 0x7f00000f0000, 0x7f00000ff6c0, StackRoom::Enough);
        row("coroutine, mapped with a guard", guarded, 0x7f00000f0000, elsewhere, StackRoom::Enough);
        row("coroutine, in a block", plain, 0x7f00000f0000, elsewhere, StackRoom::None);
        row("coroutine, in the heap", heap, 0x7f00000f0000, elsewhere, StackRoom::None);
        row("coroutine, in a heap of a thread", arena, 0x7f00000f0000, elsewhere, StackRoom::None);
        row("coroutine, above a control block", plain, 0x7f00000f0000, 0x7f0000002000, StackRoom::None);
        row("no stack at all", plain, elsewhere, elsewhere, StackRoom::None);
    }
    void tellsStacksFromHeaps()
    {
        QFETCH(QByteArray, maps);
        QFETCH(quint64, stackPointer);
        QFETCH(quint64, threadPointer);
        QFETCH(StackRoom, room);
        const auto mappings = capture::parseMaps(maps.toStdString());
        QVERIFY(!mappings.empty());
        QCOMPARE(capture::stackRoom(mappings, stackPointer, threadPointer, kBytes), room);
    }
};

QTEST_GUILESS_MAIN(StackRoomTest)
#include "stack_room_test.moc"

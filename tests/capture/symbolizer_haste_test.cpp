// SPDX-License-Identifier: GPL-3.0-or-later
// Names wait for the program while it runs, and nobody waits for names longer than they take once it has ended.
#include "capture/symbols/symbolizer.h"
#include "tests/capture/thread_niceness.h"

#include <QCoreApplication>
#include <QtTest>

#include <algorithm>
#include <optional>

using namespace capture;
using model::FrameSymbols;

namespace {

/// How much nicer the thread that finds names is than this one; nothing if there is none.
std::optional<int> nicer()
{
    const std::optional<int> niceness = tests::nicenessOf("symbolizer");
    return niceness ? std::optional(*niceness - ::getpriority(PRIO_PROCESS, 0)) : std::nullopt;
}

} // namespace

class SymbolizerHasteTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void namesAreFoundAtOnceWhenSomebodyWaits()
    {
        constexpr std::size_t kFrames = 40'000; // more than are handed over at once: it is busy when the wait begins
        model::TableBuilder tables;
        const auto module
            = tables.module(QCoreApplication::applicationFilePath().toStdString(), "", model::ModuleKind::File);
        for (std::size_t i = 0; i < kFrames; ++i)
            tables.frame(module, 0x1000 + i, model::FrameKind::Exact);
        Symbolizer symbolizer;
        symbolizer.request(tables, {});
        QTRY_VERIFY(nicer() > 0);
        int most = 0;
        std::size_t last = 0;
        symbolizer.finish(tables, {}, [&](std::size_t done, std::size_t) {
            most = std::max(most, nicer().value_or(0));
            last = done;
            return true;
        });
        QCOMPARE(most, 0);
        QCOMPARE(last, kFrames);
        for (const FrameSymbols &symbols : tables.tables().symbols)
            QVERIFY(symbols.state != FrameSymbols::State::Pending);
    }
};

QTEST_GUILESS_MAIN(SymbolizerHasteTest)
#include "symbolizer_haste_test.moc"

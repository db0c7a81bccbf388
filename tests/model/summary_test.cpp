// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/analysis/summary.h"
#include "tests/support/snapshot_builder.h"

#include <QTest>

#include <algorithm>

using namespace model;
using tests::SnapshotBuilder;

namespace {

SummaryCard cardOf(const Snapshot &snapshot, std::string_view title)
{
    const Summary answers = *summary(snapshot);
    const auto card = std::find_if(
        answers.cards.begin(), answers.cards.end(), [title](const SummaryCard &each) { return each.title == title; });
    return card == answers.cards.end() ? SummaryCard() : *card;
}

bool says(const std::string &text, std::string_view part) { return text.find(part) != std::string::npos; }

} // namespace

/// The answers of the overview where something could not be seen.
class SummaryTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void saysThatAnIdleProgramUsedNoCpu()
    {
        const SummaryCard card = cardOf(SnapshotBuilder().build(), "CPU");
        QCOMPARE(card.number, std::string("no samples"));
        QCOMPARE(card.sentence, std::string("The program used next to no CPU time."));
    }

    void doesNotTakeMissedSamplesForIdleness()
    {
        SnapshotBuilder builder;
        builder.raw().losses.push_back({LossKind::SamplesMissed, {}, 60, "", builder.raw().span});
        const SummaryCard none = cardOf(builder.build(), "CPU");
        QVERIFY2(says(none.sentence, "60 samples were due"), none.sentence.c_str());
        QVERIFY2(says(none.sentence, "about 302 ms of CPU time"), none.sentence.c_str());
        builder.cpu("main;work 4");
        const SummaryCard few = cardOf(builder.build(), "CPU");
        QVERIFY2(says(few.sentence, "4 samples, and 60 more that were due of short threads"), few.sentence.c_str());
    }

    void saysWhatTheKernelCountsWhereNothingWasSampled()
    {
        SnapshotBuilder builder;
        builder.metric(Metric::CpuUser, std::vector<std::int64_t>(10, 5000)); // 5 %
        const SummaryCard card = cardOf(builder.build(), "CPU");
        QVERIFY2(says(card.sentence, "The kernel counts 500 ms of CPU time, but no sample"), card.sentence.c_str());
    }
};

QTEST_APPLESS_MAIN(SummaryTest)
#include "summary_test.moc"

// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/heap/event_pairing.h"
#include "capture/heap/scope_text.h"

#include <QTest>

using namespace capture;
using wire::RecordType;
using wire::ScopeVerdict;
using Quantity = ScopeExcess::Quantity;

class ScopeBookTest : public QObject
{
    Q_OBJECT

    EventPairing m_pairing;
    ThreadHistory m_a, m_b;
    std::uint64_t m_units = 0;

    void event(
        RecordType type, ThreadHistory &thread, std::uint64_t pointer, std::uint64_t size = 0, std::uint32_t node = 10)
    {
        QCOMPARE(m_pairing.apply({type, node, pointer, size, ++m_units}, 1000, thread, EventPairing::Missing::Accept),
            EventPairing::Verdict::Applied);
    }
    void begin(std::uint64_t scope, wire::ScopeThreads threads = wire::ScopeThreads::Own, std::uint64_t losses = 0)
    {
        m_pairing.scopes().begin({scope, threads, 0}, &m_a, losses);
    }
    void end(std::uint64_t scope, const wire::ScopeLimits &limits, std::uint64_t losses = 0)
    {
        m_pairing.scopes().end({scope, scope + 100, limits}, ++m_units, losses);
    }
    /// The one answer that is due.
    ScopeAnswer answer(bool isSampled = false)
    {
        const auto answers = m_pairing.scopes().takeAnswers(isSampled);
        return answers.size() == 1 ? answers.front() : ScopeAnswer();
    }
    static wire::ScopeLimits none() { return {0, 0, 0, 0, 0}; }

private Q_SLOTS:
    void init()
    {
        m_pairing = {};
        m_a = {};
        m_b = {};
        m_units = 0;
    }

    void countsWhatTheThreadAllocatesAndFrees()
    {
        event(RecordType::Malloc, m_a, 16, 1000); // before
        begin(1);
        event(RecordType::Malloc, m_a, 32, 100, 11);
        event(RecordType::Malloc, m_b, 48, 5000); // another thread
        event(RecordType::Malloc, m_a, 64, 50, 12);
        event(RecordType::Free, m_b, 32);
        event(RecordType::Free, m_a, 16);
        event(RecordType::Malloc, m_a, 80, 20, 11);
        end(1, none());
        const ScopeAnswer answer = this->answer();
        QCOMPARE(answer.question, 101u);
        QCOMPARE(answer.verdict, ScopeVerdict::Exceeded);
        std::map<Quantity, std::uint64_t> values;
        for (const ScopeExcess &excess : answer.excesses)
            values[excess.quantity] = excess.value;
        QCOMPARE(values[Quantity::Allocations], 3u);
        QCOMPARE(values[Quantity::Bytes], 170u);
        QCOMPARE(values[Quantity::PeakBytes], 150u);
        QCOMPARE(values[Quantity::LeftBlocks], 2u);
        QCOMPARE(values[Quantity::LeftBytes], 70u);
        const auto &stacks = answer.excesses[0].stacks; // by number
        QCOMPARE(stacks.size(), std::size_t{2});
        QCOMPARE(stacks[0].node, 11u);
        QCOMPARE(stacks[0].blocks, 2u);
        QVERIFY(!m_pairing.scopes().isOpen());
    }

    void peaksHaveTheStacksOfTheirMoment()
    {
        begin(1);
        event(RecordType::Malloc, m_a, 16, 300, 11);
        event(RecordType::Malloc, m_a, 32, 200, 12);
        event(RecordType::Free, m_a, 16);
        event(RecordType::Malloc, m_a, 48, 250, 13); // 450: below the peak
        end(1, {UINT64_MAX, UINT64_MAX, 499, UINT64_MAX, UINT64_MAX});
        const ScopeAnswer answer = this->answer();
        QCOMPARE(answer.excesses.size(), std::size_t{1});
        QCOMPARE(answer.excesses[0].value, 500u);
        QCOMPARE(answer.excesses[0].stacks.size(), std::size_t{2});
        QCOMPARE(answer.excesses[0].stacks[0].node, 11u);
        QCOMPARE(answer.excesses[0].stacks[0].bytes, 300u);
        QCOMPARE(answer.excesses[0].stacks[1].node, 12u);
    }

    void reallocIsOneMoreBlockForOneLess()
    {
        begin(1);
        event(RecordType::Malloc, m_a, 16, 100);
        event(RecordType::ReallocBegin, m_a, 16);
        event(RecordType::ReallocEnd, m_a, 32, 300);
        event(RecordType::ReallocBegin, m_a, 32);
        event(RecordType::ReallocFailed, m_a, 0);
        event(RecordType::Free, m_a, 32);
        end(1, {2, 400, 300, 0, 0});
        QCOMPARE(answer().verdict, ScopeVerdict::Met);
    }

    void scopesNestAndEndInAnyOrder()
    {
        begin(1);
        event(RecordType::Malloc, m_a, 16, 100);
        begin(2);
        event(RecordType::Malloc, m_a, 32, 100);
        end(1, {2, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX});
        QCOMPARE(answer().verdict, ScopeVerdict::Met);
        event(RecordType::Free, m_a, 32);
        end(2, {1, UINT64_MAX, UINT64_MAX, 0, UINT64_MAX});
        QCOMPARE(answer().verdict, ScopeVerdict::Met);
    }

    void allThreadsCountWhereThatIsWanted()
    {
        begin(1, wire::ScopeThreads::All);
        event(RecordType::Malloc, m_b, 16, 100);
        end(1, {0, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX});
        event(RecordType::Malloc, m_b, 32, 100); // after its end
        const ScopeAnswer answer = this->answer();
        QCOMPARE(answer.excesses.at(0).value, 1u);
    }

    void whatNobodyCanTellIsNoFailure_data()
    {
        QTest::addColumn<int>("scope");
        QTest::addColumn<int>("losses");
        QTest::addColumn<bool>("isSampled");
        QTest::addColumn<QByteArray>("words");
        QTest::newRow("lost events") << 1 << 5 << false << QByteArray("events were lost");
        QTest::newRow("samples") << 1 << 3 << true << QByteArray("--heap full");
        QTest::newRow("unknown scope") << 2 << 3 << false << QByteArray("did not begin in this process");
    }

    void whatNobodyCanTellIsNoFailure()
    {
        QFETCH(int, scope);
        QFETCH(int, losses);
        QFETCH(bool, isSampled);
        QFETCH(QByteArray, words);
        begin(1, wire::ScopeThreads::Own, 3);
        event(RecordType::Malloc, m_a, 16, 100);
        end(static_cast<std::uint64_t>(scope), none(), static_cast<std::uint64_t>(losses));
        const ScopeAnswer answer = this->answer(isSampled);
        QCOMPARE(answer.verdict, ScopeVerdict::Unknown);
        QVERIFY2(QByteArray::fromStdString(answer.reason).contains(words), answer.reason.c_str());
    }

    void textNamesTheExcessAndTheStacks()
    {
        ScopeAnswer answer;
        answer.excesses.push_back({Quantity::Allocations, 3, 2, {{11, 2, 128}, {12, 1, 8}}, 4});
        answer.excesses.push_back({Quantity::LeftBlocks, 1, 0, {{11, 1, 64}}, 0});
        const NamedStack own{{"operator new(unsigned long)", "new_op.cc", 50, false},
            {"std::vector<int>::reserve", "/usr/include/c++/12/bits/vector.tcc", 70, false},
            {"readLine(Reader&)", "/src/reader.cpp", 41, false}, {"main", "/src/reader_test.cpp", 12, false},
            {"__libc_start_call_main", "", 0, false}};
        const NamedStack library{{"malloc", "", 0, false}};
        QCOMPARE(QString::fromStdString(scopeText(answer, {own, library, own})),
            QStringLiteral("3 allocations, 1 more than the limit of 2\n"
                           "  2 allocations, 128 bytes:\n"
                           "    readLine  at reader.cpp:41\n"
                           "    main  at reader_test.cpp:12\n"
                           "  1 allocation, 8 bytes:\n"
                           "    malloc\n"
                           "  and 4 more stacks\n"
                           "1 block not freed\n"
                           "  1 block, 64 bytes:\n"
                           "    readLine  at reader.cpp:41\n"
                           "    main  at reader_test.cpp:12"));
    }
};

QTEST_GUILESS_MAIN(ScopeBookTest)
#include "scope_book_test.moc"

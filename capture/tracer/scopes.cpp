// SPDX-License-Identifier: MIT
#include "capture/tracer/scopes.h"

#include "capture/tracer/doorbell.h"
#define GENESIS_PROFILER_TRACER
#include "capture/tracer/genesis_profiler.h"
#include "capture/tracer/tracer_api.h"
#include "capture/tracer/tracing.h"

#include <cstring>

namespace capture::tracer {

namespace {

using wire::NoteKind;
using wire::ScopeVerdict;

static_assert(static_cast<unsigned>(ScopeVerdict::Met) == GENESIS_SCOPE_MET
    && static_cast<unsigned>(ScopeVerdict::Exceeded) == GENESIS_SCOPE_EXCEEDED
    && static_cast<unsigned>(ScopeVerdict::Unknown) == GENESIS_SCOPE_UNKNOWN
    && static_cast<unsigned>(wire::ScopeThreads::All) == GENESIS_SCOPE_ALL_THREADS);
static_assert(sizeof(genesis_scope_limits) == sizeof(wire::ScopeLimits));

constinit std::atomic<std::uint64_t> g_scopes;

template <typename Payload> void writeQuestion(NoteKind kind, const Payload &payload)
{
    static_assert(sizeof payload <= wire::kMostNoteBytes);
    char text[sizeof payload];
    std::memcpy(text, &payload, sizeof payload);
    writeNote(kind, text, sizeof text, 0);
}

/// Holds the one place for a question of this process.
class Question
{
public:
    Question()
        : m_doorbell(g_tracing.memory)
        , m_isOurs(m_doorbell.waitForTurn())
    {
        if (m_isOurs)
            m_number = header().asked.fetch_add(1, std::memory_order_relaxed) + 1;
    }
    ~Question()
    {
        if (m_isOurs)
            m_doorbell.endTurn();
    }
    Question(const Question &) = delete;
    Question &operator=(const Question &) = delete;

    std::uint32_t number() const { return m_number; } ///< 0: another thread's answer does not come

    /// After the question was written. Copies the answer's text.
    ScopeVerdict wait(char *text, std::size_t bytes)
    {
        if (!m_isOurs || !m_doorbell.waitForAnswer(m_number))
            return ScopeVerdict::Unknown;
        const std::size_t answer = header().answerBytes.load(std::memory_order_relaxed);
        std::size_t length = answer < wire::kMostAnswerBytes ? answer : wire::kMostAnswerBytes;
        length = length < bytes ? length : bytes - 1;
        if (length > 0)
            std::memcpy(text, g_tracing.memory.answer(), length);
        text[length] = 0;
        return header().verdict.load(std::memory_order_relaxed);
    }

private:
    static wire::Header &header() { return g_tracing.memory.header(); }

    Doorbell m_doorbell;
    bool m_isOurs;
    std::uint32_t m_number = 0;
};

int unknown(const char *why, char *text, std::size_t bytes)
{
    std::size_t length = std::strlen(why);
    length = length < bytes ? length : bytes - 1;
    std::memcpy(text, why, length);
    text[length] = 0;
    return GENESIS_SCOPE_UNKNOWN;
}

} // namespace

std::uint64_t beginScope(unsigned threads)
{
    const ReentrancyGuard guard;
    if (!guard || !g_tracing.isRecording())
        return 0;
    const std::uint64_t scope = g_scopes.fetch_add(1, std::memory_order_relaxed) + 1;
    writeQuestion(NoteKind::ScopeBegin,
        wire::ScopeBegin{
            scope, threads == GENESIS_SCOPE_ALL_THREADS ? wire::ScopeThreads::All : wire::ScopeThreads::Own, 0});
    return scope;
}

int endScope(std::uint64_t scope, const genesis_scope_limits *limits, char *text, std::size_t bytes)
{
    char none[1];
    if (text == nullptr || bytes == 0) {
        text = none;
        bytes = sizeof none;
    }
    const ReentrancyGuard guard;
    if (!guard || scope == 0 || limits == nullptr || !g_tracing.isRecording() || g_tracing.thread() == nullptr)
        return unknown("the program is not recorded", text, bytes);
    Question question;
    if (question.number() != 0)
        writeQuestion(NoteKind::ScopeEnd,
            wire::ScopeEnd{scope, question.number(),
                {limits->allocations, limits->bytes, limits->peak_bytes, limits->left_blocks, limits->left_bytes}});
    text[0] = 0;
    const ScopeVerdict verdict = question.wait(text, bytes);
    if (verdict == ScopeVerdict::Unknown && text[0] == 0)
        return unknown("the recorder did not answer", text, bytes);
    return static_cast<int>(verdict);
}

/// The program ends by exit(3), or returns from main: the last moment at which its memory can be looked through.
__attribute__((destructor)) static void askAtExit()
{
    const ReentrancyGuard guard;
    if (!guard || !ForkFlag::isRaised())
        return;
    if (g_tracing.thread() == nullptr || g_tracing.memory.header().asksAtExit.load(std::memory_order_relaxed) == 0)
        return;
    Question question;
    if (question.number() == 0)
        return;
    writeQuestion(NoteKind::Exit, wire::ExitQuestion{question.number()});
    char none[1];
    question.wait(none, sizeof none);
}

} // namespace capture::tracer

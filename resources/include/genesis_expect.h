/* SPDX-License-Identifier: MIT */
/* Lets a test say what a part of it may allocate, and fail with the stacks where it does more. C++11 or later; nothing to link.
 *
 *     #include <genesis_expect.h>
 *     #include <gtest/gtest.h>      // or Catch2, or QTest; without any, a program that exceeded something ends with status 1
 *
 *     TEST(Parser, keepsNothing)
 *     {
 *         GENPROF_EXPECT_NO_LEAK { parse("a = 1"); }
 *         GENPROF_EXPECT_MAX_ALLOCATIONS(100) { parse("a = 1"); }
 *         GENPROF_EXPECT_MAX_BYTES(64 * 1024) { parse("a = 1"); }
 *         GENPROF_EXPECT_MAX_PEAK(16 * 1024) { parse("a = 1"); }
 *         GENPROF_EXPECT(genesis::Limits().allocations(100).noLeak().allThreads()) { parseInThreads(); }
 *     }
 *
 * Run it with `genprof record -- ./parser_test`, or genprof_add_memory_test() in CMake. Without a recorder the block runs as it is, and
 * "skipped" is said once for each place. What counts: blocks of malloc and of what stands on it, as they were asked for, which the thread of
 * the block allocates while it runs (or all threads do); frees of all threads. "Left" is what of these is not freed at the end of the
 * block: caches that are filled there for the first time count, so fill them before. Blocks may nest, and may be left by return or break.
 *
 * Another framework: define GENPROF_REPORT_FAILURE(file, line, text) and GENPROF_REPORT_SKIP(file, line, text) before. */
#pragma once

#include <genesis_profiler.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>

/* The framework is whichever header came before the block, in any order with this one: what it calls a failure is a macro or a function of
 * it by then, and else one of these, which say that they are none. */
namespace genesis {

/* How many frameworks were not there, when the last failure was reported. */
inline int &missingFrameworks()
{
    static thread_local int count = 0;
    return count;
}

struct NoFramework
{
    NoFramework() { ++missingFrameworks(); }
    const NoFramework &operator<<(const char *) const { return *this; }
};

namespace fallback {
template <typename Text> void qFail(Text, const char *, int) { NoFramework(); }
template <typename Text> void qWarn(Text, const char *, int) { NoFramework(); }
} // namespace fallback

} // namespace genesis

namespace QTest {
}
#ifndef ADD_FAILURE_AT
inline ::genesis::NoFramework ADD_FAILURE_AT(const char *, int) { return ::genesis::NoFramework(); }
#endif
#ifndef FAIL_CHECK
inline void FAIL_CHECK(const std::string &) { ::genesis::NoFramework(); }
#endif
#ifndef CATCH_FAIL_CHECK
inline void CATCH_FAIL_CHECK(const std::string &) { ::genesis::NoFramework(); }
#endif

#ifndef GENPROF_REPORT_FAILURE
#define GENPROF_REPORT_FAILURE(file, line, text)                                                                       \
    using namespace ::genesis::fallback;                                                                               \
    using namespace ::QTest;                                                                                           \
    ::genesis::missingFrameworks() = 0;                                                                                \
    ADD_FAILURE_AT(file, line) << (text); /* GoogleTest */                                                             \
    FAIL_CHECK(std::string(text));        /* Catch2, doctest: which prints pointers as numbers */                      \
    CATCH_FAIL_CHECK(std::string(text));  /* Catch2 with CATCH_CONFIG_PREFIX_ALL */                                    \
    qFail(text, file, line);              /* Qt Test */                                                                \
    if (::genesis::missingFrameworks() == 4)                                                                           \
    ::genesis::failPlainly(file, line, text)
#endif
#ifndef GENPROF_REPORT_SKIP
#define GENPROF_REPORT_SKIP(file, line, text)                                                                          \
    using namespace ::genesis::fallback;                                                                               \
    using namespace ::QTest;                                                                                           \
    ::genesis::missingFrameworks() = 0;                                                                                \
    qWarn(text, file, line);                                                                                           \
    if (::genesis::missingFrameworks() == 1)                                                                           \
    std::fprintf(stderr, "%s:%d: %s\n", file, line, text)
#endif

namespace genesis {

/* What a block may do; without limits, anything. */
class Limits
{
public:
    Limits &allocations(std::uint64_t most) { return set(m_limits.allocations, most); }
    Limits &bytes(std::uint64_t most) { return set(m_limits.bytes, most); }     /* allocated */
    Limits &peak(std::uint64_t most) { return set(m_limits.peak_bytes, most); } /* live at once */
    Limits &noLeak() { return set(m_limits.left_blocks, 0); }
    Limits &leftBlocks(std::uint64_t most) { return set(m_limits.left_blocks, most); }
    Limits &leftBytes(std::uint64_t most) { return set(m_limits.left_bytes, most); }
    Limits &allThreads()
    {
        m_threads = GENESIS_SCOPE_ALL_THREADS;
        return *this;
    }

    const genesis_scope_limits &limits() const { return m_limits; }
    unsigned threads() const { return m_threads; }

private:
    Limits &set(std::uint64_t &limit, std::uint64_t most)
    {
        limit = most;
        return *this;
    }

    genesis_scope_limits m_limits = {UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX};
    unsigned m_threads = GENESIS_SCOPE_OWN_THREAD;
};

/* Where a block stands, and who is told of it. */
struct Place
{
    const char *what;
    void (*fail)(const char *text);
    void (*skip)(const char *text);
    bool *wasSkipped; /* said once */
};

inline void endWithFailure()
{
    std::fflush(nullptr);
    std::_Exit(EXIT_FAILURE);
}

inline void failPlainly(const char *file, int line, const char *text)
{
    static const int isRegistered = std::atexit(endWithFailure);
    static_cast<void>(isRegistered);
    std::fprintf(stderr, "%s:%d: %s\n", file, line, text);
}

/* One run of a block. */
class Expectation
{
public:
    Expectation(const Limits &limits, const Place &place)
        : m_limits(limits)
        , m_place(place)
        , m_api(profiler())
        , m_exceptions(exceptions())
    {
        m_scope = m_api != nullptr ? m_api->scope_begin(limits.threads()) : 0;
    }
    ~Expectation() { end(); }
    Expectation(const Expectation &) = delete;
    Expectation &operator=(const Expectation &) = delete;

    bool isOpen() const { return m_isOpen; }

    void end()
    {
        if (!m_isOpen)
            return;
        m_isOpen = false;
        const bool isThrown = exceptions() > m_exceptions; /* the test has failed already */
        if (m_scope == 0) {
            if (!isThrown)
                skip("not recorded; run the test with genprof record");
            return;
        }
        char text[1u << 14];
        const int length = std::snprintf(text, sizeof text, "%s: ", m_place.what);
        const std::size_t begin = length > 0 && length < 1024 ? static_cast<std::size_t>(length) : 0;
        const genesis_scope_limits any = Limits().limits();
        const int verdict
            = m_api->scope_end(m_scope, isThrown ? &any : &m_limits.limits(), text + begin, sizeof text - begin);
        if (verdict == GENESIS_SCOPE_EXCEEDED)
            m_place.fail(text);
        else if (verdict != GENESIS_SCOPE_MET && !isThrown)
            skip(text + begin);
    }

private:
    static const genesis_profiler_api *profiler()
    {
#if defined(__x86_64__) && defined(__ELF__) && defined(__GNUC__) && !defined(GENESIS_PROFILER_OFF)
        const genesis_profiler_api *api = genesis_profiler_get();
        return api != nullptr && api->version >= 2 ? api : nullptr;
#else
        return nullptr;
#endif
    }

    static int exceptions()
    {
#if __cplusplus >= 201703L
        return std::uncaught_exceptions();
#else
        return std::uncaught_exception() ? 1 : 0;
#endif
    }

    void skip(const char *why) const
    {
        if (*m_place.wasSkipped)
            return;
        *m_place.wasSkipped = true;
        char text[512];
        std::snprintf(text, sizeof text, "%s: skipped: %s", m_place.what, why);
        m_place.skip(text);
    }

    Limits m_limits;
    Place m_place;
    const genesis_profiler_api *m_api;
    int m_exceptions;
    std::uint64_t m_scope = 0;
    bool m_isOpen = true;
};

} // namespace genesis

#define GENPROF_JOIN2(a, b) a##b
#define GENPROF_JOIN(a, b) GENPROF_JOIN2(a, b)
#define GENPROF_BLOCK(what, ...) GENPROF_BLOCK_AS(GENPROF_JOIN(genprof_, __COUNTER__), what, __VA_ARGS__)
#define GENPROF_BLOCK_AS(name, what, ...)                                                                              \
    for (::genesis::Expectation name((__VA_ARGS__),                                                                    \
             ::genesis::Place{what,                                                                                    \
                 [](const char *genprof_text) { GENPROF_REPORT_FAILURE(__FILE__, __LINE__, genprof_text); },           \
                 [](const char *genprof_text) { GENPROF_REPORT_SKIP(__FILE__, __LINE__, genprof_text); },              \
                 [] {                                                                                                  \
                     static bool genprof_wasSkipped;                                                                   \
                     return &genprof_wasSkipped;                                                                       \
                 }()});                                                                                                \
         name.isOpen(); name.end())

/* Of the block behind it: what `Limits` says. */
#define GENPROF_EXPECT(...) GENPROF_BLOCK("GENPROF_EXPECT(" #__VA_ARGS__ ")", __VA_ARGS__)
/* Everything that it allocates is freed when it ends. */
#define GENPROF_EXPECT_NO_LEAK GENPROF_BLOCK("GENPROF_EXPECT_NO_LEAK", ::genesis::Limits().noLeak())
/* It calls the allocator for a block at most so many times. */
#define GENPROF_EXPECT_MAX_ALLOCATIONS(most)                                                                           \
    GENPROF_BLOCK("GENPROF_EXPECT_MAX_ALLOCATIONS(" #most ")", ::genesis::Limits().allocations(most))
/* It allocates at most so many bytes, and has at most so many live at once. */
#define GENPROF_EXPECT_MAX_BYTES(most)                                                                                 \
    GENPROF_BLOCK("GENPROF_EXPECT_MAX_BYTES(" #most ")", ::genesis::Limits().bytes(most))
#define GENPROF_EXPECT_MAX_PEAK(most)                                                                                  \
    GENPROF_BLOCK("GENPROF_EXPECT_MAX_PEAK(" #most ")", ::genesis::Limits().peak(most))

// SPDX-License-Identifier: GPL-3.0-or-later
// What the tracer decides by rules of its own: what a seccomp filter answers, what a program has forbidden itself, what is a sample.
#include "capture/tracer/call_site.h"
#include "capture/tracer/restrictions.h"
#include "capture/tracer/sampler.h"
#include "capture/tracer/seccomp_filter.h"
#include "capture/unwind/call_bytes.h"

#include <QtTest>

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <limits>
#include <vector>

using namespace capture;
using namespace capture::tracer;

namespace {

using Program = std::vector<sock_filter>;

sock_filter statement(int code, std::uint32_t k) { return BPF_STMT(static_cast<std::uint16_t>(code), k); }
sock_filter jump(int code, std::uint32_t k, std::uint8_t yes, std::uint8_t no)
{
    return BPF_JUMP(static_cast<std::uint16_t>(code), k, yes, no);
}
sock_filter load(std::uint32_t place) { return statement(BPF_LD | BPF_W | BPF_ABS, place); }
sock_filter loadNumber() { return load(offsetof(seccomp_data, nr)); }
sock_filter constant(std::uint32_t k) { return statement(BPF_LD | BPF_IMM, k); }
sock_filter constantX(std::uint32_t k) { return statement(BPF_LDX | BPF_IMM, k); }
sock_filter give(std::uint32_t k) { return statement(BPF_RET | BPF_K, k); }
sock_filter giveA() { return statement(BPF_RET | BPF_A, 0); }

seccomp_data call(int number = 39)
{
    seccomp_data data{};
    data.nr = number;
    data.arch = AUDIT_ARCH_X86_64;
    for (unsigned i = 0; i < 6; ++i)
        data.args[i] = 0x1111111100000000ull * (i + 1) + i;
    return data;
}

std::uint32_t answer(Program program, const seccomp_data &data = call())
{
    const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
    return runSeccompFilter(filter, data);
}

/// a operation b, once with a constant and once with the index register; nothing if the two differ.
std::optional<std::uint32_t> calculate(int operation, std::uint32_t a, std::uint32_t b)
{
    const std::uint32_t direct = answer({constant(a), statement(BPF_ALU | operation | BPF_K, b), giveA()});
    const std::uint32_t indexed
        = answer({constant(a), constantX(b), statement(BPF_ALU | operation | BPF_X, 0), giveA()});
    return direct == indexed ? std::optional(direct) : std::nullopt;
}

/// What is still allowed once a filter that answers `action` to one system call is in force; in a child, as it is for good.
std::uint32_t allowedAfter(int number, std::uint32_t action)
{
    auto *shared = static_cast<std::uint32_t *>(
        ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    const pid_t child = ::fork();
    if (child == 0) {
        Program program{loadNumber(), jump(BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint32_t>(number), 0, 1),
            give(action), give(SECCOMP_RET_ALLOW)};
        Restrictions::add(sock_fprog{static_cast<unsigned short>(program.size()), program.data()});
        for (std::uint32_t bit = 1; bit <= static_cast<std::uint32_t>(Ask::ReadCode); bit *= 2)
            *shared |= Restrictions::allow(static_cast<Ask>(bit)) ? bit : 0;
        ::_exit(0);
    }
    ::waitpid(child, nullptr, 0);
    const std::uint32_t allowed = *shared;
    ::munmap(shared, 4096);
    return allowed;
}

constexpr std::uint32_t kEverything = 2 * static_cast<std::uint32_t>(Ask::ReadCode) - 1;
constexpr std::uint32_t without(Ask ask) { return kEverything & ~static_cast<std::uint32_t>(ask); }

} // namespace

class TracerRulesTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void filterReadsTheCall()
    {
        const seccomp_data data = call(59);
        QCOMPARE(answer({loadNumber(), giveA()}, data), 59U);
        QCOMPARE(answer({load(4), giveA()}, data), std::uint32_t{AUDIT_ARCH_X86_64});
        QCOMPARE(answer({load(16 + 8 * 2), giveA()}, data), 2U); // low half, then high half of an argument
        QCOMPARE(answer({load(16 + 8 * 2 + 4), giveA()}, data), 0x33333333U);
        QCOMPARE(answer({load(60), giveA()}, data), 0x66666666U);
        QCOMPARE(answer({statement(BPF_LD | BPF_W | BPF_LEN, 0), giveA()}), std::uint32_t{sizeof(seccomp_data)});
    }

    void filterCalculates()
    {
        QCOMPARE(calculate(BPF_ADD, 0xffffffff, 2), 1U);
        QCOMPARE(calculate(BPF_SUB, 1, 2), 0xffffffffU);
        QCOMPARE(calculate(BPF_MUL, 0x10001, 0x10001), 0x20001U);
        QCOMPARE(calculate(BPF_DIV, 0xfffffffe, 2), 0x7fffffffU);
        QCOMPARE(calculate(BPF_OR, 0xf0, 0x0c), 0xfcU);
        QCOMPARE(calculate(BPF_AND, 0xf0, 0x3c), 0x30U);
        QCOMPARE(calculate(BPF_XOR, 0xf0, 0x3c), 0xccU);
        QCOMPARE(calculate(BPF_LSH, 3, 31), 0x80000000U);
        QCOMPARE(calculate(BPF_RSH, 0x80000000, 31), 1U);
        QCOMPARE(answer({constant(1), statement(BPF_ALU | BPF_NEG, 0), giveA()}), 0xffffffffU);
    }

    void filterRemembers()
    {
        QCOMPARE(
            answer({constant(7), statement(BPF_ST, 15), constant(0), statement(BPF_LD | BPF_MEM, 15), giveA()}), 7U);
        QCOMPARE(answer({constantX(8), statement(BPF_STX, 0), statement(BPF_LD | BPF_MEM, 0), giveA()}), 8U);
        QCOMPARE(answer({constant(9), statement(BPF_MISC | BPF_TAX, 0), constant(1),
                     statement(BPF_ALU | BPF_ADD | BPF_X, 0), giveA()}),
            10U);
        QCOMPARE(answer({constantX(11), statement(BPF_MISC | BPF_TXA, 0), giveA()}), 11U);
    }

    void filterJumps_data()
    {
        QTest::addColumn<int>("operation");
        QTest::addColumn<uint>("a");
        QTest::addColumn<uint>("b");
        QTest::addColumn<bool>("holds");
        QTest::newRow("equal") << BPF_JEQ << 5U << 5U << true;
        QTest::newRow("not equal") << BPF_JEQ << 5U << 6U << false;
        QTest::newRow("greater, unsigned") << BPF_JGT << 0x80000000U << 1U << true;
        QTest::newRow("not greater") << BPF_JGT << 5U << 5U << false;
        QTest::newRow("at least") << BPF_JGE << 5U << 5U << true;
        QTest::newRow("less") << BPF_JGE << 4U << 5U << false;
        QTest::newRow("a bit") << BPF_JSET << 6U << 2U << true;
        QTest::newRow("no bit") << BPF_JSET << 6U << 9U << false;
    }
    void filterJumps()
    {
        QFETCH(int, operation);
        QFETCH(uint, a);
        QFETCH(uint, b);
        QFETCH(bool, holds);
        const Program tail{give(2), give(3), give(1)}; // fallen into; not held; held
        for (const bool isIndexed : {false, true}) {
            Program program{constant(a), constantX(b),
                jump(BPF_JMP | operation | (isIndexed ? BPF_X : BPF_K), isIndexed ? 0 : b, 2, 1)};
            program.insert(program.end(), tail.begin(), tail.end());
            QCOMPARE(answer(program), holds ? 1U : 3U);
        }
        QCOMPARE(answer({statement(BPF_JMP | BPF_JA, 1), give(1), give(2)}), 2U);
    }

    /// What the kernel would not have installed is taken for the worst.
    void filterThatCannotBeKills()
    {
        constexpr std::uint32_t kKill = SECCOMP_RET_KILL_PROCESS;
        QCOMPARE(answer({}), kKill);
        QCOMPARE(answer({constant(1)}), kKill);                       // no answer
        QCOMPARE(answer({load(62), give(SECCOMP_RET_ALLOW)}), kKill); // not a whole word of the call
        QCOMPARE(answer({load(64), give(SECCOMP_RET_ALLOW)}), kKill);
        QCOMPARE(answer({load(0xfffffffc), give(SECCOMP_RET_ALLOW)}), kKill);
        QCOMPARE(answer({statement(BPF_LD | BPF_MEM, 16), give(SECCOMP_RET_ALLOW)}), kKill);
        QCOMPARE(answer({statement(BPF_ST, 16), give(SECCOMP_RET_ALLOW)}), kKill);
        QCOMPARE(answer({statement(BPF_ALU | BPF_DIV | BPF_K, 0), give(SECCOMP_RET_ALLOW)}), kKill);
        QCOMPARE(answer({statement(BPF_ALU | 0xf0, 0), give(SECCOMP_RET_ALLOW)}), kKill);
        QCOMPARE(answer({statement(BPF_JMP | BPF_JA, 0xffffffff), give(SECCOMP_RET_ALLOW)}), kKill);
    }

    void knowsCallsByTheirBytes_data()
    {
        QTest::addColumn<QByteArray>("code");
        QTest::addColumn<bool>("isCall");
        const auto row = [](const char *name, const char *hex, bool isCall) {
            QTest::newRow(name) << QByteArray::fromHex(hex).rightJustified(8, '\x90', true) << isCall;
        };
        // Assembled by GNU as.
        row("call somewhere", "e8 11 22 33 44", true);
        row("call *%rax", "ff d0", true);
        row("call *%r12", "41 ff d4", true);
        row("call *(%rax)", "ff 10", true);
        row("call *8(%rdi)", "ff 57 08", true);
        row("call *(%rsp)", "ff 14 24", true);
        row("call *8(%rsp)", "ff 54 24 08", true);
        row("call *(%r15,%rcx,8)", "41 ff 14 cf", true);
        row("call *0x1234(%rbx)", "ff 93 34 12 00 00", true);
        row("call *0x1234(%rsp)", "ff 94 24 34 12 00 00", true);
        row("call *0x1234(%rip)", "ff 15 34 12 00 00", true);
        row("call *0x1234(,%rax,8)", "ff 14 c5 34 12 00 00", true);
        row("jmp *%rax", "ff e0", false);
        row("inc %eax", "ff c0", false);
        row("push %rbp", "55", false);
        row("nothing", "90 90 90 90 90 90 90 90", false);
        row("jmp somewhere", "e9 11 22 33 44", false);
        row("a call with a byte behind it", "ff d0 90", false);
        row("zeros", "00 00 00 00 00 00 00 00", false);
    }
    void knowsCallsByTheirBytes()
    {
        QFETCH(QByteArray, code);
        QFETCH(bool, isCall);
        std::uint8_t bytes[8];
        std::copy_n(code.constData(), sizeof bytes, bytes);
        QCOMPARE(capture::unwind::endsWithCall(bytes), isCall);
        QCOMPARE(capture::tracer::followsCall(reinterpret_cast<std::uint64_t>(bytes + sizeof bytes)), isCall);
    }

    void nothingFollowsACallWhereNothingIs()
    {
        auto *page = static_cast<std::uint8_t *>(
            ::mmap(nullptr, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
        page[0] = page[4094] = 0xff;
        page[1] = page[4095] = 0xd0;
        ::munmap(page + 4096, 4096);
        const auto begin = reinterpret_cast<std::uint64_t>(page);
        QVERIFY(capture::tracer::followsCall(begin + 4096)); // of code at the end of a mapping
        QVERIFY(!capture::tracer::followsCall(begin + 4098));
        for (const std::uint64_t address :
            {std::uint64_t{0}, std::uint64_t{7}, ~std::uint64_t{0}, std::uint64_t{1} << 63})
            QVERIFY(!capture::tracer::followsCall(address));
        ::munmap(page, 4096);
    }

    void codeIsWhatIsNearCalls()
    {
        auto *room = static_cast<std::uint8_t *>(
            ::mmap(nullptr, 1 << 23, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
        const auto at = [&](std::uint64_t offset) { return reinterpret_cast<std::uint64_t>(room) + offset; };
        for (const std::uint64_t call : {3 << 20, 4 << 20}) {
            room[call - 2] = 0xff;
            room[call - 1] = 0xd0;
        }
        UncoveredCode code;
        const auto holds = [&](std::uint64_t address, unwind::Lead lead) { return code.holds(address, lead); };
        using unwind::Lead;
        QVERIFY(!holds(at(3 << 20 | 5), Lead::Rule)); // nothing has been met
        QVERIFY(holds(at(3 << 20), Lead::Guess));
        QVERIFY(!holds(at(3 << 20 | 5), Lead::Guess)); // what a guess has led to says nothing of others
        QVERIFY(holds(at(3 << 20), Lead::Rule));
        QVERIFY(holds(at(3 << 20 | 5), Lead::Guess));
        QVERIFY(!holds(at(3 << 20), Lead::Break));
        QVERIFY(holds(at((2 << 20) + (1 << 16)), Lead::Guess));
        QVERIFY(!holds(at((2 << 20) - (2 << 16)), Lead::Guess));
        QVERIFY(holds(at(4 << 20), Lead::Guess));
        QVERIFY(!holds(at((4 << 20) + (2 << 16)), Lead::Guess));
        QVERIFY(holds(at(4 << 20), Lead::Rule));
        QVERIFY(holds(at((4 << 20) + (2 << 16)), Lead::Guess));
        // Far from all that, a call is one, but nothing is near it.
        std::uint8_t far[] = {0, 0, 0, 0, 0, 0, 0xff, 0xd0, 0, 0};
        QVERIFY(holds(reinterpret_cast<std::uint64_t>(far + 8), Lead::Rule));
        QVERIFY(!holds(reinterpret_cast<std::uint64_t>(far + 9), Lead::Rule));
        QVERIFY(holds(at((4 << 20) + (2 << 16)), Lead::Guess));
        QVERIFY(!holds(~std::uint64_t{0} - 1, Lead::Guess));
        ::munmap(room, 1 << 23);
    }

    void whatAFilterForbidsIsNotAsked_data()
    {
        QTest::addColumn<int>("number");
        QTest::addColumn<uint>("allowed");
        QTest::newRow("nothing of ours") << int{SYS_execve} << kEverything;
        QTest::newRow("futex") << int{SYS_futex} << (without(Ask::Wake) & without(Ask::Leave));
        QTest::newRow("gettid") << int{SYS_gettid} << without(Ask::Identify);
        QTest::newRow("nanosleep") << int{SYS_nanosleep} << (without(Ask::Sleep) & without(Ask::Leave));
        QTest::newRow("kill") << int{SYS_kill} << without(Ask::FindRecorder);
        QTest::newRow("socket") << int{SYS_socket} << without(Ask::Meet);
        QTest::newRow("clock_gettime") << int{SYS_clock_gettime} << without(Ask::Clock);
        QTest::newRow("rt_sigprocmask") << int{SYS_rt_sigprocmask} << without(Ask::Probe);
        QTest::newRow("sigaltstack") << int{SYS_sigaltstack} << without(Ask::FindStack);
        QTest::newRow("process_vm_readv")
            << int{SYS_process_vm_readv} << (without(Ask::ReadCode) & without(Ask::FindRecorder));
        QTest::newRow("access") << int{SYS_access} << without(Ask::Look);
        QTest::newRow("mprotect") << int{SYS_mprotect} << (without(Ask::Protect) & without(Ask::ProtectCode));
        QTest::newRow("kcmp") << int{SYS_kcmp} << without(Ask::Compare);
        QTest::newRow("madvise") << int{SYS_madvise} << (without(Ask::Meet) & without(Ask::Map));
    }
    void whatAFilterForbidsIsNotAsked()
    {
        QFETCH(int, number);
        QFETCH(uint, allowed);
        for (const std::uint32_t action : {SECCOMP_RET_KILL_PROCESS, SECCOMP_RET_ERRNO | 1U, SECCOMP_RET_TRAP})
            QCOMPARE(allowedAfter(number, action), allowed);
        for (const std::uint32_t action : {SECCOMP_RET_ALLOW, SECCOMP_RET_LOG})
            QCOMPARE(allowedAfter(number, action), kEverything);
    }

    void nothingIsAskedWhileAFilterIsBeingInstalled()
    {
        QVERIFY(Restrictions::allow(Ask::Wake));
        {
            const Restrictions::Installing installing;
            QVERIFY(!Restrictions::allow(Ask::Wake));
        }
        QVERIFY(Restrictions::allow(Ask::Wake));
    }

    void samplesHaveTheProbabilityOfTheirSize_data()
    {
        QTest::addColumn<int>("period");
        QTest::newRow("4 KiB") << 4096;
        QTest::newRow("512 KiB") << 512 * 1024;
    }
    /// 1 − e^(−max(s, 32)/R), whatever came before: the sizes take turns.
    void samplesHaveTheProbabilityOfTheirSize()
    {
        QFETCH(int, period);
        const std::size_t sizes[] = {1, 32, 33, 500, 4096, 100'000, 1u << 20, 3};
        constexpr int kRounds = 400'000;
        int taken[std::size(sizes)] = {};
        Sampler sampler;
        sampler.begin(static_cast<std::uint64_t>(period), 42);
        for (int i = 0; i < kRounds; ++i)
            for (std::size_t k = 0; k < std::size(sizes); ++k)
                taken[k] += sampler.takes(sizes[k]) ? 1 : 0;
        for (std::size_t k = 0; k < std::size(sizes); ++k) {
            const double p = -std::expm1(-static_cast<double>(std::max<std::size_t>(sizes[k], 32)) / period);
            const double deviation = std::sqrt(kRounds * p * (1 - p));
            const double off = (taken[k] - kRounds * p) / std::max(deviation, 1.0);
            QVERIFY2(
                std::abs(off) < 4.5, qPrintable(QStringLiteral("%1: %2 of %3").arg(sizes[k]).arg(taken[k]).arg(p)));
        }
    }

    /// What an allocator refuses is asked about before it does.
    void impossibleSizesLeaveTheNextPointWhereItIs()
    {
        for (const std::size_t size : {~std::size_t{0}, std::size_t{1} << 63, std::size_t{3} << 62,
                 static_cast<std::size_t>(std::numeric_limits<int>::min())}) {
            Sampler sampler, other;
            sampler.begin(4096, 7);
            other.begin(4096, 7);
            QVERIFY(!sampler.passesOver(size));
            QVERIFY(other.takes(size));
            int distance[2] = {};
            for (Sampler *each : {&sampler, &other})
                while (!each->takes(32))
                    ++distance[each == &sampler ? 0 : 1];
            QVERIFY2(distance[0] < 10'000 && distance[1] < 10'000, qPrintable(QString::number(size)));
        }
    }

    void samplersOfThreadsDiffer()
    {
        int same = 0;
        for (std::uint64_t seed = 0; seed < 1000; ++seed) {
            Sampler a, b;
            a.begin(4096, seed);
            b.begin(4096, seed + 1);
            int first[2] = {};
            for (Sampler *sampler : {&a, &b})
                while (!sampler->takes(32))
                    ++first[sampler == &a ? 0 : 1];
            same += first[0] == first[1] ? 1 : 0;
        }
        QVERIFY2(same < 30, qPrintable(QString::number(same))); // 4 to be expected by chance
    }
};

QTEST_GUILESS_MAIN(TracerRulesTest)
#include "tracer_rules_test.moc"

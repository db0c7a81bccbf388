// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/target/borrowed_thread.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace capture {

namespace {

constexpr std::uint64_t kPageBytes = 4096;
constexpr std::uint64_t kTextBytes = 4 * kPageBytes; // the call, the command, paths
constexpr std::uint64_t kStackBytes
    = 64 * kPageBytes; // what dlopen takes, and a handler of a signal that cannot be blocked
constexpr std::chrono::microseconds kSyscallLimit{200'000};
constexpr std::uint64_t kEverySignal = ~std::uint64_t{0};

/// Whether a signal that comes through although all are blocked says that the code which runs went wrong. SIGSTOP does not.
bool isFault(int signal)
{
    return signal == SIGSEGV || signal == SIGBUS || signal == SIGILL || signal == SIGFPE || signal == SIGTRAP
        || signal == SIGSYS || signal == SIGABRT;
}

} // namespace

/// Memory of the target for the call: a page of code, and elsewhere data below a stack. The kernel chooses where: other threads of
/// the target map and unmap meanwhile.
struct BorrowedThread::Scratch
{
    std::uint64_t code = 0;
    std::uint64_t data = 0;
    std::uint64_t call() const { return data; }
    std::uint64_t command() const { return call() + 256; }
    std::uint64_t name() const { return command() + 512; }
    std::uint64_t path() const { return call() + kPageBytes; }
    std::uint64_t stackTop() const { return data + dataBytes(); }
    static constexpr std::uint64_t dataBytes() { return kTextBytes + kStackBytes; }
};

BorrowedThread::BorrowedThread(TracedThread &thread, RemoteProcess &process, const InjectionPlaces &places,
    const ThreadRegisters &stopped, const StepHandler &onStep)
    : m_thread(thread)
    , m_process(process)
    , m_places(places)
    , m_stopped(stopped)
    , m_onStep(onStep)
    , m_frame(makeSignalFrame(stopped, places.restorer))
{
}

model::Result<void> BorrowedThread::run(const std::string &path, wire::AttachCommand &command,
    std::chrono::milliseconds limit, const std::function<void()> &whileWaiting)
{
    step("write the signal frame");
    if (!m_process.write(m_frame.address, m_frame.bytes.data(), m_frame.bytes.size())) {
        giveBack();
        return model::Error("its stack has no room left");
    }
    Scratch scratch;
    if (auto mapped = mapScratch(scratch); !mapped) {
        giveBack();
        return mapped;
    }
    if (auto prepared = prepare(scratch, path, command); !prepared) {
        unmapScratch(scratch);
        giveBack();
        return prepared;
    }
    step("start the call");
    m_hasStarted = true;
    if (!start(scratch)) {
        giveBack();
        return model::systemError("cannot start the call", errno);
    }
    auto called = await(scratch, command, limit, whileWaiting);
    if (!takeBack(scratch))
        return called;
    unmapScratch(scratch);
    giveBack();
    return called;
}

model::Result<std::uint64_t> BorrowedThread::systemCall(
    const char *name, std::uint64_t number, const std::array<std::uint64_t, 6> &arguments)
{
    user_regs_struct registers = m_stopped.general;
    registers.rip = m_places.syscallReturn;
    registers.rsp = m_frame.address;
    registers.orig_rax = static_cast<unsigned long long>(-1);
    registers.rax = number;
    registers.rdi = arguments[0];
    registers.rsi = arguments[1];
    registers.rdx = arguments[2];
    registers.r10 = arguments[3];
    registers.r8 = arguments[4];
    registers.r9 = arguments[5];
    step(name);
    // Registers before the mask: if we end in between, the frame brings the mask back, and if before, there is nothing to bring.
    if (!m_thread.writeGeneral(registers) || !m_thread.setSignalMask(kEverySignal))
        return model::systemError("cannot set its registers", errno);
    for (const char *half : {"enter the system call", "leave the system call"}) {
        step(half);
        if (!reachSyscall())
            return model::Error(fmt::format("it did not {}", half));
    }
    if (!m_thread.readGeneral(registers))
        return model::systemError("cannot read its registers", errno);
    if (registers.rax > static_cast<unsigned long long>(-4096))
        return model::systemError(
            fmt::format("cannot {}", name), static_cast<int>(-static_cast<std::int64_t>(registers.rax)));
    return std::uint64_t{registers.rax};
}

bool BorrowedThread::reachSyscall()
{
    for (;;) {
        if (!m_thread.resumeToSyscall())
            return false;
        const TracedThread::Stop stop = m_thread.wait(kSyscallLimit);
        if (stop == TracedThread::Stop::Syscall)
            return true;
        if (stop == TracedThread::Stop::None || stop == TracedThread::Stop::Gone || isFault(m_thread.signal()))
            return false;
    }
}

bool BorrowedThread::stop()
{
    const TracedThread::Stop stop = m_thread.interrupt(kSyscallLimit);
    return stop == TracedThread::Stop::Interrupt || stop == TracedThread::Stop::Job;
}

model::Result<void> BorrowedThread::mapScratch(Scratch &scratch)
{
    const auto map = [&](const char *name, std::uint64_t bytes, std::uint64_t protection) {
        return systemCall(
            name, SYS_mmap, {0, bytes, protection, MAP_PRIVATE | MAP_ANONYMOUS, static_cast<std::uint64_t>(-1), 0});
    };
    const auto code = map("map code", kPageBytes, PROT_READ | PROT_EXEC);
    if (!code)
        return code.error();
    scratch.code = *code;
    const auto data = map("map data", Scratch::dataBytes(), PROT_READ | PROT_WRITE);
    if (!data) {
        unmapScratch(scratch);
        return data.error();
    }
    scratch.data = *data;
    return {};
}

void BorrowedThread::unmapScratch(const Scratch &scratch)
{
    if (scratch.data != 0)
        (void)systemCall("unmap data", SYS_munmap, {scratch.data, Scratch::dataBytes(), 0, 0, 0, 0});
    if (scratch.code != 0)
        (void)systemCall("unmap code", SYS_munmap, {scratch.code, kPageBytes, 0, 0, 0, 0});
}

model::Result<void> BorrowedThread::prepare(
    const Scratch &scratch, const std::string &path, const wire::AttachCommand &command)
{
    step("write the call");
    InjectedCall call;
    call.dlopen = m_places.dlopen;
    call.path = scratch.path();
    call.flags = m_places.dlopenFlags;
    call.dlsym = m_places.dlsym;
    call.functionName = scratch.name();
    call.command = scratch.command();
    call.dlerror = m_places.dlerror;
    call.context = m_frame.context();
    const auto code = injectedCode();
    if (path.size() + 1 > kTextBytes - kPageBytes)
        return model::Error("the path of the tracer is too long");
    if (!m_process.write(scratch.code, code.data(), code.size()) || !m_process.write(scratch.call(), &call, sizeof call)
        || !m_process.write(scratch.command(), &command, sizeof command)
        || !m_process.write(scratch.name(), wire::kCommandFunction, sizeof wire::kCommandFunction)
        || !m_process.write(scratch.path(), path.c_str(), path.size() + 1))
        return model::systemError("cannot write into its memory", errno);
    return {};
}

bool BorrowedThread::start(const Scratch &scratch)
{
    user_regs_struct registers = m_stopped.general;
    registers.rip = scratch.code;
    registers.rsp = scratch.stackTop();
    registers.r12 = scratch.call();
    registers.eflags &= ~0x500ull; // neither backwards (DF) nor step by step (TF)
    registers.orig_rax = static_cast<unsigned long long>(-1);
    return m_thread.writeGeneral(registers) && m_thread.resume();
}

model::Result<void> BorrowedThread::await(const Scratch &scratch, wire::AttachCommand &command,
    std::chrono::milliseconds limit, const std::function<void()> &whileWaiting)
{
    const auto begin = std::chrono::steady_clock::now();
    bool isJobStopped = false;
    for (;;) {
        step("wait for the call");
        InjectedCall call;
        if (!m_process.read(scratch.call(), &call, sizeof call))
            return model::Error("it ended during the call");
        if (call.stage == static_cast<std::uint64_t>(InjectedStage::Failed))
            return model::Error(call.error != 0 ? m_process.readText(call.error) : "dlopen refused the tracer");
        if (call.stage == static_cast<std::uint64_t>(InjectedStage::Called)) {
            m_process.read(scratch.command(), &command, sizeof command);
            return {};
        }
        const TracedThread::Stop stop = m_thread.wait(std::chrono::microseconds(0));
        if (stop == TracedThread::Stop::Gone)
            return model::Error("it ended during the call");
        if (stop == TracedThread::Stop::Signal && isFault(m_thread.signal())) {
            m_isStoppedInCall = true;
            return model::Error(fmt::format("the call failed with signal {}", m_thread.dropSignal()));
        }
        if (stop != TracedThread::Stop::None) {
            isJobStopped = stop == TracedThread::Stop::Job; // SIGCONT is seen as another stop
            m_thread.resume();
        }
        whileWaiting();
        const auto waited = std::chrono::steady_clock::now() - begin;
        if (waited > limit && isJobStopped)
            return model::Error(
                "it was stopped by a signal during the call, which goes on by itself (after kill -CONT)");
        if (waited > limit)
            return model::Error("the loader is busy: the call has not come back yet, and does so by itself");
        const timespec aMoment{0, waited < std::chrono::milliseconds(5) ? 20'000 : 200'000};
        ::nanosleep(&aMoment, nullptr);
    }
}

bool BorrowedThread::takeBack(const Scratch &scratch)
{
    step("take the thread back");
    if (m_isStoppedInCall)
        return true;
    InjectedCall call;
    if (!m_process.read(scratch.call(), &call, sizeof call) || call.stage == 0)
        return false;
    if (!stop())
        return false;
    user_regs_struct registers;
    return m_thread.readGeneral(registers) && registers.rip >= scratch.code
        && registers.rip < scratch.code + kPageBytes;
}

void BorrowedThread::giveBack()
{
    step("give the thread back");
    if (!stop())
        return;
    m_thread.restore(m_stopped);
    m_thread.detach();
    step("detached");
}

} // namespace capture

// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/target/attach_preflight.h"

#include <QTest>

#include <elf.h>
#include <errno.h>
#include <linux/capability.h>
#include <unistd.h>

#include <functional>

using capture::attachObstacle;
using capture::HostFacts;
using capture::judgeAttach;
using capture::ProcessFacts;
using model::CapabilityLevel;

namespace {

/// A usual program of the user who asks.
ProcessFacts usual()
{
    ProcessFacts facts;
    facts.pid = 4711;
    facts.exists = true;
    facts.state = 'S';
    facts.user = facts.ownUser = 1000;
    facts.program.format = capture::ProgramFormat::Elf;
    facts.program.is64Bit = true;
    facts.program.machine = EM_X86_64;
    facts.program.interpreter = "/lib64/ld-linux-x86-64.so.2";
    facts.usesGlibc = true;
    facts.seesTracer = true;
    return facts;
}

using Change = std::function<void(ProcessFacts &, HostFacts &)>;

} // namespace
Q_DECLARE_METATYPE(Change)

class AttachPreflightTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void aUsualProgramCanBeAttachedTo()
    {
        const auto judged = judgeAttach(usual(), {});
        QCOMPARE(judged.items.size(), std::size_t{7});
        for (const model::Capability &item : judged.items) {
            QCOMPARE(item.level, CapabilityLevel::Ok);
            QVERIFY(item.sentence.ends_with('.'));
        }
        QVERIFY(attachObstacle(judged).empty());
    }

    void obstaclesAreNamedWithTheWayOut_data()
    {
        QTest::addColumn<Change>("change");
        QTest::addColumn<QByteArray>("id");
        QTest::addColumn<QByteArray>("says");
        QTest::addColumn<QByteArray>("remedy");
        const auto row = [](const char *name, const char *id, const char *says, const char *remedy, Change change) {
            QTest::newRow(name) << std::move(change) << QByteArray(id) << QByteArray(says) << QByteArray(remedy);
        };
        row("gone", "attach_process", "There is no process 4711", "", [](auto &p, auto &) { p.exists = false; });
        row("stopped", "attach_process", "stopped by a signal", "kill -CONT 4711",
            [](auto &p, auto &) { p.state = 'T'; });
        row("other user", "attach_permission", "another user (id 0)", "sudo genprof attach",
            [](auto &p, auto &) { p.user = 0, p.memoryErrno = EACCES; });
        row("Yama 1", "attach_permission", "ptrace_scope is 1", "ptrace_scope=0",
            [](auto &p, auto &h) { p.memoryErrno = EACCES, h.ptraceScope = 1; });
        row("Yama 2", "attach_permission", "ptrace_scope is 2", "sudo genprof attach",
            [](auto &p, auto &h) { p.memoryErrno = EACCES, h.ptraceScope = 2; });
        row("Yama 3", "attach_permission", "ptrace_scope is 3", "boot",
            [](auto &p, auto &h) { p.memoryErrno = EACCES, h.ptraceScope = 3; });
        row("not dumpable", "attach_permission", "PR_SET_DUMPABLE", "sudo",
            [](auto &p, auto &) { p.memoryErrno = EACCES; });
        row("debugger", "attach_debugger", "traced by gdb (process 7)", "detach",
            [](auto &p, auto &) { p.tracerPid = 7, p.tracerName = "gdb"; });
        row("static", "attach_program", "statically linked", "dynamically",
            [](auto &p, auto &) { p.usesGlibc = false, p.program.interpreter.clear(); });
        row("musl", "attach_program", "musl", "--heap off",
            [](auto &p, auto &) { p.usesGlibc = false, p.program.interpreter = "/lib/ld-musl-x86_64.so.1"; });
        row("32-bit", "attach_program", "64-bit", "--heap off",
            [](auto &p, auto &) { p.program.is64Bit = false, p.program.machine = EM_386; });
        row("sanitizer", "attach_program", "sanitizer", "without", [](auto &p, auto &) { p.hasSanitizer = true; });
        row("shadow stack", "attach_program", "shadow stack", "x86_shstk=off",
            [](auto &p, auto &) { p.hasShadowStack = true; });
        row("container", "attach_container", "network of its own", "inside",
            [](auto &p, auto &) { p.hasOtherNetwork = true; });
        row("other files", "attach_container", "file system of its own", "same path",
            [](auto &p, auto &) { p.hasOtherMounts = true, p.seesTracer = false; });
        row("static jemalloc", "attach_allocator", "contains jemalloc", "shared library",
            [](auto &p, auto &) { p.definesMalloc = true, p.insideAllocator = "jemalloc"; });
        row("seccomp strict", "attach_seccomp", "seccomp strict", "", [](auto &p, auto &) { p.seccompMode = 1; });
        row("seccomp filter", "attach_seccomp", "seccomp filter", "genprof record",
            [](auto &p, auto &) { p.seccompMode = 2, p.hasOwnFilter = true; });
    }
    void obstaclesAreNamedWithTheWayOut()
    {
        QFETCH(Change, change);
        QFETCH(QByteArray, id);
        QFETCH(QByteArray, says);
        QFETCH(QByteArray, remedy);
        ProcessFacts process = usual();
        HostFacts host;
        change(process, host);
        const auto judged = judgeAttach(process, host);
        const model::Capability *item = judged.find(id.toStdString());
        QVERIFY(item);
        QCOMPARE(item->level, CapabilityLevel::Denied);
        QVERIFY2(item->sentence.find(says.toStdString()) != std::string::npos, item->sentence.c_str());
        QVERIFY2(item->remedy.find(remedy.toStdString()) != std::string::npos, item->remedy.c_str());
        QCOMPARE(item->remedy.empty(), remedy.isEmpty());
        QVERIFY(attachObstacle(judged).starts_with(item->sentence));
    }

    /// Of a process that may not be traced nothing is claimed that was not seen.
    void saysWhatItCouldNotLookAt()
    {
        ProcessFacts process = usual();
        process.user = 0;
        process.memoryErrno = EACCES;
        process.usesGlibc = process.seesTracer = false;
        process.program = {};
        const auto judged = judgeAttach(process, {});
        QCOMPARE(judged.items.size(), std::size_t{7});
        QCOMPARE(judged.find("attach_permission")->level, CapabilityLevel::Denied);
        for (const char *id : {"attach_debugger", "attach_program", "attach_container", "attach_allocator"}) {
            QCOMPARE(judged.find(id)->level, CapabilityLevel::Unknown);
            QVERIFY2(judged.find(id)->sentence.find("not known") != std::string::npos, id);
        }
        QCOMPARE(judged.find("attach_seccomp")->level, CapabilityLevel::Ok); // everybody may read that
        process.hasOtherMounts = true;
        QCOMPARE(judgeAttach(process, {}).find("attach_container")->level, CapabilityLevel::Limited);
        process.tracerPid = 7;
        QCOMPARE(judgeAttach(process, {}).find("attach_debugger")->level, CapabilityLevel::Denied);
    }

    void rootIsNotSentToSudo()
    {
        ProcessFacts process = usual();
        process.ownUser = 0;
        process.memoryErrno = EACCES;
        for (const std::int64_t scope : {0, 1, 2}) {
            HostFacts host;
            host.ptraceScope = scope;
            const auto judged = judgeAttach(process, host);
            const std::string remedy = judged.find("attach_permission")->remedy;
            QVERIFY2(remedy.find("sudo") == std::string::npos, remedy.c_str());
            QVERIFY2(remedy.find("CAP_SYS_PTRACE") != std::string::npos, remedy.c_str());
        }
    }

    void sharedAllocatorsAreTracedAndOthersNamed()
    {
        ProcessFacts process = usual();
        process.allocators = {"libjemalloc.so.2"};
        process.definesMalloc = false;
        const auto shared = judgeAttach(process, {});
        QCOMPARE(shared.find("attach_allocator")->level, CapabilityLevel::Ok);
        QVERIFY(shared.find("attach_allocator")->sentence.find("libjemalloc.so.2") != std::string::npos);
        process = usual();
        process.insideAllocator = "mimalloc";
        QCOMPARE(judgeAttach(process, {}).find("attach_allocator")->level, CapabilityLevel::Limited);
    }

    void theContainersFilterIsOursToo()
    {
        ProcessFacts process = usual();
        process.seccompMode = 2;
        QVERIFY(attachObstacle(judgeAttach(process, {})).empty());
    }

    void rootMayTraceOthers()
    {
        ProcessFacts process = usual();
        process.ownUser = 0;
        HostFacts host;
        host.effectiveCapabilities = std::uint64_t{1} << CAP_SYS_PTRACE;
        host.ptraceScope = 1;
        QVERIFY(attachObstacle(judgeAttach(process, host)).empty());
    }

    void oneselfIsRefused()
    {
        const auto judged = capture::probeAttach(static_cast<std::int32_t>(::getpid()), "/nowhere");
        QVERIFY(attachObstacle(judged).find("itself") != std::string::npos);
    }
};

QTEST_GUILESS_MAIN(AttachPreflightTest)
#include "attach_preflight_test.moc"

// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/target/host_probe.h"

#include <QTest>

#include <errno.h>
#include <linux/capability.h>

#include <set>

using capture::HostFacts;
using capture::judgeHost;
using model::CapabilityLevel;

namespace {

/// A usual desktop: Debian 12, an unprivileged user, real hardware.
HostFacts desktop()
{
    HostFacts facts;
    facts.kernelRelease = "6.1.0";
    facts.perfParanoid = 2;
    facts.kptrRestrict = 0;
    facts.perfMlockKb = 516;
    facts.lockedMemoryBytes = 8 << 20;
    facts.openFiles = 1 << 20;
    facts.kernelSamplesErrno = EACCES;
    facts.callsRefused = "tracepoints may not be read";
    facts.switchPlacesRefused = "the kernel refuses stacks of switches";
    facts.cgroupDirectory = "/sys/fs/cgroup/user.slice";
    facts.cgroupHasMemory = true;
    facts.memoryPressureReadable = true;
    facts.canWatchProcesses = true;
    return facts;
}

CapabilityLevel levelOf(const HostFacts &facts, std::string_view id) { return judgeHost(facts).find(id)->level; }

} // namespace

class HostProbeTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void desktopAllowsAllButKernelFrames()
    {
        for (const model::Capability &item : judgeHost(desktop()).items) {
            const bool isDenied = item.id == "kernel_frames" || item.id == "system_calls";
            QCOMPARE(item.level,
                isDenied                 ? CapabilityLevel::Denied
                    : item.id == "waits" ? CapabilityLevel::Limited
                                         : CapabilityLevel::Ok);
            QCOMPARE(item.remedy.empty(), item.level == CapabilityLevel::Ok);
        }
    }

    void saysHowSystemCallsAndWaitsCanBeRecorded()
    {
        HostFacts facts = desktop();
        facts.callsRefused.clear();
        QCOMPARE(levelOf(facts, "system_calls"), CapabilityLevel::Ok);
        facts.switchPlacesRefused.clear();
        QCOMPARE(levelOf(facts, "waits"), CapabilityLevel::Limited); // the kernel hides its functions
        facts.kernelSymbolsReadable = true;
        QCOMPARE(levelOf(facts, "waits"), CapabilityLevel::Ok);
        facts.waitsRefused = "perf events are refused";
        QCOMPARE(levelOf(facts, "waits"), CapabilityLevel::Denied);
        QVERIFY(!judgeHost(facts).find("waits")->remedy.empty());
    }

    void paranoidKernelForbidsSamplingAndSaysTheWayOut()
    {
        HostFacts facts = desktop();
        facts.perfParanoid = 3;
        facts.cpuClockErrno = facts.cyclesErrno = EACCES;
        const auto judged = judgeHost(facts);
        QCOMPARE(judged.find("cpu_sampling")->level, CapabilityLevel::Denied);
        QVERIFY(judged.find("cpu_sampling")->sentence.find('3') != std::string::npos);
        QCOMPARE(judged.find("cpu_sampling")->remedy, std::string("sudo sysctl kernel.perf_event_paranoid=2"));
        QCOMPARE(judged.find("cpu_hardware")->level, CapabilityLevel::Denied);
    }

    void containerWithSeccompIsNamed()
    {
        HostFacts facts = desktop();
        facts.hasSeccompFilter = true;
        facts.cpuClockErrno = EPERM;
        QVERIFY(judgeHost(facts).find("cpu_sampling")->sentence.find("seccomp") != std::string::npos);
    }

    void virtualMachineFallsBackToTheCpuClock()
    {
        HostFacts facts = desktop();
        facts.cyclesErrno = ENOENT;
        QCOMPARE(levelOf(facts, "cpu_hardware"), CapabilityLevel::Limited);
        QCOMPARE(levelOf(facts, "cpu_sampling"), CapabilityLevel::Ok);
    }

    void hiddenKernelAddressesLimitKernelFrames()
    {
        HostFacts facts = desktop();
        facts.kernelSamplesErrno = 0;
        facts.kptrRestrict = 1;
        QCOMPARE(levelOf(facts, "kernel_frames"), CapabilityLevel::Limited);
        facts.kernelSymbolsReadable = true;
        QCOMPARE(levelOf(facts, "kernel_frames"), CapabilityLevel::Ok);
    }

    void yamaLimitsAttachUnlessCapable()
    {
        HostFacts facts = desktop();
        facts.ptraceScope = 1;
        QCOMPARE(levelOf(facts, "attach"), CapabilityLevel::Limited);
        facts.ptraceScope = 3;
        QVERIFY(judgeHost(facts).find("attach")->remedy.find("restart") != std::string::npos);
        facts.effectiveCapabilities = std::uint64_t{1} << CAP_SYS_PTRACE;
        QCOMPARE(levelOf(facts, "attach"), CapabilityLevel::Ok);
    }

    void smallLockedMemoryLimitsBuffers()
    {
        HostFacts facts = desktop();
        facts.perfMlockKb = 64;
        facts.lockedMemoryBytes = 64 << 10;
        QCOMPARE(levelOf(facts, "sample_buffer"), CapabilityLevel::Limited);
        facts.sampleRingBytes = 0; // another recorder of this user has it all
        QCOMPARE(levelOf(facts, "sample_buffer"), CapabilityLevel::Denied);
        facts.lockedMemoryBytes = -1;
        QCOMPARE(levelOf(facts, "sample_buffer"), CapabilityLevel::Ok);
    }

    void withoutControlGroupsLimitsComeFromElsewhere()
    {
        HostFacts facts = desktop();
        facts.cgroupDirectory.reset();
        QCOMPARE(levelOf(facts, "cgroup_metrics"), CapabilityLevel::Limited);
        QVERIFY(!judgeHost(facts).find("cgroup_metrics")->remedy.empty());
        facts.cgroupHasMemory = false;
        QVERIFY(judgeHost(facts).find("cgroup_metrics")->sentence.find("version 1") == std::string::npos);
        facts.oldCgroupHasMemory = true;
        QVERIFY(judgeHost(facts).find("cgroup_metrics")->sentence.find("version 1") != std::string::npos);
    }

    void thisMachineIsDescribed()
    {
        const auto here = capture::probeHost();
        std::set<std::string> ids;
        for (const model::Capability &item : here.items) {
            QVERIFY(ids.insert(item.id).second);
            QVERIFY2(!item.sentence.empty() && item.sentence.back() == '.', item.id.c_str());
            QVERIFY(!item.label.empty());
        }
        QCOMPARE(here.find("process_watch")->level, CapabilityLevel::Ok);
        QVERIFY(!here.find("no_such"));
    }
};

QTEST_GUILESS_MAIN(HostProbeTest)
#include "host_probe_test.moc"

// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/target/attach_preflight.h"

#include "capture/proc/process_tree.h"
#include "model/base/result.h"

#include <elf.h>
#include <errno.h>
#include <fmt/format.h>
#include <linux/capability.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace capture {

namespace {

using model::Capability;
using model::CapabilityLevel;

bool mayTraceAll(const HostFacts &host) { return (host.effectiveCapabilities >> CAP_SYS_PTRACE & 1u) != 0; }

Capability deny(Capability item, std::string sentence, std::string remedy = {})
{
    item.level = CapabilityLevel::Denied;
    item.sentence = std::move(sentence);
    item.remedy = std::move(remedy);
    return item;
}

/// What only a process that may be traced tells.
Capability notKnown(Capability item, std::string_view what)
{
    item.level = CapabilityLevel::Unknown;
    item.sentence = fmt::format("{} is not known: its memory and files may not be looked at.", what);
    return item;
}

/// How the right to trace it is had.
std::string rightsFor(const ProcessFacts &process)
{
    if (process.ownUser != 0)
        return fmt::format("sudo genprof attach --heap full {}", process.pid);
    return "give genprof the capability CAP_SYS_PTRACE (docker run --cap-add SYS_PTRACE), or run it outside the "
           "container";
}

Capability existence(const ProcessFacts &process)
{
    Capability item{"attach_process", "Process", CapabilityLevel::Ok, "The process runs.", ""};
    if (!process.exists)
        return deny(item, fmt::format("There is no process {}.", process.pid));
    if (process.isOurselves)
        return deny(item, "A recorder cannot attach to itself.");
    if (process.isKernelThread)
        return deny(item, "It is a thread of the kernel, which has no heap of this kind.");
    if (process.state == 'Z' || process.state == 'X')
        return deny(item, "It has ended; its parent has not taken notice yet.");
    if (process.state == 'T')
        return deny(item, "It is stopped by a signal, so no thread of it can load the tracer.",
            fmt::format("kill -CONT {}", process.pid));
    return item;
}

Capability permission(const ProcessFacts &process, const HostFacts &host)
{
    Capability item{"attach_permission", "Permission", CapabilityLevel::Ok, "You may trace it.", ""};
    if (process.memoryErrno == 0)
        return item;
    const bool isOthers = process.user != process.ownUser;
    const std::int64_t scope = host.ptraceScope.value_or(0);
    if (isOthers && !mayTraceAll(host))
        return deny(item, fmt::format("It belongs to another user (id {}).", process.user), rightsFor(process));
    if (scope == 3)
        return deny(item, "kernel.yama.ptrace_scope is 3: nobody may trace a process until the machine restarts.",
            "set another kernel.yama.ptrace_scope at boot, or start the program with genprof record");
    if (scope > 0 && !mayTraceAll(host))
        return deny(item,
            fmt::format("kernel.yama.ptrace_scope is {}: only {} may trace a process that is not their child.", scope,
                scope == 1 ? "programs with CAP_SYS_PTRACE" : "administrators"),
            scope == 1 && process.ownUser != 0 ? "sudo sysctl kernel.yama.ptrace_scope=0" : rightsFor(process));
    return deny(item,
        fmt::format("Its memory may not be accessed ({}): it has rights that you do not have, or has forbidden it "
                    "(prctl PR_SET_DUMPABLE).",
            model::errnoText(process.memoryErrno)),
        mayTraceAll(host) ? std::string() : rightsFor(process));
}

Capability debugger(const ProcessFacts &process)
{
    Capability item{"attach_debugger", "Other tracers", CapabilityLevel::Ok, "Nobody else traces it.", ""};
    if (process.tracerPid != 0)
        return deny(item,
            fmt::format("It is traced by {} (process {}) already.", process.tracerName, process.tracerPid),
            "end that program, or detach in it");
    if (process.memoryErrno != 0)
        return notKnown(item, "No debugger traces it; whether another recording does");
    if (process.isBeingTraced) {
        item.level = CapabilityLevel::Limited;
        item.sentence = "Another recording traces its heap, or its recorder ended without saying so.";
        item.remedy = "end that recording first: genprof ctl FILE stop";
    }
    return item;
}

Capability program(const ProcessFacts &process)
{
    Capability item{"attach_program", "Program", CapabilityLevel::Ok,
        "It is dynamically linked with glibc, so the tracer can be loaded.", ""};
    if (!process.exists)
        return item;
    if (process.memoryErrno != 0)
        return notKnown(item, "Whether it uses glibc");
    const ProgramKind &kind = process.program;
    const std::string relaunch = "CPU and metrics can be recorded: --heap off";
    if (kind.format == ProgramFormat::Elf && (kind.machine != EM_X86_64 || !kind.is64Bit))
        return deny(item, "It is not a 64-bit x86 program.", relaunch);
    if (kind.interpreter.find("ld-musl") != std::string::npos)
        return deny(item, "It uses musl, for which there is no tracer.", relaunch);
    if (kind.format == ProgramFormat::Elf && kind.interpreter.empty() && !process.usesGlibc)
        return deny(
            item, "It is statically linked, so no tracer can be loaded into it.", "link it dynamically; " + relaunch);
    if (!process.usesGlibc)
        return deny(item, "It does not use glibc, for which alone there is a tracer.", relaunch);
    if (process.hasSanitizer)
        return deny(item, "A sanitizer is part of it, which replaces the heap itself.", "use a build without it");
    if (process.hasShadowStack)
        return deny(item,
            "The processor guards its return addresses (user shadow stack), so no call can be made from outside.",
            "start it with GLIBC_TUNABLES=glibc.cpu.x86_shstk=off");
    return item;
}

Capability container(const ProcessFacts &process)
{
    Capability item{
        "attach_container", "Container", CapabilityLevel::Ok, "It sees the same system as the recorder.", ""};
    if (process.hasOtherNetwork)
        return deny(item,
            "It runs in a container with a network of its own, from where it does not reach the recorder.",
            "run genprof inside the container (docker exec, or nsenter with all namespaces of the process)");
    if (process.memoryErrno == 0 && !process.seesTracer && process.usesGlibc)
        return deny(item, "It has a file system of its own, and the tracer is not in it.",
            "put the tracer at the same path inside, or run genprof there");
    if (process.hasOtherMounts || process.hasOtherPids || process.hasOtherUsers) {
        item.level = CapabilityLevel::Limited;
        item.sentence = "It runs in namespaces of its own; functions are named from its own files while it runs.";
    } else if (process.memoryErrno != 0) {
        return notKnown(item, "Whether it runs in a container");
    }
    return item;
}

Capability allocator(const ProcessFacts &process)
{
    Capability item{"attach_allocator", "Allocator", CapabilityLevel::Ok, "It uses the C library's allocator.", ""};
    if (process.memoryErrno != 0)
        return notKnown(item, "Which allocator it uses");
    if (!process.allocators.empty()) {
        item.sentence = fmt::format("It uses {}, which is traced as the C library's is.", process.allocators.front());
        return item;
    }
    if (process.definesMalloc)
        return deny(item,
            fmt::format("Its own file contains {}: calls of malloc inside it pass nobody.",
                process.insideAllocator.empty() ? "an allocator" : process.insideAllocator),
            "its CPU time and mappings are recorded without that; for its heap, build it without its allocator, or "
            "with that as a shared library");
    if (!process.insideAllocator.empty()) {
        item.level = CapabilityLevel::Limited;
        item.sentence = fmt::format(
            "Its own file contains {}; only what goes to the C library's allocator is seen.", process.insideAllocator);
        item.remedy = "its CPU time and mappings are recorded without that; for its heap, build it without its "
                      "allocator, or with that as a shared library";
    }
    return item;
}

Capability seccomp(const ProcessFacts &process)
{
    Capability item{
        "attach_seccomp", "System call filter", CapabilityLevel::Ok, "It has no filter of system calls.", ""};
    if (process.seccompMode == 1)
        return deny(item, "It has given up all system calls but four (seccomp strict), so it can load nothing.");
    if (process.hasOwnFilter)
        return deny(item, "A seccomp filter may end it at a system call that the tracer makes.",
            "start it without the filter, or with genprof record");
    return item;
}

} // namespace

model::Capabilities judgeAttach(const ProcessFacts &process, const HostFacts &host)
{
    model::Capabilities all{{existence(process)}};
    if (all.items.front().level == CapabilityLevel::Denied && process.state != 'T')
        return all; // nothing else can be said
    for (const Capability &item : {permission(process, host), debugger(process), program(process), container(process),
             allocator(process), seccomp(process)})
        all.items.push_back(item);
    return all;
}

model::Capabilities probeAttach(std::int32_t pid, const std::string &tracerPath)
{
    return judgeAttach(readProcessFacts(pid, tracerPath), readHostFacts());
}

model::Capability probeDescendants(std::int32_t pid, const std::string &tracerPath)
{
    Capability item{"attach_children", "Children", CapabilityLevel::Ok, "It has no children now.", ""};
    const std::vector<TreeProcess> tree = processTree(pid);
    if (tree.size() < 2)
        return item;
    std::vector<LeftOutProcess> leftOut;
    for (std::size_t i = 1; i < tree.size(); ++i)
        if (std::string obstacle = attachObstacle(probeAttach(tree[i].pid, tracerPath)); !obstacle.empty())
            leftOut.push_back(leftOutProcess(tree[i].pid, std::move(obstacle)));
    item.sentence
        = fmt::format("{} descend from it and are recorded with it, unless --children ignore leaves them out.",
            tree.size() == 2 ? "One process" : fmt::format("{} processes", tree.size() - 1));
    if (leftOut.empty())
        return item;
    item.level = CapabilityLevel::Limited;
    item.sentence += ' ' + sentenceOf(leftOut, "No heap can be traced of");
    return item;
}

namespace {

const Capability *firstDenied(const model::Capabilities &capabilities)
{
    const auto at = std::find_if(capabilities.items.begin(), capabilities.items.end(),
        [](const Capability &item) { return item.level == CapabilityLevel::Denied; });
    return at == capabilities.items.end() ? nullptr : &*at;
}

} // namespace

std::string attachObstacle(const model::Capabilities &capabilities)
{
    const Capability *item = firstDenied(capabilities);
    if (!item)
        return {};
    return item->remedy.empty() ? item->sentence : fmt::format("{} To allow it: {}", item->sentence, item->remedy);
}

std::string attachObstacleByNature(const model::Capabilities &capabilities)
{
    const Capability *item = firstDenied(capabilities);
    const bool isByNature
        = item && (item->id == "attach_program" || item->id == "attach_allocator" || item->id == "attach_container");
    return isByNature ? attachObstacle(capabilities) : std::string();
}

} // namespace capture

// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QTemporaryDir>

#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace tests {

/// A process as FakeProc shows it. Numbers are as the kernel prints them.
struct FakeProcess
{
    int pid = 0;
    int parentPid = 0;
    std::string name = "worker";
    char state = 'S';
    long userTicks = 0;
    long systemTicks = 0;
    long minorFaults = 0;
    long majorFaults = 0;
    long startTicks = 0;
    long startCode = 0x1000;
    long startStack = 0x7000;
    long rssKb = 1000;
    long mostRssKb = 0; ///< ever; 0: the kernel does not say
    long readBytes = 0;
    long writtenBytes = 0;
    long pssKb = 500;
    std::string executable = "/usr/bin/worker"; ///< empty: may not be read
    std::string commandLine = std::string("worker\0--fast\0", 14);
    std::string cgroup = "0::/app/one\n";
    std::string addressSpace = "unlimited";
    std::vector<int> threads; ///< further ones
    bool hidesMemory = false; ///< nor do those tell of the memory
    long switchesPerThread = 0;
    std::string children;
    bool isIoReadable = true;
    bool isFork = false; ///< has not called exec
};

/// A folder that looks like /proc, with a cgroup tree beside it.
class FakeProc
{
public:
    FakeProc()
    {
        write("self/mountinfo", "30 20 0:26 / " + cgroupRoot() + " rw,nosuid - cgroup2 cgroup2 rw\n");
        write("meminfo", "MemTotal:  8000 kB\nMemFree:  100 kB\nMemAvailable:   4000 kB\n");
        setGroup("app/one", "2000000", "max", "some avg10=1.25 avg60=0.00 avg300=0.00 total=5\nfull avg10=0.00\n");
        writeGroup("app/memory.max", "9000000\n");
    }

    std::string root() const { return m_directory.filePath(QStringLiteral("proc")).toStdString(); }
    std::string cgroupRoot() const { return m_directory.filePath(QStringLiteral("cgroup")).toStdString(); }

    void write(const std::string &path, const std::string &text) const { writeTo(root() + '/' + path, text); }
    void writeGroup(const std::string &path, const std::string &text) const
    {
        writeTo(cgroupRoot() + '/' + path, text);
    }
    void setGroup(
        const std::string &group, const std::string &current, const std::string &max, const std::string &pressure)
    {
        writeGroup(group + "/memory.current", current + "\n");
        writeGroup(group + "/memory.max", max + "\n");
        writeGroup(group + "/memory.pressure", pressure);
    }

    /// Writes all files of a process anew.
    void set(const FakeProcess &p) const
    {
        const std::string dir = std::to_string(p.pid);
        const auto n = [](long value) { return std::to_string(value); };
        const auto stat = [&](int tid, char state) {
            const bool hasMemory = state != 'Z';
            return n(tid) + " (" + p.name + ") " + state + ' ' + n(p.parentPid) + " 1 1 0 -1 "
                + (p.isFork ? "4194368 " : "4194304 ") + n(p.minorFaults) + " 0 " + n(p.majorFaults) + " 0 "
                + n(p.userTicks) + ' ' + n(p.systemTicks) + " 0 0 20 0 " + n(static_cast<long>(p.threads.size()) + 1)
                + " 0 " + n(p.startTicks) + " 123456 " + n(hasMemory ? p.rssKb / 4 : 0) + " 18446744073709551615 "
                + n(hasMemory ? p.startCode : 0) + " 2 " + n(hasMemory ? p.startStack : 0) + " 0 0 0\n";
        };
        write(dir + "/stat", stat(p.pid, p.state));
        const std::string switches = "voluntary_ctxt_switches:\t" + n(p.switchesPerThread)
            + "\nnonvoluntary_ctxt_switches:\t" + n(2 * p.switchesPerThread) + "\n";
        const std::string memory = "VmSize:\t 5000 kB\n"
            + (p.mostRssKb > 0 ? "VmHWM:\t " + n(p.mostRssKb) + " kB\n" : std::string()) + "VmRSS:\t " + n(p.rssKb)
            + " kB\nRssAnon:\t 600 kB\nRssFile:\t 300 kB\nRssShmem:\t 100 kB\nVmSwap:\t 7 kB\nHugetlbPages:\t 2048 "
              "kB\n";
        const std::string ownMemory = p.state == 'Z' ? std::string() : memory;
        write(dir + "/status", "Name:\t" + p.name + "\n" + ownMemory + switches);
        if (p.isIoReadable)
            write(
                dir + "/io", "rchar: 1\nread_bytes: " + n(p.readBytes) + "\nwrite_bytes: " + n(p.writtenBytes) + "\n");
        write(dir + "/smaps_rollup",
            "1000-2000 ---p 00000000 00:00 0  [rollup]\nRss: 1 kB\nPss:   " + n(p.pssKb) + " kB\n");
        write(dir + "/limits",
            "Limit   Soft Limit  Hard Limit  Units\nMax address space         " + p.addressSpace
                + "            unlimited            bytes     \n");
        write(dir + "/cmdline", p.commandLine);
        write(dir + "/cgroup", p.cgroup);
        write(dir + "/fd/0", "");
        std::filesystem::remove_all(root() + '/' + dir + "/task");
        write(dir + "/task/" + dir + "/children", p.children);
        write(dir + "/task/" + dir + "/status", "Name:\t" + p.name + "\n" + switches);
        for (const int tid : p.threads) {
            const std::string task = dir + "/task/" + n(tid);
            write(task + "/status", "Name:\tthread-" + n(tid) + "\n" + (p.hidesMemory ? "" : memory) + switches);
            write(task + "/stat", stat(tid, 'S'));
        }
        std::filesystem::remove(root() + '/' + dir + "/exe");
        if (!p.executable.empty())
            std::filesystem::create_symlink(p.executable, root() + '/' + dir + "/exe");
    }

    /// Ends a process for good: descriptors that are still open on its files read nothing any more.
    void remove(int pid) const
    {
        const std::string dir = std::to_string(pid);
        for (const char *file : {"/stat", "/status", "/io"})
            write(dir + file, "");
        std::filesystem::remove_all(root() + '/' + dir);
    }

private:
    static void writeTo(const std::string &path, const std::string &text)
    {
        std::filesystem::create_directories(std::filesystem::path(path).parent_path());
        std::ofstream(path, std::ios::binary) << text;
    }

    QTemporaryDir m_directory;
};

} // namespace tests

// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/targets/advice/seeded.h"

#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace seeded {

namespace {

/// A file without a name, in this folder.
int newFile(const std::string &folder)
{
    std::string path = folder + "/advice-XXXXXX";
    const int file = mkstemp(path.data());
    if (file < 0)
        std::exit(4);
    unlink(path.c_str());
    return file;
}

SEEDED_PLACE std::uint64_t writeRecords(int file, int records, Twin twin)
{
    std::string buffer;
    std::uint64_t written = 0;
    const auto flush = [&] {
        written += static_cast<std::uint64_t>(write(file, buffer.data(), buffer.size()));
        buffer.clear();
    };
    for (int i = 0; i < records; ++i) {
        std::array<char, 32> text{};
        const auto value = static_cast<unsigned long long>(mixed(static_cast<std::uint64_t>(i)));
        buffer.append(
            text.data(), static_cast<std::size_t>(std::snprintf(text.data(), text.size(), "%016llx\n", value)));
        if (twin == Twin::Defect || buffer.size() > 60'000)
            flush();
    }
    flush();
    return written;
}

std::uint64_t smallWrites(Twin twin)
{
    const char *folder = std::getenv("TMPDIR");
    const int file = newFile(folder != nullptr ? folder : "/tmp");
    const std::uint64_t written = writeRecords(file, 150'000, twin);
    close(file);
    return written + ordinaryWork(20);
}

/// A journal on a disk: each record flushed by itself, or all at once.
SEEDED_PLACE std::uint64_t appendRecords(int file, int records, Twin twin)
{
    std::uint64_t written = 0;
    for (int i = 1; i <= records; ++i) {
        std::array<char, 128> record{};
        record.fill(static_cast<char>('a' + mixed(static_cast<std::uint64_t>(i)) % 26));
        written += static_cast<std::uint64_t>(write(file, record.data(), record.size()));
        if (twin == Twin::Defect || i == records)
            fdatasync(file);
    }
    return written;
}

std::uint64_t syncedWrites(Twin twin)
{
    const int file = newFile("/var/tmp"); // in /tmp it may be memory, which needs no flushing
    const std::uint64_t written = appendRecords(file, 400, twin);
    close(file);
    return written + ordinaryWork(140);
}

SEEDED_PLACE bool isDebugging()
{
    struct stat status = {};
    return access("/etc/advice-debug", F_OK) == 0 && stat("/etc/advice-debug", &status) == 0;
}

std::uint64_t repeatedLookups(Twin twin)
{
    std::uint64_t sum = 0;
    bool isOn = isDebugging();
    for (int i = 0; i < 120'000; ++i) {
        if (twin == Twin::Defect)
            isOn = isDebugging();
        sum += isOn ? 1 : mixed(static_cast<std::uint64_t>(i)) % 7;
    }
    return sum + ordinaryWork(20);
}

std::uint64_t makeResult(int units) { return ordinaryWork(units); }

SEEDED_PLACE void addResult(std::mutex &mutex, std::uint64_t &sum, Twin twin)
{
    if (twin == Twin::Defect) {
        const std::scoped_lock lock(mutex);
        sum += makeResult(4);
        return;
    }
    const std::uint64_t result = makeResult(4);
    const std::scoped_lock lock(mutex);
    sum += result;
}

std::uint64_t heldLock(Twin twin)
{
    std::mutex mutex;
    std::uint64_t sum = 0;
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i)
        threads.emplace_back([&] {
            for (int round = 0; round < 25; ++round)
                addResult(mutex, sum, twin);
        });
    threads.clear();
    return sum;
}

struct Mailbox
{
    std::mutex mutex;
    std::condition_variable changed;
    int asked = 0, answered = 0;
};

SEEDED_PLACE void awaitAnswer(Mailbox &box, int number, Twin twin)
{
    std::unique_lock lock(box.mutex);
    if (twin == Twin::Fixed)
        return box.changed.wait(lock, [&] { return box.answered >= number; });
    while (box.answered < number) {
        lock.unlock();
        usleep(5'000);
        lock.lock();
    }
}

std::uint64_t sleepingWait(Twin twin)
{
    Mailbox box;
    constexpr int kQuestions = 150;
    std::jthread worker([&box] {
        for (int i = 1; i <= kQuestions; ++i) {
            std::unique_lock lock(box.mutex);
            box.changed.wait(lock, [&] { return box.asked >= i; });
            lock.unlock();
            keep(ordinaryWork(1));
            lock.lock();
            box.answered = i;
            box.changed.notify_all();
        }
    });
    std::uint64_t sum = 0;
    for (int i = 1; i <= kQuestions; ++i) {
        {
            const std::scoped_lock lock(box.mutex);
            box.asked = i;
            box.changed.notify_all();
        }
        awaitAnswer(box, i, twin);
        sum += ordinaryWork(1);
    }
    return sum;
}

constexpr std::array kCases{
    Case{"small_writes", "small_transfers", "writeRecords", smallWrites, 6},
    Case{"synced_writes", "synced_writes", "appendRecords", syncedWrites, 3},
    Case{"repeated_lookups", "repeated_lookups", "isDebugging", repeatedLookups, 6},
    Case{"held_lock", "lock_waits", "addResult", heldLock, 3},
    Case{"sleeping_wait", "sleeping_work", "awaitAnswer", sleepingWait, 1},
};

} // namespace

std::span<const Case> systemCases() { return kCases; }

} // namespace seeded

// SPDX-License-Identifier: GPL-3.0-or-later
// Threads by the hundred, short-lived, cancelled, dying, and outliving main.
#include "tests/targets/hostile/cases.h"

#include <dirent.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <unistd.h>

#include <atomic>
#include <barrier>
#include <string>
#include <thread>
#include <vector>

using namespace hostile;

namespace {

std::atomic<int> g_bad = 0;

int fiveHundredAtOnce()
{
    constexpr int kCount = 500;
    std::barrier together(kCount);
    std::vector<std::thread> threads;
    for (int i = 0; i < kCount; ++i)
        threads.emplace_back([&] {
            g_bad += churn(50);
            together.arrive_and_wait();
            g_bad += churn(50);
        });
    for (std::thread &thread : threads)
        thread.join();
    std::printf("bad %d\n", g_bad.load());
    return 0;
}

/// More than can have a ring: the others run on as fast, and what they do is counted as not seen.
int thousandsAtOnce()
{
    static std::atomic<bool> isOver = false;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 64 * 1024);
    std::vector<pthread_t> threads(2500);
    for (pthread_t &thread : threads)
        if (pthread_create(
                &thread, &attributes,
                [](void *) -> void * {
                    g_bad += churn(50);
                    isOver.wait(false);
                    g_bad += churn(50);
                    return nullptr;
                },
                nullptr)
            != 0)
            return 1;
    isOver = true;
    isOver.notify_all();
    for (const pthread_t thread : threads)
        pthread_join(thread, nullptr);
    std::printf("bad %d\n", g_bad.load());
    return 0;
}

/// Each does next to nothing before it goes: their slots are wanted again at once.
int exitStorm()
{
    std::atomic<int> done = 0;
    constexpr int kMakers = 8, kEach = 400;
    std::vector<std::thread> makers;
    for (int i = 0; i < kMakers; ++i)
        makers.emplace_back([&] {
            for (int j = 0; j < kEach; ++j)
                std::thread([&] {
                    g_bad += churn(3);
                    ++done;
                }).join();
        });
    for (std::thread &maker : makers)
        maker.join();
    std::printf("done %d bad %d\n", done.load(), g_bad.load());
    return 0;
}

int detached()
{
    sem_t ended;
    sem_init(&ended, 0, 0);
    for (int i = 0; i < 300; ++i)
        std::thread([&] {
            g_bad += churn(20);
            sem_post(&ended);
        }).detach();
    for (int i = 0; i < 300; ++i)
        sem_wait(&ended);
    std::printf("bad %d\n", g_bad.load());
    return 0;
}

void freeLater(void *block) { std::free(block); }

void *untilCancelled(void *)
{
    void *block = std::malloc(1000);
    pthread_cleanup_push(freeLater, block);
    for (;;) {
        g_bad += churn(20);
        usleep(100);
    }
    pthread_cleanup_pop(1);
    return nullptr;
}

int cancelled()
{
    int count = 0;
    for (int round = 0; round < 10; ++round) {
        pthread_t threads[20];
        for (pthread_t &thread : threads)
            pthread_create(&thread, nullptr, untilCancelled, nullptr);
        for (pthread_t &thread : threads)
            pthread_cancel(thread);
        for (pthread_t &thread : threads) {
            void *result = nullptr;
            pthread_join(thread, &result);
            count += result == PTHREAD_CANCELED ? 1 : 0;
        }
    }
    std::printf("cancelled %d bad %d\n", count, g_bad.load());
    return 0;
}

pthread_key_t g_key;
std::atomic<int> g_rounds = 0;

/// Runs again for each block that it leaves behind: after every other destructor of the thread.
void leaveAnother(void *block)
{
    const int left = *static_cast<int *>(block);
    std::free(block);
    ++g_rounds;
    g_bad += churn(10);
    if (left > 0) {
        auto *next = static_cast<int *>(std::malloc(sizeof(int)));
        *next = left - 1;
        pthread_setspecific(g_key, next);
    }
}

struct Allocates
{
    std::string text = std::string(200, 'a');
    ~Allocates() { g_bad += churn(10) + (text[100] == 'a' ? 0 : 1); }
};
thread_local Allocates t_allocates;

int destructors()
{
    pthread_key_create(&g_key, leaveAnother);
    for (int i = 0; i < 100; ++i)
        std::thread([] {
            t_allocates.text += "b";
            auto *first = static_cast<int *>(std::malloc(sizeof(int)));
            *first = 2;
            pthread_setspecific(g_key, first);
        }).join();
    t_allocates.text += "c"; // main's own, which runs within exit()
    std::printf("rounds %d bad %d\n", g_rounds.load(), g_bad.load());
    return 0;
}

int freedElsewhere()
{
    constexpr int kCount = 200'000;
    static std::atomic<char *> ring[64];
    std::thread consumer([] {
        for (int i = 0; i < kCount; ++i) {
            char *block = nullptr;
            while ((block = ring[i % 64].exchange(nullptr)) == nullptr)
                sched_yield();
            g_bad += *block != static_cast<char>(i);
            std::free(block);
        }
    });
    for (int i = 0; i < kCount; ++i) {
        char *block = static_cast<char *>(std::malloc(static_cast<std::size_t>(i % 500 + 1)));
        *block = static_cast<char>(i);
        char *none = nullptr;
        while (!ring[i % 64].compare_exchange_weak(none, block)) {
            none = nullptr;
            sched_yield();
        }
    }
    consumer.join();
    std::printf("bad %d\n", g_bad.load());
    return 0;
}

int mainLeavesFirst()
{
    std::thread([main = pthread_self()] {
        pthread_join(main, nullptr);
        const int bad = churn(5000);
        std::printf("bad %d\n", bad);
        std::fflush(stdout);
        std::exit(4);
    }).detach();
    churn(100);
    pthread_exit(nullptr);
}

int execFromThread()
{
    std::vector<std::thread> busy;
    for (int i = 0; i < 3; ++i)
        busy.emplace_back([] {
            for (;;)
                churn(100);
        });
    std::thread([] {
        churn(1000);
        execl(g_self, "threads", "-executed", nullptr);
        std::_Exit(98);
    }).join();
    return 97;
}

int executed()
{
    std::printf("executed, bad %d\n", churn(1000));
    return 5;
}

/// More events than any ring holds.
int churnsAlone()
{
    std::printf("bad %d\n", churn(200'000));
    std::fflush(stdout);
    return 0;
}

int exitWhileOthersRun()
{
    for (int i = 0; i < 8; ++i)
        std::thread([] {
            for (;;)
                churn(50);
        }).detach();
    churn(20'000);
    std::puts("leaving");
    return 6;
}

/// Threads that each allocate, long since more than have a ring ready.
int oneAfterAnother()
{
    std::atomic<int> bad = 0;
    for (int i = 0; i < 300; ++i)
        std::thread([&bad] { bad += churn(3); }).join();
    std::printf("bad %d\n", bad.load());
    std::fflush(stdout);
    return 0;
}

constexpr Case kCases[] = {
    {"one-after-another", oneAfterAnother},
    {"five-hundred-at-once", fiveHundredAtOnce},
    {"thousands-at-once", thousandsAtOnce, Traced::Partly},
    {"exit-storm", exitStorm},
    {"detached", detached},
    {"cancelled", cancelled},
    {"destructors", destructors},
    {"freed-elsewhere", freedElsewhere},
    {"main-leaves-first", mainLeavesFirst},
    {"exec-from-thread", execFromThread},
    {"-executed", executed},
    {"churns-alone", churnsAlone},
    {"exit-while-others-run", exitWhileOthersRun},
};

} // namespace

int main(int argc, char **argv) { return runCase(argc, argv, kCases); }

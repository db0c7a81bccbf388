// SPDX-License-Identifier: GPL-3.0-or-later
// Libraries that come and go, in odd ways, while other threads allocate, throw and walk the list of modules.
#include "tests/targets/hostile/cases.h"

#include <dlfcn.h>
#include <iconv.h>
#include <link.h>
#include <netdb.h>
#include <pwd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace hostile;

namespace {

/// Beside this program.
std::string modulePath()
{
    char path[4096] = {};
    const ssize_t bytes = readlink("/proc/self/exe", path, sizeof path - 1);
    std::string text(path, bytes > 0 ? static_cast<std::size_t>(bytes) : 0);
    return text.substr(0, text.rfind('/') + 1) + "libhostile_module.so";
}

struct Module
{
    void *handle = nullptr;
    void *(*allocate)(std::size_t) = nullptr;
    void (*release)(void *) = nullptr;
    int (*catches)(int) = nullptr;

    explicit Module(void *from)
        : handle(from)
    {
        if (handle == nullptr) {
            std::printf("%s\n", dlerror());
            std::exit(97);
        }
        allocate = reinterpret_cast<decltype(allocate)>(dlsym(handle, "moduleAllocate"));
        release = reinterpret_cast<decltype(release)>(dlsym(handle, "moduleFree"));
        catches = reinterpret_cast<decltype(catches)>(dlsym(handle, "moduleCatches"));
    }

    /// Blocks that cross the border both ways.
    int use() const
    {
        void *theirs = allocate(100), *ours = std::malloc(100);
        std::free(theirs);
        release(ours);
        return catches(5) == 5 ? 0 : 1;
    }
};

int loops()
{
    const std::string path = modulePath();
    int bad = 0;
    for (int i = 0; i < 200; ++i) {
        const Module module(dlopen(path.c_str(), i % 2 == 0 ? RTLD_NOW : RTLD_LAZY));
        bad += module.use() + churn(5);
        dlclose(module.handle);
    }
    std::printf("bad %d\n", bad);
    return 0;
}

int amongThreads()
{
    const std::string path = modulePath();
    std::atomic<bool> isOver = false;
    std::atomic<int> bad = 0;
    std::vector<std::thread> threads;
    threads.emplace_back([&] {
        while (!isOver)
            bad += churn(100);
    });
    threads.emplace_back([&] {
        while (!isOver) {
            try {
                throw std::runtime_error("often");
            } catch (const std::exception &) {
                bad += churn(1);
            }
        }
    });
    threads.emplace_back([&] { // with the loader's lock held
        while (!isOver)
            dl_iterate_phdr(
                [](dl_phdr_info *, std::size_t, void *count) {
                    *static_cast<std::atomic<int> *>(count) += churn(5);
                    return 0;
                },
                &bad);
    });
    for (int i = 0; i < 200; ++i) {
        const Module module(dlopen(path.c_str(), RTLD_NOW));
        bad += module.use();
        dlclose(module.handle);
    }
    isOver = true;
    for (std::thread &thread : threads)
        thread.join();
    std::printf("bad %d\n", bad.load());
    return 0;
}

/// Children that are forked while the loader is in the middle of something, which they then have for ever.
int forksAmongLoads()
{
    const std::string path = modulePath();
    std::atomic<bool> isOver = false;
    std::thread loads([&] {
        while (!isOver)
            dlclose(dlopen(path.c_str(), RTLD_NOW));
    });
    int bad = 0;
    for (int i = 0; i < 300; ++i) {
        const pid_t child = fork();
        if (child == 0)
            _exit(churn(20) == 0 ? 3 : 1);
        int status = 0;
        bad += waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 3 ? 0 : 1;
    }
    isOver = true;
    loads.join();
    std::printf("bad %d\n", bad);
    return 0;
}

/// How many writable mappings there are of the C library's file.
int writableParts()
{
    std::FILE *maps = std::fopen("/proc/self/maps", "r");
    int count = 0;
    for (char line[4096]; std::fgets(line, sizeof line, maps) != nullptr;)
        count += std::strstr(line, "/libc.so.6") != nullptr && std::strstr(line, " rw") != nullptr ? 1 : 0;
    std::fclose(maps);
    return count;
}

/// The library's functions are the program's, by address too, and its memory is protected as before. The library finds what is next to it.
int deepBinding()
{
    void *libc = dlopen("libc.so.6", RTLD_NOW | RTLD_NOLOAD);
    const int writable = writableParts();
    const Module module(dlopen(modulePath().c_str(), RTLD_NOW | RTLD_DEEPBIND));
    int bad = writableParts() - writable;
    for (const char *name : {"malloc", "calloc", "realloc", "free", "memalign", "posix_memalign"})
        bad += dlsym(libc, name) == dlsym(RTLD_DEFAULT, name) ? 0 : 1;
    const auto next = reinterpret_cast<void *(*)(std::size_t)>(dlsym(module.handle, "moduleNext"));
    std::free(next(50));
    for (int i = 0; i < 1000; ++i)
        bad += module.use() + churn(2);
    dlclose(module.handle);
    std::printf("bad %d\n", bad);
    return 0;
}

/// While other threads let go of libraries, 2,000 times each.
int deepBindingAmongCloses()
{
    const std::string path = modulePath(), folder = path.substr(0, path.rfind('/') + 1);
    std::atomic<int> running = 2;
    std::vector<std::thread> threads;
    for (const char *name : {"libheap_module_3.so", "libheap_module_5.so"})
        threads.emplace_back([&running, other = folder + name] {
            for (int i = 0; i < 2'000; ++i)
                dlclose(dlopen(other.c_str(), RTLD_NOW));
            --running;
        });
    int bad = 0;
    const Module module(dlopen(path.c_str(), RTLD_NOW | RTLD_DEEPBIND));
    while (running > 0)
        bad += dlclose(dlopen(path.c_str(), RTLD_NOW | RTLD_DEEPBIND));
    for (std::thread &thread : threads)
        thread.join();
    std::printf("bad %d\n", bad + module.use());
    return 0;
}

/// A second libc, with a heap of its own: no block may cross. What cannot be opened leaves nothing.
int otherNamespace()
{
    int bad = 0;
    for (const char *none : {"/there/is/libnone.so", "libthere_is_none.so.77", "/proc/self/status"})
        bad += dlmopen(LM_ID_NEWLM, none, RTLD_NOW) == nullptr && dlerror() != nullptr ? 0 : 1;
    for (int i = 0; i < 3; ++i) {
        const Module module(dlmopen(LM_ID_NEWLM, modulePath().c_str(), RTLD_NOW));
        for (int j = 0; j < 200; ++j) {
            module.release(module.allocate(200));
            bad += churn(3) + (module.catches(3) == 3 ? 0 : 1);
        }
        dlclose(module.handle);
    }
    std::printf("bad %d\n", bad);
    return 0;
}

/// What glibc loads by itself.
int ofTheLibrary()
{
    int bad = 0;
    for (int i = 0; i < 5; ++i) {
        iconv_t converter = iconv_open("UTF-16", "SHIFT_JIS");
        bad += converter == reinterpret_cast<iconv_t>(-1) ? 1 : 0;
        iconv_close(converter);
        bad += getpwnam("root") != nullptr ? 0 : 1;
        endpwent();
    }
    std::printf("bad %d\n", bad + churn(100));
    return 0;
}

int missing()
{
    for (int i = 0; i < 20; ++i) {
        const bool isThere = dlopen("libthere_is_none.so.77", RTLD_NOW) != nullptr;
        const std::string why = dlerror();
        churn(5);
        if (i == 19)
            std::printf("%d %s\n", isThere, why.c_str());
    }
    std::printf("%d\n", dlsym(RTLD_DEFAULT, "no_such_function") == nullptr);
    return 0;
}

/// Functions that are chosen while the program is being loaded (IFUNC), by code that already allocates: the loader has not come to anybody's thread
/// variables yet. Whatever the resolver finds it chooses the same.
int chosen() { return 42; }
void *volatile g_nothing;
extern "C" int (*chooseChosen())()
{
    free(g_nothing);
    return chosen;
}
extern "C" int ifuncChosen() __attribute__((ifunc("chooseChosen")));

int chosenEarly()
{
    std::printf("%d\n", ifuncChosen());
    return 0;
}

/// The allocator is found by name, as wrappers do.
int byName()
{
    const auto ours = reinterpret_cast<void *(*)(std::size_t)>(dlsym(RTLD_DEFAULT, "malloc"));
    const auto release = reinterpret_cast<void (*)(void *)>(dlsym(RTLD_DEFAULT, "free"));
    void *libc = dlopen("libc.so.6", RTLD_NOW | RTLD_NOLOAD);
    const auto theirs = reinterpret_cast<void *(*)(std::size_t)>(dlsym(libc, "malloc"));
    int bad = 0;
    for (int i = 0; i < 1000; ++i) {
        release(ours(50));
        release(theirs(60));
        std::free(ours(70));
        bad += churn(1);
    }
    std::printf("bad %d\n", bad);
    return 0;
}

constexpr Case kCases[] = {
    {"loops", loops},
    {"among-threads", amongThreads},
    {"forks-among-loads", forksAmongLoads},
    {"deep-binding", deepBinding},
    {"deep-binding-among-closes", deepBindingAmongCloses},
    {"other-namespace", otherNamespace},
    {"of-the-library", ofTheLibrary},
    {"missing", missing},
    {"by-name", byName},
    {"chosen-early", chosenEarly},
};

} // namespace

int main(int argc, char **argv) { return runCase(argc, argv, kCases); }

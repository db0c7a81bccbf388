// SPDX-License-Identifier: GPL-3.0-or-later
// leaky_services PER10000 SECONDS [SERVICE]: runs the services, or the one with this number, for so long, and prints what they leaked:
// "service NAME leaked COUNT requests COUNT in FUNCTION…", a line each.
#include "tests/targets/leaky_services.h"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <thread>
#include <utility>

namespace services {

namespace {

std::uint64_t mixed(std::uint64_t value)
{
    value += 0x9e3779b97f4a7c15ull;
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9ull;
    value = (value ^ (value >> 27)) * 0x94d049bb133111ebull;
    return value ^ (value >> 31);
}

} // namespace

bool Request::happens(std::uint64_t per10000, std::uint64_t salt) const
{
    return mixed(number * 64 + salt) % 10'000 < per10000;
}

std::vector<std::unique_ptr<Service>> makeServices(std::uint64_t per10000)
{
    std::vector<std::unique_ptr<Service>> all = makeCaches(per10000);
    for (auto make : {makeServers, makeTools}) {
        auto more = make(per10000);
        std::move(more.begin(), more.end(), std::back_inserter(all));
    }
    return all;
}

/// Serves requests evenly over `seconds`, 500 a second: their number is fixed, so that a run can be repeated.
std::uint64_t serve(std::vector<std::unique_ptr<Service>> &all, double seconds)
{
    constexpr std::uint64_t kRequestsARound = 5;
    const auto rounds = static_cast<std::uint64_t>(seconds * 100) + 1;
    const auto begin = std::chrono::steady_clock::now();
    std::uint64_t number = 0;
    for (std::uint64_t round = 0; round < rounds; ++round) {
        for (std::uint64_t i = 0; i < kRequestsARound; ++i, ++number)
            for (const auto &service : all)
                service->handle({number, mixed(number), rounds * kRequestsARound / 30});
        std::this_thread::sleep_until(begin
            + std::chrono::duration<double>(seconds * static_cast<double>(round + 1) / static_cast<double>(rounds)));
    }
    return number;
}

} // namespace services

int main(int argc, char **argv)
{
    if (argc < 3) {
        std::fputs("usage: leaky_services PER10000 SECONDS [SERVICE]\n", stderr);
        return 2;
    }
    auto all = services::makeServices(std::strtoull(argv[1], nullptr, 10));
    if (argc > 3) {
        const auto wanted = std::strtoull(argv[3], nullptr, 10);
        if (wanted >= all.size())
            return 3;
        auto one = std::move(all[wanted]);
        all.clear();
        all.push_back(std::move(one));
    }
    const std::uint64_t requests = services::serve(all, std::strtod(argv[2], nullptr));
    for (const auto &service : all) {
        std::printf("service \"%s\" leaked %llu requests %llu in", service->name(),
            static_cast<unsigned long long>(service->leaked), static_cast<unsigned long long>(requests));
        for (const char *function : service->leakingFunctions())
            std::printf(" %s", function);
        std::puts("");
    }
    std::fflush(stdout);
    std::_Exit(0); // what is held is not given back: a server does not either
}

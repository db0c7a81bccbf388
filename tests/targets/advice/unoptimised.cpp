// SPDX-License-Identifier: GPL-3.0-or-later
// The same program built without optimisation, the defect, and with it: its fixed twin.
#include <cstdint>
#include <cstdio>
#include <numeric>
#include <vector>

namespace {

std::uint64_t sumOfSquares(const std::vector<std::uint64_t> &values)
{
    std::uint64_t sum = 0;
    for (auto value = values.begin(); value != values.end(); ++value)
        sum += *value * values[static_cast<std::size_t>(value - values.begin())];
    return sum;
}

} // namespace

int main()
{
    std::vector<std::uint64_t> values(10'000);
    std::iota(values.begin(), values.end(), std::uint64_t{1});
    std::uint64_t sum = 0;
    for (std::uint64_t i = 0; i < 12'000; ++i) {
        values[i % values.size()] += i;
        sum += sumOfSquares(values);
    }
    std::printf("%llu\n", static_cast<unsigned long long>(sum));
    return 0;
}

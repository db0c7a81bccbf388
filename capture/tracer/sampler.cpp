// SPDX-License-Identifier: MIT
#include "capture/tracer/sampler.h"

namespace capture::tracer {

namespace {

constexpr std::uint64_t kZeroSeed = 0x9e3779b97f4a7c15;
constexpr double kLn2 = 0.693147180559945309417;

/// The natural logarithm of m in [1, 2): 2 artanh((m − 1) / (m + 1)), to 1e-9. libm is not ours to call.
double logOfMantissa(double m)
{
    const double z = (m - 1) / (m + 1), zz = z * z;
    double sum = 0;
    for (int k = 15; k >= 1; k -= 2)
        sum = sum * zz + 1.0 / k;
    return 2 * z * sum;
}

} // namespace

void Sampler::begin(std::uint64_t periodBytes, std::uint64_t seed)
{
    m_periodBytes = static_cast<double>(periodBytes);
    // Not 0, and another one for each seed.
    m_random = seed != kZeroSeed ? seed ^ kZeroSeed : 1;
    for (int i = 0; i < 8; ++i)
        draw(); // away from what seeds have in common
    m_left = draw();
}

std::uint64_t Sampler::draw()
{
    // xorshift64* (Vigna 2016); its upper 53 bits as a number u of (0, 1], then −ln(u) times the mean.
    m_random ^= m_random >> 12;
    m_random ^= m_random << 25;
    m_random ^= m_random >> 27;
    const std::uint64_t bits = ((m_random * 0x2545f4914f6cdd1d) >> 11) + 1;
    const int exponent = 63 - __builtin_clzll(bits);
    const double mantissa
        = static_cast<double>(bits) / static_cast<double>(std::uint64_t{1} << static_cast<unsigned>(exponent));
    const double logarithm = (exponent - 53) * kLn2 + logOfMantissa(mantissa);
    return static_cast<std::uint64_t>(-logarithm * m_periodBytes) + 1;
}

} // namespace capture::tracer

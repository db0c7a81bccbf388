// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/analysis/random.h"

#include <bit>
#include <cmath>

namespace model {

Random::Random(std::uint64_t seed)
{
    for (std::uint64_t &word : m_state) { // splitmix64
        seed += 0x9e3779b97f4a7c15ull;
        std::uint64_t z = seed;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
        word = z ^ (z >> 31);
    }
}

std::uint64_t Random::bits()
{
    const std::uint64_t result = std::rotl(m_state[0] + m_state[3], 23) + m_state[0];
    const std::uint64_t shifted = m_state[1] << 17;
    m_state[2] ^= m_state[0];
    m_state[3] ^= m_state[1];
    m_state[1] ^= m_state[2];
    m_state[0] ^= m_state[3];
    m_state[2] ^= shifted;
    m_state[3] = std::rotl(m_state[3], 45);
    return result;
}

double Random::uniform() { return static_cast<double>(bits() >> 11) * 0x1.0p-53; }

double Random::normal()
{
    if (m_hasSpare) {
        m_hasSpare = false;
        return m_spare;
    }
    for (;;) { // Marsaglia's polar method
        const double u = uniform(-1, 1);
        const double v = uniform(-1, 1);
        const double s = u * u + v * v;
        if (s >= 1 || s == 0)
            continue;
        const double factor = std::sqrt(-2 * std::log(s) / s);
        m_spare = v * factor;
        m_hasSpare = true;
        return u * factor;
    }
}

double Random::exponential(double mean) { return -mean * std::log(1 - uniform()); }

double Random::chiSquare(double degrees)
{
    // Marsaglia and Tsang's method for the gamma distribution with shape degrees / 2 ≥ 1.
    const double d = degrees / 2 - 1.0 / 3;
    const double c = 1 / std::sqrt(9 * d);
    for (;;) {
        const double x = normal();
        const double root = 1 + c * x;
        if (root <= 0)
            continue;
        const double v = root * root * root;
        if (std::log(1 - uniform()) < 0.5 * x * x + d - d * v + d * std::log(v))
            return 2 * d * v;
    }
}

} // namespace model

// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/compare/near_sequences.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <unordered_map>

namespace model {

namespace {

constexpr std::size_t kShortLength = 24;
constexpr std::size_t kLongLength = 256;
constexpr std::size_t kLeastKept = 2;
constexpr std::size_t kNone = SIZE_MAX;

/// What is left of a sequence under a hash, and how many elements were left out.
struct Variant
{
    std::uint64_t hash = 0;
    std::size_t leftOut = 0;
};

std::uint64_t hashWithout(const std::vector<std::uint32_t> &sequence, std::size_t first, std::size_t second)
{
    std::uint64_t hash = 0xcbf29ce484222325ull;
    for (std::size_t i = 0; i < sequence.size(); ++i) {
        if (i == first || i == second)
            continue;
        hash = (hash ^ sequence[i]) * 0x9e3779b97f4a7c15ull;
        hash ^= hash >> 29;
    }
    return hash;
}

std::vector<Variant> variantsOf(const std::vector<std::uint32_t> &sequence)
{
    std::vector<Variant> variants{{hashWithout(sequence, kNone, kNone), 0}};
    const std::size_t length = sequence.size();
    if (length <= kLeastKept || length > kLongLength)
        return variants;
    for (std::size_t i = 1; i < length; ++i)
        variants.push_back({hashWithout(sequence, i, kNone), 1});
    if (length <= kLeastKept + 1 || length > kShortLength)
        return variants;
    for (std::size_t i = 1; i < length; ++i)
        for (std::size_t j = i + 1; j < length; ++j)
            variants.push_back({hashWithout(sequence, i, j), 2});
    return variants;
}

using Sequences = std::span<const std::vector<std::uint32_t>>;
using Candidate = std::tuple<std::size_t, std::size_t, std::size_t>; // left out, position in a, position in b

/// Whether `part` is `whole` with elements left out.
bool isSubsequence(const std::vector<std::uint32_t> &part, const std::vector<std::uint32_t> &whole)
{
    auto at = part.begin();
    for (auto element = whole.begin(); element != whole.end() && at != part.end(); ++element)
        at += *at == *element ? 1 : 0;
    return at == part.end();
}

/// Pairs as they are found, each sequence in one at most.
class Pairs
{
public:
    Pairs(std::size_t countA, std::size_t countB)
        : m_isTakenA(countA)
        , m_isTakenB(countB)
    {
    }

    bool isTakenA(std::size_t i) const { return m_isTakenA[i]; }
    bool isTakenB(std::size_t j) const { return m_isTakenB[j]; }

    void add(std::vector<Candidate> candidates)
    {
        std::sort(candidates.begin(), candidates.end());
        for (const auto &[leftOut, i, j] : candidates) {
            if (m_isTakenA[i] || m_isTakenB[j])
                continue;
            m_isTakenA[i] = m_isTakenB[j] = true;
            m_pairs.emplace_back(i, j);
        }
    }

    std::vector<std::pair<std::size_t, std::size_t>> take() { return std::move(m_pairs); }

private:
    std::vector<bool> m_isTakenA;
    std::vector<bool> m_isTakenB;
    std::vector<std::pair<std::size_t, std::size_t>> m_pairs;
};

std::vector<Candidate> candidatesByHash(Sequences a, Sequences b)
{
    std::unordered_multimap<std::uint64_t, std::pair<std::size_t, std::size_t>> known; // hash → position in a, left out
    for (std::size_t i = 0; i < a.size(); ++i)
        for (const Variant &variant : variantsOf(a[i]))
            known.emplace(variant.hash, std::pair{i, variant.leftOut});
    std::vector<Candidate> candidates;
    constexpr std::size_t kMostOfOne = 64; // what everything resembles says nothing
    for (std::size_t j = 0; j < b.size(); ++j)
        for (const Variant &variant : variantsOf(b[j])) {
            const auto [first, last] = known.equal_range(variant.hash);
            std::size_t count = 0;
            for (auto it = first; it != last && count < kMostOfOne; ++it, ++count)
                candidates.emplace_back(it->second.second + variant.leftOut, it->second.first, j);
        }
    return candidates;
}

std::vector<Candidate> candidatesByOrder(Sequences a, Sequences b, const Pairs &pairs)
{
    constexpr std::size_t kMostWithOneEnd = 200;
    constexpr std::size_t kLeastLength = 3;
    std::map<std::pair<std::uint32_t, std::uint32_t>, std::vector<std::size_t>> byEnds; // of a
    for (std::size_t i = 0; i < a.size(); ++i)
        if (!pairs.isTakenA(i) && a[i].size() >= kLeastLength)
            byEnds[{a[i].front(), a[i].back()}].push_back(i);
    std::vector<Candidate> candidates;
    for (std::size_t j = 0; j < b.size(); ++j) {
        if (pairs.isTakenB(j) || b[j].size() < kLeastLength)
            continue;
        const auto found = byEnds.find({b[j].front(), b[j].back()});
        if (found == byEnds.end() || found->second.size() > kMostWithOneEnd)
            continue;
        for (const std::size_t i : found->second) {
            const bool isShorterA = a[i].size() < b[j].size();
            if (isShorterA ? isSubsequence(a[i], b[j]) : isSubsequence(b[j], a[i]))
                candidates.emplace_back(isShorterA ? b[j].size() - a[i].size() : a[i].size() - b[j].size(), i, j);
        }
    }
    return candidates;
}

} // namespace

std::vector<std::pair<std::size_t, std::size_t>> nearSequences(Sequences a, Sequences b)
{
    Pairs pairs(a.size(), b.size());
    pairs.add(candidatesByHash(a, b));
    pairs.add(candidatesByOrder(a, b, pairs));
    return pairs.take();
}

} // namespace model

// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/aggregate/function_index.h"

#include <array>
#include <cstdint>
#include <vector>

namespace model {

/// One of the two sessions that are compared: the one before, and the one after.
enum class Side : std::uint8_t { A = 0, B = 1 };
inline constexpr std::array kSides{Side::A, Side::B};
constexpr std::size_t sideIndex(Side side) { return static_cast<std::size_t>(side); }
constexpr Side otherSide(Side side) { return side == Side::A ? Side::B : Side::A; }

/// A function of either session or of both; dense within one FunctionMatching.
using MatchId = Id<struct MatchTag>;

/// Says which function of one session is which of the other, by name, whatever their builds. In this order:
///   1. the same module (without its version; an executable whatever its name) and matchName(), or where the build-id is the same buildMatchName();
///   2. of those that only one session has, and whose module was built anew: the same name without parameters and template arguments, in any module;
///   3. code without a symbol: by address where the build-id is the same, else one function a module.
/// Made once, const from then on.
class FunctionMatching
{
public:
    /// Takes every function that the two indexes have numbered so far.
    FunctionMatching(const FunctionIndex &a, const FunctionIndex &b);

    MatchId of(Side side, FunctionId function) const { return m_ids[sideIndex(side)][function.index()]; }
    bool isIn(Side side, MatchId id) const { return m_present[id.index()] & bit(side); }
    bool isInBoth(MatchId id) const { return m_present[id.index()] == 3; }
    /// Whether a function of one session only may be there in the other one too, inlined or renamed: its module was built anew.
    bool mayBeHidden(MatchId id) const { return !isInBoth(id) && m_isRebuilt[id.index()]; }
    /// Whether any module was built anew.
    bool hasRebuiltModules() const { return m_hasRebuilt; }
    std::size_t size() const { return m_present.size(); }

private:
    static std::uint8_t bit(Side side) { return static_cast<std::uint8_t>(1u << sideIndex(side)); }
    void unite(const FunctionIndex &a, const FunctionIndex &b);

    std::array<std::vector<MatchId>, 2> m_ids; ///< by function
    std::vector<std::uint8_t> m_present;       ///< by match: bits of the sides
    std::vector<bool> m_isRebuilt;             ///< by match
    bool m_hasRebuilt = false;
};

} // namespace model

// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/tables/program_tables.h"

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace model {

/// A function as people see it; dense within one FunctionIndex, not stored in the session.
using FunctionId = Id<struct FunctionTag>;

/// A function: a name in a module. Code without a symbol is a function per address.
struct Function
{
    StringId name{0u};         ///< empty text: no symbol, see `address`
    ModuleId module;           ///< invalid for the ends of stacks
    std::uint64_t address = 0; ///< of code without a symbol, as Frame::address

    friend bool operator==(const Function &, const Function &) = default;
};

/// One function at a frame: where in it the frame stands.
struct FunctionPlace
{
    FunctionId function;
    StringId file{0u}; ///< empty text if unknown
    std::uint32_t line = 0;
    bool isInlined = false;
};

/// What code that no file backs reads as, where the program told no name for it.
inline constexpr std::string_view kGeneratedCode = "[generated code without names]";

/// Numbers the functions of a session and says which ones a frame stands in, inlined ones included. Frames are resolved
/// when first asked for. One thread at a time while it is asked; keeps the tables alive.
class FunctionIndex
{
public:
    explicit FunctionIndex(std::shared_ptr<const ProgramTables> tables);

    /// The functions at a frame as positions for place(), outermost (the real one) first. Never empty.
    struct Range
    {
        std::uint32_t first = 0;
        std::uint32_t count = 0;
    };
    Range placesOf(FrameId frame);
    /// The pseudo place that an end of stacks is; the other places follow.
    static std::uint32_t endPlace(StackEnd end) { return static_cast<std::uint32_t>(end); }
    const FunctionPlace &place(std::uint32_t position) const { return m_places[position]; }

    /// The pseudo function that an incomplete stack hangs from; for ReachedStart the root of everything, called "all".
    static FunctionId endFunction(StackEnd end) { return FunctionId(static_cast<std::uint32_t>(end)); }
    static bool isEnd(FunctionId id) { return id.value < kStackEndCount; }

    const Function &function(FunctionId id) const { return m_functions.at(id.index()); }
    std::size_t size() const { return m_functions.size(); }

    /// How the function reads: its whole demangled name, "libc.so.6+0x1a2b" without a symbol, kGeneratedCode, "[stack cut off]" for an end.
    std::string name(FunctionId id) const;
    /// File name of its module without folders; empty for the ends.
    std::string_view moduleName(FunctionId id) const;
    /// Path of its module; empty for the ends.
    std::string_view modulePath(FunctionId id) const;
    /// Whether `a` stands before `b` in an alphabetical list; a strict order without equals but a == b.
    bool isBefore(FunctionId a, FunctionId b) const;

    const std::shared_ptr<const ProgramTables> &tables() const { return m_tables; }

private:
    struct Hash
    {
        std::size_t operator()(const std::pair<std::uint64_t, std::uint64_t> &key) const noexcept;
    };

    bool isGenerated(ModuleId module) const;
    FunctionId intern(const Function &function);
    Range resolve(FrameId frame);

    std::shared_ptr<const ProgramTables> m_tables;
    std::vector<Function> m_functions;
    std::unordered_map<std::pair<std::uint64_t, std::uint64_t>, FunctionId, Hash> m_ids;
    std::vector<FunctionPlace> m_places;
    std::vector<Range> m_ranges; ///< by frame; count 0: not asked for yet
};

/// A function name without parameters, return type, template arguments and unnamed namespaces: "std::vector<…>::push_back".
/// UTF-8. For reading; two functions may read alike. Template arguments are kept `depth` deep: with 1 "std::vector<Item<…>>::push_back".
std::string shortFunctionName(std::string_view name, int depth = 0);

/// The last part of a path.
std::string_view fileNameOf(std::string_view path);

} // namespace model

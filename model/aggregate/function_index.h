// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/tables/program_tables.h"

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace model {

/// A function as people see it; dense within one FunctionIndex, not stored in the session.
using FunctionId = Id<struct FunctionTag>;

/// A function: a name in a module. Code without a symbol is a function per address.
struct Function
{
    StringId name;             ///< empty text: no symbol, see `address`
    ModuleId module;           ///< invalid for the ends of stacks
    std::uint64_t address = 0; ///< of code without a symbol, as Frame::address
};

/// One function at a frame: where in it the frame stands.
struct FunctionPlace
{
    FunctionId function;
    StringId file; ///< empty text if unknown
    std::uint32_t line = 0;
    bool isInlined = false;
};

/// Numbers the functions of a session and says which ones a frame stands in, inlined ones included. Frames are resolved when
/// first asked for. One thread at a time; keeps the tables alive.
class FunctionIndex
{
public:
    explicit FunctionIndex(std::shared_ptr<const ProgramTables> tables);

    /// The functions at a frame, outermost (the real one) first. Never empty. Valid until the next call.
    const std::vector<FunctionPlace> &placesOf(FrameId frame);

    /// The pseudo function that an incomplete stack hangs from; for ReachedStart the root of everything, called "all".
    static FunctionId endFunction(StackEnd end) { return FunctionId(static_cast<std::uint32_t>(end)); }
    static bool isEnd(FunctionId id) { return id.value < kStackEndCount; }

    const Function &function(FunctionId id) const { return m_functions.at(id.index()); }
    std::size_t size() const { return m_functions.size(); }

    /// How the function reads: its whole demangled name, "libc.so.6+0x1a2b" without a symbol, "[stack cut off]" for an end.
    std::string name(FunctionId id) const;
    /// File name of its module without folders; empty for the ends.
    std::string moduleName(FunctionId id) const;

    const std::shared_ptr<const ProgramTables> &tables() const { return m_tables; }

private:
    struct Hash
    {
        std::size_t operator()(const std::pair<std::uint64_t, std::uint64_t> &key) const noexcept;
    };

    FunctionId intern(const Function &function);

    std::shared_ptr<const ProgramTables> m_tables;
    std::vector<Function> m_functions;
    std::unordered_map<std::pair<std::uint64_t, std::uint64_t>, FunctionId, Hash> m_ids;
    std::vector<std::vector<FunctionPlace>> m_places; ///< by frame; empty: not asked for yet
};

/// A function name with long template arguments and parameter lists shortened: "std::vector<…>::push_back". UTF-8.
std::string shortFunctionName(std::string_view name);

} // namespace model

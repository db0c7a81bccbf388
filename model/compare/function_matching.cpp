// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/compare/function_matching.h"

#include "model/compare/match_name.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <unordered_map>

namespace model {

namespace {

/// Modules of one session under the names by which they are matched.
struct ModuleNames
{
    std::vector<std::string> names;    ///< by module
    std::vector<std::string> programs; ///< names of executables, in the order of their images, each once
};

ModuleNames namesOf(const ProgramTables &tables)
{
    ModuleNames result;
    for (const Module &module : tables.modules)
        result.names.push_back(moduleMatchName(tables.text(module.path)));
    for (const Image &image : tables.images) {
        std::string name = moduleMatchName(tables.text(image.executable));
        const bool isNew = std::find(result.programs.begin(), result.programs.end(), name) == result.programs.end();
        if (!name.empty() && isNew)
            result.programs.push_back(std::move(name));
    }
    return result;
}

/// Executables whose name only one session has are the same program under another name, in the order in which they ran.
void pairPrograms(const ModuleNames &a, ModuleNames &b)
{
    const auto onlyOf = [](const std::vector<std::string> &own, const std::vector<std::string> &other) {
        std::vector<std::string> only;
        for (const std::string &name : own)
            if (std::find(other.begin(), other.end(), name) == other.end())
                only.push_back(name);
        return only;
    };
    const std::vector<std::string> onlyA = onlyOf(a.programs, b.programs);
    const std::vector<std::string> onlyB = onlyOf(b.programs, a.programs);
    for (std::size_t i = 0; i < std::min(onlyA.size(), onlyB.size()); ++i)
        std::replace(b.names.begin(), b.names.end(), onlyB[i], onlyA[i]);
}

/// Build-ids by module name; a name that stands for several builds has several.
std::map<std::string, std::set<std::string>> buildsOf(const ProgramTables &tables, const ModuleNames &names)
{
    std::map<std::string, std::set<std::string>> builds;
    for (std::size_t i = 0; i < tables.modules.size(); ++i)
        builds[names.names[i]].insert(tables.text(tables.modules[i].buildId));
    return builds;
}

/// Modules that both sessions have, of one and the same build.
std::set<std::string> sameBuilds(
    const std::map<std::string, std::set<std::string>> &a, const std::map<std::string, std::set<std::string>> &b)
{
    std::set<std::string> same;
    for (const auto &[name, builds] : a) {
        const auto other = b.find(name);
        if (other != b.end() && other->second == builds && builds.size() == 1 && !builds.begin()->empty())
            same.insert(name);
    }
    return same;
}

std::string keyOf(
    const FunctionIndex &index, FunctionId id, const ModuleNames &names, const std::set<std::string> &same)
{
    if (FunctionIndex::isEnd(id))
        return fmt::format("\x01{}", id.value);
    const Function &function = index.function(id);
    const std::string &module = names.names.at(function.module.index());
    const std::string &name = index.tables()->text(function.name);
    if (!name.empty())
        return fmt::format("{}\n{}", module, same.contains(module) ? buildMatchName(name) : matchName(name));
    return same.contains(module) ? fmt::format("{}\n+{:x}", module, function.address) : module + "\n+";
}

} // namespace

FunctionMatching::FunctionMatching(const FunctionIndex &a, const FunctionIndex &b)
{
    const ModuleNames namesA = namesOf(*a.tables());
    ModuleNames namesB = namesOf(*b.tables());
    pairPrograms(namesA, namesB);
    const std::set<std::string> same = sameBuilds(buildsOf(*a.tables(), namesA), buildsOf(*b.tables(), namesB));
    std::unordered_map<std::string, MatchId> known;
    for (const Side side : kSides) {
        const FunctionIndex &index = side == Side::A ? a : b;
        const ModuleNames &names = side == Side::A ? namesA : namesB;
        std::vector<MatchId> &ids = m_ids[sideIndex(side)];
        for (std::size_t i = 0; i < index.size(); ++i) {
            const FunctionId function(i);
            const auto [it, isNew] = known.try_emplace(keyOf(index, function, names, same), MatchId(m_present.size()));
            if (isNew) {
                const bool isRebuilt = !FunctionIndex::isEnd(function)
                    && !same.contains(names.names.at(index.function(function).module.index()));
                m_present.push_back(0);
                m_isRebuilt.push_back(isRebuilt);
                m_hasRebuilt = m_hasRebuilt || isRebuilt;
            }
            m_present[it->second.index()] |= bit(side);
            ids.push_back(it->second);
        }
    }
    unite(a, b);
}

/// Gives functions of one session only the id of those of the other that differ in parameters or template arguments alone.
void FunctionMatching::unite(const FunctionIndex &a, const FunctionIndex &b)
{
    std::unordered_map<std::string, std::array<std::vector<MatchId>, 2>> byShortName;
    for (const Side side : kSides) {
        const FunctionIndex &index = side == Side::A ? a : b;
        for (std::size_t i = kStackEndCount; i < index.size(); ++i) {
            const FunctionId function(i);
            const MatchId id = of(side, function);
            const std::string &name = index.tables()->text(index.function(function).name);
            // Where the module is the same, the other session has the function, too, and no cost of it.
            if (mayBeHidden(id) && !name.empty())
                byShortName[shortFunctionName(matchName(name))][sideIndex(side)].push_back(id);
        }
    }
    std::vector<MatchId> now(m_present.size());
    for (std::size_t i = 0; i < now.size(); ++i)
        now[i] = MatchId(i);
    for (const auto &[name, sides] : byShortName) {
        if (sides[0].empty() || sides[1].empty())
            continue;
        for (const std::vector<MatchId> &ids : sides)
            for (const MatchId id : ids)
                now[id.index()] = sides[0].front();
        m_present[sides[0].front().index()] = 3;
    }
    for (std::vector<MatchId> &ids : m_ids)
        for (MatchId &id : ids)
            id = now[id.index()];
}

} // namespace model

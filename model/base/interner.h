// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <deque>
#include <unordered_map>
#include <utility>

namespace model {

/// Gives equal values the same dense id, in order of first sight. Values never move once interned.
/// One owning thread; not synchronised.
template <typename IdType, typename Value, typename Hash = std::hash<Value>> class Interner
{
public:
    /// The id of `value`, which is added when new.
    IdType intern(const Value &value)
    {
        const auto [it, isNew] = m_ids.try_emplace(value, IdType(m_values.size()));
        if (isNew)
            m_values.push_back(value);
        return it->second;
    }

    const Value &at(IdType id) const { return m_values.at(id.index()); }
    std::size_t size() const { return m_values.size(); }

private:
    std::unordered_map<Value, IdType, Hash> m_ids;
    std::deque<Value> m_values;
};

} // namespace model

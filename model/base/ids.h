// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>

namespace model {

/// An index into one table of a session, with a type of its own so that two kinds cannot be mixed up.
/// Ids are dense and start at 0; the same number stands in the session file.
template <typename Tag> struct Id
{
    std::uint32_t value = kInvalid;

    static constexpr std::uint32_t kInvalid = 0xffffffffu;

    constexpr Id() = default;
    constexpr explicit Id(std::uint32_t v)
        : value(v)
    {
    }
    constexpr explicit Id(std::size_t v)
        : value(static_cast<std::uint32_t>(v))
    {
    }

    constexpr bool isValid() const { return value != kInvalid; }
    constexpr std::size_t index() const { return value; }
    friend constexpr auto operator<=>(Id, Id) = default;
};

using StringId = Id<struct StringTag>;   ///< an interned text; 0 is the empty text
using ModuleId = Id<struct ModuleTag>;   ///< a mapped file (or pseudo module)
using FrameId = Id<struct FrameTag>;     ///< a place in a module's code
using StackId = Id<struct StackTag>;     ///< a node of the stack tree: this frame and all its callers
using ProcessId = Id<struct ProcessTag>; ///< a process of the session; not the kernel's pid, which is reused
using ImageId = Id<struct ImageTag>;     ///< one program image of a process: a new one begins at each exec
using ThreadId = Id<struct ThreadTag>;   ///< a thread of the session; not the kernel's tid, which is reused

} // namespace model

template <typename Tag> struct std::hash<model::Id<Tag>>
{
    std::size_t operator()(model::Id<Tag> id) const noexcept { return id.value * 0x9e3779b97f4a7c15ull; }
};

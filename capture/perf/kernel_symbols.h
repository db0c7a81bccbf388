// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace capture {

/// The functions of the running kernel and its modules, from /proc/kallsyms.
class KernelSymbols
{
public:
    /// Reads the list (some 10 MB of text; 50 ms). Stays empty where the kernel hides its addresses.
    static KernelSymbols read(const char *path = "/proc/kallsyms");
    /// Whether this process may see the kernel's addresses (kernel.kptr_restrict).
    static bool areVisible(const char *path = "/proc/kallsyms");

    /// The function that holds `address`: "do_syscall_64", "ext4_map_blocks [ext4]"; empty where none does.
    std::string_view find(std::uint64_t address) const;
    std::size_t size() const { return m_rows.size(); }

private:
    struct Row
    {
        std::uint64_t address = 0;
        std::uint32_t nameAt = 0, nameBytes = 0;
    };
    std::vector<Row> m_rows; ///< ascending
    std::string m_names;
};

} // namespace capture

// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/process_list.h"

#include <algorithm>

namespace model {

namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool containsWord(std::string_view text, std::string_view word)
{
    return std::search(text.begin(), text.end(), word.begin(), word.end(), [](char a, char b) {
        return lower(a) == lower(b);
    }) != text.end();
}

} // namespace

bool matchesSearch(const RunningProcess &process, std::string_view search)
{
    const std::string pid = std::to_string(process.pid);
    while (!search.empty()) {
        const std::size_t begin = std::min(search.find_first_not_of(" \t"), search.size());
        search.remove_prefix(begin);
        const std::string_view word = search.substr(0, search.find_first_of(" \t"));
        search.remove_prefix(word.size());
        const auto has = [&](std::string_view text) { return containsWord(text, word); };
        if (!has(pid) && !has(process.user) && !has(process.name) && !has(process.executable)
            && !has(process.commandLine))
            return false;
    }
    return true;
}

} // namespace model

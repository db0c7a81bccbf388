// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/compare/match_name.h"

#include "model/aggregate/function_index.h"

#include <algorithm>
#include <array>

namespace model {

namespace {

/// What GCC and Clang append to a symbol for a part or a specialised copy of a function.
constexpr std::array kCloneWords{
    std::to_array<std::string_view>({"part", "constprop", "isra", "cold", "lto_priv", "llvm", "localalias", "clone",
        "warm", "hot", "unlikely", "startup", "exit", "ipa_cp", "simdclone", "resume", "destroy", "cleanup", "actor"})};

bool isDigit(char c) { return c >= '0' && c <= '9'; }

bool isNumber(std::string_view text) { return !text.empty() && std::all_of(text.begin(), text.end(), isDigit); }

bool isCloneWord(std::string_view text)
{
    return std::find(kCloneWords.begin(), kCloneWords.end(), text) != kCloneWords.end();
}

/// "parse.part.0.isra.1" → "parse". A number alone (".123", as Clang and LTO name local functions) goes too.
std::string_view withoutCloneSuffixes(std::string_view name)
{
    for (;;) {
        const std::size_t dot = name.rfind('.');
        if (dot == std::string_view::npos || dot == 0)
            return name;
        const std::string_view last = name.substr(dot + 1);
        if (!isNumber(last) && !isCloneWord(last))
            return name;
        name = name.substr(0, dot);
    }
}

/// " [clone .part.0]" as demanglers write it; other brackets, "[abi:cxx11]", stay.
std::string withoutCloneBrackets(std::string name)
{
    constexpr std::string_view kClone = " [clone ";
    for (std::size_t at = name.find(kClone); at != std::string::npos; at = name.find(kClone)) {
        const std::size_t end = name.find(']', at);
        name.erase(at, end == std::string::npos ? end : end - at + 1);
    }
    return name;
}

/// "{lambda(int)#2}" → "{lambda(int)#}", "{unnamed type#1}" → "{unnamed type#}", Clang's "'lambda3'(int)" → "'lambda'(int)".
std::string withoutLambdaNumbers(std::string_view name)
{
    constexpr std::string_view kLambda = "lambda";
    std::string text;
    for (std::size_t i = 0; i < name.size();) {
        text += name[i++];
        const bool isHash = text.back() == '#';
        if (!isHash && !text.ends_with(kLambda))
            continue;
        std::size_t end = i;
        while (end < name.size() && isDigit(name[end]))
            ++end;
        if (end < name.size() && name[end] == (isHash ? '}' : '\''))
            i = end;
    }
    return text;
}

} // namespace

std::string buildMatchName(std::string_view name)
{
    std::string text = withoutCloneBrackets(std::string(name));
    // The dot of a C++ name is part of a parameter pack or a number; clones of C++ functions are told in brackets.
    if (text.find('(') == std::string::npos)
        text = std::string(withoutCloneSuffixes(text));
    return text;
}

std::string matchName(std::string_view name) { return withoutLambdaNumbers(buildMatchName(name)); }

std::string moduleMatchName(std::string_view path)
{
    std::string_view name = fileNameOf(path);
    constexpr std::string_view kLibrary = ".so";
    const std::size_t end = name.find(".so.");
    if (end != std::string_view::npos)
        name = name.substr(0, end + kLibrary.size());
    return std::string(name);
}

} // namespace model

// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/aggregate/function_index.h"

#include <algorithm>
#include <iterator>

namespace model {

namespace {

constexpr std::string_view kAnonymousNames[]{"(anonymous namespace)::", "(anonymous)::"};
constexpr std::string_view kOperator = "operator";

bool isNameCharacter(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/// Length of an operator's name at `at`, symbols included ("operator<<", "operator()"); 0 if none begins there.
std::size_t operatorLength(std::string_view name, std::size_t at)
{
    if (!name.substr(at).starts_with(kOperator) || (at > 0 && isNameCharacter(name[at - 1])))
        return 0;
    std::size_t end = at + kOperator.size();
    if (end < name.size() && isNameCharacter(name[end]))
        return 0;
    if (name.substr(end).starts_with("()"))
        return end + 2 - at;
    while (end < name.size() && std::string_view("<>=!+-*/%^&|~,[]").find(name[end]) != std::string_view::npos)
        ++end;
    return end - at;
}

/// Length of the name of an unnamed scope at `at`; 0 if none begins there.
std::size_t anonymousLength(std::string_view name, std::size_t at)
{
    for (const std::string_view anonymous : kAnonymousNames)
        if (name.substr(at).starts_with(anonymous))
            return anonymous.size();
    return 0;
}

/// Position behind the bracket that closes the one at `at`; the end of the name where it is never closed.
std::size_t behindClosing(std::string_view name, std::size_t at)
{
    int depth = 0;
    for (std::size_t i = at; i < name.size(); ++i) {
        if (const std::size_t length = operatorLength(name, i); length > 0) {
            i += length - 1;
            continue;
        }
        const char c = name[i];
        if (c == '>' && i > 0 && name[i - 1] == '-')
            continue;
        if (c == '<' || c == '(' || c == '{')
            ++depth;
        else if ((c == '>' || c == ')' || c == '}') && --depth == 0)
            return i + 1;
    }
    return name.size();
}

/// Length of a receiver of Go at `at`, with the point behind it: the "(*Tree)." of "main.(*Tree).Walk"; 0 if none stands there.
std::size_t receiverLength(std::string_view name, std::size_t at)
{
    if (at == 0 || name[at - 1] != '.' || !name.substr(at).starts_with("(*"))
        return 0;
    const std::size_t end = behindClosing(name, at);
    return name.substr(end).starts_with('.') ? end + 1 - at : 0;
}

/// "my prog+0x1169" stands for a function without a name. What is before the last plus is a file's name, in which blanks end nothing.
bool isPlaceInFile(std::string_view name)
{
    const std::size_t plus = name.rfind("+0x");
    return plus != std::string_view::npos && plus > 0 && plus + 3 < name.size()
        && name.find_first_not_of("0123456789abcdef", plus + 3) == std::string_view::npos;
}

/// Of a name that V8 gives to code that it generated, "JS:*fib /srv/app.js:1:13" (also "LazyCompile:~get size file:///srv/app.js:3:5"), the
/// function; of one without a name the place. Empty for other names.
std::string generatedName(std::string_view name)
{
    constexpr std::string_view kKinds[]{"JS:", "LazyCompile:", "Function:", "Eval:", "Script:"};
    const auto kind = std::find_if(
        std::begin(kKinds), std::end(kKinds), [name](std::string_view each) { return name.starts_with(each); });
    if (kind == std::end(kKinds))
        return {};
    name.remove_prefix(kind->size());
    if (!name.empty() && std::string_view("*~^+").find(name.front()) != std::string_view::npos)
        name.remove_prefix(1); // how far it is optimised
    std::size_t blank = std::string_view::npos;
    for (const std::string_view begin : {" /", " file:", " node:"})
        blank = std::min(blank, name.find(begin));
    if (blank == std::string_view::npos)
        blank = name.rfind(' ');
    if (blank == std::string_view::npos || blank > 0)
        return std::string(name.substr(0, blank));
    return "(anonymous) "
        + std::string(name.substr(name.rfind('/') == std::string_view::npos ? 1 : name.rfind('/') + 1));
}

/// Template arguments with their brackets as they stand in a name, kept `depth` deep.
std::string shortArguments(std::string_view arguments, int depth)
{
    if (depth <= 0)
        return "<…>";
    std::string text(arguments.substr(0, 1));
    for (std::size_t i = 1; i < arguments.size();) {
        const std::size_t length = std::max(operatorLength(arguments, i), anonymousLength(arguments, i));
        if (length == 0 && arguments[i] == '<') {
            const std::size_t end = behindClosing(arguments, i);
            text += shortArguments(arguments.substr(i, end - i), depth - 1);
            i = end;
        } else if (length > 0) {
            text += arguments[i] == '(' ? std::string_view() : arguments.substr(i, length);
            i += length;
        } else if (arguments[i] != ' ' || arguments.substr(i) != " >") { // "Item<int> >", of older compilers
            text += arguments[i++];
        } else {
            ++i;
        }
    }
    return text;
}

} // namespace

std::string shortFunctionName(std::string_view name, int depth)
{
    if (isPlaceInFile(name))
        return std::string(name);
    if (std::string generated = generatedName(name); !generated.empty())
        return generated;
    std::string text;
    std::size_t begin = 0; // of the name itself, behind a return type
    bool hasOperator = false;
    bool hasBrace = false; // of a lambda, in whose name blanks end nothing
    for (std::size_t i = 0; i < name.size();) {
        if (const std::size_t length = operatorLength(name, i); length > 0) {
            text += name.substr(i, length);
            hasOperator = true;
            i += length;
        } else if (const std::size_t skipped = anonymousLength(name, i); skipped > 0) {
            i += skipped;
        } else if (const std::size_t receiver = receiverLength(name, i); receiver > 0) {
            text += name.substr(i, receiver);
            i += receiver;
        } else if (name[i] == '[') { // "[clone .cold]", "[abi:cxx11]", "[stack cut off]"
            const std::size_t end = std::min(name.find(']', i), name.size() - 1) + 1;
            text += name.substr(i, end - i);
            i = end;
        } else if (name[i] == '<' && i > 0 && (isNameCharacter(name[i - 1]) || hasOperator)) {
            const std::size_t end = behindClosing(name, i);
            text += shortArguments(name.substr(i, end - i), depth);
            i = end;
        } else if (name[i] == '(') {
            i = behindClosing(name, i);
            if (name.substr(i).starts_with(" const"))
                i += 6;
        } else {
            hasBrace = hasBrace || name[i] == '{';
            const bool endsReturnType
                = name[i] == ' ' && !hasOperator && !name.substr(i).starts_with(" [") && !hasBrace;
            text += name[i++];
            if (endsReturnType)
                begin = text.size();
        }
    }
    return begin < text.size() ? text.substr(begin) : std::string(name);
}

} // namespace model

// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/symbols/demangler.h"

#include <cxxabi.h>

#include <cstdlib>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>

namespace capture {

namespace {

constexpr std::size_t kMostMangled = 32 * 1024; // a longer one would take the demangler seconds, and nobody can read it
constexpr std::size_t kRustHashDigits = 16;

struct Free
{
    void operator()(char *text) const { std::free(text); }
};

/// Whether the name ends in "::h" and 16 hexadecimal digits, as Rust's older scheme has it.
bool endsInRustHash(std::string_view name)
{
    constexpr std::string_view mark = "::h";
    if (name.size() <= mark.size() + kRustHashDigits)
        return false;
    const std::string_view end = name.substr(name.size() - mark.size() - kRustHashDigits);
    return end.starts_with(mark) && end.find_first_not_of("0123456789abcdef", mark.size()) == std::string_view::npos;
}

void replaceAll(std::string &text, std::string_view what, std::string_view by)
{
    for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size()))
        text.replace(at, what.size(), by);
}

std::string withoutRustEscapes(std::string name)
{
    constexpr std::pair<std::string_view, std::string_view> escapes[] = {{"$LT$", "<"}, {"$GT$", ">"}, {"$LP$", "("},
        {"$RP$", ")"}, {"$RF$", "&"}, {"$BP$", "*"}, {"$C$", ","}, {"$u20$", " "}, {"$u27$", "'"}, {"$u5b$", "["},
        {"$u5d$", "]"}, {"$u7b$", "{"}, {"$u7d$", "}"}, {"$u7e$", "~"}, {"..", "::"}, {"::_<", "::<"}};
    for (const auto &[escape, plain] : escapes)
        replaceAll(name, escape, plain);
    return name.starts_with("_<") ? name.substr(1) : name;
}

} // namespace

std::string demangled(const char *symbol)
{
    if (std::strncmp(symbol, "_Z", 2) != 0 || ::strnlen(symbol, kMostMangled) == kMostMangled)
        return symbol;
    int status = 0;
    const std::unique_ptr<char, Free> text(abi::__cxa_demangle(symbol, nullptr, nullptr, &status));
    if (status != 0 || !text)
        return symbol;
    std::string name = text.get();
    if (!endsInRustHash(name))
        return name;
    name.resize(name.size() - 3 - kRustHashDigits);
    return withoutRustEscapes(std::move(name));
}

} // namespace capture

// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/redaction/secret_shapes.h"

#include "model/redaction/secret_patterns.h"

#include <algorithm>
#include <array>

namespace model {

namespace {

/// A key that begins with `prefix`, followed by at least `least` letters, digits, '-' or '_' (and '.' where it says so).
struct Shape
{
    std::string_view prefix;
    std::size_t least = 0;
    bool hasDots = false;
};

// The prefixes are those that the makers of the keys document for scanners.
constexpr std::array kShapes = std::to_array<Shape>({{"AKIA", 16}, {"ASIA", 16}, {"ghp_", 30}, {"gho_", 30},
    {"ghu_", 30}, {"ghs_", 30}, {"ghr_", 30}, {"github_pat_", 30}, {"glpat-", 16}, {"xoxb-", 16}, {"xoxp-", 16},
    {"xoxa-", 16}, {"xoxr-", 16}, {"xoxs-", 16}, {"xapp-", 16}, {"AIza", 30}, {"ya29.", 20, true}, {"sk_live_", 16},
    {"rk_live_", 16}, {"sk-", 24}, {"npm_", 30}, {"pypi-", 30}, {"hf_", 24}, {"SG.", 30, true}, {"eyJ", 30, true}});

bool isKeyChar(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

/// Length of the key that begins at `at`; 0: there is none.
std::size_t shapeAt(std::string_view text, std::size_t at)
{
    for (const Shape &shape : kShapes) {
        if (!text.substr(at).starts_with(shape.prefix))
            continue;
        std::size_t end = at + shape.prefix.size();
        while (end < text.size() && (isKeyChar(text[end]) || (shape.hasDots && text[end] == '.')))
            ++end;
        if (end - at - shape.prefix.size() >= shape.least)
            return end - at;
    }
    constexpr std::string_view kPem = "-----BEGIN ";
    if (text.substr(at).starts_with(kPem)) {
        const std::size_t marked = text.find("PRIVATE KEY-----", at);
        const std::size_t end = text.find("-----END", at);
        if (marked != std::string_view::npos && marked - at < 40)
            return (end == std::string_view::npos ? text.size() : end) - at;
    }
    return 0;
}

/// Characters of a URL's part before its path.
bool isAuthority(char c)
{
    return static_cast<unsigned char>(c) > ' ' && std::string_view("/?#'\"<>`\\").find(c) == std::string_view::npos;
}

} // namespace

std::string maskUrlPasswords(std::string_view text)
{
    constexpr std::size_t kKeyLength = 16;
    std::string out;
    std::size_t at = 0;
    for (std::size_t scheme = text.find("://"); scheme != std::string_view::npos; scheme = text.find("://", at)) {
        const std::size_t begin = scheme + 3;
        out += text.substr(at, begin - at);
        std::size_t end = begin;
        std::size_t sign = std::string_view::npos;
        for (; end < text.size() && isAuthority(text[end]); ++end)
            if (text[end] == '@')
                sign = end;
        at = begin;
        if (sign == std::string_view::npos)
            continue;
        const std::string_view user = text.substr(begin, sign - begin);
        const std::size_t colon = user.find(':');
        if (colon != std::string_view::npos)
            out += std::string(user.substr(0, colon + 1)) + std::string(SecretPatterns::kMask);
        else
            out += user.size() >= kKeyLength ? SecretPatterns::kMask : user;
        at = sign;
    }
    return out + std::string(text.substr(at));
}

std::string maskKnownShapes(std::string_view text)
{
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
        const bool begins = at == 0 || !isKeyChar(text[at - 1]) || text[at] == '-';
        const std::size_t length = begins ? shapeAt(text, at) : 0;
        if (length > 0)
            out += SecretPatterns::kMask;
        else
            out += text[at];
        at += std::max<std::size_t>(length, 1);
    }
    return out;
}

std::string quotedForShell(std::string_view text)
{
    std::string quoted = "'";
    for (const char c : text)
        quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return quoted + "'";
}

} // namespace model

// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/redaction/secret_patterns.h"

#include "model/redaction/secret_shapes.h"

#include <algorithm>
#include <array>

namespace model {

namespace {

/// A name is telling when one of its words ends so …
constexpr std::array kEndings = std::to_array<std::string_view>(
    {"password", "passwd", "passphrase", "passcode", "secret", "token", "apikey", "accesskey", "secretkey",
        "privatekey", "credential", "credentials", "requirepass", "masterauth", "userpass", "sshpass"});
/// … or is one of these …
constexpr std::array kWords = std::to_array<std::string_view>(
    {"pwd", "pass", "pw", "auth", "authorization", "cookie", "bearer", "jwt", "sig", "signature"});
/// … or "key" behind one of these.
constexpr std::array kKeyKinds = std::to_array<std::string_view>({"api", "access", "secret", "private", "signing",
    "encryption", "account", "shared", "license", "auth", "session", "service", "storage", "master"});
/// Options whose value is USER:PASSWORD.
constexpr std::array kUserOptions
    = std::to_array<std::string_view>({"-u", "--user", "-U", "--proxy-user", "--http-user", "--creds"});

constexpr std::size_t kLongestName = 128;

bool isLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool isNameChar(char c) { return isLetter(c) || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.'; }
bool isBlank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string lowered(std::string_view text)
{
    std::string low(text);
    std::transform(low.begin(), low.end(), low.begin(), lower);
    return low;
}

template <typename Names> bool contains(const Names &names, std::string_view name)
{
    return std::find(names.begin(), names.end(), name) != names.end();
}

/// Words of a name, in lower case: "X-ApiKey_2" has x, api, key, 2.
std::vector<std::string> wordsOf(std::string_view name)
{
    std::vector<std::string> words;
    std::string word;
    for (std::size_t i = 0; i < name.size(); ++i) {
        const char c = name[i];
        const bool isHump = i > 0 && c >= 'A' && c <= 'Z' && name[i - 1] >= 'a' && name[i - 1] <= 'z';
        if ((isHump || c == '-' || c == '_' || c == '.') && !word.empty())
            words.push_back(std::exchange(word, {}));
        if (c != '-' && c != '_' && c != '.')
            word += lower(c);
    }
    if (!word.empty())
        words.push_back(word);
    return words;
}

std::string_view withoutDashes(std::string_view name)
{
    name.remove_prefix(std::min(name.find_first_not_of('-'), name.size()));
    return name;
}

/// Where the name that begins at `at` ends.
std::size_t endOfName(std::string_view text, std::size_t at)
{
    while (at < text.size() && isNameChar(text[at]))
        ++at;
    return at;
}

/// Behind the scheme of a header's value: "Bearer ", "Basic ", "Token ".
std::size_t skipScheme(std::string_view text, std::size_t at)
{
    while (at < text.size() && isBlank(text[at]))
        ++at;
    const std::size_t end = endOfName(text, at);
    const std::string scheme = lowered(text.substr(at, end - at));
    const bool isScheme = scheme == "bearer" || scheme == "basic" || scheme == "token" || scheme == "digest";
    return isScheme && end < text.size() && isBlank(text[end]) ? end + 1 : at;
}

/// Ends a value within a text of several words.
bool endsValue(char c) { return isBlank(c) || std::string_view("'\"&;,|()<>`").find(c) != std::string_view::npos; }

/// USER:PASSWORD with the password masked; nothing to mask without a colon.
std::string maskedPassword(std::string_view text)
{
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos || colon + 1 == text.size())
        return std::string(text);
    return std::string(text.substr(0, colon + 1)) + std::string(SecretPatterns::kMask);
}

} // namespace

bool matchesGlob(std::string_view glob, std::string_view text)
{
    std::size_t g = 0, t = 0, star = std::string_view::npos, mark = 0;
    while (t < text.size()) {
        if (g < glob.size() && glob[g] == '*') {
            star = g++;
            mark = t;
        } else if (g < glob.size() && (glob[g] == '?' || glob[g] == text[t])) {
            ++g;
            ++t;
        } else if (star != std::string_view::npos) {
            g = star + 1;
            t = ++mark;
        } else {
            return false;
        }
    }
    while (g < glob.size() && glob[g] == '*')
        ++g;
    return g == glob.size();
}

Result<void> SecretPatterns::add(std::string_view pattern)
{
    const bool isWord = pattern.starts_with('=');
    const std::string_view glob = isWord ? pattern.substr(1) : withoutDashes(pattern);
    if (glob.empty() || glob.find_first_not_of("*?") == std::string_view::npos)
        return Error("\"" + std::string(pattern)
            + "\" would hide everything or nothing; write a name (license-key, X-Internal-*) or =GLOB (=corp_*)");
    if (!isWord && glob.find_first_of("= \t") != std::string_view::npos)
        return Error("\"" + std::string(pattern) + "\" is no name; write =GLOB for words that look a certain way");
    if (isWord)
        m_words.emplace_back(glob);
    else
        m_names.push_back(lowered(glob));
    return {};
}

Result<void> SecretPatterns::addLines(std::string_view text)
{
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        while (!line.empty() && isBlank(line.back()))
            line.remove_suffix(1);
        line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
        if (line.empty() || line.front() == '#')
            continue;
        if (auto added = add(line); !added)
            return added;
    }
    return {};
}

bool SecretPatterns::isTelling(std::string_view name) const
{
    name = withoutDashes(name);
    if (name.empty() || name.size() > kLongestName)
        return false;
    const std::string low = lowered(name);
    if (std::any_of(m_names.begin(), m_names.end(), [&](const std::string &glob) { return matchesGlob(glob, low); }))
        return true;
    const std::vector<std::string> words = wordsOf(name);
    for (std::size_t i = 0; i < words.size(); ++i) {
        const std::string_view word = words[i];
        if (contains(kWords, word) || (i > 0 && word == "key" && contains(kKeyKinds, words[i - 1])))
            return true;
        if (std::any_of(kEndings.begin(), kEndings.end(), [&](std::string_view end) { return word.ends_with(end); }))
            return true;
    }
    return false;
}

bool SecretPatterns::isSecretWord(std::string_view word) const
{
    return std::any_of(
        m_words.begin(), m_words.end(), [&](const std::string &glob) { return matchesGlob(glob, word); });
}

/// Whether the argument behind this one is a secret.
bool SecretPatterns::tellsNext(std::string_view argument) const
{
    const bool isOption = argument.size() > 1 && argument.front() == '-';
    const bool isHeader = argument.size() > 1 && argument.back() == ':';
    const std::string_view name = isHeader ? argument.substr(0, argument.size() - 1) : argument;
    if (endOfName(name, 0) != name.size())
        return false;
    return (isOption || isHeader) && isTelling(name);
}

/// Masks secrets anywhere in a text of several words, such as the argument of sh -c.
std::string SecretPatterns::redactedWords(std::string_view text) const
{
    std::string out;
    std::size_t at = 0;
    while (at < text.size()) {
        if (!isNameChar(text[at])) {
            out += text[at++];
            continue;
        }
        const std::size_t end = endOfName(text, at);
        const std::string_view name = text.substr(at, end - at);
        std::size_t value = end;
        const bool isAssigned = end < text.size() && (text[end] == '=' || text[end] == ':');
        if (isAssigned)
            value = text[end] == ':' ? skipScheme(text, end + 1) : end + 1;
        else if (name.starts_with('-') && end < text.size() && isBlank(text[end]))
            value = end + 1;
        const bool isUrl = isAssigned && text.substr(end).starts_with("://");
        const bool hasValue = value > end && !isUrl && isTelling(name);
        if (value < text.size() && hasValue && (text[value] == '"' || text[value] == '\''))
            ++value;
        std::size_t stop = value;
        while (hasValue && stop < text.size() && !endsValue(text[stop]))
            ++stop;
        if (stop > value) {
            out += text.substr(at, value - at);
            out += kMask;
            at = stop;
        } else {
            out += isSecretWord(name) ? kMask : name;
            at = end;
        }
    }
    return out;
}

std::string SecretPatterns::redactedArgument(std::string_view argument) const
{
    // NAME=VALUE and "Header: value" as a whole: the value may hold blanks.
    const std::size_t end = endOfName(argument, 0);
    const bool isUrl = argument.substr(end).starts_with("://");
    if (end > 0 && end + 1 < argument.size() && (argument[end] == '=' || argument[end] == ':') && !isUrl
        && isTelling(argument.substr(0, end))) {
        const std::size_t value = argument[end] == ':' ? skipScheme(argument, end + 1) : end + 1;
        return std::string(argument.substr(0, value)) + std::string(kMask);
    }
    for (const std::string_view option : kUserOptions)
        if (option.starts_with("--") && argument.starts_with(option) && argument.substr(option.size()).starts_with('='))
            return std::string(argument.substr(0, option.size() + 1))
                + maskedPassword(argument.substr(option.size() + 1));
    if (isSecretWord(argument))
        return std::string(kMask);
    return maskKnownShapes(redactedWords(maskUrlPasswords(argument)));
}

std::vector<std::string> SecretPatterns::redacted(const std::vector<std::string> &arguments) const
{
    std::vector<std::string> out;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        const std::string &argument = arguments[i];
        const bool isOption = argument.starts_with('-');
        if (i > 0 && !isOption && !argument.empty() && tellsNext(arguments[i - 1]))
            out.emplace_back(kMask);
        else if (i > 0 && contains(kUserOptions, arguments[i - 1]))
            out.push_back(maskKnownShapes(maskedPassword(argument)));
        else
            out.push_back(redactedArgument(argument));
    }
    return out;
}

std::string SecretPatterns::redacted(std::string_view commandLine) const
{
    // Back to arguments, with the positions of their quotes kept aside: what is masked needs none.
    std::vector<std::string> arguments;
    std::vector<std::string> raw;
    std::string argument, written;
    char quote = 0;
    bool isInWord = false;
    const auto endWord = [&] {
        if (isInWord) {
            arguments.push_back(std::exchange(argument, {}));
            raw.push_back(std::exchange(written, {}));
        }
        isInWord = false;
    };
    for (std::size_t i = 0; i < commandLine.size(); ++i) {
        const char c = commandLine[i];
        if (quote == 0 && c == ' ') {
            endWord();
            continue;
        }
        isInWord = true;
        written += c;
        if (quote == 0 && (c == '\'' || c == '"'))
            quote = c;
        else if (quote != 0 && c == quote)
            quote = 0;
        else if (quote == 0 && c == '\\' && i + 1 < commandLine.size()) {
            argument += commandLine[++i];
            written += commandLine[i];
        } else
            argument += c;
    }
    endWord();
    const std::vector<std::string> clean = redacted(arguments);
    std::string out;
    for (std::size_t i = 0; i < clean.size(); ++i) {
        out += i == 0 ? "" : " ";
        if (clean[i] == arguments[i])
            out += raw[i];
        else if (clean[i].find_first_of(" \t\n'\"\\$`&;|<>()") == std::string::npos)
            out += clean[i];
        else
            out += quotedForShell(clean[i]);
    }
    return out;
}

} // namespace model

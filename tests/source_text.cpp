// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/source_text.h"

#include <algorithm>
#include <cctype>

namespace tests {

namespace {

bool isNameCharacter(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

/// Walks over C++ source once and copies what is code.
class CodeFilter
{
public:
    explicit CodeFilter(std::string_view source)
        : m_source(source)
    {
        m_code.reserve(source.size());
    }

    std::string run()
    {
        while (m_at < m_source.size())
            step();
        return std::move(m_code);
    }

private:
    void step()
    {
        const std::string_view rest = m_source.substr(m_at);
        if (rest.starts_with("//"))
            blankUntil(m_source.find('\n', m_at));
        else if (rest.starts_with("/*"))
            blankThrough("*/", 2);
        else if (rest.front() == '#' && startsLine() && isInclude(rest))
            copyUntil(m_source.find('\n', m_at));
        else if (rest.front() == '"' && isRawPrefix())
            blankThrough(")" + std::string(rest.substr(1, rest.find('(') - 1)) + "\"", 1);
        else if (rest.front() == '"' || (rest.front() == '\'' && !isDigitSeparator()))
            blankLiteral(rest.front());
        else
            copyUntil(m_at + 1);
    }

    /// Nothing but white space stands before this character on its line.
    bool startsLine() const
    {
        const std::size_t begin = m_code.rfind('\n');
        const std::string_view line = std::string_view(m_code).substr(begin == std::string::npos ? 0 : begin + 1);
        return line.find_first_not_of(" \t") == std::string_view::npos;
    }

    static bool isInclude(std::string_view directive)
    {
        const std::size_t word = directive.find_first_not_of(" \t", 1);
        return word != std::string_view::npos && directive.substr(word).starts_with("include");
    }

    /// The quote at this place opens a raw string: R, and nothing but an encoding prefix before it.
    bool isRawPrefix() const
    {
        if (m_code.empty() || m_code.back() != 'R')
            return false;
        const std::size_t end = m_code.size() - 1;
        std::size_t begin = end;
        while (begin > 0 && isNameCharacter(m_code[begin - 1]))
            --begin;
        const std::string_view prefix = std::string_view(m_code).substr(begin, end - begin);
        return prefix.empty() || prefix == "u8" || prefix == "u" || prefix == "U" || prefix == "L";
    }

    bool isDigitSeparator() const
    {
        return !m_code.empty() && std::isxdigit(static_cast<unsigned char>(m_code.back())) != 0
            && m_at + 1 < m_source.size() && std::isxdigit(static_cast<unsigned char>(m_source[m_at + 1])) != 0;
    }

    void copyUntil(std::size_t end)
    {
        end = std::min(end, m_source.size());
        m_code.append(m_source.substr(m_at, end - m_at));
        m_at = end;
    }

    void blankUntil(std::size_t end)
    {
        end = std::min(end, m_source.size());
        for (; m_at < end; ++m_at)
            m_code.push_back(m_source[m_at] == '\n' ? '\n' : ' ');
    }

    void blankThrough(std::string_view terminator, std::size_t skip)
    {
        const std::size_t end = m_source.find(terminator, m_at + skip);
        blankUntil(end == std::string_view::npos ? end : end + terminator.size());
    }

    /// Blanks a string or character literal; the quotes stay, so that the code around it keeps its shape.
    void blankLiteral(char quote)
    {
        copyUntil(m_at + 1);
        while (m_at < m_source.size() && m_source[m_at] != quote && m_source[m_at] != '\n')
            blankUntil(m_at + (m_source[m_at] == '\\' ? 2 : 1));
        copyUntil(m_at + 1);
    }

    std::string_view m_source;
    std::size_t m_at = 0;
    std::string m_code;
};

} // namespace

std::string codeOnly(std::string_view source) { return CodeFilter(source).run(); }

std::vector<Include> includesOf(std::string_view source)
{
    const std::string code = codeOnly(source);
    std::vector<Include> includes;
    std::size_t line = 0;
    for (std::size_t begin = 0; begin < code.size();) {
        const std::size_t end = std::min(code.find('\n', begin), code.size());
        const std::string_view text = std::string_view(code).substr(begin, end - begin);
        begin = end + 1;
        ++line;
        const std::size_t hash = text.find_first_not_of(" \t");
        if (hash == std::string_view::npos || text[hash] != '#')
            continue;
        const std::size_t word = text.find_first_not_of(" \t", hash + 1);
        if (word == std::string_view::npos || !text.substr(word).starts_with("include"))
            continue;
        const std::size_t open = text.find_first_of("\"<", word);
        if (open == std::string_view::npos)
            continue;
        const bool quoted = text[open] == '"';
        const std::size_t close = text.find(quoted ? '"' : '>', open + 1);
        if (close != std::string_view::npos)
            includes.push_back({line, std::string(text.substr(open + 1, close - open - 1)), quoted});
    }
    return includes;
}

std::size_t lineCount(std::string_view text)
{
    const auto ends = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
    return ends + (text.empty() || text.back() == '\n' ? 0 : 1);
}

std::size_t lineAt(std::string_view text, std::size_t offset)
{
    const std::string_view before = text.substr(0, offset);
    return static_cast<std::size_t>(std::count(before.begin(), before.end(), '\n')) + 1;
}

} // namespace tests

// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/layering_rules.h"

#include "tests/include_rules.h"

#include <algorithm>
#include <array>
#include <iterator>

namespace tests {

namespace {

using namespace std::string_literals;

bool isWordCharacter(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

std::string_view nameOfFile(std::string_view path) { return path.substr(path.rfind('/') + 1); }

std::string_view folderOf(std::string_view path)
{
    const std::size_t slash = path.rfind('/');
    return slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
}

std::string_view stemOf(std::string_view path)
{
    const std::string_view name = nameOfFile(path);
    return name.substr(0, name.rfind('.'));
}

bool isMocOutput(std::string_view include, std::string_view path)
{
    return include == std::string(stemOf(path)) + ".moc" || include == "moc_" + std::string(stemOf(path)) + ".cpp";
}

std::string whyQuotedIncludeIsWrong(
    const std::string &include, const SourceFile &file, const FolderRule &rule, const std::set<std::string> &paths)
{
    if (isMocOutput(include, file.path))
        return {};
    if (include.find("./") != std::string::npos)
        return "relative include \"" + include + "\": write it from the repository root";
    if (!paths.contains(include))
        return "include \"" + include + "\" names no file below the repository root: write it from there";
    const auto begins = [&include](std::string_view beginning) { return include.starts_with(beginning); };
    if (std::any_of(rule.except.begin(), rule.except.end(), begins)
        || std::none_of(rule.project.begin(), rule.project.end(), begins))
        return std::string(rule.folder) + " may not include \"" + include + "\"";
    return {};
}

std::string whyHeaderIsWrong(const std::string &include, const FolderRule &rule)
{
    const auto allows = [&rule](HeaderOrigin origin) {
        return std::find(rule.headers.begin(), rule.headers.end(), origin) != rule.headers.end();
    };
    const HeaderOrigin origin = originOf(include);
    if (allows(HeaderOrigin::Unknown) || allows(origin))
        return {};
    return std::string(rule.folder) + " may not include <" + include + ">, which belongs to "
        + std::string(nameOf(origin));
}

/// Files that can carry a comment and are written by hand.
bool needsLicence(std::string_view path)
{
    static constexpr std::array kEndings{
        std::to_array<std::string_view>({".cpp", ".h", ".c", ".def", ".cmake", ".sql", ".sh", ".py", ".yml", ".qss",
            ".qrc", ".svg", ".desktop", ".xml", ".conf", "CMakeLists.txt", ".clang-tidy", ".clang-format"})};
    return std::any_of(kEndings.begin(), kEndings.end(), [path](std::string_view e) { return path.ends_with(e); });
}

std::string_view licenceOf(std::string_view path)
{
    constexpr std::array kIntoOthers{
        std::to_array<std::string_view>({"capture/tracer/", "capture/wire/", "capture/unwind/", "resources/ci/",
            "resources/cmake/package/", "resources/include/", "resources/pytest/", "tests/examples/"})};
    const bool goesIntoOthers = std::any_of(
        kIntoOthers.begin(), kIntoOthers.end(), [path](std::string_view folder) { return path.starts_with(folder); });
    return goesIntoOthers ? "MIT" : "GPL-3.0-or-later";
}

/// A word that code may not contain, and what to do instead.
struct ForbiddenWord
{
    std::string_view word;
    std::string_view reason;
};

constexpr std::array kForbiddenWords{std::to_array<ForbiddenWord>({
    {"std::format", "Clang 14 has no <format>: use fmt"},
    {"std::views", "Clang 14 does not compile std::views: write the loop"},
    {"std::ranges::views", "Clang 14 does not compile std::ranges::views: write the loop"},
    {"std::source_location", "Clang 14 has no std::source_location: use __FILE__ and __LINE__ in the macro"},
    {"QVERIFY(true)", "a check that cannot fail: test something"},
    {"QVERIFY2(true", "a check that cannot fail: test something"},
    {"QCOMPARE(true, true)", "a check that cannot fail: test something"},
})};

constexpr std::array kForbiddenHeaders{std::to_array<ForbiddenWord>({
    {"format", "Clang 14 has no <format>: use <fmt/format.h>"},
    {"source_location", "Clang 14 has no <source_location>: use __FILE__ and __LINE__ in the macro"},
})};

/// The text names `place` as the beginning of a path, not as the middle of another one.
std::size_t findPlace(std::string_view text, std::string_view place)
{
    for (std::size_t at = text.find(place); at != std::string_view::npos; at = text.find(place, at + 1)) {
        const bool inside = at > 0 && (isWordCharacter(text[at - 1]) || text[at - 1] == '.' || text[at - 1] == '}');
        const std::size_t end = at + place.size();
        if (!inside && (end == text.size() || place.back() == '/' || !isWordCharacter(text[end])))
            return at;
    }
    return std::string_view::npos;
}

bool isWellKnownFolder(std::string_view folder)
{
    static constexpr std::array kFolders{std::to_array<std::string_view>({"", "/tmp", "/var/tmp", "/home", "/root",
        "/usr", "/usr/src", "/usr/local", "/opt", "/srv", "/mnt", "/media"})};
    return std::find(kFolders.begin(), kFolders.end(), folder) != kFolders.end();
}

bool lists(std::string_view listing, std::string_view word)
{
    const auto continues = [](char c) { return isWordCharacter(c) || c == '/' || c == '-'; };
    for (std::size_t at = listing.find(word); at != std::string_view::npos; at = listing.find(word, at + 1)) {
        const std::size_t end = at + word.size();
        if ((at == 0 || !continues(listing[at - 1])) && (end == listing.size() || !continues(listing[end])))
            return true;
    }
    return false;
}

bool isListed(const SourceFile &source, const std::vector<SourceFile> &files)
{
    for (std::string_view folder = folderOf(source.path); !folder.empty(); folder = folderOf(folder)) {
        const std::string listPath = std::string(folder) + "/CMakeLists.txt";
        const auto list = std::find_if(
            files.begin(), files.end(), [&listPath](const SourceFile &file) { return file.path == listPath; });
        if (list == files.end())
            continue;
        const std::string_view fromHere = std::string_view(source.path).substr(folder.size() + 1);
        if (lists(list->text, fromHere) || lists(list->text, fromHere.substr(0, fromHere.rfind('.'))))
            return true;
    }
    return false;
}

void append(Violations &all, Violations some)
{
    all.insert(all.end(), std::make_move_iterator(some.begin()), std::make_move_iterator(some.end()));
}

} // namespace

bool isCpp(std::string_view path) { return path.ends_with(".cpp") || path.ends_with(".h") || path.ends_with(".c"); }

Violations forbiddenIncludes(const SourceFile &file, const std::set<std::string> &paths)
{
    if (!isCpp(file.path))
        return {};
    const FolderRule *rule = ruleFor(file.path);
    if (rule == nullptr)
        return {{file.path, 0, "code stands in a folder that is not for code: move it below one of the components"}};
    Violations found;
    for (const Include &include : includesOf(file.text)) {
        std::string reason = include.quoted ? whyQuotedIncludeIsWrong(include.name, file, *rule, paths)
                                            : whyHeaderIsWrong(include.name, *rule);
        if (!reason.empty())
            found.push_back({file.path, include.line, std::move(reason)});
    }
    return found;
}

Violations wrongLicence(const SourceFile &file)
{
    const std::string_view text = file.text;
    if (!needsLicence(file.path) && !text.starts_with("#!"))
        return {};
    const std::string expected = "SPDX-License-Identifier: "s + std::string(licenceOf(file.path));
    const std::size_t secondLine = std::min(text.find('\n'), text.size() - 1) + 1;
    const bool hasPreamble = text.starts_with("#!") || text.starts_with("<?xml");
    const std::string_view rest = text.substr(hasPreamble ? secondLine : 0);
    const std::string_view line = rest.substr(0, rest.find('\n'));
    const std::size_t at = line.find(expected);
    const bool whole = at != std::string_view::npos
        && (at + expected.size() == line.size() || line[at + expected.size()] == ' '
            || line[at + expected.size()] == '"');
    if (whole)
        return {};
    return {{file.path, hasPreamble ? 2U : 1U, "this line should be the comment \"" + expected + "\""}};
}

Violations tooLong(const SourceFile &file)
{
    const std::size_t lines = lineCount(file.text);
    if (!isCpp(file.path) || lines <= kMostLines)
        return {};
    return {{file.path, lines, "longer than " + std::to_string(kMostLines) + " lines: split it"}};
}

Violations forbiddenCode(const SourceFile &file)
{
    if (!isCpp(file.path))
        return {};
    Violations found;
    const std::string code = codeOnly(file.text);
    for (const ForbiddenWord &forbidden : kForbiddenWords)
        for (std::size_t at = code.find(forbidden.word); at != std::string::npos;
             at = code.find(forbidden.word, at + 1)) {
            const std::size_t end = at + forbidden.word.size();
            if (end == code.size() || !isWordCharacter(code[end]) || !isWordCharacter(forbidden.word.back()))
                found.push_back({file.path, lineAt(code, at), std::string(forbidden.reason)});
        }
    for (const Include &include : includesOf(file.text))
        for (const ForbiddenWord &forbidden : kForbiddenHeaders)
            if (!include.quoted && include.name == forbidden.word)
                found.push_back({file.path, include.line, std::string(forbidden.reason)});
    if (file.path.ends_with(".h") && code.find("#pragma once") == std::string::npos)
        found.push_back({file.path, 0, "a header without #pragma once"});
    return found;
}

Violations machinePaths(const SourceFile &file, std::string_view root)
{
    Violations found;
    const std::string_view around = folderOf(root);
    const std::string place = isWellKnownFolder(around) ? std::string(root) : std::string(around) + "/";
    const std::size_t at = findPlace(file.text, place);
    if (at != std::string_view::npos)
        found.push_back({file.path, lineAt(file.text, at), "names " + place + ", a place on this machine"});
    return found;
}

Violations unlistedSources(const std::vector<SourceFile> &files)
{
    Violations found;
    for (const SourceFile &file : files)
        if (file.path.ends_with(".cpp") && !isListed(file, files))
            found.push_back({file.path, 0, "no CMakeLists.txt lists it, so it is never compiled"});
    return found;
}

Violations violationsOf(const std::vector<SourceFile> &files, std::string_view root)
{
    std::set<std::string> paths;
    for (const SourceFile &file : files)
        paths.insert(file.path);
    Violations all;
    for (const SourceFile &file : files) {
        append(all, forbiddenIncludes(file, paths));
        append(all, wrongLicence(file));
        append(all, tooLong(file));
        append(all, forbiddenCode(file));
        append(all, machinePaths(file, root));
    }
    append(all, unlistedSources(files));
    return all;
}

} // namespace tests

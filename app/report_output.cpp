// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/report_output.h"

#include "storage/new_file.h"
#include "storage/session_file.h"

#include <fmt/format.h>
#include <langinfo.h>
#include <locale.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <optional>
#include <sstream>
#include <utility>

namespace app {

namespace {

/// What reports are written with, beside names from the program itself.
constexpr std::array kStandIns = std::to_array<std::pair<std::string_view, std::string_view>>(
    {{"–", "-"}, {"—", "-"}, {"−", "-"}, {"·", "|"}, {"…", "..."}, {"→", "->"}, {"←", "<-"}, {"×", "x"}, {"÷", "/"},
        {"±", "+-"}, {"≤", "<="}, {"≥", ">="}, {"≈", "~"}, {"∞", "inf"}, {"√", "sqrt"}, {"²", "^2"}, {"³", "^3"},
        {"½", "1/2"}, {"µ", "u"}, {"μ", "u"}, {"“", "\""}, {"”", "\""}, {"‘", "'"}, {"’", "'"}, {"●", "*"},
        {"⏸", "="}, {"\u00a0", " "}, {"\u2009", " "}, {"\u202f", " "}, {"▁", "_"}, {"▂", "."}, {"▃", ":"}, {"▄", "-"},
        {"▅", "="}, {"▆", "+"}, {"▇", "*"}, {"█", "#"}});

std::size_t lengthOfCharacter(std::string_view text)
{
    std::size_t length = 1;
    while (length < text.size() && (static_cast<unsigned char>(text[length]) & 0xc0u) == 0x80u)
        ++length;
    return length;
}

std::string lowered(std::string text)
{
    std::transform(text.begin(), text.end(), text.begin(),
        [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    return text;
}

/// Whether a new file can take the place of what is there, if anything, and nobody would miss what was: no device, pipe or link, none that is known
/// by another name too, is another user's, or must not be written.
bool canBeReplaced(const std::string &path)
{
    struct stat old = {};
    if (::lstat(path.c_str(), &old) != 0)
        return errno == ENOENT;
    return S_ISREG(old.st_mode) && old.st_nlink == 1 && old.st_uid == ::geteuid() && (old.st_mode & S_IWUSR) != 0;
}

/// What stood there before stays until all of the new is written, where it can be replaced.
model::Result<void> writeFile(const std::string &path, const std::function<void(std::ostream &)> &write)
{
    using storage::NewFile;
    const bool isReplaced = canBeReplaced(path);
    auto beside = isReplaced ? NewFile::tryNextTo(path, NewFile::Rights::AsReplaced) : std::nullopt;
    if (isReplaced && !beside && errno != EACCES && errno != EROFS && errno != ENAMETOOLONG)
        return model::systemError("Cannot write " + path, errno);
    errno = 0;
    std::ofstream file(beside ? beside->path() : path, std::ios::binary | std::ios::trunc);
    if (file)
        write(file);
    file.close();
    if (file && (!beside || beside->takePlaceOf(path)))
        return {};
    return model::systemError("Cannot write " + path, errno);
}

} // namespace

bool localeHasUtf8()
{
    std::string name;
    for (const char *variable : {"LC_ALL", "LC_CTYPE", "LANG"})
        if (const char *value = std::getenv(variable); name.empty() && value != nullptr)
            name = value;
    const std::string low = lowered(name);
    if (name.empty() || low.find("utf-8") != std::string::npos || low.find("utf8") != std::string::npos)
        return true;
    const locale_t locale = ::newlocale(LC_CTYPE_MASK, name.c_str(), nullptr);
    if (locale == nullptr)
        return true; // not installed here, so nothing is known of it
    const std::string charset = lowered(::nl_langinfo_l(CODESET, locale));
    ::freelocale(locale);
    return charset == "utf-8";
}

std::string asciiStandIns(std::string_view utf8)
{
    std::string ascii;
    ascii.reserve(utf8.size());
    while (!utf8.empty()) {
        const std::size_t length = static_cast<unsigned char>(utf8[0]) < 0x80 ? 1 : lengthOfCharacter(utf8);
        const std::string_view character = utf8.substr(0, length);
        const auto *found = std::find_if(
            kStandIns.begin(), kStandIns.end(), [character](const auto &pair) { return pair.first == character; });
        if (static_cast<unsigned char>(utf8[0]) < 0x80)
            ascii += character;
        else
            ascii += found == kStandIns.end() ? std::string_view("?") : found->second;
        utf8.remove_prefix(length);
    }
    return ascii;
}

void printForPeople(const std::string &text) { fmt::print("{}", localeHasUtf8() ? text : asciiStandIns(text)); }

model::Result<void> writeOutput(
    const std::string &path, Reader reader, const std::function<void(std::ostream &)> &write)
{
    errno = 0;
    if (path.empty()) {
        if (reader == Reader::Person && !localeHasUtf8()) {
            std::ostringstream text;
            write(text);
            std::cout << asciiStandIns(text.str());
        } else {
            write(std::cout);
        }
        std::cout.flush();
        return std::cout ? model::Result<void>() : model::systemError("Cannot write to standard output", errno);
    }
    if (storage::isSessionFile(path))
        return model::Error(fmt::format("Cannot write to {}: that is a session; choose another name", path));
    return writeFile(path, write);
}

} // namespace app

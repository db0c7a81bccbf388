// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/gate/baseline_store.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gnu/libc-version.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>

namespace app {

namespace {

constexpr std::string_view kExtension = ".baseline";

bool isPlainName(const std::string &name)
{
    return !name.empty() && name.front() != '.' && name.front() != '-'
        && std::all_of(name.begin(), name.end(), [](char c) {
               return std::isalnum(static_cast<unsigned char>(c)) != 0
                   || std::string_view("._+-").find(c) != std::string_view::npos;
           });
}

model::Result<std::string> readFile(const std::string &path)
{
    errno = 0;
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    if (file && file.peek() == std::ifstream::traits_type::eof() && !file.bad())
        return std::string(); // an empty file has no characters to insert, which is no error
    if (!file || !(text << file.rdbuf()))
        return model::systemError("Cannot read " + path, errno);
    return text.str();
}

model::Result<void> writeFile(const std::string &path, const std::string &text, std::ios::openmode mode)
{
    errno = 0;
    std::ofstream file(path, std::ios::binary | mode);
    file << text;
    file.close();
    return file ? model::Result<void>() : model::systemError("Cannot write " + path, errno);
}

/// The first of these variables of the environment that is set.
std::string variable(std::initializer_list<const char *> names)
{
    for (const char *name : names)
        if (const char *value = std::getenv(name); value != nullptr && *value != 0)
            return value;
    return {};
}

/// What git prints for one of these fixed questions; empty where it cannot.
std::string git(const char *question)
{
    const std::unique_ptr<std::FILE, int (*)(std::FILE *)> pipe(::popen(question, "r"), ::pclose);
    std::array<char, 256> line{};
    if (!pipe || std::fgets(line.data(), static_cast<int>(line.size()), pipe.get()) == nullptr)
        return {};
    std::string text(line.data());
    text.erase(std::find(text.begin(), text.end(), '\n'), text.end());
    return text;
}

/// The same, of a branch or a commit. Where there is no commit yet, or none is on a branch, git answers with what it was asked for.
std::string gitName(const char *question)
{
    std::string name = git(question);
    return name == "HEAD" ? std::string() : name;
}

std::string nowText()
{
    const std::time_t now = std::time(nullptr);
    std::tm time{};
    ::gmtime_r(&now, &time);
    std::array<char, 32> text{};
    std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &time);
    return text.data();
}

} // namespace

model::Result<BaselineStore> BaselineStore::open(const std::string &folder, const std::string &name)
{
    BaselineStore store;
    const std::filesystem::path path(name);
    const bool isFile = name.find('/') != std::string::npos || name.ends_with(kExtension);
    if (isFile && !name.ends_with(kExtension))
        return model::Error(fmt::format("{} is no baseline: its name would end in .baseline", name));
    store.m_folder = !isFile ? folder : path.has_parent_path() ? path.parent_path().string() : ".";
    store.m_name = isFile ? path.stem().string() : name;
    if (!isPlainName(store.m_name))
        return model::Error(
            fmt::format("\"{}\" is no name for a baseline: letters, digits, . _ + - are", store.m_name));
    return store;
}

model::Result<model::Baseline> BaselineStore::load() const
{
    if (!std::filesystem::exists(file()))
        return model::Error(
            fmt::format("There is no baseline {}; make it: genprof baseline save {} -- CMD ARG…", file(), m_name));
    const auto text = readFile(file());
    if (!text)
        return text.error();
    const auto baseline = model::readBaseline(*text);
    return baseline ? baseline : baseline.error().within(file());
}

model::Result<void> BaselineStore::save(const model::Baseline &baseline) const
{
    std::error_code code;
    std::filesystem::create_directories(m_folder, code);
    if (code)
        return model::Error(fmt::format("Cannot make the folder {}: {}", m_folder, code.message()));
    const std::string fresh = file() + ".new";
    if (const auto written = writeFile(fresh, model::baselineText(baseline), std::ios::trunc); !written)
        return written;
    std::filesystem::rename(fresh, file(), code);
    if (code)
        return model::Error(fmt::format("Cannot replace {}: {}", file(), code.message()));
    return writeFile(historyFile(), model::historyLine(baseline), std::ios::app);
}

model::Result<model::History> BaselineStore::history() const
{
    if (!std::filesystem::exists(historyFile()))
        return model::History();
    const auto text = readFile(historyFile());
    if (!text)
        return text.error();
    return model::readHistory(*text);
}

model::Result<void> BaselineStore::remove() const
{
    std::error_code code;
    if (!std::filesystem::remove(file(), code))
        return code ? model::Error(fmt::format("Cannot remove {}: {}", file(), code.message()))
                    : model::Error(fmt::format("There is no baseline {}", file()));
    std::filesystem::remove(historyFile(), code);
    return code ? model::Error(fmt::format("Cannot remove {}: {}", historyFile(), code.message()))
                : model::Result<void>();
}

std::vector<std::string> BaselineStore::list(const std::string &folder)
{
    std::vector<std::string> names;
    std::error_code code;
    for (const auto &entry : std::filesystem::directory_iterator(folder, code))
        if (entry.path().extension() == kExtension)
            names.push_back(entry.path().stem().string());
    std::sort(names.begin(), names.end());
    return names;
}

model::Baseline baselineOf(
    const VersionRuns &version, const BaselineOptions &options, const std::vector<std::string> &command)
{
    model::Baseline baseline;
    model::BaselineOrigin &origin = baseline.origin;
    origin.command = fmt::format("{}", fmt::join(command, " "));
    origin.date = nowText();
    origin.branch = options.branch;
    if (origin.branch.empty())
        origin.branch = variable({"GITHUB_HEAD_REF", "GITHUB_REF_NAME", "CI_COMMIT_REF_NAME"});
    if (origin.branch.empty())
        origin.branch = gitName("git rev-parse --abbrev-ref HEAD 2>/dev/null");
    origin.commit = options.commit;
    if (origin.commit.empty())
        origin.commit = variable({"GITHUB_SHA", "CI_COMMIT_SHA"});
    if (origin.commit.empty())
        origin.commit = gitName("git rev-parse --verify HEAD 2>/dev/null");
    origin.machine = machineClass();
    origin.reason = options.reason;
    baseline.values = version.values;
    for (auto &[key, values] : baseline.values)
        if (std::adjacent_find(values.begin(), values.end(), std::not_equal_to<>()) == values.end())
            values.resize(1); // the same in all runs
    if (version.heap) {
        const model::SessionStacks stacks = model::stacksOf(*version.heap, model::kMostBaselineStacks);
        baseline.stacks = stacks.stacks;
        baseline.rest = stacks.rest;
    }
    return baseline;
}

std::string machineClass()
{
    std::string model = "unknown processor";
    std::ifstream info("/proc/cpuinfo");
    constexpr std::string_view kModel = "model name";
    for (std::string line; std::getline(info, line);)
        if (const std::size_t colon = line.find(": "); line.starts_with(kModel) && colon != std::string::npos) {
            model = line.substr(colon + 2);
            break;
        }
    return fmt::format("x86_64, glibc {}, {} × {}", ::gnu_get_libc_version(), ::sysconf(_SC_NPROCESSORS_ONLN), model);
}

} // namespace app

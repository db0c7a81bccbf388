// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/doctor.h"

#include "app/exit_code.h"
#include "app/program_paths.h"
#include "app/report_output.h"
#include "app/terminal.h"
#include "capture/proc/process_tree.h"
#include "capture/target/attach_preflight.h"
#include "capture/target/host_probe.h"
#include "model/report/text_table.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cstdint>
#include <cstdio>
#include <sstream>

namespace app {

namespace {

struct Level
{
    const char *key;
    const char *sign;
};

Level levelOf(model::CapabilityLevel level)
{
    switch (level) {
    case model::CapabilityLevel::Ok:
        return {"ok", "ok "};
    case model::CapabilityLevel::Limited:
        return {"limited", "~  "};
    case model::CapabilityLevel::Denied:
        return {"denied", "NO "};
    case model::CapabilityLevel::Unknown:
        return {"unknown", "?  "};
    }
    return {"", ""};
}

void printJson(const model::Capabilities &capabilities)
{
    nlohmann::json list = nlohmann::json::array();
    for (const model::Capability &item : capabilities.items)
        list.push_back({{"id", item.id}, {"label", item.label}, {"level", levelOf(item.level).key},
            {"sentence", item.sentence}, {"remedy", item.remedy}});
    fmt::print(
        "{}\n", nlohmann::json{{"capabilities", list}}.dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
}

} // namespace

std::string doctorText(const model::Capabilities &capabilities, std::size_t columns)
{
    constexpr std::size_t kNarrow = 64; // beside the labels hardly three words would stand in a line
    constexpr std::size_t kBesideLabels = 27, kBelowLabels = 4;
    columns = columns == 0 ? SIZE_MAX / 2 : columns;
    std::ostringstream out;
    for (const model::Capability &item : capabilities.items) {
        const std::size_t indent = columns < kNarrow ? kBelowLabels : kBesideLabels;
        std::ostringstream sentence;
        model::writeWrapped(sentence, item.sentence, columns, indent);
        const std::string label = fmt::format("{} {}", levelOf(item.level).sign, item.label);
        if (columns < kNarrow)
            out << label << '\n' << sentence.str();
        else
            out << fmt::format("{:<{}}", label, indent) << sentence.str().substr(indent);
        if (!item.remedy.empty())
            model::writeWrapped(out, "→ " + item.remedy, columns, indent, 2);
    }
    return out.str();
}

int runDoctor(const DoctorOptions &options)
{
    model::Capabilities capabilities
        = options.pid ? capture::probeAttach(*options.pid, tracerPath()) : capture::probeHost();
    if (options.pid && !capture::processTree(*options.pid).empty())
        capabilities.items.push_back(capture::probeDescendants(*options.pid, tracerPath()));
    if (options.asJson)
        printJson(capabilities);
    else
        printForPeople(doctorText(capabilities, outputColumns()));
    for (const model::Capability &item : capabilities.items) {
        if (item.level == model::CapabilityLevel::Denied)
            return kExitFailure;
    }
    return kExitOk;
}

} // namespace app

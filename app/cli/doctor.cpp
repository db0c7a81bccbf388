// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/doctor.h"

#include "app/exit_code.h"
#include "app/program_paths.h"
#include "app/report_output.h"
#include "capture/target/attach_preflight.h"
#include "capture/target/host_probe.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cstdio>

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

void printText(const model::Capabilities &capabilities)
{
    for (const model::Capability &item : capabilities.items) {
        printForPeople(fmt::format("{} {:<22} {}\n", levelOf(item.level).sign, item.label, item.sentence));
        if (!item.remedy.empty())
            printForPeople(fmt::format("{:<27}→ {}\n", "", item.remedy));
    }
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

int runDoctor(const DoctorOptions &options)
{
    model::Capabilities capabilities
        = options.pid ? capture::probeAttach(*options.pid, tracerPath()) : capture::probeHost();
    if (options.pid)
        capabilities.items.push_back(capture::probeDescendants(*options.pid, tracerPath()));
    if (options.asJson)
        printJson(capabilities);
    else
        printText(capabilities);
    for (const model::Capability &item : capabilities.items) {
        if (item.level == model::CapabilityLevel::Denied)
            return kExitFailure;
    }
    return kExitOk;
}

} // namespace app

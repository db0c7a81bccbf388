// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/baseline.h"
#include "app/cli/compare.h"
#include "app/cli/control.h"
#include "app/cli/doctor.h"
#include "app/cli/follow.h"
#include "app/cli/gate.h"
#include "app/cli/record.h"
#include "app/cli/redact.h"
#include "app/cli/report.h"
#include "app/cli/seal.h"
#include "app/cli/serve.h"
#include "app/cli/sessions.h"
#include "app/cli/soak.h"
#include "app/cli/sql.h"
#include "app/command_line.h"
#include "app/exit_code.h"
#include "capture/target/inherited_state.h"
#include "capture/target/stack_limit.h"
#include "model/base/result.h"

#include <cerrno>
#include <cstdio>
#include <exception>
#include <iostream>
#include <new>
#include <system_error>

namespace {

/// Does what one kind of command line asks for.
struct Run
{
    const capture::InheritedState &inherited;

    int operator()(const app::PrintAndExit &print) const
    {
        std::fputs(print.text.c_str(), print.exitCode == 0 ? stdout : stderr);
        return print.exitCode;
    }
    int operator()(const app::RecordOptions &options) const { return app::runRecord(options, inherited); }
    int operator()(const app::ControlOptions &options) const { return app::runControl(options); }
    int operator()(const app::ReportOptions &options) const { return app::runReport(options); }
    int operator()(const app::ListOptions &options) const { return app::runList(options); }
    int operator()(const app::RedactOptions &options) const { return app::runRedact(options); }
    int operator()(const app::SealOptions &options) const { return app::runSeal(options); }
    int operator()(const app::TagOptions &options) const { return app::runTag(options); }
    int operator()(const app::PruneOptions &options) const { return app::runPrune(options); }
    int operator()(const app::FollowOptions &options) const { return app::runFollow(options); }
    int operator()(const app::SoakOptions &options) const { return app::runSoak(options, inherited); }
    int operator()(const app::ServeOptions &options) const { return app::runServe(options); }
    int operator()(const app::SqlOptions &options) const { return app::runSql(options); }
    int operator()(const app::GateOptions &options) const { return app::runGate(options, inherited); }
    int operator()(const app::BaselineOptions &options) const { return app::runBaseline(options, inherited); }
    int operator()(const app::CompareOptions &options) const { return app::runCompare(options); }
    int operator()(const app::DoctorOptions &options) const { return app::runDoctor(options); }
};

/// The exit code of a command whose output may be lost, as on a full disk: a failure, told where nobody did.
int checkedOutput(int exitCode)
{
    const bool isFlushed = std::fflush(stdout) == 0;
    const int error = errno;
    if (exitCode != app::kExitOk || (isFlushed && std::ferror(stdout) == 0 && std::cout))
        return exitCode;
    std::fprintf(stderr, "genprof: Cannot write to standard output%s%s\n", isFlushed ? "" : ": ",
        isFlushed ? "" : model::errnoText(error).c_str());
    return app::kExitFailure;
}

} // namespace

int main(int argc, char **argv)
{
    const capture::InheritedState inherited = capture::InheritedState::capture();
    if (const auto room = capture::makeRoomForStacks(); !room) {
        std::fprintf(stderr, "genprof: %s\n", room.error().text().c_str());
        return app::kExitRecorderFailed;
    }
    try {
        return checkedOutput(
            std::visit(Run{inherited}, app::parseCommandLine({argv + 1, argv + argc}, GENESIS_VERSION)));
    } catch (const std::bad_alloc &) {
        std::fputs("genprof: There is not enough memory: raise the limit (ulimit -v)\n", stderr);
    } catch (const std::system_error &error) { // of a thread that cannot be started
        std::fprintf(
            stderr, "genprof: %s: raise the limits of memory and threads (ulimit -v, ulimit -u)\n", error.what());
    }
    return app::kExitRecorderFailed;
}

// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/report.h"

#include "app/exit_code.h"
#include "app/report_output.h"
#include "app/session_report.h"
#include "model/report/session_words.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

namespace app {

namespace {

int fail(const std::string &text)
{
    fmt::print(stderr, "genprof: {}\n", text);
    return kExitFailure;
}

} // namespace

int runReport(const ReportOptions &options)
{
    if (options.format == ReportFormat::Pprof && options.output.empty() && ::isatty(STDOUT_FILENO) == 1)
        return fail("A profile for pprof is nothing for a terminal: name a file for it with -o, e.g. -o heap.pb.gz");
    const auto key = keyOf(options.file, options.passphrase);
    if (!key)
        return fail(key.error().text());
    auto reader = storage::SessionReader::open(options.file, *key);
    if (!reader)
        return fail(reader.error().text());
    if (const auto polled = reader->poll(); !polled)
        return fail(polled.error().text());
    const auto snapshot = readForReport(*reader, options);
    if (!snapshot)
        return fail(snapshot.error().text());
    if (!(*snapshot)->damage.empty())
        fmt::print(stderr, "genprof: {}: {}\n", options.file, (*snapshot)->damage);
    if (model::isAllLost(**snapshot))
        return fail(fmt::format("{}: nothing at all can be read from this session, so there is nothing to report; "
                                "take another copy of the file, if there is one",
            options.file));
    const Reader who = options.format == ReportFormat::Text ? Reader::Person : Reader::Program;
    const auto written
        = writeOutput(options.output, who, [&](std::ostream &out) { writeReport(out, **snapshot, options); });
    return written ? kExitOk : fail(written.error().text());
}

} // namespace app

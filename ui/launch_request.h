// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QString>
#include <QStringList>

#include <optional>

namespace ui {

/// What somebody wants to record, as the start page collects it. A value.
struct LaunchRequest
{
    QString program;
    QString arguments;                     ///< as typed: split at spaces, "…" keeps them together
    QString directory;                     ///< empty: the current one
    QString environment;                   ///< NAME=VALUE, one a line or separated by spaces; added to the window's own
    std::optional<qint64> attachPid;       ///< then program, arguments, directory and environment are not used
    QString attachName;                    ///< what that process is called; names the session
    QString heap = QStringLiteral("full"); ///< as `genprof --heap` takes it: "sampled=64KiB", "auto", "off"
    bool followsChildren = true;           ///< the programs that it starts are recorded too
    bool untilAllEnd = false;              ///< it is recorded on when it has ended, until those have, too
    int cpuHz = 199;                       ///< 0: off
    bool systemCalls = false;
    bool waits = false;
    int tickMs = 1000;
    QString duration; ///< as `genprof` takes it: "10m"; empty: until the program ends
    QString output;   ///< session file; empty: named after program and time in the recordings' folder
};

/// Arguments of `genprof` for `request`, with `output` as the session file. Each element is one argument, never a shell's text.
QStringList recorderArguments(const LaunchRequest &request, const QString &output);

/// The variables of LaunchRequest::environment as NAME=VALUE.
QStringList environmentEntries(const QString &text);

/// What of a request can be wrong.
enum class RequestField { None, Program, Arguments, Directory, Environment, Capture, Duration };

/// What is wrong with a request, as a sentence in the words of the form; empty: it can be tried.
QString requestProblem(const LaunchRequest &request);
/// Which part of it that is; None: it can be tried.
RequestField fieldAtFault(const LaunchRequest &request);

/// A command line that a shell reads back as exactly these arguments.
QString shellQuoted(const QStringList &arguments);

/// The whole command as one would type it: directory, variables, and `genprof`.
QString shellCommand(const LaunchRequest &request, const QString &output);

/// A new session's file name: "orders-api-20261123-120710.gprof-session". `when` as text without characters that
/// file names do not like.
QString sessionFileName(const LaunchRequest &request, const QString &when);

} // namespace ui

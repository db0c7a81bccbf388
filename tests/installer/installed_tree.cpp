// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/installer/installed_tree.h"

#include <QProcess>

namespace tests {

namespace {

constexpr int kDeadlineMs = 120'000;

} // namespace

Outcome runProgram(
    const QString &program, const QStringList &arguments, const QProcessEnvironment &environment, const QString &folder)
{
    QProcess process;
    if (!environment.isEmpty())
        process.setProcessEnvironment(environment);
    process.setWorkingDirectory(folder);
    process.start(program, arguments);
    const bool ended = process.waitForFinished(kDeadlineMs);
    Outcome outcome{ended && process.exitStatus() == QProcess::NormalExit ? process.exitCode() : -1,
        process.readAllStandardOutput(), {}};
    outcome.text = QStringLiteral("%1 %2 ended with %3\n%4%5%6")
                       .arg(program, arguments.join(QLatin1Char(' ')), QString::number(outcome.exitCode),
                           QString::fromUtf8(outcome.out), QString::fromUtf8(process.readAllStandardError()),
                           ended ? QString() : process.errorString());
    return outcome;
}

QString InstalledTree::install() const
{
    if (!m_prefix.isValid())
        return m_prefix.errorString();
    const Outcome installed = runProgram(QStringLiteral("cmake"),
        {QStringLiteral("--install"), qEnvironmentVariable("GENESIS_BUILD_DIR"), QStringLiteral("--prefix"), prefix()});
    return installed.exitCode == 0 ? QString() : installed.text;
}

} // namespace tests

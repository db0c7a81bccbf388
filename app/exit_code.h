// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

namespace app {

/// What the programs exit with. `genprof record` exits as its command did; its own failures are numbered as env(1), nohup(1)
/// and timeout(1) number theirs, so that it can stand in front of any command.
enum ExitCode : int {
    kExitOk = 0,
    kExitFailure = 1,           ///< of every command but record, attach, soak and gate: it could not do what was asked
    kExitUsage = 2,             ///< of every command but record, attach, soak and gate: the command line is wrong
    kExitSoakLeaking = 1,       ///< soak: the target grows by more than is allowed
    kExitSoakUndecided = 2,     ///< soak: neither is sure
    kExitSoakTargetFailed = 3,  ///< soak: the target or its load failed
    kExitGateWorse = 1,         ///< gate: something grew beyond its limit
    kExitGateUnclear = 2,       ///< gate: too noisy to tell
    kExitGateProgramFailed = 3, ///< gate and baseline save: the command ended with another status than 0
    kExitAlert = 3,             ///< record and attach with --fail-on-alert: all went well, but an alert fired
    kExitHeapNotAttached = 4,   ///< attach: --heap was asked for and could not be had; the rest was recorded
    kExitRecorderFailed
    = 125,                    ///< record, attach, soak and gate: a failure of our own, a wrong command line among them;
                              ///< attach and soak: the end of the recording could not be written; record: nothing of it
    kExitNotExecutable = 126, ///< record: the command was found and could not be run
    kExitNotFound = 127,      ///< record: there is no such command
    kExitSignalBase = 128,    ///< record: plus the number of the signal that ended the command
};

/// The exit code that stands for a status of waitpid: the program's own, or 128 + the number of the signal that ended it.
int exitCodeOf(int waitStatus);

} // namespace app

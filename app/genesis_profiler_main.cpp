// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/gui_application.h"
#include "app/gui_export.h"
#include "ui/file_path.h"

#include <QApplication>
#include <QCommandLineParser>
#include <QSettings>
#include <QTextStream>

#include <cstdio>
#include <cstring>

namespace {

bool wantsExport(int argc, char **argv)
{
    for (int i = 1; i < argc; ++i)
        if (std::strncmp(argv[i], "--export", 8) == 0 || std::strcmp(argv[i], "--help") == 0
            || std::strcmp(argv[i], "-h") == 0 || std::strcmp(argv[i], "-v") == 0
            || std::strcmp(argv[i], "--help-all") == 0 || std::strcmp(argv[i], "--version") == 0)
            return true;
    return false;
}

/// Qt ends the program with an abort where it finds no display; `--platform` and the variable choose another way.
bool hasDisplay(int argc, char **argv)
{
    for (const char *variable : {"DISPLAY", "WAYLAND_DISPLAY", "WAYLAND_SOCKET", "QT_QPA_PLATFORM"})
        if (!qEnvironmentVariableIsEmpty(variable))
            return true;
    if (qgetenv("XDG_SESSION_TYPE") == "wayland")
        return true; // its socket has a usual name
    for (int i = 1; i < argc; ++i)
        if (std::strcmp(argv[i], "-platform") == 0 || std::strcmp(argv[i], "--platform") == 0)
            return true;
    return false;
}

int runExport(QApplication &application, const QString &file, const QString &folder,
    const app::PassphraseSource &passphrase, const QString &before)
{
    const auto written = app::exportSession(application, file, folder, passphrase, before);
    if (!written) {
        QTextStream(stderr) << "genesis-profiler: " << QString::fromStdString(written.error().text()) << '\n';
        return 1;
    }
    for (const QString &name : *written)
        std::puts((ui::pathBytes(folder) + '/' + name.toStdString()).c_str());
    return 0;
}

} // namespace

int main(int argc, char **argv)
{
    // Exporting needs no display, and must not open one.
    if (wantsExport(argc, argv))
        qputenv("QT_QPA_PLATFORM", "offscreen");
    if (!hasDisplay(argc, argv)) {
        std::fputs(
            "genesis-profiler: there is no display to open a window on (DISPLAY and WAYLAND_DISPLAY are not set); "
            "\"genesis-profiler --export FOLDER FILE\" writes all pages and tables without one, and \"genprof report "
            "FILE\" prints a session\n",
            stderr);
        return 1;
    }
    QApplication application(argc, argv);
    QApplication::setApplicationName(QStringLiteral("genesis-profiler"));
    QApplication::setApplicationDisplayName(QStringLiteral("Genesis Profiler"));
    QApplication::setApplicationVersion(QStringLiteral(GENESIS_VERSION));
    QApplication::setDesktopFileName(QStringLiteral("genesis-profiler"));

    QCommandLineParser parser;
    parser.setApplicationDescription(
        QApplication::translate("main", "Records and shows where memory and CPU time of a program go."));
    parser.addHelpOption();
    parser.addVersionOption();
    const QCommandLineOption exportTo(QStringLiteral("export"),
        QApplication::translate(
            "main", "Write every page as PNG and every table as CSV into <folder>, without a window."),
        QStringLiteral("folder"));
    parser.addOption(exportTo);
    const QCommandLineOption passphraseFd(QStringLiteral("passphrase-fd"),
        QApplication::translate("main", "With --export: read the passphrase of a sealed session from this descriptor."),
        QStringLiteral("n"));
    const QCommandLineOption passphraseKeyring(QStringLiteral("passphrase-keyring"),
        QApplication::translate("main", "With --export: take it from the kernel's keyring."), QStringLiteral("name"));
    parser.addOptions({passphraseFd, passphraseKeyring});
    const QCommandLineOption compareWith(QStringLiteral("compare"),
        QApplication::translate("main", "Compare FILE, the session after, with the one before."),
        QStringLiteral("before"));
    parser.addOption(compareWith);
    parser.addPositionalArgument(
        QStringLiteral("FILE"), QApplication::translate("main", "Session to open."), QStringLiteral("[FILE]"));
    // As they are: QApplication::arguments() makes other names of paths that are no UTF-8.
    QStringList arguments;
    for (int i = 0; i < argc; ++i)
        arguments << ui::pathOf(argv[i]);
    parser.process(arguments);

    const QString file = parser.positionalArguments().value(0);
    const QString before = parser.value(compareWith);
    if (parser.isSet(compareWith) && file.isEmpty()) {
        QTextStream(stderr) << "genesis-profiler: --compare needs two sessions: --compare BEFORE AFTER\n";
        return 2;
    }
    if (parser.isSet(exportTo)) {
        if (file.isEmpty()) {
            QTextStream(stderr) << "genesis-profiler: --export needs the session to export\n";
            return 2;
        }
        app::PassphraseSource passphrase{.keyring = parser.value(passphraseKeyring).toStdString()};
        if (parser.isSet(passphraseFd)) {
            bool isNumber = false;
            passphrase.fd = parser.value(passphraseFd).toInt(&isNumber);
            if (!isNumber || *passphrase.fd < 0) {
                QTextStream(stderr) << "genesis-profiler: --passphrase-fd needs the number of an open descriptor\n";
                return 2;
            }
        }
        return runExport(application, file, parser.value(exportTo), passphrase, before);
    }
    QSettings settings(QStringLiteral("genesis-profiler"), QStringLiteral("window"));
    app::GuiApplication window(application, settings);
    window.show(file, before);
    return QApplication::exec();
}

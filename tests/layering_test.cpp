// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/layering_rules.h"

#include <QTest>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace tests {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kSpdx = "// SPDX-License-Identifier: GPL-3.0-or-later\n";
constexpr std::array kFolders{
    std::to_array<std::string_view>({"app", "capture", "installer", "model", "resources", "storage", "tests", "ui"})};

std::string readWhole(const fs::path &path)
{
    std::ifstream stream(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

/// Every file of the tree but the build's own and pictures, in the order of their paths.
std::vector<SourceFile> readTree(const fs::path &root)
{
    std::vector<SourceFile> files;
    const auto add = [&](const fs::path &path) {
        files.push_back({path.lexically_relative(root).generic_string(), readWhole(path)});
    };
    for (const std::string_view folder : kFolders)
        for (const fs::directory_entry &entry : fs::recursive_directory_iterator(root / folder))
            if (entry.is_regular_file() && entry.path().extension() != ".png")
                add(entry.path());
    for (const char *file : {"CMakeLists.txt", ".clang-format", ".clang-tidy", ".ci/run", ".github/workflows/ci.yml"})
        add(root / file);
    std::sort(files.begin(), files.end(), [](const auto &a, const auto &b) { return a.path < b.path; });
    return files;
}

std::string textOf(const Violations &violations)
{
    std::string text;
    for (const Violation &violation : violations)
        text += violation.path + ":" + std::to_string(violation.line) + ": " + violation.text + "\n";
    return text;
}

/// A line at which the rules find exactly one thing wrong, or nothing.
void expect(const Violations &found, bool isWrong)
{
    QVERIFY2(found.size() == (isWrong ? 1U : 0U),
        ("expected " + std::string(isWrong ? "one" : "no") + " violation, found:\n" + textOf(found)).c_str());
}

} // namespace

class LayeringTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void treeKeepsEveryRule();
    void judgesIncludesByFolder_data();
    void judgesIncludesByFolder();
    void ignoresIncludesInCommentsAndStrings();
    void namesTheLineOfAForbiddenInclude();
    void wantsTheLicenceOfTheFolder_data();
    void wantsTheLicenceOfTheFolder();
    void refusesLongFiles();
    void refusesForbiddenWords_data();
    void refusesForbiddenWords();
    void refusesPathsOfTheMachine_data();
    void refusesPathsOfTheMachine();
    void refusesSourcesThatNobodyCompiles_data();
    void refusesSourcesThatNobodyCompiles();
    void gathersTheViolationsOfAllRules();
};

void LayeringTest::treeKeepsEveryRule()
{
    const QByteArray root = qgetenv("GENESIS_SOURCE_DIR");
    QVERIFY2(!root.isEmpty(), "GENESIS_SOURCE_DIR names no source tree: start the test with ctest");
    const Violations found = violationsOf(readTree(root.toStdString()), root.toStdString());
    for (const Violation &violation : found)
        qWarning("%s:%zu: %s", violation.path.c_str(), violation.line, violation.text.c_str());
    QVERIFY2(found.empty(), "the source tree breaks its rules: see the warnings above");
}

void LayeringTest::judgesIncludesByFolder_data()
{
    QTest::addColumn<QString>("path");
    QTest::addColumn<QString>("include");
    QTest::addColumn<bool>("isWrong");
    const auto row = [](const char *path, const char *include, bool isWrong) {
        QTest::addRow("%s %s", path, include) << QString::fromUtf8(path) << QString::fromUtf8(include) << isWrong;
    };
    row("model/a.cpp", "<vector>", false);
    row("model/a.cpp", "<fmt/format.h>", false);
    row("model/a.cpp", "<boost/math/special_functions/beta.hpp>", false);
    row("model/a.cpp", "<boost/asio.hpp>", true);
    row("model/a.cpp", "<unistd.h>", true);
    row("model/a.cpp", "<QString>", true);
    row("model/a.cpp", "<sqlite3.h>", true);
    row("model/a.cpp", "\"model/b.h\"", false);
    row("model/a.cpp", "\"storage/b.h\"", true);
    row("model/a.cpp", "\"b.h\"", true);
    row("model/a.cpp", "\"../model/b.h\"", true);
    row("model/a.cpp", "\"model/./b.h\"", true);
    row("model/a.cpp", "\"model/missing.h\"", true);
    row("model/a.cpp", "<nlohmann/json.hpp>", true);
    row("model/report/a.cpp", "<nlohmann/json.hpp>", false);
    row("storage/a.cpp", "\"model/b.h\"", false);
    row("storage/a.cpp", "<sqlite3.h>", false);
    row("storage/a.cpp", "\"capture/wire/b.h\"", true);
    row("capture/wire/a.cpp", "<cstdint>", false);
    row("capture/wire/a.cpp", "<sys/mman.h>", false);
    row("capture/wire/a.cpp", "<string>", true);
    row("capture/wire/a.cpp", "\"model/b.h\"", true);
    row("capture/wire/a.cpp", "\"capture/unwind/b.h\"", true);
    row("capture/unwind/a.cpp", "\"capture/wire/b.h\"", true);
    row("capture/unwind/a.cpp", "<libunwind.h>", true);
    row("capture/tracer/a.cpp", "\"capture/wire/b.h\"", false);
    row("capture/tracer/a.cpp", "\"capture/unwind/b.h\"", false);
    row("capture/tracer/a.cpp", "\"capture/heap/b.h\"", true);
    row("capture/tracer/a.cpp", "<vector>", true);
    row("capture/heap/a.cpp", "\"capture/wire/b.h\"", false);
    row("capture/heap/a.cpp", "\"capture/tracer/b.h\"", true);
    row("capture/heap/a.cpp", "\"storage/b.h\"", true);
    row("capture/recording/a.cpp", "<nlohmann/json.hpp>", false);
    row("capture/symbols/a.cpp", "<elfutils/libdwfl.h>", false);
    row("capture/heap/a.cpp", "<QString>", true);
    row("ui/pages/a.cpp", "<QtCharts/QChart>", false);
    row("ui/pages/a.cpp", "<QWidget>", false);
    row("ui/pages/a.cpp", "\"model/b.h\"", false);
    row("ui/pages/a.cpp", "\"storage/b.h\"", true);
    row("ui/pages/a.cpp", "\"capture/heap/b.h\"", true);
    row("ui/pages/a.cpp", "\"app/b.h\"", true);
    row("ui/pages/a.cpp", "<unistd.h>", true);
    row("ui/pages/a.cpp", "\"a.moc\"", false);
    row("ui/pages/a.cpp", "\"b.moc\"", true);
    row("app/a.cpp", "\"ui/b.h\"", false);
    row("app/a.cpp", "<QApplication>", false);
    row("app/cli/a.cpp", "<CLI/CLI.hpp>", false);
    row("app/cli/a.cpp", "\"ui/b.h\"", true);
    row("app/cli/a.cpp", "<QApplication>", true);
    row("tests/model/a.cpp", "\"capture/tracer/b.h\"", false);
    row("tests/targets/a.cpp", "\"model/b.h\"", true);
    row("resources/a.cpp", "<vector>", true);
}

void LayeringTest::judgesIncludesByFolder()
{
    QFETCH(QString, path);
    QFETCH(QString, include);
    QFETCH(bool, isWrong);
    const std::set<std::string> paths{"app/b.h", "capture/heap/b.h", "capture/tracer/b.h", "capture/unwind/b.h",
        "capture/wire/b.h", "model/b.h", "storage/b.h", "ui/b.h"};
    const SourceFile file{path.toStdString(), std::string(kSpdx) + "#include " + include.toStdString() + "\n"};
    expect(forbiddenIncludes(file, paths), isWrong);
}

void LayeringTest::ignoresIncludesInCommentsAndStrings()
{
    const SourceFile file{"model/a.cpp",
        "// #include <QString>\n/*\n#include <QString>\n*/\nauto a = R\"x(\n#include <QString>\n)x\";\n"
        "auto b = '\"'; auto c = 1'000; auto d = \"\\\"/*\";\n#include <QString>\n"};
    const Violations found = forbiddenIncludes(file, {});
    QCOMPARE(found.size(), 1U);
    QCOMPARE(found.front().line, 9U);
}

void LayeringTest::namesTheLineOfAForbiddenInclude()
{
    const SourceFile file{"ui/a.cpp", std::string(kSpdx) + "\n  #  include <sqlite3.h> // quick look\n"};
    const Violations found = forbiddenIncludes(file, {});
    QCOMPARE(textOf(found), "ui/a.cpp:3: ui/ may not include <sqlite3.h>, which belongs to SQLite\n");
}

void LayeringTest::wantsTheLicenceOfTheFolder_data()
{
    QTest::addColumn<QString>("path");
    QTest::addColumn<QString>("text");
    QTest::addColumn<bool>("isWrong");
    const auto row = [](const char *name, const char *path, const char *text, bool isWrong) {
        QTest::newRow(name) << QString::fromUtf8(path) << QString::fromUtf8(text) << isWrong;
    };
    row("whole", "model/a.cpp", "// SPDX-License-Identifier: GPL-3.0-or-later\nint a;\n", false);
    row("none", "model/a.cpp", "int a;\n", true);
    row("empty file", "model/a.cpp", "", true);
    row("not at the top", "model/a.cpp", "\n// SPDX-License-Identifier: GPL-3.0-or-later\n", true);
    row("another one", "model/a.cpp", "// SPDX-License-Identifier: GPL-3.0-only\n", true);
    row("cut short", "model/a.cpp", "// SPDX-License-Identifier: GPL-3.0-or\n", true);
    row("with more behind", "model/a.cpp", "// SPDX-License-Identifier: GPL-3.0-or-later-x\n", true);
    row("tracer", "capture/tracer/a.def", "// SPDX-License-Identifier: MIT\n", false);
    row("tracer under the GPL", "capture/tracer/a.cpp", "// SPDX-License-Identifier: GPL-3.0-or-later\n", true);
    row("wire", "capture/wire/CMakeLists.txt", "# SPDX-License-Identifier: GPL-3.0-or-later\n", true);
    row("unwind", "capture/unwind/a.h", "// SPDX-License-Identifier: GPL-3.0-or-later\n", true);
    row("other people's builds", "resources/pytest/a.py", "# SPDX-License-Identifier: MIT\n", false);
    row("resources under MIT", "resources/a.cmake", "# SPDX-License-Identifier: MIT\n", true);
    row("capture under MIT", "capture/heap/a.h", "// SPDX-License-Identifier: MIT\n", true);
    row("script", "installer/a", "#!/bin/sh\n# SPDX-License-Identifier: GPL-3.0-or-later\n", false);
    row("script without", "installer/a", "#!/bin/sh\necho\n", true);
    row("xml", "resources/a.svg", "<?xml version=\"1.0\"?>\n<!-- SPDX-License-Identifier: GPL-3.0-or-later -->\n",
        false);
    row("text", "model/README.md", "# Model\n", false);
}

void LayeringTest::wantsTheLicenceOfTheFolder()
{
    QFETCH(QString, path);
    QFETCH(QString, text);
    QFETCH(bool, isWrong);
    expect(wrongLicence({path.toStdString(), text.toStdString()}), isWrong);
}

void LayeringTest::refusesLongFiles()
{
    std::string text;
    for (std::size_t line = 0; line < kMostLines; ++line)
        text += "int a;\n";
    expect(tooLong({"model/a.cpp", text}), false);
    expect(tooLong({"model/a.cpp", text + "int b;"}), true);
    expect(tooLong({"storage/README.md", text + "more\n"}), false);
}

void LayeringTest::refusesForbiddenWords_data()
{
    QTest::addColumn<QString>("path");
    QTest::addColumn<QString>("text");
    QTest::addColumn<bool>("isWrong");
    const auto row = [](const char *text, bool isWrong, const char *path = "model/a.cpp") {
        QTest::addRow("%s: %s", path, text) << QString::fromUtf8(path) << QString::fromUtf8(text) << isWrong;
    };
    row("auto a = std::format(\"{}\", 1);", true);
    row("auto a = std::format_string<int>;", false);
    row("auto a = fmt::format(\"std::format\"); // not std::format", false);
    row("for (int i : std::views::iota(0, 3)) {}", true);
    row("for (int i : std::ranges::views::iota(0, 3)) {}", true);
    row("std::ranges::sort(values);", false);
    row("void f(std::source_location where);", true);
    row("#include <format>", true);
    row("#include <source_location>", true);
    row("#include <fmt/format.h>", false);
    row("QVERIFY(true);", true, "tests/a_test.cpp");
    row("QVERIFY2(true, \"fine\");", true, "tests/a_test.cpp");
    row("QVERIFY(trueValue);", false, "tests/a_test.cpp");
    row("int a;", true, "model/a.h");
    row("#pragma once", false, "model/a.h");
}

void LayeringTest::refusesForbiddenWords()
{
    QFETCH(QString, path);
    QFETCH(QString, text);
    QFETCH(bool, isWrong);
    expect(forbiddenCode({path.toStdString(), text.toStdString() + "\n"}), isWrong);
}

void LayeringTest::refusesPathsOfTheMachine_data()
{
    QTest::addColumn<QString>("root");
    QTest::addColumn<QString>("text");
    QTest::addColumn<bool>("isWrong");
    const auto row = [](const char *root, const char *text, bool isWrong) {
        QTest::addRow("%s: %s", root, text) << QString::fromUtf8(root) << QString::fromUtf8(text) << isWrong;
    };
    row("/made/up/genesis", "open(\"/made/up/genesis/model/a.h\")", true);
    row("/made/up/genesis", "see /made/up/notes.txt", true);
    row("/made/up/genesis", "see /unmade/up/notes.txt", false);
    row("/made/up/genesis", "see ${HOME}/made/up/notes.txt", false);
    row("/made/up/genesis", "it is made/up here", false);
    row("/tmp/genesis", "write /tmp/perf-1.map", false);
    row("/tmp/genesis", "cd /tmp/genesis", true);
    row("/tmp/genesis", "cd /tmp/genesis/build", true);
    row("/tmp/genesis", "write /tmp/genesis_1", false);
}

void LayeringTest::refusesPathsOfTheMachine()
{
    QFETCH(QString, root);
    QFETCH(QString, text);
    QFETCH(bool, isWrong);
    expect(machinePaths({"model/README.md", text.toStdString()}, root.toStdString()), isWrong);
}

void LayeringTest::refusesSourcesThatNobodyCompiles_data()
{
    QTest::addColumn<QString>("path");
    QTest::addColumn<QString>("listPath");
    QTest::addColumn<QString>("list");
    QTest::addColumn<bool>("isWrong");
    const auto row = [](const char *path, const char *listPath, const char *list, bool isWrong) {
        QTest::addRow("%s in %s: %s", path, listPath, list)
            << QString::fromUtf8(path) << QString::fromUtf8(listPath) << QString::fromUtf8(list) << isWrong;
    };
    row("model/base/a.cpp", "model/CMakeLists.txt", "genesis_library(model SOURCES base/a.cpp)", false);
    row("model/base/a.cpp", "model/CMakeLists.txt", "genesis_library(model SOURCES base/aa.cpp)", true);
    row("model/base/a.cpp", "model/CMakeLists.txt", "genesis_library(model SOURCES tables/base/a.cpp)", true);
    row("model/base/a.cpp", "storage/CMakeLists.txt", "genesis_library(storage SOURCES base/a.cpp)", true);
    row("tests/model/a_test.cpp", "tests/model/CMakeLists.txt", "genesis_test(a_test LIBS model)", false);
    row("tests/model/a_test.cpp", "tests/model/CMakeLists.txt", "genesis_test(data_test LIBS model)", true);
    row("tests/model/a_test.cpp", "tests/CMakeLists.txt", "genesis_test(a_test LIBS model)", true);
}

void LayeringTest::refusesSourcesThatNobodyCompiles()
{
    QFETCH(QString, path);
    QFETCH(QString, listPath);
    QFETCH(QString, list);
    QFETCH(bool, isWrong);
    expect(unlistedSources({{path.toStdString(), ""}, {listPath.toStdString(), list.toStdString()}}), isWrong);
}

void LayeringTest::gathersTheViolationsOfAllRules()
{
    std::string text = "#include <QString>\nauto a = std::format(\"/made/up/\");\n";
    text.append(kMostLines, '\n');
    const Violations found = violationsOf({{"model/a.cpp", text}}, "/made/up/genesis");
    QCOMPARE(found.size(), 6U);
}

} // namespace tests

QTEST_GUILESS_MAIN(tests::LayeringTest)
#include "layering_test.moc"

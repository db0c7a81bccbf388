// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/target/executable_search.h"

#include <QTest>

using capture::executableCandidates;
using capture::findExecutable;
using Names = std::vector<std::string>;

class ExecutableSearchTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void aNameIsSearchedInEachDirectory() { QCOMPARE(executableCandidates("ls", "/a:/b"), (Names{"/a/ls", "/b/ls"})); }

    void anEmptyEntryIsTheWorkingDirectory()
    {
        QCOMPARE(executableCandidates("ls", ":/b"), (Names{"./ls", "/b/ls"}));
        QCOMPARE(executableCandidates("ls", "/b:"), (Names{"/b/ls", "./ls"}));
        QCOMPARE(executableCandidates("ls", ""), (Names{"./ls"}));
    }

    void aPathIsTakenAsItIs() { QCOMPARE(executableCandidates("./ls", "/a:/b"), (Names{"./ls"})); }

    void nothingStandsForNoName() { QCOMPARE(executableCandidates("", "/a:/b"), Names()); }

    void findsTheFirstExecutable()
    {
        QCOMPARE(findExecutable("sh", "/no/such:/bin:/usr/bin", ""), std::string("/bin/sh"));
        QCOMPARE(findExecutable("./sh", "", "/bin"), std::string("/bin/./sh"));
    }

    void directoriesAndMissingFilesAreNotFound()
    {
        QCOMPARE(findExecutable("/usr", "", ""), std::string());
        QCOMPARE(findExecutable("no-such-program-anywhere", "/bin", ""), std::string());
    }
};

QTEST_GUILESS_MAIN(ExecutableSearchTest)
#include "executable_search_test.moc"

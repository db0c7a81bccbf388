// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/heap/late_attach.h"
#include "capture/pidfd.h"

#include <QTest>

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <semaphore>

using capture::FileDescriptor;
using capture::LateAttach;
using model::ImageId;

namespace {

using Answer = LateAttach::Answer;
using Outcome = LateAttach::Outcome;

std::vector<Answer> waitForAnswers(LateAttach &late, std::size_t count)
{
    std::vector<Answer> answers;
    while (answers.size() < count) {
        for (Answer &answer : late.takeAnswers())
            answers.push_back(std::move(answer));
        QTest::qWait(1);
    }
    return answers;
}

} // namespace

class LateAttachTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void answersInTheOrderOfTheQuestions()
    {
        LateAttach late([](std::int32_t pid) {
            return pid % 2 == 0 ? Answer{{}, Outcome::Refused, "even"} : Answer{{}, Outcome::NotReady, {}};
        });
        for (const unsigned number : {3U, 4U, 5U})
            late.ask(ImageId(number), static_cast<std::int32_t>(number), FileDescriptor());
        const std::vector<Answer> answers = waitForAnswers(late, 3);
        QCOMPARE(answers[0].image, ImageId(3U));
        QCOMPARE(answers[1].image, ImageId(4U));
        QCOMPARE(answers[1].outcome, Outcome::Refused);
        QCOMPARE(answers[1].why, std::string("even"));
        QCOMPARE(answers[2].outcome, Outcome::NotReady);
        QVERIFY(late.takeAnswers().empty());
    }

    void whoHasEndedByItsTurnIsLeftAlone()
    {
        const pid_t child = ::fork();
        if (child == 0)
            for (;;)
                ::pause();
        FileDescriptor process(capture::openPidfd(child));
        QVERIFY(process.isOpen());
        std::atomic<int> calls = 0;
        std::binary_semaphore first{0};
        LateAttach late([&](std::int32_t) {
            ++calls;
            first.acquire(); // until the child has ended
            return Answer();
        });
        late.ask(ImageId(1U), ::getpid(), FileDescriptor());
        late.ask(ImageId(2U), child, std::move(process));
        QCOMPARE(::kill(child, SIGKILL), 0);
        QCOMPARE(::waitpid(child, nullptr, 0), child);
        first.release();
        QCOMPARE(waitForAnswers(late, 2)[1].outcome, Outcome::Settled);
        QCOMPARE(calls.load(), 1);
    }
};

QTEST_GUILESS_MAIN(LateAttachTest)
#include "late_attach_test.moc"

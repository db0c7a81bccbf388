// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/session_controller.h"
#include "tests/storage/sample_session.h"
#include "ui/file_path.h"

#include <QFile>
#include <QSignalSpy>

/// One road for files that grow and files that do not.
class SessionControllerTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void showsASavedSessionOnce();
    void opensFilesWhoseNamesAreNoUtf8();
    void followsAGrowingSession();
    void holdsTheViewAndCatchesUp();
    void selectionMakesANewSnapshot();
    void saysWhyAFileCannotBeOpened();
    void asksForThePassphraseOfASealedSession();

private:
    QTemporaryDir m_folder;
    QString path(const QString &name) const { return m_folder.filePath(name); }
};

namespace {
constexpr int kPatienceMs = 20000;
}

void SessionControllerTest::showsASavedSessionOnce()
{
    SampleSession sample;
    const QString file = path(QStringLiteral("saved"));
    QVERIFY(sample.make(file.toStdString(), 3));
    app::SessionController controller;
    QSignalSpy ready(&controller, &app::SessionController::snapshotReady);
    controller.open(file);
    QVERIFY(ready.wait(kPatienceMs));
    QCOMPARE(controller.snapshot()->tickEnds.size(), std::size_t{3});
    QCOMPARE(controller.snapshot()->info.state, model::SessionState::Complete);
}

void SessionControllerTest::opensFilesWhoseNamesAreNoUtf8()
{
    SampleSession sample;
    const std::string file = path({}).toStdString() + "/gr\xc3\xbcn \xff\xe2\x82 \xf0\x9f\x98\x80.gprof-session";
    QVERIFY(sample.make(file, 3));
    const QString handed = ui::pathOf(file);
    QCOMPARE(ui::pathBytes(handed), file);
    QCOMPARE(QString(ui::shownPath(handed).section(u'/', -1)),
        QStringLiteral("grün \\xff\\xe2\\x82 \U0001f600.gprof-session"));
    QCOMPARE(ui::pathOf("/a/grün"), QStringLiteral("/a/grün"));
    QCOMPARE(ui::pathBytes(ui::absolutePath(ui::pathOf("x/../\xff"))), QDir::currentPath().toStdString() + "/\xff");
    const std::string other = path({}).toStdString() + "/gr\xc3\xbcn \xfe\xe2\x82 \xf0\x9f\x98\x80.gprof-session";
    QVERIFY(sample.make(other, 3));
    QVERIFY(ui::isThere(handed) && !ui::isThere(handed + u'x') && !ui::isThere({}));
    QVERIFY(ui::isSameFile(handed, ui::pathOf(path({}).toStdString() + "/./" + file.substr(file.rfind('/') + 1))));
    QVERIFY(!ui::isSameFile(handed, ui::pathOf(other)) && !ui::isSameFile({}, {}));
    app::SessionController controller;
    QSignalSpy ready(&controller, &app::SessionController::snapshotReady);
    controller.open(handed);
    QVERIFY(ready.wait(kPatienceMs));
    QCOMPARE(controller.snapshot()->file, file);
}

void SessionControllerTest::followsAGrowingSession()
{
    SampleSession sample;
    const QString file = path(QStringLiteral("growing"));
    auto writer = sample.begin(file.toStdString(), 2);
    QVERIFY(writer);
    app::SessionController controller;
    QSignalSpy ready(&controller, &app::SessionController::snapshotReady);
    controller.open(file);
    QVERIFY(ready.wait(kPatienceMs));
    QCOMPARE(controller.snapshot()->tickEnds.size(), std::size_t{2});
    QVERIFY(writer->write(sample.batch(2), sample.tables()));
    QVERIFY(QTest::qWaitFor([&] { return controller.snapshot()->tickEnds.size() == 3; }, kPatienceMs));
    sample.info().state = model::SessionState::Complete;
    QVERIFY(writer->finish(sample.info()));
    QVERIFY(QTest::qWaitFor(
        [&] { return controller.snapshot()->info.state == model::SessionState::Complete; }, kPatienceMs));
    QCOMPARE(controller.snapshot()->tickEnds.size(), std::size_t{3});
}

void SessionControllerTest::holdsTheViewAndCatchesUp()
{
    SampleSession sample;
    const QString file = path(QStringLiteral("held"));
    auto writer = sample.begin(file.toStdString(), 1);
    QVERIFY(writer);
    app::SessionController controller;
    QSignalSpy ready(&controller, &app::SessionController::snapshotReady);
    controller.open(file);
    QVERIFY(ready.wait(kPatienceMs));
    controller.setHeld(true);
    for (int i = 1; i < 4; ++i) {
        QVERIFY(writer->write(sample.batch(i), sample.tables()));
        QCoreApplication::processEvents();
    }
    QCOMPARE(ready.count(), 1);
    controller.setHeld(false);
    QVERIFY(QTest::qWaitFor([&] { return controller.snapshot()->tickEnds.size() == 4; }, kPatienceMs));
}

void SessionControllerTest::selectionMakesANewSnapshot()
{
    SampleSession sample;
    const QString file = path(QStringLiteral("selected"));
    QVERIFY(sample.make(file.toStdString(), 5));
    app::SessionController controller;
    QSignalSpy ready(&controller, &app::SessionController::snapshotReady);
    controller.open(file);
    QVERIFY(ready.wait(kPatienceMs));
    model::Selection selection;
    selection.time = model::TimeRange{{1 * SampleSession::kTickNs}, {3 * SampleSession::kTickNs}};
    controller.setSelection(selection);
    QVERIFY(ready.wait(kPatienceMs));
    QCOMPARE(controller.snapshot()->span, *selection.time);
    QCOMPARE(controller.snapshot()->selection, selection);
    // One beside it leaves what is shown.
    QSignalSpy apart(&controller, &app::SessionController::apartReady);
    model::Selection later;
    later.time = model::TimeRange{{3 * SampleSession::kTickNs}, {4 * SampleSession::kTickNs}};
    controller.readApart(later);
    QVERIFY(apart.wait(kPatienceMs));
    const auto made = apart.first().first().value<std::shared_ptr<const model::Snapshot>>();
    QVERIFY(made);
    QCOMPARE(made->span, *later.time);
    QCOMPARE(controller.snapshot()->selection, selection);
}

void SessionControllerTest::saysWhyAFileCannotBeOpened()
{
    app::SessionController controller;
    QSignalSpy failed(&controller, &app::SessionController::openFailed);
    controller.open(path(QStringLiteral("missing")));
    QVERIFY(failed.wait(kPatienceMs));
    QVERIFY(failed.front().at(1).toString().contains(QStringLiteral("missing")));
    QVERIFY(!controller.isOpen());

    QFile foreign(path(QStringLiteral("foreign")));
    QVERIFY(foreign.open(QIODevice::WriteOnly));
    foreign.write("this is no session, and never was");
    foreign.close();
    controller.open(foreign.fileName());
    QVERIFY(failed.wait(kPatienceMs));
    QVERIFY(!failed.back().at(1).toString().isEmpty());
}

void SessionControllerTest::asksForThePassphraseOfASealedSession()
{
    SampleSession sample;
    const QString file = path(QStringLiteral("sealed"));
    const auto key = storage::SealKey::make(storage::SecretText::of("open sesame"), {1, 1 << 20});
    QVERIFY(key);
    auto writer = storage::SessionWriter::create(file.toStdString(), sample.info(), *key);
    QVERIFY(writer);
    QVERIFY(writer->write(sample.batch(0), sample.tables()));
    app::SessionController controller;
    QSignalSpy wanted(&controller, &app::SessionController::passphraseWanted);
    QSignalSpy ready(&controller, &app::SessionController::snapshotReady);
    controller.open(file);
    QVERIFY(wanted.wait(kPatienceMs));
    QCOMPARE(wanted.back().at(0).toString(), file);
    QCOMPARE(wanted.back().at(1).toBool(), false);
    QVERIFY(!controller.isOpen());
    controller.open(file, QStringLiteral("open barley"));
    QVERIFY(wanted.wait(kPatienceMs));
    QCOMPARE(wanted.back().at(1).toBool(), true);
    controller.open(file, QStringLiteral("open sesame"));
    QVERIFY(ready.wait(kPatienceMs));
    QVERIFY(writer->write(sample.batch(1), sample.tables()));
    QVERIFY(QTest::qWaitFor([&] { return controller.snapshot()->tickEnds.size() == 2; }, kPatienceMs));
}

QTEST_GUILESS_MAIN(SessionControllerTest)
#include "session_controller_integration_test.moc"

// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/dialogs/choose_file.h"
#include "ui/dialogs/save_export.h"
#include "ui/file_path.h"
#include "ui/widgets/labels.h"
#include "ui/widgets/status_line.h"

#include <QApplication>
#include <QElapsedTimer>
#include <QFileDialog>
#include <QLineEdit>
#include <QMessageBox>
#include <QPushButton>
#include <QTemporaryDir>
#include <QTest>
#include <QTimer>

#include <filesystem>
#include <iterator>

using namespace Qt::StringLiterals;

namespace {

ui::Export table(const std::string &contents)
{
    return {u"heap"_s, u"the table"_s, {}, [contents](std::ostream &out) { out << contents; }};
}

QByteArray read(const QString &path)
{
    QFile file(path);
    return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

/// What somebody does at the dialogs that saving opens, one step each; a step that finds no dialog comes again. Dialogs
/// that nobody answers are closed after a while, so that a test fails instead of waiting for ever.
class Hand : public QObject
{
public:
    explicit Hand(std::vector<std::function<bool()>> steps)
        : m_steps(std::move(steps))
    {
        connect(&m_timer, &QTimer::timeout, this, [this] {
            if (m_next < m_steps.size() && m_steps[m_next]()) {
                ++m_next;
                m_sinceStep.restart();
            } else if (auto *dialog = qobject_cast<QDialog *>(QApplication::activeModalWidget());
                       dialog != nullptr && m_sinceStep.hasExpired(10'000)) {
                const auto *box = qobject_cast<QMessageBox *>(dialog);
                m_unanswered += box != nullptr ? box->text() : dialog->windowTitle();
                dialog->reject();
            }
        });
        m_sinceStep.start();
        m_timer.start(10);
    }
    bool isDone() const { return m_next == m_steps.size() && m_unanswered.isEmpty(); }
    QString unanswered() const { return m_unanswered; }

private:
    QTimer m_timer;
    QElapsedTimer m_sinceStep;
    std::vector<std::function<bool()>> m_steps;
    std::size_t m_next = 0;
    QString m_unanswered;
};

QFileDialog *fileDialog() { return qobject_cast<QFileDialog *>(QApplication::activeModalWidget()); }

/// Accepts the file dialog as it is.
bool takeWhatIsProposed()
{
    if (fileDialog() == nullptr)
        return false;
    QMetaObject::invokeMethod(
        fileDialog(), [] { static_cast<QDialog *>(fileDialog())->accept(); }, Qt::QueuedConnection);
    return true;
}

std::function<bool()> type(const QString &name)
{
    return [name] {
        QFileDialog *dialog = fileDialog();
        if (dialog == nullptr)
            return false;
        // Both at once: as long as the name has no keyboard focus, a folder that is read in between puts the name of a
        // file that was suggested, and is there, in place of what was typed.
        const auto typeAndAccept = [dialog, name] {
            dialog->findChild<QLineEdit *>(u"fileNameEdit"_s)->setText(name);
            static_cast<QDialog *>(dialog)->accept();
        };
        QMetaObject::invokeMethod(dialog, typeAndAccept, Qt::QueuedConnection);
        return true;
    };
}

/// Presses the button with this text of the message that is shown, and keeps what it says.
std::function<bool()> press(const QString &button, QString *said = nullptr)
{
    return [button, said] {
        auto *box = qobject_cast<QMessageBox *>(QApplication::activeModalWidget());
        if (box == nullptr)
            return false;
        if (said != nullptr)
            *said = box->text();
        for (QAbstractButton *each : box->buttons())
            if (each->text().remove(u'&') == button) {
                each->click();
                return true;
            }
        return false;
    };
}

} // namespace

class SaveExportTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase()
    {
        QVERIFY(m_folder.isValid());
        QApplication::setAttribute(Qt::AA_DontUseNativeDialogs);
        m_window.setWindowFilePath(at(u"run.of.today.gprof-session"_s));
    }

    void saysWhatStandsInTheWayAndWhatToTry_data()
    {
        QTest::addColumn<QString>("path");
        QTest::addColumn<QString>("why");
        QTest::newRow("no such folder") << at(u"gone/heap.csv"_s)
                                        << at(u"gone"_s) + u". Choose another one, or make it"_s;
        QTest::newRow("a folder") << m_folder.path() << u"it is a folder. Give the file another name"_s;
        QTest::newRow("a file in the way") << at(u"file/heap.csv"_s) << u"is no folder"_s;
        QTest::newRow("a folder that is not to be written in") << u"/proc/heap.csv"_s << u"Choose another folder"_s;
    }
    void saysWhatStandsInTheWayAndWhatToTry()
    {
        QFETCH(QString, path);
        QFETCH(QString, why);
        QVERIFY(ui::writeExport(table("x"), at(u"file"_s)));
        const auto written = ui::writeExport(table("a,b\n"), path);
        QVERIFY(!written);
        const QString text = QString::fromStdString(written.error().text());
        QVERIFY2(text.startsWith(u"Cannot write "_s + path) && text.contains(why), qPrintable(text));
    }

    void writesWhereNamesAreNoText()
    {
        const std::string folder = at(u"r"_s).toStdString() + "\xe9p";
        const auto missing = ui::writeExport(table("a,b\n"), ui::pathOf(folder + "/heap.csv"));
        QVERIFY(!missing);
        QVERIFY2(missing.error().text().find("r\\xe9p. Choose another one, or make it") != std::string::npos,
            missing.error().text().c_str());
        QVERIFY(std::filesystem::create_directory(folder));
        QVERIFY(ui::writeExport(table("a,b\n"), ui::pathOf(folder + "/\xff.csv")));
        QCOMPARE(std::filesystem::file_size(folder + "/\xff.csv"), std::uintmax_t(4));
        QCOMPARE(std::distance(std::filesystem::directory_iterator(folder), {}), 1);
        std::filesystem::remove_all(folder); // QTemporaryDir would not find it
    }

    void endingsAreAddedWhereTheyLack()
    {
        QCOMPARE(ui::withEnding(u"/a/heap"_s, u".csv"_s), u"/a/heap.csv"_s);
        QCOMPARE(ui::withEnding(u"/a/run.v2"_s, u".csv"_s), u"/a/run.v2.csv"_s);
        QCOMPARE(ui::withEnding(u"/a/heap.CSV"_s, u".csv"_s), u"/a/heap.CSV"_s);
    }

    void beginsInTheFirstFolderThatIsThere()
    {
        using enum ui::FolderUse;
        QCOMPARE(ui::firstFolder({{}, at(u"gone"_s), m_folder.path()}, Writing), m_folder.path());
        QCOMPARE(ui::firstFolder({at(u"gone"_s)}, Reading), QDir::homePath());
        QCOMPARE(ui::firstFolder({u"/proc"_s, m_folder.path()}, Reading), u"/proc"_s);
    }

    void looksForSessionsWhereTheLastOnesAre()
    {
        const QTemporaryDir other;
        const auto recent = [](const QString &path, std::int64_t usedWallNs, bool isThere) {
            model::RecentSession session;
            session.path = path.toStdString();
            session.usedWallNs = usedWallNs;
            session.isThere = isThere;
            return session;
        };
        const std::vector<model::RecentSession> sessions{recent(u"/proc/gone.gprof-session"_s, 30, false),
            recent(other.filePath(u"old.gprof-session"_s), 10, true), recent(at(u"new.gprof-session"_s), 20, true)};
        QCOMPARE(ui::folderOfSessions(u"/proc/open.gprof-session"_s, sessions, {}), u"/proc"_s);
        QCOMPARE(ui::folderOfSessions({}, sessions, u"/proc"_s), m_folder.path());
        QCOMPARE(ui::folderOfSessions({}, {}, other.path()), other.path());
        QCOMPARE(ui::folderOfSessions({}, {}, at(u"gone"_s)), QDir::homePath());
    }

    void savesBesideTheSessionUnderItsName()
    {
        const Hand hand({&takeWhatIsProposed});
        ui::saveExport(table("a,b\n"), &m_window);
        QVERIFY2(hand.isDone(), qPrintable(hand.unanswered()));
        QCOMPARE(read(at(u"run.of.today-heap.csv"_s)), QByteArray("a,b\n"));
        QVERIFY(saidByTheStatusLine().contains(u"Saved run.of.today-heap.csv"_s));
    }

    /// A name that is no text is written out: the dialog takes text.
    void namesExportsOfSessionsWhoseNamesAreNoText()
    {
        const QString before = m_window.windowFilePath();
        m_window.setWindowFilePath(ui::pathOf(at(u"run"_s).toStdString() + "\xff.gprof-session"));
        const Hand hand({&takeWhatIsProposed});
        ui::saveExport(table("a,b\n"), &m_window);
        m_window.setWindowFilePath(before);
        QVERIFY2(hand.isDone(), qPrintable(hand.unanswered()));
        QCOMPARE(read(at(u"run\\xff-heap.csv"_s)), QByteArray("a,b\n"));
    }

    void asksBeforeWhatATypedNameBecomesIsReplaced()
    {
        QVERIFY(ui::writeExport(table("old"), at(u"run.v2.csv"_s)));
        QString said;
        {
            const Hand hand({type(u"run.v2"_s), press(u"No"_s, &said), type(u"run.v3"_s)});
            ui::saveExport(table("new"), &m_window);
            QVERIFY2(hand.isDone(), qPrintable(hand.unanswered()));
        }
        QVERIFY2(said.contains(at(u"run.v2.csv"_s)), qPrintable(said));
        QCOMPARE(read(at(u"run.v2.csv"_s)), QByteArray("old"));
        QCOMPARE(read(at(u"run.v3.csv"_s)), QByteArray("new"));
        const Hand hand({type(u"run.v2"_s), press(u"Yes"_s)});
        ui::saveExport(table("new"), &m_window);
        QVERIFY2(hand.isDone(), qPrintable(hand.unanswered()));
        QCOMPARE(read(at(u"run.v2.csv"_s)), QByteArray("new"));
    }

    void whatFailsIsAskedForAgain()
    {
        QString said;
        const Hand hand({type(at(u"gone/heap.csv"_s)), press(u"Save elsewhere…"_s, &said), type(at(u"other.csv"_s))});
        ui::saveExport(table("new"), &m_window);
        QVERIFY2(hand.isDone(), qPrintable(hand.unanswered()));
        QVERIFY2(said.contains(u"there is no folder"_s), qPrintable(said));
        QCOMPARE(read(at(u"other.csv"_s)), QByteArray("new"));
    }

private:
    QStringList saidByTheStatusLine() const
    {
        QStringList said;
        for (const ui::ElidedLabel *label : m_status->findChildren<ui::ElidedLabel *>())
            said += label->text();
        return said;
    }
    QString at(const QString &name) const { return m_folder.filePath(name); }

    QTemporaryDir m_folder;
    QWidget m_window;
    ui::StatusLine *m_status = new ui::StatusLine(&m_window);
};

QTEST_MAIN(SaveExportTest)
#include "save_export_test.moc"

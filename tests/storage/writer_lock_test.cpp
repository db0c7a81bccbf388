// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/writer_lock.h"

#include <QFile>
#include <QTemporaryDir>
#include <QTest>

#include <fcntl.h>
#include <sys/file.h>

#include <thread>

using storage::WriterLock;

class WriterLockTest : public QObject
{
    Q_OBJECT

private:
    QTemporaryDir m_folder;
    std::string m_path;

private Q_SLOTS:
    void initTestCase()
    {
        m_path = m_folder.filePath(QStringLiteral("session")).toStdString();
        QFile log(QString::fromStdString(storage::walPath(m_path)));
        QVERIFY(log.open(QIODevice::WriteOnly));
    }

    void isHeldAsLongAsItLives()
    {
        QVERIFY(!WriterLock::isHeld(m_path));
        {
            const auto lock = WriterLock::take(m_path);
            QVERIFY(lock.has_value());
            QVERIFY(WriterLock::isHeld(m_path));
            const auto second = WriterLock::take(m_path);
            QVERIFY(!second && second.error().text().find("another recorder may be writing") != std::string::npos);
        }
        QVERIFY(!WriterLock::isHeld(m_path));
    }

    /// Whoever asks whether it is held holds a shared one for a moment.
    void isTakenWhileSomebodyLooks()
    {
        storage::Descriptor looking(::open(storage::walPath(m_path).c_str(), O_RDONLY | O_CLOEXEC));
        QCOMPARE(::flock(looking.get(), LOCK_SH | LOCK_NB), 0);
        std::thread done([&looking] {
            std::this_thread::sleep_for(std::chrono::milliseconds(30));
            const storage::Descriptor closed = std::move(looking);
        });
        const auto lock = WriterLock::take(m_path);
        done.join();
        QVERIFY2(lock.has_value(), lock ? "" : lock.error().text().c_str());
    }
};

QTEST_APPLESS_MAIN(WriterLockTest)
#include "writer_lock_test.moc"

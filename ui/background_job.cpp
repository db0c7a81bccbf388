// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/background_job.h"

#include <QThreadPool>

#include <condition_variable>
#include <mutex>

namespace ui {

/// How many runs have not returned yet. The mutex guards the count and keeps the job alive while a result is posted to it.
struct BackgroundJob::Running
{
    std::mutex mutex;
    std::condition_variable ended;
    int count = 0;
};

BackgroundJob::BackgroundJob(QObject *parent)
    : QObject(parent)
    , m_running(std::make_shared<Running>())
{
}

BackgroundJob::~BackgroundJob()
{
    m_stop.request_stop();
    std::unique_lock lock(m_running->mutex);
    m_running->ended.wait(lock, [this] { return m_running->count == 0; });
}

void BackgroundJob::start(Step step)
{
    m_stop.request_stop();
    m_stop = std::stop_source();
    const quint64 number = ++m_number;
    {
        const std::lock_guard lock(m_running->mutex);
        ++m_running->count;
    }
    const bool wasRunning = std::exchange(m_isRunning, true);
    QThreadPool::globalInstance()->start([this, running = m_running, number, stop = m_stop.get_token(),
                                             step = std::move(step)]() mutable {
        std::function<void()> delivery;
        if (!stop.stop_requested())
            delivery = step(stop);
        const std::lock_guard lock(running->mutex);
        // The destructor waits for the count, so `this` is alive here; Qt drops the call if it dies before it is made.
        QMetaObject::invokeMethod(
            this, [this, number, delivery = std::move(delivery)] { finish(number, delivery); }, Qt::QueuedConnection);
        --running->count;
        running->ended.notify_all();
    });
    if (!wasRunning)
        Q_EMIT started();
}

void BackgroundJob::finish(quint64 number, const std::function<void()> &delivery)
{
    if (number != m_number || !m_isRunning)
        return;
    m_isRunning = false;
    if (delivery)
        delivery();
    if (!m_isRunning) // `done` may have started the next one
        Q_EMIT finished();
}

void BackgroundJob::cancel()
{
    m_stop.request_stop();
    if (!std::exchange(m_isRunning, false))
        return;
    Q_EMIT finished();
}

} // namespace ui

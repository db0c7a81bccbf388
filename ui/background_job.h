// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QObject>

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <type_traits>
#include <utility>

namespace ui {

/// Computes something in the job pool and hands the result back to the owner's thread. A new run cancels the one before, whose result
/// is thrown away even if it was ready. Owned by one thread, in which `done` is called and signals are sent. Destroying it
/// cancels and waits, so the work has to look at its stop token.
class BackgroundJob : public QObject
{
    Q_OBJECT

public:
    explicit BackgroundJob(QObject *parent = nullptr);
    ~BackgroundJob() override;

    /// Runs `work(std::stop_token)`, then `done(result)` in this object's thread. `work` returns a value, or an optional that is
    /// empty when it was stopped; then `done` is not called. `work` must own all that it reads.
    template <typename Work, typename Done> void run(Work work, Done done)
    {
        using Returned = std::invoke_result_t<Work, std::stop_token>;
        start([work = std::move(work), done = std::move(done)](
                  const std::stop_token &stop) mutable -> std::function<void()> {
            auto result = std::make_shared<Returned>(work(stop));
            return [result, done = std::move(done)]() mutable { deliver(*result, done); };
        });
    }

    /// Forgets the running work; nothing is delivered.
    void cancel();

    /// From run() until the result was delivered or cancelled.
    bool isRunning() const { return m_isRunning; }

Q_SIGNALS:
    void started();
    /// The result was delivered, or the work was cancelled.
    void finished();

private:
    using Step = std::function<std::function<void()>(const std::stop_token &)>;
    struct Running;

    template <typename T, typename Done> static void deliver(T &result, Done &done) { done(std::move(result)); }
    template <typename T, typename Done> static void deliver(std::optional<T> &result, Done &done)
    {
        if (result)
            done(std::move(*result));
    }

    void start(Step step);
    void finish(quint64 number, const std::function<void()> &delivery);

    std::shared_ptr<Running> m_running; ///< counts the work that still runs, cancelled or not
    std::stop_source m_stop;
    quint64 m_number = 0; ///< of the newest run
    bool m_isRunning = false;
};

} // namespace ui

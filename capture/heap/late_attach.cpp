// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/heap/late_attach.h"

#include "capture/pidfd.h"

#include <pthread.h>

#include <cerrno>
#include <utility>

namespace capture {

LateAttach::LateAttach(Attach attach)
    : m_attach(std::move(attach))
    , m_thread([this](const std::stop_token &stop) {
        ::pthread_setname_np(::pthread_self(), "heap-late");
        serve(stop);
    })
{
}

LateAttach::~LateAttach()
{
    m_thread.request_stop();
    m_thread.join();
}

void LateAttach::ask(model::ImageId image, std::int32_t pid, FileDescriptor process)
{
    const std::lock_guard lock(m_mutex);
    m_wishes.push_back({image, pid, std::move(process)});
    m_wakeup.notify_one();
}

std::vector<LateAttach::Answer> LateAttach::takeAnswers()
{
    const std::lock_guard lock(m_mutex);
    return std::exchange(m_answers, {});
}

void LateAttach::serve(const std::stop_token &stop)
{
    std::unique_lock lock(m_mutex);
    while (m_wakeup.wait(lock, stop, [this] { return !m_wishes.empty(); }) && !stop.stop_requested()) {
        const Wish wish = std::move(m_wishes.front());
        m_wishes.pop_front();
        lock.unlock();
        Answer answer = answerTo(wish);
        lock.lock();
        m_answers.push_back(std::move(answer));
    }
}

LateAttach::Answer LateAttach::answerTo(const Wish &wish) const
{
    const bool hasEnded = wish.process.isOpen() && sendPidfdSignal(wish.process.get(), 0) != 0 && errno == ESRCH;
    Answer answer = hasEnded ? Answer() : m_attach(wish.pid);
    answer.image = wish.image;
    return answer;
}

} // namespace capture

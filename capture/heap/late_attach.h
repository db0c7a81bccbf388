// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "capture/file_descriptor.h"
#include "model/base/ids.h"

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace capture {

/// Loads the tracer into programs that run in a recorded tree without it, one after the other, in a thread of its own ("heap-late"): a place
/// to stop may have to be looked for, and the recording goes on meanwhile.
class LateAttach
{
public:
    enum class Outcome {
        Settled,  ///< it has the tracer now or had it already, or has ended
        Refused,  ///< it cannot be traced
        NotReady, ///< it runs in its parent's memory still: to be asked for again
    };
    struct Answer
    {
        model::ImageId image;
        Outcome outcome = Outcome::Settled;
        std::string why;         ///< of Refused, a sentence
        bool isByNature = false; ///< nobody tried: no other way to start it would help
    };
    /// Loads it into a process that runs. Called on the thread; fills in all but the image.
    using Attach = std::function<Answer(std::int32_t pid)>;

    explicit LateAttach(Attach attach);
    /// Waits for the one that is being attached to; who has not had its turn is left alone.
    ~LateAttach();
    LateAttach(const LateAttach &) = delete;
    LateAttach &operator=(const LateAttach &) = delete;

    /// Asks for the program that the process runs now. `process`: a pidfd, as the number may be another's by the time of its turn; not open where
    /// there is none to be had. Any thread.
    void ask(model::ImageId image, std::int32_t pid, FileDescriptor process);
    /// What has come of those asked for, each once. Any thread.
    std::vector<Answer> takeAnswers();

private:
    struct Wish
    {
        model::ImageId image;
        std::int32_t pid = 0;
        FileDescriptor process;
    };

    void serve(const std::stop_token &stop);
    Answer answerTo(const Wish &wish) const;

    Attach m_attach;
    std::mutex m_mutex; ///< guards what follows
    std::condition_variable_any m_wakeup;
    std::deque<Wish> m_wishes;
    std::vector<Answer> m_answers;
    std::jthread m_thread;
};

} // namespace capture

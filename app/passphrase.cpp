// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/passphrase.h"

#include <fcntl.h>
#include <linux/keyctl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

namespace app {

namespace {

using model::Error;
using model::Result;
using storage::SecretText;

constexpr std::size_t kLongest = 1024;
constexpr const char *kHow = "give it with --passphrase-fd N or --passphrase-keyring NAME";

bool hasWholeLine(const SecretText &text) { return text.view().find('\n') != std::string_view::npos; }

/// What stands before the first line break; an empty one is none.
Result<SecretText> firstLine(SecretText text, const std::string &where)
{
    if (text.size() == text.capacity() && !hasWholeLine(text))
        return Error("The passphrase in " + where + " is longer than " + std::to_string(kLongest - 1) + " bytes");
    text.setSize(std::min(text.view().find('\n'), text.size()));
    if (text.size() > 0 && text.view().back() == '\r')
        text.setSize(text.size() - 1);
    if (text.size() == 0)
        return Error("There is no passphrase in " + where + ": it is empty");
    return text;
}

Result<SecretText> readDescriptor(int fd)
{
    SecretText text(kLongest);
    const std::string where = "descriptor " + std::to_string(fd);
    while (text.size() < text.capacity() && !hasWholeLine(text)) {
        const ssize_t count = ::read(fd, text.data() + text.size(), text.capacity() - text.size());
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return model::systemError("Cannot read a passphrase from " + where, errno);
        if (count == 0)
            break;
        text.setSize(text.size() + static_cast<std::size_t>(count));
    }
    // The recorded program must not find it.
    ::close(fd);
    return firstLine(std::move(text), where);
}

Result<SecretText> readKeyring(const std::string &name)
{
    // keyutils' own calls: add_key, request_key and keyctl are not in the C library.
    long key = ::syscall(SYS_request_key, "user", name.c_str(), nullptr, 0);
    for (const int keyring : {KEY_SPEC_USER_KEYRING, KEY_SPEC_USER_SESSION_KEYRING})
        if (key < 0)
            key = ::syscall(SYS_keyctl, KEYCTL_SEARCH, keyring, "user", name.c_str(), 0);
    if (key < 0)
        return model::systemError("Cannot find the key \"" + name + "\" in the kernel's keyrings", errno,
            "add it: keyctl padd user " + name + " @u");
    SecretText text(kLongest);
    const long bytes = ::syscall(SYS_keyctl, KEYCTL_READ, key, text.data(), text.capacity());
    if (bytes < 0)
        return model::systemError("Cannot read the key \"" + name + "\"", errno);
    text.setSize(std::min(static_cast<std::size_t>(bytes), text.capacity()));
    return firstLine(std::move(text), "the key \"" + name + "\"");
}

/// Holds back the signals that end or stop a program, for as long as it lives.
class HeldSignals
{
public:
    HeldSignals()
    {
        ::sigemptyset(&m_set);
        for (const int number : {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP})
            ::sigaddset(&m_set, number);
        ::pthread_sigmask(SIG_BLOCK, &m_set, &m_before);
        m_fd = ::signalfd(-1, &m_set, SFD_CLOEXEC | SFD_NONBLOCK);
    }
    HeldSignals(const HeldSignals &) = delete;
    HeldSignals &operator=(const HeldSignals &) = delete;
    ~HeldSignals()
    {
        if (m_fd >= 0)
            ::close(m_fd);
        ::pthread_sigmask(SIG_SETMASK, &m_before, nullptr);
    }

    /// Readable when one came; −1 where that cannot be seen.
    int descriptor() const { return m_fd; }

    /// Lets those that came do what they do; it may return, as when the program goes on after Ctrl-Z.
    void letGo()
    {
        signalfd_siginfo info{};
        while (::read(m_fd, &info, sizeof(info)) == static_cast<ssize_t>(sizeof(info))) {
            ::raise(static_cast<int>(info.ssi_signo));
            ::pthread_sigmask(SIG_UNBLOCK, &m_set, nullptr);
            ::pthread_sigmask(SIG_BLOCK, &m_set, nullptr);
        }
    }

private:
    sigset_t m_set{};
    sigset_t m_before{};
    int m_fd = -1;
};

/// A terminal that shows nothing of what is typed, until it goes or a signal ends the program.
class SilentTerminal
{
public:
    SilentTerminal()
        : m_fd(::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY))
    {
        if (m_fd >= 0 && ::tcgetattr(m_fd, &m_before) == 0)
            silence();
    }
    SilentTerminal(const SilentTerminal &) = delete;
    SilentTerminal &operator=(const SilentTerminal &) = delete;
    ~SilentTerminal()
    {
        restore();
        if (m_fd >= 0)
            ::close(m_fd);
    }

    bool isThere() const { return m_isSilent; }

    Result<SecretText> ask(const std::string &prompt)
    {
        SecretText text(kLongest);
        write(prompt);
        for (;;) {
            std::array<pollfd, 2> polled{{{m_fd, POLLIN, 0}, {m_signals.descriptor(), POLLIN, 0}}};
            const int ready = ::poll(polled.data(), polled.size(), -1);
            if (ready < 0 && errno == EINTR)
                continue;
            if (ready > 0 && polled[1].revents != 0) {
                restore();
                m_signals.letGo();
                silence();
                write(prompt);
                continue;
            }
            const ssize_t count = ::read(m_fd, text.data(), text.capacity());
            if (count < 0 && errno == EINTR)
                continue;
            if (count < 0)
                return model::systemError("Cannot read what was typed", errno);
            text.setSize(static_cast<std::size_t>(count));
            return firstLine(std::move(text), "what was typed");
        }
    }

private:
    void silence()
    {
        termios silent = m_before;
        silent.c_lflag = (silent.c_lflag & ~static_cast<tcflag_t>(ECHO)) | ICANON | ISIG;
        m_isSilent = ::tcsetattr(m_fd, TCSAFLUSH, &silent) == 0;
    }

    void restore()
    {
        if (!m_isSilent)
            return;
        ::tcsetattr(m_fd, TCSAFLUSH, &m_before);
        m_isSilent = false;
        write("\n");
    }

    void write(const std::string &text) const
    {
        [[maybe_unused]] const ssize_t written = ::write(m_fd, text.data(), text.size());
    }

    HeldSignals m_signals; ///< before the terminal changes, and until it is as it was
    int m_fd;
    termios m_before{};
    bool m_isSilent = false;
};

void leaveNoCoreDump() { ::prctl(PR_SET_DUMPABLE, 0); }

} // namespace

bool isGiven(const PassphraseSource &source) { return source.fd || !source.keyring.empty(); }

Result<SecretText> readPassphrase(const PassphraseSource &source, const std::string &prompt)
{
    leaveNoCoreDump();
    if (source.fd)
        return readDescriptor(*source.fd);
    if (!source.keyring.empty())
        return readKeyring(source.keyring);
    SilentTerminal terminal;
    if (!terminal.isThere())
        return Error(std::string("A passphrase is needed, and there is no terminal to ask for it: ") + kHow);
    return terminal.ask(prompt);
}

Result<storage::SealKeyPointer> newSealKey(const PassphraseSource &source)
{
    auto passphrase = readPassphrase(source, "Passphrase to seal with: ");
    if (!passphrase)
        return passphrase.error();
    if (!isGiven(source)) {
        const auto again = readPassphrase(source, "The same once more: ");
        if (!again)
            return again.error();
        if (again->view() != passphrase->view())
            return Error("The two passphrases differ; start again");
    }
    return storage::SealKey::make(*passphrase);
}

Result<storage::SealKeyPointer> keyOf(const std::string &path, const PassphraseSource &source)
{
    if (!storage::isSealed(path))
        return storage::SealKeyPointer();
    constexpr int kMostTries = 3;
    for (int tries = 1;; ++tries) {
        const char *wasWrong = tries > 1 ? "Wrong passphrase. " : "";
        const auto passphrase = readPassphrase(source, wasWrong + ("Passphrase of " + path + ": "));
        if (!passphrase)
            return passphrase.error().within(path);
        auto key = storage::SealKey::unlock(path, *passphrase);
        const bool mayTryAgain
            = !isGiven(source) && tries < kMostTries && !key && key.error().text().ends_with("wrong passphrase");
        if (!mayTryAgain)
            return key;
    }
}

Result<std::array<storage::SealKeyPointer, 2>> keysOf(
    const std::array<std::string, 2> &paths, const PassphraseSource &source)
{
    std::array<storage::SealKeyPointer, 2> keys;
    std::optional<SecretText> given;
    for (std::size_t i = 0; i < paths.size(); ++i) {
        std::error_code ignored;
        if (i > 0 && std::filesystem::equivalent(paths[0], paths[i], ignored)) {
            keys[i] = keys[0];
            continue;
        }
        if (isGiven(source) && !given && storage::isSealed(paths[i])) {
            auto passphrase = readPassphrase(source, {});
            if (!passphrase)
                return passphrase.error().within(paths[i]);
            given.emplace(std::move(*passphrase));
        }
        auto key = given && storage::isSealed(paths[i]) ? storage::SealKey::unlock(paths[i], *given)
                                                        : keyOf(paths[i], source);
        if (!key)
            return key.error();
        keys[i] = std::move(*key);
    }
    return keys;
}

} // namespace app

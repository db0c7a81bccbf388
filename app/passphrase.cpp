// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/passphrase.h"

#include <fcntl.h>
#include <linux/keyctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace app {

namespace {

using model::Error;
using model::Result;
using storage::SecretText;

constexpr std::size_t kLongest = 1024;
constexpr const char *kHow = "give it with --passphrase-fd N or --passphrase-keyring NAME";

/// What stands before the first line break; an empty one is none.
Result<SecretText> firstLine(SecretText text, const std::string &where)
{
    const std::size_t end = std::min(text.view().find('\n'), text.size());
    text.setSize(end);
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
    while (text.size() < text.capacity() && text.view().find('\n') == std::string_view::npos) {
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
    if (text.size() == text.capacity())
        return Error("The passphrase in " + where + " is longer than " + std::to_string(kLongest - 1) + " bytes");
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
    if (static_cast<std::size_t>(bytes) >= text.capacity())
        return Error("The key \"" + name + "\" is longer than " + std::to_string(kLongest - 1) + " bytes");
    text.setSize(static_cast<std::size_t>(bytes));
    return firstLine(std::move(text), "the key \"" + name + "\"");
}

/// A terminal that shows nothing of what is typed, until it goes.
class SilentTerminal
{
public:
    SilentTerminal()
        : m_fd(::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY))
    {
        if (m_fd < 0 || ::tcgetattr(m_fd, &m_before) != 0)
            return;
        termios silent = m_before;
        silent.c_lflag = (silent.c_lflag & ~static_cast<tcflag_t>(ECHO)) | ICANON | ISIG;
        m_isSilent = ::tcsetattr(m_fd, TCSAFLUSH, &silent) == 0;
    }
    SilentTerminal(const SilentTerminal &) = delete;
    SilentTerminal &operator=(const SilentTerminal &) = delete;
    ~SilentTerminal()
    {
        if (m_isSilent) {
            ::tcsetattr(m_fd, TCSAFLUSH, &m_before);
            write("\n");
        }
        if (m_fd >= 0)
            ::close(m_fd);
    }

    bool isThere() const { return m_isSilent; }

    void write(const std::string &text) const
    {
        [[maybe_unused]] const ssize_t written = ::write(m_fd, text.data(), text.size());
    }

    Result<SecretText> readLine() const
    {
        SecretText text(kLongest);
        for (;;) {
            const ssize_t count = ::read(m_fd, text.data(), text.capacity());
            if (count < 0 && errno == EINTR)
                continue;
            text.setSize(count > 0 ? static_cast<std::size_t>(count) : 0);
            return firstLine(std::move(text), "what was typed");
        }
    }

private:
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
    const SilentTerminal terminal;
    if (!terminal.isThere())
        return Error(std::string("A passphrase is needed, and there is no terminal to ask for it: ") + kHow);
    terminal.write(prompt);
    return terminal.readLine();
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

} // namespace app

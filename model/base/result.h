// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace model {

/// Why something failed, as one sentence for a person: what failed, on what, why, and what to try.
class Error
{
public:
    explicit Error(std::string text)
        : m_text(std::move(text))
    {
    }

    /// The sentence, without a final newline.
    const std::string &text() const { return m_text; }

    /// The same error seen from further out: `"<what>: <text>"`.
    Error within(std::string_view what) const { return Error(std::string(what) + ": " + m_text); }

private:
    std::string m_text;
};

/// Text of an errno value, e.g. "No such file or directory". Thread-safe.
std::string errnoText(int errnoValue);

/// Error for a failed system call: `"<what>: <errno in words>"`, with `; <hint>` where one is given.
Error systemError(std::string_view what, int errnoValue, std::string_view hint = {});

/// A value or the error that kept it from being made; members are named as in `std::expected`.
template <typename T> class [[nodiscard]] Result
{
public:
    Result(T value)
        : m_state(std::in_place_index<0>, std::move(value))
    {
    }
    Result(Error error)
        : m_state(std::in_place_index<1>, std::move(error))
    {
    }

    bool has_value() const { return m_state.index() == 0; }
    explicit operator bool() const { return has_value(); }
    T &value() & { return std::get<0>(m_state); }
    const T &value() const & { return std::get<0>(m_state); }
    T &&value() && { return std::get<0>(std::move(m_state)); }
    T &operator*() & { return value(); }
    const T &operator*() const & { return value(); }
    T &&operator*() && { return std::move(*this).value(); }
    T *operator->() { return &value(); }
    const T *operator->() const { return &value(); }
    const Error &error() const { return std::get<1>(m_state); }

private:
    std::variant<T, Error> m_state;
};

/// Success, or the error that kept it from happening.
template <> class [[nodiscard]] Result<void>
{
public:
    Result() = default;
    Result(Error error)
        : m_error(std::move(error))
    {
    }

    bool has_value() const { return !m_error; }
    explicit operator bool() const { return has_value(); }
    const Error &error() const { return *m_error; }

private:
    std::optional<Error> m_error;
};

} // namespace model

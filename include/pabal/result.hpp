#pragma once
/// \file
/// `result<T>`: a value or a `pabal::error`, shaped like C++23's `std::expected<T, error>`.
///
/// The engine never throws across its own layers; every fallible function returns one of these. Dereferencing a result
/// that holds an error is a programming error (checked by assert in debug builds).

#include <cassert>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

#include <pabal/error.hpp>

namespace pabal {

template <class T>
class [[nodiscard]] result {
public:
    using value_type = T;

    template <class U = T>
        requires(!std::is_same_v<std::remove_cvref_t<U>, result> &&
                 !std::is_same_v<std::remove_cvref_t<U>, pabal::error> && std::is_constructible_v<T, U>)
    result(U&& value) : state_(std::in_place_index<0>, std::forward<U>(value)) {}         // NOLINT: implicit by design
    result(pabal::error failure) : state_(std::in_place_index<1>, std::move(failure)) {}  // NOLINT: implicit by design

    bool has_value() const noexcept { return state_.index() == 0; }
    explicit operator bool() const noexcept { return has_value(); }

    T& value() & { return assert(has_value()), *std::get_if<0>(&state_); }
    const T& value() const& { return assert(has_value()), *std::get_if<0>(&state_); }
    T&& value() && { return assert(has_value()), std::move(*std::get_if<0>(&state_)); }
    T& operator*() & { return value(); }
    const T& operator*() const& { return value(); }
    T&& operator*() && { return std::move(*this).value(); }
    T* operator->() { return &value(); }
    const T* operator->() const { return &value(); }

    pabal::error& error() & { return assert(!has_value()), *std::get_if<1>(&state_); }
    const pabal::error& error() const& { return assert(!has_value()), *std::get_if<1>(&state_); }
    pabal::error&& error() && { return assert(!has_value()), std::move(*std::get_if<1>(&state_)); }

    template <class U>
    T value_or(U&& fallback) const& {
        return has_value() ? value() : static_cast<T>(std::forward<U>(fallback));
    }

private:
    std::variant<T, pabal::error> state_;
};

/// A result without a value: success, or an error.
template <>
class [[nodiscard]] result<void> {
public:
    using value_type = void;

    result() noexcept = default;
    result(pabal::error failure) : failure_(std::move(failure)) {}  // NOLINT: implicit by design

    bool has_value() const noexcept { return !failure_; }
    explicit operator bool() const noexcept { return has_value(); }
    pabal::error& error() & { return assert(failure_), *failure_; }
    const pabal::error& error() const& { return assert(failure_), *failure_; }
    pabal::error&& error() && { return assert(failure_), std::move(*failure_); }

private:
    std::optional<pabal::error> failure_;
};

}  // namespace pabal

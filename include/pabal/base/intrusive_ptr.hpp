#pragma once
/// \file
/// Reference counting inside the object, without atomics: everything that is shared this way belongs to one reactor, and a
/// reactor belongs to one thread at a time.

#include <cstdint>
#include <utility>

namespace pabal::base {

/// Derive publicly, make with `make_counted`, hold with `intrusive_ptr`. Counts start at zero.
class ref_counted {
public:
    ref_counted(const ref_counted&) = delete;
    ref_counted& operator=(const ref_counted&) = delete;

    void add_reference() const noexcept { ++references_; }
    void release_reference() const noexcept {
        if (--references_ == 0) delete this;
    }
    std::uint32_t reference_count() const noexcept { return references_; }

protected:
    ref_counted() noexcept = default;
    virtual ~ref_counted() = default;

private:
    mutable std::uint32_t references_ = 0;
};

template <class T>
class intrusive_ptr {
public:
    constexpr intrusive_ptr() noexcept = default;
    constexpr intrusive_ptr(std::nullptr_t) noexcept {}  // NOLINT: implicit by design
    explicit intrusive_ptr(T* object) noexcept : object_(object) {
        if (object_) object_->add_reference();
    }
    intrusive_ptr(const intrusive_ptr& other) noexcept : intrusive_ptr(other.object_) {}
    intrusive_ptr(intrusive_ptr&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
    template <class U>
        requires std::is_convertible_v<U*, T*>
    intrusive_ptr(const intrusive_ptr<U>& other) noexcept : intrusive_ptr(other.get()) {}  // NOLINT: implicit by design
    intrusive_ptr& operator=(intrusive_ptr other) noexcept { return std::swap(object_, other.object_), *this; }
    ~intrusive_ptr() {
        if (object_) object_->release_reference();
    }

    T* get() const noexcept { return object_; }
    T& operator*() const noexcept { return *object_; }
    T* operator->() const noexcept { return object_; }
    explicit operator bool() const noexcept { return object_ != nullptr; }
    void reset() noexcept { *this = nullptr; }
    /// The object, whose reference is the caller's to give up.
    [[nodiscard]] T* release() noexcept { return std::exchange(object_, nullptr); }
    friend bool operator==(const intrusive_ptr& left, const intrusive_ptr& right) noexcept {
        return left.object_ == right.object_;
    }

private:
    T* object_ = nullptr;
};

template <class T, class... Arguments>
intrusive_ptr<T> make_counted(Arguments&&... arguments) {
    return intrusive_ptr<T>(new T(std::forward<Arguments>(arguments)...));
}

}  // namespace pabal::base

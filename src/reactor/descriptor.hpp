#pragma once
/// \file
/// A file descriptor that closes itself, and whose copy in a forked child is closed there at once: a child that kept the
/// sockets open would keep the peers from seeing that the parent closed them.

#include <utility>

#include <fcntl.h>
#include <unistd.h>

namespace pabal::reactor {

class descriptor {
public:
    descriptor() noexcept = default;
    explicit descriptor(int owned) noexcept : number_(owned) { close_in_children(owned); }
    descriptor(descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
    descriptor& operator=(descriptor&& other) noexcept { return std::swap(number_, other.number_), *this; }
    ~descriptor() { reset(); }

    int get() const noexcept { return number_; }
    bool is_open() const noexcept { return number_ >= 0; }
    int release() noexcept {
        keep_in_children();
        return std::exchange(number_, -1);
    }
    void reset() noexcept {
        if (is_open()) ::close(release());
    }
    /// It stays open in children that are forked from now on.
    void keep_in_children() noexcept { keep_in_children(number_); }

private:
    static void close_in_children(int number) noexcept;
    static void keep_in_children(int number) noexcept;

    int number_ = -1;
};

/// Sets O_NONBLOCK and FD_CLOEXEC, unless the descriptor was made that way.
inline bool make_non_blocking(int number) noexcept {
    const int flags = ::fcntl(number, F_GETFL);
    if (flags >= 0 && (flags & O_NONBLOCK) != 0) return true;
    return flags >= 0 && ::fcntl(number, F_SETFL, flags | O_NONBLOCK) == 0 && ::fcntl(number, F_SETFD, FD_CLOEXEC) == 0;
}

}  // namespace pabal::reactor

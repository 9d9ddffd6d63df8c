#pragma once
/// \file
/// What a process that was forked may touch of what it inherited.
///
/// A child has a copy of the memory and shares the sockets, but has none of the other threads: what they were changing stays
/// half changed, what they locked stays locked. So there are two kinds of things. Engines (reactor, connections, their lock)
/// belong to the process that made them: a child recognises them by their `birthplace` and leaves them alone for ever
/// (`abandon`). What sessions keep beside them (cookies, credentials, TLS contexts) is used on: it is only touched while a
/// `no_fork` exists, so that no fork can find it half changed.

#include <atomic>
#include <cstdint>
#include <utility>

namespace pabal::base {

/// How many forks lie between this process and the first one that loaded pabal.
std::uint64_t process_generation() noexcept;

/// The process in which the object was made that has this as a member.
class birthplace {
public:
    birthplace() noexcept : generation_(process_generation()) {}
    /// The object was inherited: its descriptors are closed here, its locks may be held for ever.
    bool is_elsewhere() const noexcept { return generation_ != process_generation(); }

private:
    std::uint64_t generation_;
};

/// As long as one exists, fork() of any thread but this one waits. For short work that never waits for another thread
/// (above all not for Python's lock, which the forking thread may hold). May be nested.
class no_fork {
public:
    no_fork() noexcept {
        if (depth_++ == 0) enter();
    }
    ~no_fork() {
        if (--depth_ == 0) leave();
    }
    no_fork(const no_fork&) = delete;
    no_fork& operator=(const no_fork&) = delete;

    /// Whether this thread has one.
    static bool is_held() noexcept { return depth_ > 0; }

private:
    static void enter() noexcept;
    static void leave() noexcept;
    static constinit thread_local int depth_;
};

/// Takes what `owner` owns and never destroys it: its destructors would take locks and talk to sockets that are not ours.
template <class Owner>
void abandon(Owner& owner) noexcept {
    union kept {
        explicit kept(Owner& from) noexcept : owner(std::move(from)) {}
        ~kept() {}
        Owner owner;
    };
    const kept for_ever(owner);
}

}  // namespace pabal::base

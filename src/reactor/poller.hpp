#pragma once
/// \file
/// The operating system's readiness interface behind one small class; one file per operating-system facility.
///
/// Edge semantics for every back end: a registered descriptor is reported when it *becomes* readable or writable; its
/// owner then reads or writes until EAGAIN. epoll does so by EPOLLET; the poll() back end remembers which directions its
/// owner has exhausted (`rearm`).

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include <pabal/result.hpp>

namespace pabal::reactor {

using clock = std::chrono::steady_clock;
using time_point = clock::time_point;
using duration = clock::duration;

struct readiness {
    bool readable = false;
    bool writable = false;
    bool hung_up = false;  ///< the peer closed, or the descriptor failed: read until end or error
};

/// Owner of a registered descriptor. Must call `reactor::unwatch` before it dies.
class io_watcher {
public:
    virtual void on_io(readiness now) = 0;

protected:
    ~io_watcher() = default;
};

struct poll_event {
    io_watcher* watcher = nullptr;
    readiness now;
};

/// Which directions are reported. Sockets that carry datagrams are `reading`: they become writable with every datagram that
/// leaves, which nobody waits for.
enum class interest : std::uint8_t { both, reading };

class poller {
public:
    virtual ~poller() = default;

    virtual result<void> add(int descriptor, io_watcher& watcher, interest wanted) = 0;
    virtual void remove(int descriptor) = 0;
    /// The owner met EAGAIN in that direction and wants to hear when it is possible again. A no-op where the system itself
    /// is edge-triggered.
    virtual void rearm(int descriptor, bool read, bool write) = 0;

    /// Waits for at most `limit` (nullopt: for ever; zero: not at all) and fills `events`; returns how many.
    virtual std::size_t wait(std::optional<duration> limit, std::span<poll_event> events) = 0;
    /// Makes a concurrent or the next `wait` return at once. The only member that other threads may call.
    virtual void wake() = 0;
    /// The time by which timers run. The simulation's poller has a clock of its own.
    virtual time_point now() const { return clock::now(); }

    /// A descriptor that is readable when `wait` would return something, for a host event loop to watch; -1 where the
    /// system has none (poll()).
    virtual int descriptor() const = 0;
    /// With a host loop: makes `descriptor()` readable at `deadline` as well. Elsewhere unused.
    virtual void set_host_alarm(std::optional<time_point> deadline) = 0;
    virtual std::string_view name() const = 0;
};

/// By name ("epoll", "poll") or, for an empty name, by $PABAL_POLLER, or else the best of this system.
result<std::unique_ptr<poller>> make_poller(std::string_view name = {});

}  // namespace pabal::reactor

#pragma once
/// \file
/// The reactor: readiness, timers, work deferred to the end of the turn. One object that one thread at a time drives.
///
/// Three drivers use the same `turn`:
///   - a calling thread (the sync API): `turn(nullopt)` until its response is there;
///   - a host event loop (asyncio, uvloop, trio) that watches `descriptor()` and calls `turn(0)` when it is readable;
///   - a thread of its own (servers, C++ futures).
///
///     turn:  wait ──▶ dispatch ready descriptors ──▶ expire timers ──▶ run deferred work ──▶ (free what was retired)
///
/// "Close now, free at the end of the turn": objects that die while events for them are in flight are handed to `retire`.
///
/// Threads: whoever uses a reactor that several threads share holds the lock that is given to `turn`; while one of them
/// waits inside `turn` the others may use every member but `turn`. Without such a lock a reactor belongs to one thread,
/// and others may only call `wake` and `post`.

#include <array>
#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include <pabal/base/intrusive_ptr.hpp>

#include "base/intrusive_list.hpp"
#include "reactor/poller.hpp"
#include "reactor/timer_wheel.hpp"

namespace pabal::reactor {

/// Work for the end of the turn; may be deferred once at a time. Unlinks itself when destroyed.
class deferred : public base::list_hook<> {
public:
    virtual void run_deferred() = 0;

protected:
    ~deferred() = default;
};

class reactor {
public:
    explicit reactor(std::unique_ptr<poller> poller);
    ~reactor();
    reactor(const reactor&) = delete;
    reactor& operator=(const reactor&) = delete;

    /// The time of this turn; refreshed by `turn` and by `refresh_now`.
    time_point now() const noexcept { return now_; }
    /// Call when entering from outside a turn (a new request), before timers are set.
    void refresh_now() noexcept { now_ = poller_->now(); }

    result<void> watch(int descriptor, io_watcher& watcher, interest wanted = interest::both);
    /// Stops watching; events already collected in this turn for `watcher` are dropped.
    void unwatch(int descriptor, io_watcher& watcher);
    void rearm(int descriptor, bool read, bool write) { poller_->rearm(descriptor, read, write); }

    /// Timers: O(1). Setting a timer that is set moves it.
    void set_timer(timer& timer, time_point deadline);
    void set_timer_in(timer& timer, duration after) { set_timer(timer, now_ + after); }

    void defer(deferred& work) {
        if (work.is_linked()) return;
        deferred_.push_back(work);
        if (waiting_) poller_->wake();
    }
    /// Destroys `object` at the end of the turn.
    template <class T>
    void retire(std::unique_ptr<T> object) {
        retired_.push_back({object.get(), [](void* done) { delete static_cast<T*>(done); }});
        static_cast<void>(object.release());
    }
    /// Gives the reference up at the end of the turn.
    template <class T>
    void retire(base::intrusive_ptr<T> object) {
        retired_.push_back({object.get(), [](void* done) { static_cast<T*>(done)->release_reference(); }});
        static_cast<void>(object.release());
    }

    /// Destroys what is retired, now. Only outside a turn, before something that retired objects refer to goes away.
    void free_retired();

    /// Runs one turn: waits at most `limit` (nullopt: until something happens), then does everything that is due.
    void turn(std::optional<duration> limit);
    /// Does what was deferred since the last turn, without a look at descriptors and timers: for who got control again from what the
    /// turn completed, and knows that more was begun there. False: there was nothing.
    bool finish_turn();
    /// As `turn`, but calls `unlock()` before it waits and `lock()` after: how several threads share one reactor.
    void turn(std::optional<duration> limit, std::unique_lock<std::mutex>& lock);

    /// From any thread: makes a waiting `turn` return.
    void wake() { poller_->wake(); }
    /// From any thread: runs `work` in the next turn.
    void post(std::function<void()> work);

    /// Watched by a host loop; -1 if this poller has none.
    int descriptor() const { return poller_->descriptor(); }
    /// With a host loop: tells the poller when the next timer is due. Call before giving control back to the host.
    void arm_host_alarm();
    std::string_view poller_name() const { return poller_->name(); }

private:
    struct retired {
        void* object;
        void (*destroy)(void*);
    };

    std::optional<duration> bounded_wait(std::optional<duration> limit);
    void begin_waiting(std::optional<duration> limit);
    void end_waiting(std::size_t count);
    void run_due();
    void run_posted();
    void run_deferred();

    std::unique_ptr<poller> poller_;
    time_point now_;
    timer_wheel timers_;
    base::intrusive_list<deferred> deferred_;
    std::vector<retired> retired_;
    std::vector<retired> freed_before_;  ///< empty: its room is used again
    std::array<poll_event, 256> events_;
    std::size_t events_begin_ = 0;
    std::size_t events_end_ = 0;
    bool waiting_ = false;
    time_point waiting_until_;
    std::vector<io_watcher*> unwatched_while_waiting_;
    std::atomic<bool> has_posted_ = false;
    std::mutex posted_mutex_;
    std::vector<std::function<void()>> posted_;
};

}  // namespace pabal::reactor

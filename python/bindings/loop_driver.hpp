#pragma once
/// \file
/// Runs one engine on a host event loop: asyncio (or uvloop) or trio. The loop watches the reactor's one descriptor; one
/// callback serves every socket that became ready and hands all completions of the turn to Python together.
///
/// Completions run their callbacks directly from that callback, in the contexts they were registered with, instead of
/// through `loop.call_soon`: no user code is on the stack there, so the effect is that of call_soon without its cost. A
/// completion at any other time (an error while a request is being started, a cancellation) does go through call_soon.
///
/// A driver that a forked child inherited is a closed one there, for good: its loop's selector, its connections and what is
/// under way are the parent's. Nothing of it is touched, not even to close it.
///
/// The GIL is held throughout; everything here belongs to the loop's thread.

#include <memory>

#include "base/fork.hpp"
#include "base/intrusive_list.hpp"
#include "client/engine.hpp"
#include "client/session.hpp"
#include "pending.hpp"
#include "support.hpp"

namespace pabal::python {

class loop_driver {
public:
    enum class host : unsigned char { asyncio, trio };

    /// A new Python object around a driver bound to `loop` (asyncio's running loop, or trio's token). Null: exception set.
    static PyObject* make(host kind, PyObject* loop, const session_limits& limits);
    static loop_driver* of(PyObject* object) noexcept;

    /// The loop that runs in this thread and its kind; borrowed, null without exception when none runs.
    static PyObject* running_loop(host& kind);

    PyObject* self() const noexcept { return self_; }
    PyObject* loop() const noexcept { return loop_.get(); }
    host kind() const noexcept { return kind_; }
    bool is_closed() const noexcept { return closed_ || is_inherited(); }
    bool is_inherited() const noexcept { return born_.is_elsewhere(); }
    client::session& session() noexcept { return *session_; }
    reactor::reactor& reactor() noexcept { return engine_->reactor(); }
    pool::pool& pool() noexcept { return engine_->pool(); }

    /// The event loop was closed under us: callbacks have nowhere to run.
    bool loop_is_gone() const noexcept { return loop_gone_; }
    /// What the loop's reader says when the loop forgets it.
    void lose_loop();

    /// Before a call starts: hears what peers did to idle connections if the loop did not come round for a while, so that none
    /// that was closed, or on which somebody spoke out of turn, is used again. What that completes is told soon.
    void catch_up();
    /// After anything outside a turn that may have set timers or completed something.
    void after_entry() {
        if (is_inherited()) return;
        if (loop_gone_) deliver();
        if (!in_turn_ && !delivering_ && engine_) engine_->reactor().arm_host_alarm();
    }
    void enqueue(pending& completed);
    void turn();
    /// Stops watching, fails what is under way, frees every descriptor. Idempotent.
    void close();
    bool call_soon(PyObject* callback, PyObject* argument, PyObject* context);
    void report(const char* what);

    /// Counts results given without suspending; true now and then, so that a fast stream does not starve the loop.
    bool should_yield() noexcept { return ++immediate_ % 16 == 0 && kind_ == host::asyncio; }

    loop_driver(PyObject* self, host kind, PyObject* loop, std::unique_ptr<client::engine> engine,
                const session_limits& limits);
    ~loop_driver();

private:
    bool watch();
    void deliver();
    static PyObject* deliver_slot(PyObject* self, PyObject*);

    PyObject* self_;
    host kind_;
    owned loop_;
    owned call_soon_;
    std::unique_ptr<client::engine> engine_;
    std::unique_ptr<client::session> session_;
    base::intrusive_list<pending> completed_;
    reactor::time_point last_turn_;
    unsigned immediate_ = 0;
    bool in_turn_ = false;
    bool delivering_ = false;
    bool delivery_scheduled_ = false;
    bool closed_ = false;
    bool loop_gone_ = false;
    base::birthplace born_;
};

bool add_loop_driver_type(PyObject* module);

}  // namespace pabal::python

#pragma once
/// \file
/// What `session.get(url)` of an AsyncSession returns, and every other thing of pabal that can be awaited.
///
/// A `PendingResponse` is at once future-like (`_asyncio_future_blocking`, `get_loop`, `add_done_callback`, `cancel`, `result`), a
/// `collections.abc.Coroutine` (`send`, `throw`, `close`, `__await__`) and an async context manager. asyncio.gather wraps no
/// task around it, `await` makes no generator, and create_task, TaskGroup, wait_for, shield, as_completed and asyncio.run
/// take it as well. Under trio, `__await__` gives a trio-shaped awaitable instead.
///
/// It starts when it is first awaited or handed to the loop, not when it is made: a list of prepared requests behind a
/// semaphore stays limited, as with coroutines.
///
///   fresh ── start ──▶ running ── complete ──▶ done (result() or exception)
///     └── cancel ──────────┴──── cancel ─────▶ cancelled

#include <memory>
#include <vector>

#include "base/intrusive_list.hpp"
#include "support.hpp"

namespace pabal::python {

class loop_driver;
class pending;

/// What is awaited. Owned by its Pending.
class operation {
public:
    virtual ~operation() = default;
    /// The driver to run on (borrowed), or null with an exception set. Called once, before `start`.
    virtual loop_driver* driver() = 0;
    /// Begins; calls `pending.complete()` when the outcome is known (possibly before it returns). False: an exception is set.
    virtual bool start(pending& owner) = 0;
    /// The outcome: a new reference, or null with the exception set. Called once after each `complete`. Null without an
    /// exception, which only those may answer that `finishes()`: it goes on, and `complete` is called again.
    virtual PyObject* take_result() = 0;
    /// Whether Python code has a say in the outcome. It is taken then before anybody is told, in the context of who awaits,
    /// and not when it is first asked for.
    virtual bool finishes() const noexcept { return false; }
    /// Abandons it; `complete` must not be called afterwards.
    virtual void cancel() noexcept = 0;
};

class pending : public base::list_hook<> {
public:
    enum class state : unsigned char { fresh, running, done, cancelled };

    explicit pending(std::unique_ptr<operation> awaited) noexcept : operation_(std::move(awaited)) {}
    ~pending();

    /// The outcome is known: callbacks run when the driver delivers.
    void complete();

    /// In a forked child: what was running there fails, because only the parent will ever hear of it.
    void notice_fork() noexcept;

    // What the Python type's slots do.
    bool start();
    PyObject* result();
    bool is_done() const noexcept { return state_ >= state::done; }
    bool is_fresh() const noexcept { return state_ == state::fresh; }
    bool is_cancelled() const noexcept { return state_ == state::cancelled; }
    bool cancel(PyObject* message);
    PyObject* cancelled_error();
    PyObject* cancel_message() const noexcept;
    bool add_callback(PyObject* callback, PyObject* context);
    Py_ssize_t remove_callback(PyObject* callback);
    /// Runs the callbacks now; only where no user code is on the stack.
    void deliver();
    bool blocking = false;

    loop_driver* driver() const noexcept { return driver_; }
    /// The driver it runs or will run on; null with an exception set.
    loop_driver* host_driver() { return driver_ || !operation_ ? driver_ : operation_->driver(); }
    operation& awaited() noexcept { return *operation_; }
    PyObject* self = nullptr;  ///< the Python object, borrowed: we live inside it

private:
    struct callback_entry {
        owned callback;
        owned context;
    };

    bool settle();
    void keep_outcome();
    bool is_orphaned() const noexcept;

    std::unique_ptr<operation> operation_;
    loop_driver* driver_ = nullptr;  ///< strong while set
    callback_entry first_;
    std::vector<callback_entry> more_;
    owned result_;
    owned exception_;
    owned cancel_message_;
    state state_ = state::fresh;
    bool kept_alive_ = false;  ///< the engine holds a reference to `self`
    bool settling_ = false;    ///< the operation makes its outcome: not to be cancelled any more
};

/// A new Pending that awaits `awaited`.
PyObject* make_pending(std::unique_ptr<operation> awaited);
/// A new awaitable whose result is there already (steals `value`). With `yields_first` the event loop gets one turn before.
PyObject* make_ready(PyObject* value, bool yields_first = false);

/// The pending behind a Pending object.
pending& pending_of(PyObject* object) noexcept;

/// Creates the types and adds them to the module.
bool add_pending_types(PyObject* module);

}  // namespace pabal::python

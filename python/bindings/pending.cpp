#include "pending.hpp"

#include <cstddef>
#include <new>

#include <structmember.h>

#include "errors.hpp"
#include "loop_driver.hpp"

namespace pabal::python {

namespace {

struct pending_object {
    PyObject_HEAD pending* held;
    PyObject* weak_references;
};

struct ready_object {
    PyObject_HEAD PyObject* value;
    bool yields_first;
};

PyTypeObject* pending_type;
PyTypeObject* future_type;  ///< what a pending becomes when it is handed to asyncio as a future
PyTypeObject* ready_type;
PyObject* name_context;

PyObject* cancelled_error_type() {
    static lazy_import type("asyncio", "CancelledError");
    return type.get();
}

PyObject* invalid_state(const char* message) {
    static lazy_import type("asyncio", "InvalidStateError");
    if (type.get()) PyErr_SetString(type.get(), message);
    return nullptr;
}

/// StopIteration(value), also for values that PyErr_SetObject would take for arguments.
PyObject* stop_iteration(PyObject* value) {
    const owned stop(PyObject_CallOneArg(PyExc_StopIteration, value));
    if (stop) PyErr_SetObject(PyExc_StopIteration, stop.get());
    return nullptr;
}

}  // namespace

// --- pending ---------------------------------------------------------------------------------------------------------

pending::~pending() {
    if (is_orphaned()) base::abandon(operation_);
    else if (operation_ && state_ == state::running) operation_->cancel();
    if (driver_) Py_DECREF(driver_->self());
}

bool pending::is_orphaned() const noexcept { return state_ == state::running && driver_ && driver_->is_inherited(); }

void pending::notice_fork() noexcept {
    if (!is_orphaned()) return;
    base::abandon(operation_);
    exception_ = owned(make_exception(belongs_elsewhere("request")));
    if (!exception_) keep_outcome();
    state_ = state::done;
}

bool pending::start() {
    if (state_ != state::fresh) return true;
    loop_driver* driver = operation_->driver();
    if (!driver) return false;
    Py_INCREF(driver->self());
    driver_ = driver;
    state_ = state::running;
    kept_alive_ = true;
    Py_INCREF(self);
    if (!operation_->start(*this)) {
        state_ = state::done;
        keep_outcome();
        kept_alive_ = false;
        PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(exception_.get())), exception_.get());
        Py_DECREF(self);
        return false;
    }
    driver->after_entry();
    return true;
}

/// Keeps the exception that is set as the outcome.
void pending::keep_outcome() {
    PyObject *type = nullptr, *value = nullptr, *trace = nullptr;
    PyErr_Fetch(&type, &value, &trace);
    PyErr_NormalizeException(&type, &value, &trace);
    if (trace) PyException_SetTraceback(value, trace);
    Py_XDECREF(type);
    Py_XDECREF(trace);
    exception_ = owned(value);
}

void pending::complete() {
    if (state_ != state::running || is_linked()) return;
    if (!operation_->finishes()) state_ = state::done;
    driver_->enqueue(*this);
}

/// Takes the outcome of an operation that finishes in Python; false if it goes on.
bool pending::settle() {
    const owned context = owned::borrow(first_.context.get());
    if (context && PyContext_Enter(context.get()) < 0) PyErr_Clear();
    settling_ = true;
    result_ = owned(operation_->take_result());
    settling_ = false;
    const bool goes_on = !result_ && !PyErr_Occurred();
    if (!goes_on) {
        if (!result_) keep_outcome();
        state_ = state::done;
    }
    if (context && PyContext_Exit(context.get()) < 0) PyErr_Clear();
    if (!goes_on) operation_.reset();
    return !goes_on;
}

PyObject* pending::result() {
    if (state_ == state::cancelled) {
        const owned cancelled(cancelled_error());
        if (cancelled) PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(cancelled.get())), cancelled.get());
        return nullptr;
    }
    if (!result_ && !exception_) {
        result_ = owned(operation_->take_result());
        if (!result_) keep_outcome();
        operation_.reset();
    }
    if (exception_) {
        PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(exception_.get())), exception_.get());
        return nullptr;
    }
    return result_.new_reference();
}

bool pending::cancel(PyObject* message) {
    if (is_done() || settling_) return false;
    const bool was_running = state_ == state::running;
    state_ = state::cancelled;
    cancel_message_ = owned::borrow(message == Py_None ? nullptr : message);
    operation_->cancel();
    operation_.reset();
    if (was_running && !is_linked()) {
        driver_->enqueue(*this);
        driver_->after_entry();
    }
    return true;
}

PyObject* pending::cancelled_error() {
    PyObject* type = cancelled_error_type();
    if (!type) return nullptr;
    return cancel_message_ ? PyObject_CallOneArg(type, cancel_message_.get()) : PyObject_CallNoArgs(type);
}

PyObject* pending::cancel_message() const noexcept {
    return Py_NewRef(cancel_message_ ? cancel_message_.get() : Py_None);
}

bool pending::add_callback(PyObject* callback, PyObject* context) {
    if (!start()) return false;
    owned kept_context = context ? owned::borrow(context) : owned(PyContext_CopyCurrent());
    if (!kept_context) return false;
    // Done and already delivered: as asyncio's futures, call it soon.
    if (is_done() && !is_linked()) return driver_ && driver_->call_soon(callback, self, kept_context.get());
    callback_entry entry{owned::borrow(callback), std::move(kept_context)};
    if (!first_.callback) first_ = std::move(entry);
    else more_.push_back(std::move(entry));
    return true;
}

Py_ssize_t pending::remove_callback(PyObject* callback) {
    Py_ssize_t removed = 0;
    const auto matches = [&](const callback_entry& entry) {
        if (!entry.callback) return false;
        const int equal = PyObject_RichCompareBool(entry.callback.get(), callback, Py_EQ);
        if (equal < 0) PyErr_Clear();
        return equal == 1;
    };
    removed += static_cast<Py_ssize_t>(std::erase_if(more_, matches));
    if (matches(first_)) {
        ++removed;
        first_ = {};
        if (!more_.empty()) {
            first_ = std::move(more_.front());
            more_.erase(more_.begin());
        }
    }
    return removed;
}

void pending::deliver() {
    if (state_ == state::running) {
        if (driver_->loop_is_gone()) {  // nothing can go on
            operation_->cancel();
            operation_.reset();
            state_ = state::cancelled;
        } else if (!settle()) {
            return;
        }
    }
    const callback_entry first = std::move(first_);
    const std::vector<callback_entry> more = std::move(more_);
    const auto run = [this](const callback_entry& entry) {
        if (!entry.callback) return;
        if (PyContext_Enter(entry.context.get()) < 0) return driver_->report("callback of a request");
        const owned returned(PyObject_CallOneArg(entry.callback.get(), self));
        if (!returned) driver_->report("callback of a request");
        PyContext_Exit(entry.context.get());
    };
    if (!driver_->loop_is_gone()) {  // else nobody is there to be told
        run(first);
        for (const callback_entry& entry : more) run(entry);
    }
    if (std::exchange(kept_alive_, false)) Py_DECREF(self);
}

// --- the Python type ----------------------------------------------------------------------------------------------------

namespace {

pending& held(PyObject* object) noexcept {
    pending& it = *reinterpret_cast<pending_object*>(object)->held;
    it.notice_fork();
    return it;
}

PyObject* same(PyObject* self) { return Py_NewRef(self); }

/// `await pending`: itself, but for trio, whose awaitables are of another kind.
PyObject* await(PyObject* self) {
    loop_driver::host kind{};
    if (!held(self).is_done() && loop_driver::running_loop(kind) && kind == loop_driver::host::trio) {
        static lazy_import wait("pabal._trio", "wait");
        loop_driver* driver = held(self).host_driver();
        if (!driver || !wait.get()) return nullptr;
        const owned waiting(PyObject_CallFunctionObjArgs(wait.get(), self, driver->self(), nullptr));
        if (!waiting) return nullptr;
        return PyObject_CallMethod(waiting.get(), "__await__", nullptr);
    }
    if (PyErr_Occurred()) return nullptr;
    return Py_NewRef(self);
}

PySendResult send(PyObject* self, PyObject*, PyObject** out) {
    pending& it = held(self);
    if (it.is_fresh() && !it.start()) {
        *out = nullptr;
        return PYGEN_ERROR;
    }
    if (it.is_done()) {
        *out = it.result();
        return *out ? PYGEN_RETURN : PYGEN_ERROR;
    }
    it.blocking = true;
    *out = Py_NewRef(self);
    return PYGEN_NEXT;
}

PyObject* next(PyObject* self) {
    PyObject* value = nullptr;
    switch (send(self, Py_None, &value)) {
    case PYGEN_NEXT: return value;
    case PYGEN_RETURN: {
        const owned returned(value);
        return stop_iteration(returned.get());
    }
    default: return nullptr;
    }
}

PyObject* send_method(PyObject* self, PyObject*) { return next(self); }

/// An exception thrown into the await (a task was cancelled, a generator closed): the request is over with it.
PyObject* throw_method(PyObject* self, PyObject* const* arguments, Py_ssize_t count) {
    if (count < 1) return PyErr_SetString(PyExc_TypeError, "throw() takes an exception"), nullptr;
    held(self).cancel(nullptr);
    PyObject* type = arguments[0];
    PyObject* value = count > 1 ? arguments[1] : nullptr;
    if (PyExceptionInstance_Check(type)) PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(type)), type);
    else if (value && value != Py_None) PyErr_SetObject(type, value);
    else PyErr_SetNone(type);
    return nullptr;
}

PyObject* close_method(PyObject* self, PyObject*) {
    held(self).cancel(nullptr);
    Py_RETURN_NONE;
}

PyObject* get_loop(PyObject* self, PyObject*) {
    pending& it = held(self);
    if (!it.start()) return nullptr;
    if (!it.driver())
        return PyErr_SetString(PyExc_RuntimeError, "this request has not been given to an event loop"), nullptr;
    return Py_NewRef(it.driver()->loop());
}

PyObject* done(PyObject* self, PyObject*) { return PyBool_FromLong(held(self).is_done() ? 1 : 0); }
PyObject* cancelled(PyObject* self, PyObject*) { return PyBool_FromLong(held(self).is_cancelled() ? 1 : 0); }

PyObject* cancel(PyObject* self, PyObject* const* arguments, Py_ssize_t count, PyObject* names) {
    PyObject* message = count > 0 || (names && PyTuple_GET_SIZE(names) == 1) ? arguments[0] : nullptr;
    return PyBool_FromLong(held(self).cancel(message) ? 1 : 0);
}

PyObject* result(PyObject* self, PyObject*) {
    if (!held(self).is_done()) return invalid_state("Result is not set.");
    return held(self).result();
}

PyObject* exception(PyObject* self, PyObject*) {
    pending& it = held(self);
    if (!it.is_done()) return invalid_state("Exception is not set.");
    const owned value(it.result());
    if (value) Py_RETURN_NONE;
    if (it.is_cancelled()) return nullptr;
    PyObject *type = nullptr, *raised = nullptr, *trace = nullptr;
    PyErr_Fetch(&type, &raised, &trace);
    Py_XDECREF(type);
    Py_XDECREF(trace);
    return raised;
}

PyObject* add_done_callback(PyObject* self, PyObject* const* arguments, Py_ssize_t count, PyObject* names) {
    PyObject* context = nullptr;
    if (names && PyTuple_GET_SIZE(names) == 1 && PyUnicode_Compare(PyTuple_GET_ITEM(names, 0), name_context) == 0)
        context = arguments[count] == Py_None ? nullptr : arguments[count];
    else if (names && PyTuple_GET_SIZE(names) > 0) count = -1;
    if (count != 1) return PyErr_SetString(PyExc_TypeError, "add_done_callback(fn, *, context=None)"), nullptr;
    if (!held(self).add_callback(arguments[0], context)) return nullptr;
    Py_RETURN_NONE;
}

PyObject* remove_done_callback(PyObject* self, PyObject* callback) {
    return PyLong_FromSsize_t(held(self).remove_callback(callback));
}

PyObject* make_cancelled_error(PyObject* self, PyObject*) { return held(self).cancelled_error(); }

/// `async with`: leaving gives the connection back if the body was not read.
PyObject* enter(PyObject* self, PyObject*) { return Py_NewRef(self); }
PyObject* leave(PyObject* self, PyObject*) {
    pending& it = held(self);
    if (!it.is_done()) {
        it.cancel(nullptr);
    } else {
        const owned value(it.result());
        if (value) {
            const owned closed(PyObject_CallMethod(value.get(), "close", nullptr));
            if (!closed) return nullptr;
        } else {
            PyErr_Clear();
        }
    }
    return make_ready(Py_NewRef(Py_None));
}

PyObject* add_callback_method(PyObject* self, PyObject* callback) {
    if (!held(self).add_callback(callback, nullptr)) return nullptr;
    Py_RETURN_NONE;
}

PyObject* start_method(PyObject* self, PyObject*) {
    if (!held(self).start()) return nullptr;
    Py_RETURN_NONE;
}

/// From here on it is no coroutine any more: asyncio.wait and its kin refuse whatever could be one.
void become_future(PyObject* self) {
    PyTypeObject* before = Py_TYPE(self);
    if (before != pending_type) return;
    Py_INCREF(future_type);
    Py_SET_TYPE(self, future_type);
    Py_DECREF(before);
}

PyObject* get_blocking(PyObject* self, void*) {
    pending& it = held(self);
    if (it.is_fresh()) {
        // Asked by asyncio.isfuture: it is being handed to the loop. Without a running asyncio loop it is a coroutine.
        loop_driver::host kind{};
        if (!loop_driver::running_loop(kind) || kind != loop_driver::host::asyncio) {
            if (PyErr_Occurred()) return nullptr;
            Py_RETURN_NONE;
        }
        become_future(self);
        if (!it.start()) PyErr_Clear();  // it is kept and raised where the result is asked for
    }
    return PyBool_FromLong(it.blocking ? 1 : 0);
}
int set_blocking(PyObject* self, PyObject* value, void*) {
    const int truth = value ? PyObject_IsTrue(value) : 0;
    if (truth < 0) return -1;
    held(self).blocking = truth != 0;
    return 0;
}

/// What cancel() was told: gather() reads it from a child that was cancelled.
PyObject* get_cancel_message(PyObject* self, void*) { return held(self).cancel_message(); }

PyObject* represent(PyObject* self) {
    const pending& it = held(self);
    const char* state = it.is_fresh()       ? "not started"
                        : it.is_cancelled() ? "cancelled"
                        : it.is_done()      ? "done"
                                            : "running";
    return PyUnicode_FromFormat("<pabal.PendingResponse %s at %p>", state, static_cast<void*>(self));
}

void deallocate(PyObject* self) {
    PyTypeObject* type = Py_TYPE(self);
    auto* object = reinterpret_cast<pending_object*>(self);
    if (object->weak_references) PyObject_ClearWeakRefs(self);
    delete std::exchange(object->held, nullptr);
    type->tp_free(self);
    Py_DECREF(type);
}

template <class Function>
PyCFunction method(Function* function) {
    return reinterpret_cast<PyCFunction>(reinterpret_cast<void*>(function));
}

PyMethodDef pending_methods[] = {
    {"send", method(send_method), METH_O, "Coroutine protocol."},
    {"throw", method(throw_method), METH_FASTCALL, "Coroutine protocol: abandons the request and raises."},
    {"close", method(close_method), METH_NOARGS, "Coroutine protocol: abandons the request."},
    {"get_loop", method(get_loop), METH_NOARGS, "The event loop it runs on."},
    {"done", method(done), METH_NOARGS, "True once there is a result, an exception or a cancellation."},
    {"cancelled", method(cancelled), METH_NOARGS, "True if it was cancelled."},
    {"cancel", method(cancel), METH_FASTCALL | METH_KEYWORDS,
     "cancel(msg=None): abandons the request; False if it is done."},
    {"result", method(result), METH_NOARGS, "The response; raises what went wrong."},
    {"exception", method(exception), METH_NOARGS, "What went wrong, or None."},
    {"add_done_callback", method(add_done_callback), METH_FASTCALL | METH_KEYWORDS,
     "Calls fn(self) on the loop when done."},
    {"remove_done_callback", method(remove_done_callback), METH_O,
     "Removes a callback; returns how often it was there."},
    {"_make_cancelled_error", method(make_cancelled_error), METH_NOARGS, "Future protocol."},
    {"__aenter__", method(enter), METH_NOARGS, "Starts the request; awaits the response."},
    {"__aexit__", method(leave), METH_VARARGS, "Closes the response."},
    {"_add_callback", method(add_callback_method), METH_O, "As add_done_callback, for other hosts than asyncio."},
    {"_start", method(start_method), METH_NOARGS, "Starts without waiting."},
    {nullptr, nullptr, 0, nullptr},
};

PyGetSetDef pending_attributes[] = {
    {"_asyncio_future_blocking", get_blocking, set_blocking, "Future protocol.", nullptr},
    {"_cancel_message", get_cancel_message, nullptr, "Future protocol.", nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr},
};

PyMemberDef pending_members[] = {
    {"__weaklistoffset__", T_PYSSIZET, offsetof(pending_object, weak_references), READONLY, nullptr},
    {nullptr, 0, 0, 0, nullptr},
};

template <class Function>
void* slot(Function* function) {
    return reinterpret_cast<void*>(function);
}

PyType_Slot pending_slots[] = {
    {Py_tp_dealloc, slot(deallocate)},
    {Py_tp_repr, slot(represent)},
    {Py_tp_iter, slot(same)},
    {Py_tp_iternext, slot(next)},
    {Py_am_await, slot(await)},
    {Py_am_send, slot(send)},
    {Py_tp_methods, pending_methods},
    {Py_tp_getset, pending_attributes},
    {Py_tp_members, pending_members},
    {Py_tp_doc, const_cast<char*>("A request that can be awaited; it starts when it is.")},
    {0, nullptr},
};
PyType_Spec pending_spec{"pabal._engine.PendingResponse", sizeof(pending_object), 0,
                         Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION, pending_slots};
PyType_Slot future_slots[] = {
    {Py_tp_doc, const_cast<char*>("A request that was handed to asyncio as a future.")},
    {0, nullptr},
};
PyType_Spec future_spec{"pabal._engine.RunningResponse", sizeof(pending_object), 0,
                        Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION, future_slots};

// --- ready ----------------------------------------------------------------------------------------------------------------

PySendResult ready_send(PyObject* self, PyObject*, PyObject** out) {
    auto* ready = reinterpret_cast<ready_object*>(self);
    if (std::exchange(ready->yields_first, false)) {
        *out = Py_NewRef(Py_None);
        return PYGEN_NEXT;
    }
    *out = Py_NewRef(ready->value);
    return PYGEN_RETURN;
}
PyObject* ready_next(PyObject* self) {
    auto* ready = reinterpret_cast<ready_object*>(self);
    if (std::exchange(ready->yields_first, false)) Py_RETURN_NONE;
    return stop_iteration(ready->value);
}
PyObject* ready_send_method(PyObject* self, PyObject*) { return ready_next(self); }
void ready_deallocate(PyObject* self) {
    PyTypeObject* type = Py_TYPE(self);
    Py_CLEAR(reinterpret_cast<ready_object*>(self)->value);
    type->tp_free(self);
    Py_DECREF(type);
}
PyObject* ready_throw(PyObject*, PyObject* const* arguments, Py_ssize_t count) {
    if (count < 1) return PyErr_SetString(PyExc_TypeError, "throw() takes an exception"), nullptr;
    if (PyExceptionInstance_Check(arguments[0]))
        PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(arguments[0])), arguments[0]);
    else PyErr_SetObject(arguments[0], count > 1 ? arguments[1] : nullptr);
    return nullptr;
}
PyObject* ready_close(PyObject*, PyObject*) { Py_RETURN_NONE; }

PyMethodDef ready_methods[] = {
    {"send", method(ready_send_method), METH_O, "Coroutine protocol."},
    {"throw", method(ready_throw), METH_FASTCALL, "Coroutine protocol."},
    {"close", method(ready_close), METH_NOARGS, "Coroutine protocol."},
    {nullptr, nullptr, 0, nullptr},
};
PyType_Slot ready_slots[] = {
    {Py_tp_dealloc, slot(ready_deallocate)},
    {Py_tp_iter, slot(same)},
    {Py_tp_iternext, slot(ready_next)},
    {Py_am_await, slot(same)},
    {Py_am_send, slot(ready_send)},
    {Py_tp_methods, ready_methods},
    {Py_tp_doc, const_cast<char*>("An awaitable whose result is there already.")},
    {0, nullptr},
};
PyType_Spec ready_spec{"pabal._engine.Ready", sizeof(ready_object), 0,
                       Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION, ready_slots};

}  // namespace

PyObject* make_pending(std::unique_ptr<operation> awaited) {
    auto* made = reinterpret_cast<pending_object*>(pending_type->tp_alloc(pending_type, 0));
    if (!made) return nullptr;
    made->held = new pending(std::move(awaited));
    made->held->self = reinterpret_cast<PyObject*>(made);
    return reinterpret_cast<PyObject*>(made);
}

PyObject* make_ready(PyObject* value, bool yields_first) {
    auto* made = reinterpret_cast<ready_object*>(ready_type->tp_alloc(ready_type, 0));
    if (!made) return Py_DECREF(value), nullptr;
    made->value = value;
    made->yields_first = yields_first;
    return reinterpret_cast<PyObject*>(made);
}

pending& pending_of(PyObject* object) noexcept { return held(object); }

bool add_pending_types(PyObject* module) {
    name_context = PyUnicode_InternFromString("context");
    pending_type = reinterpret_cast<PyTypeObject*>(PyType_FromSpec(&pending_spec));
    ready_type = reinterpret_cast<PyTypeObject*>(PyType_FromSpec(&ready_spec));
    if (!name_context || !pending_type || !ready_type) return false;
    const owned bases(PyTuple_Pack(1, pending_type));
    future_type = reinterpret_cast<PyTypeObject*>(PyType_FromSpecWithBases(&future_spec, bases.get()));
    // collections.abc.Coroutine looks for the method; `await` does not need it.
    if (!future_type || PyObject_SetAttrString(reinterpret_cast<PyObject*>(future_type), "send", Py_None) < 0)
        return false;
    return PyModule_AddObjectRef(module, "PendingResponse", reinterpret_cast<PyObject*>(pending_type)) == 0 &&
           PyModule_AddObjectRef(module, "Ready", reinterpret_cast<PyObject*>(ready_type)) == 0;
}

}  // namespace pabal::python

#include "body_source.hpp"
#include "bulk.hpp"
#include "continuation.hpp"
#include "errors.hpp"
#include "loop_driver.hpp"
#include "pending.hpp"
#include "response.hpp"
#include "session_methods.hpp"
#include "sessions.hpp"
#include "traces.hpp"

namespace pabal::python {

namespace {

class async_session {
public:
    explicit async_session(nb::kwargs arguments) { initialise(defaults_, std::move(arguments)); }
    ~async_session() {
        if (driver_) loop_driver::of(driver_.get())->close();
    }

    session_defaults& defaults() noexcept { return defaults_; }
    PyObject* refuse();
    PyObject* send(PyObject* self, prepared_call prepared);

    void set_cookies(nb::object jar) {
        defaults_.cookies = owned(jar.release().ptr());
        if (driver_ && !loop_driver::of(driver_.get())->is_closed())
            loop_driver::of(driver_.get())->session().cookies = jar_of(defaults_.cookies.get());
    }

    void set_netrc(std::shared_ptr<const client::netrc> known) {
        if (driver_ && !loop_driver::of(driver_.get())->is_closed())
            loop_driver::of(driver_.get())->session().netrc = std::move(known);
    }

    /// The driver on the loop that runs now; made when needed. Null with an exception set.
    loop_driver* driver_here();
    void close() {
        closed_ = true;
        if (driver_) loop_driver::of(driver_.get())->close();
    }
    bool is_closed() const noexcept { return closed_; }
    PyObject* bulk(PyObject* self) {
        loop_driver* driver = driver_here();
        return driver ? make_bulk(self, defaults_, *driver) : nullptr;
    }

private:
    session_defaults defaults_;
    owned driver_;
    bool closed_ = false;
};

/// One request of an AsyncSession.
class request_operation final : public operation, public client::call_observer {
public:
    request_operation(PyObject* session, prepared_call prepared)
        : session_(owned::borrow(session)), call_(base::make_counted<client::call>(std::move(prepared.request), this)) {
        if (prepared.body) source_.emplace(prepared.body.get(), prepared.body_is_async);
        finish_ = std::move(prepared.finish);
    }
    ~request_operation() override {
        if (call_) call_->observe(nullptr);
    }

    loop_driver* driver() override { return nb::inst_ptr<async_session>(session_.get())->driver_here(); }

    bool start(pending& owner) override {
        owner_ = &owner;
        loop_driver& on = *owner.driver();
        refresh_headers(nb::inst_ptr<async_session>(session_.get())->defaults(), on.session());
        on.catch_up();
        call_->start(on.session());
        feed();
        return true;
    }

    bool finishes() const noexcept override { return bool(finish_); }
    PyObject* take_result() override { return continued_ ? continued_.take() : finish_ ? finished() : outcome(); }

    /// The response, or null with what went wrong.
    PyObject* outcome() {
        log_call(*call_);
        if (source_ && call_->failure() && call_->failure()->code == error_code::request_body_failed) {
            const owned raised(source_->take_exception());
            if (raised && PyExceptionInstance_Check(raised.get())) {
                PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(raised.get())), raised.get());
                return nullptr;
            }
        }
        if (call_->failure()) return raise_failure_of(*call_, *call_->failure());
        client::call_ptr answered = std::exchange(call_, nullptr);
        answered->observe(nullptr);
        return make_response(std::move(answered), session_.get(), nullptr, owner_->driver()->self());
    }

    void cancel() noexcept override {
        if (call_) call_->cancel();
        continued_.cancel();
        close_body();
    }

    void on_call_head(client::call&) override { finish(); }
    void on_call_done(client::call&) override { finish(); }
    result<read_outcome> read_call_body(client::call&, std::span<char> buffer) override {
        auto got = source_->read(buffer);
        if (source_->wanted() && !feeding_) schedule_feed();
        return got;
    }
    const fields* call_trailers(client::call&) override { return source_ ? source_->trailers() : nullptr; }
    bool rewind_call_body(client::call&) override { return source_ && source_->rewind(); }

    /// Gets the pieces that the engine wants: at once from a sync body, later from an async one.
    void feed() {
        if (!source_ || feeding_) return;
        feeding_ = true;
        while (source_ && source_->wanted() && call_ && !call_->is_done()) {
            if (source_->is_async()) {
                pull();
                break;
            }
            source_->produce();
            call_->body_ready();
        }
        feeding_ = false;
    }
    void delivered(PyObject* piece, PyObject* exception) {
        if (!source_ || !call_ || call_->is_done()) return;
        pulling_ = false;
        source_->deliver(piece, exception);
        call_->body_ready();
        feed();
        owner_->driver()->after_entry();
    }

private:
    PyObject* finished();
    void finish() {
        close_body();
        owner_->complete();
    }
    void close_body() noexcept {
        if (!source_ || !source_->is_async() || std::exchange(body_closed_, true)) return;
        PyObject *type = nullptr, *value = nullptr, *trace = nullptr;
        PyErr_Fetch(&type, &value, &trace);
        const owned closed(PyObject_CallMethod(source_->body(), "close", nullptr));
        PyErr_Clear();
        PyErr_Restore(type, value, trace);
    }
    void pull();
    void schedule_feed();
    static PyObject* deliver_slot(PyObject* self, PyObject* arguments);
    static PyObject* feed_slot(PyObject* self, PyObject*);

    owned session_;
    owned finish_;
    continuation continued_;
    client::call_ptr call_;
    std::optional<body_source> source_;
    pending* owner_ = nullptr;
    bool feeding_ = false;
    bool pulling_ = false;
    bool body_closed_ = false;
};

request_operation& operation_of(PyObject* pending_object) {
    return static_cast<request_operation&>(pending_of(pending_object).awaited());
}

PyObject* request_operation::deliver_slot(PyObject* self, PyObject* arguments) {
    PyObject *piece = nullptr, *exception = nullptr;
    if (!PyArg_ParseTuple(arguments, "OO", &piece, &exception)) return nullptr;
    if (!pending_of(self).is_done()) operation_of(self).delivered(piece, exception);
    Py_RETURN_NONE;
}

PyObject* request_operation::feed_slot(PyObject* self, PyObject*) {
    if (!pending_of(self).is_done()) {
        operation_of(self).feed();
        pending_of(self).driver()->after_entry();
    }
    Py_RETURN_NONE;
}

/// What `finish=` makes of the response or the exception; if that is a coroutine, it runs on, and its outcome counts.
PyObject* request_operation::finished() {
    owned value(outcome());
    if (!value) {
        PyObject *type = nullptr, *raised = nullptr, *trace = nullptr;
        PyErr_Fetch(&type, &raised, &trace);
        PyErr_NormalizeException(&type, &raised, &trace);
        if (trace) PyException_SetTraceback(raised, trace);
        Py_XDECREF(type);
        Py_XDECREF(trace);
        value = owned(raised);
    }
    owned made(PyObject_CallOneArg(finish_.get(), value.get()));
    if (!made || !PyCoro_CheckExact(made.get()) || owner_->driver()->kind() == loop_driver::host::trio)
        return made.new_reference();  // pabal._trio.wait awaits it
    continued_.start(*owner_, made.get());
    return nullptr;
}

void request_operation::pull() {
    if (std::exchange(pulling_, true)) return;
    static PyMethodDef method{"deliver", &request_operation::deliver_slot, METH_VARARGS, nullptr};
    const owned deliver(PyCFunction_New(&method, owner_->self));
    const owned asked(deliver ? PyObject_CallMethod(source_->body(), "pull", "O", deliver.get()) : nullptr);
    if (asked) return;
    PyObject *type = nullptr, *value = nullptr, *trace = nullptr;
    PyErr_Fetch(&type, &value, &trace);
    PyErr_NormalizeException(&type, &value, &trace);
    const owned kept_type(type), kept_value(value), kept_trace(trace);
    pulling_ = false;
    source_->deliver(Py_None, value);
    call_->body_ready();
}

/// The engine asks in the middle of its turn: Python code runs after it.
void request_operation::schedule_feed() {
    static PyMethodDef method{"feed", &request_operation::feed_slot, METH_NOARGS, nullptr};
    const owned feed(PyCFunction_New(&method, owner_->self));
    if (!feed || !owner_->driver()->call_soon(feed.get(), nullptr, nullptr)) PyErr_Clear();
}

/// A call that could not be prepared: it raises when it is awaited, as a coroutine would.
class refused_operation final : public operation {
public:
    refused_operation(PyObject* session, owned exception)
        : session_(owned::borrow(session)), exception_(std::move(exception)) {}
    loop_driver* driver() override { return nb::inst_ptr<async_session>(session_.get())->driver_here(); }
    bool start(pending& owner) override {
        owner.complete();
        return true;
    }
    PyObject* take_result() override {
        PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(exception_.get())), exception_.get());
        return nullptr;
    }
    void cancel() noexcept override {}

private:
    owned session_;
    owned exception_;
};

PyObject* async_session::refuse() {
    // A misspelt option or a missing URL is the program's error: it is raised here and now.
    if (PyErr_ExceptionMatches(PyExc_TypeError)) return nullptr;
    PyObject *type = nullptr, *value = nullptr, *trace = nullptr;
    PyErr_Fetch(&type, &value, &trace);
    PyErr_NormalizeException(&type, &value, &trace);
    if (trace) PyException_SetTraceback(value, trace);
    Py_XDECREF(type);
    Py_XDECREF(trace);
    const nb::object self = nb::find(this);
    return make_pending(std::make_unique<refused_operation>(self.ptr(), owned(value)));
}

PyObject* async_session::send(PyObject* self, prepared_call prepared) {
    return make_pending(std::make_unique<request_operation>(self, std::move(prepared)));
}

loop_driver* async_session::driver_here() {
    loop_driver::host kind{};
    PyObject* loop = loop_driver::running_loop(kind);
    if (!loop) {
        if (!PyErr_Occurred())
            PyErr_SetString(PyExc_RuntimeError,
                            "no event loop runs here: await the request in a coroutine, or use pabal.Session");
        return nullptr;
    }
    if (driver_) {
        loop_driver* driver = loop_driver::of(driver_.get());
        if (driver->loop() == loop && !driver->is_closed()) return driver;
        if (driver->loop() != loop && !closed_) {
            driver->close();  // its loop is not the one that runs: its connections can serve nobody here
            driver_.reset();
        }
    }
    if (closed_) {
        raise(
            {error_code::session_closed, phase::prepare, culprit::caller, 0, "the session is closed; make a new one"});
        return nullptr;
    }
    driver_ = owned(loop_driver::make(kind, loop, defaults_.parsed_limits));
    if (!driver_) return nullptr;
    loop_driver* driver = loop_driver::of(driver_.get());
    driver->session().cookies = jar_of(defaults_.cookies.get());
    defaults_.apply_to(driver->session());
    defaults_.headers_seen = nullptr;
    return driver;
}

/// Under asyncio the loop gets a turn, in which what was closed is told so; trio's awaitables yield nothing of that kind.
PyObject* aclose(PyObject* self, PyObject*) {
    nb::inst_ptr<async_session>(self)->close();
    loop_driver::host kind{};
    const bool on_asyncio = loop_driver::running_loop(kind) && kind == loop_driver::host::asyncio;
    if (PyErr_Occurred()) return nullptr;
    return make_ready(Py_NewRef(Py_None), on_asyncio);
}

}  // namespace

void add_async_session(nb::module_& module) {
    static PyMethodDef methods[12];
    std::size_t count = 0;
    for (const PyMethodDef* each = session_methods<async_session, true>::table(); each->ml_name; ++each)
        methods[count++] = *each;
    methods[count++] = {"aclose", aclose, METH_NOARGS, "Closes every connection."};
    methods[count] = {nullptr, nullptr, 0, nullptr};
    static PyType_Slot slots[] = {{Py_tp_methods, methods}, {0, nullptr}};
    nb::class_<async_session> type(module, "AsyncSession", nb::type_slots(slots),
                                   "The engine's async session; use `pabal.AsyncSession`.");
    type.def(nb::init<nb::kwargs>())
        .def("close", &async_session::close)
        .def("_bulk",
             [](nb::handle self) { return nb::steal(checked(nb::inst_ptr<async_session>(self)->bulk(self.ptr()))); })
        .def_prop_ro("is_closed", &async_session::is_closed);
    define_defaults(type);
}

}  // namespace pabal::python

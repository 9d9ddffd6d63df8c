#include <nanobind/stl/string.h>

#include "alternatives.hpp"
#include "body_source.hpp"
#include "bulk.hpp"
#include "errors.hpp"
#include "response.hpp"
#include "session_methods.hpp"
#include "sessions.hpp"
#include "sync_core.hpp"
#include "traces.hpp"

namespace pabal::python {

bool python_wants_attention() {
    const nb::gil_scoped_acquire acquired;
    return PyErr_CheckSignals() != 0;
}

namespace {

/// The thread that waits for one call, as the call sees it.
class waiting_caller final : public client::call_observer {
public:
    explicit waiting_caller(body_source* source) noexcept : source_(source) {}

    void on_call_head(client::call&) override { wait.set_ready(); }
    void on_call_done(client::call&) override { wait.set_ready(); }
    result<read_outcome> read_call_body(client::call&, std::span<char> buffer) override {
        auto got = source_->read(buffer);
        if (source_->wanted()) wait.set_ready();
        return got;
    }
    const fields* call_trailers(client::call&) override { return source_ ? source_->trailers() : nullptr; }
    bool rewind_call_body(client::call&) override { return source_ && source_->rewind(); }

    client::sync_wait wait;

private:
    body_source* source_;
};

class sync_session {
public:
    explicit sync_session(nb::kwargs arguments) {
        initialise(defaults_, std::move(arguments));
        if (!make_core()) throw_python();
    }
    ~sync_session() {
        if (core_) close();
    }

    session_defaults& defaults() noexcept { return defaults_; }
    static PyObject* refuse() noexcept { return nullptr; }

    void set_cookies(nb::object jar) {
        const auto shared = jar_of(jar.ptr());
        defaults_.cookies = owned(jar.release().ptr());
        const std::shared_ptr<sync_core> here = core_or_throw();
        const nb::gil_scoped_release released;
        const auto lock = here->driver.lock();
        here->session.cookies = shared;
    }

    void set_netrc(std::shared_ptr<const client::netrc> known) {
        const std::shared_ptr<sync_core> here = core_or_throw();
        const nb::gil_scoped_release released;
        const auto lock = here->driver.lock();
        here->session.netrc = std::move(known);
    }

    PyObject* send(PyObject* self, prepared_call prepared);

    void close() {
        if (core_->born.is_elsewhere()) {  // nothing is open here
            core_->closed = true;
            return;
        }
        result<void> saved;
        {
            const nb::gil_scoped_release released;
            const auto lock = core_->driver.lock();
            if (std::exchange(core_->closed, true)) return;
            core_->session.close();
            core_->driver.release_closed();
            saved = core_->session.save_alternatives();
        }
        log_unsaved(defaults_.alternatives_file.get(), saved);
    }
    bool is_closed() const noexcept { return core_->closed; }
    PyObject* bulk(PyObject* self) { return make_bulk(self, defaults_, core_or_throw()); }

private:
    /// The core of this process: a forked child starts with one of its own. Null with an exception set when the system
    /// refuses descriptors.
    std::shared_ptr<sync_core> core() {
        if (core_->born.is_elsewhere()) {
            const bool was_closed = core_->closed;
            if (!make_core()) return nullptr;
            if (was_closed) close();
        }
        return core_;
    }
    std::shared_ptr<sync_core> core_or_throw() {
        auto here = core();
        if (!here) throw_python();
        return here;
    }
    bool make_core() {
        auto engine = client::engine::make(defaults_.parsed_limits);
        if (!engine) return raise(engine.error()) != nullptr;
        core_ = sync_core::make(std::move(*engine), defaults_.parsed_limits);
        core_->session.cookies = jar_of(defaults_.cookies.get());
        defaults_.apply_to(core_->session);
        defaults_.headers_seen = nullptr;
        return true;
    }

    session_defaults defaults_;
    std::shared_ptr<sync_core> core_;
};

PyObject* sync_session::send(PyObject* self, prepared_call prepared) {
    std::optional<body_source> source;
    if (prepared.body) source.emplace(prepared.body.get(), false);
    waiting_caller caller(source ? &*source : nullptr);
    const auto call = base::make_counted<client::call>(std::move(prepared.request), &caller);
    const std::shared_ptr<sync_core> core = this->core();  // the session may be dropped while we wait
    if (!core) return nullptr;
    const auto* lines = nb::inst_ptr<headers>(defaults_.headers.get());
    const bool headers_changed =
        defaults_.headers_seen != defaults_.headers.get() || defaults_.headers_version != lines->version;
    std::optional<fields> new_defaults;
    if (headers_changed) {
        new_defaults = lines->lines;
        defaults_.headers_seen = defaults_.headers.get();
        defaults_.headers_version = lines->version;
    }
    bool interrupted = false;
    {
        const nb::gil_scoped_release released;
        auto lock = core->driver.lock();
        if (new_defaults) core->session.headers = std::move(*new_defaults);
        core->driver.catch_up();
        call->start(core->session);
        while (!call->is_done() && !call->has_head()) {
            if (source && source->wanted()) {
                // Python makes the next piece; others may drive the engine meanwhile.
                lock.unlock();
                {
                    const nb::gil_scoped_acquire acquired;
                    source->produce();
                }
                lock.lock();
                call->body_ready();
                continue;
            }
            caller.wait.reset();
            core->driver.wait_for(caller.wait, lock, python_wants_attention);
            if (!caller.wait.is_ready()) {
                interrupted = true;
                call->cancel();
                break;
            }
        }
        call->observe(nullptr);
    }
    if (interrupted) return nullptr;
    log_call(*call);
    if (call->failure()) {
        if (source && call->failure()->code == error_code::request_body_failed) {
            if (const owned raised{source->take_exception()}; raised && PyExceptionInstance_Check(raised.get())) {
                PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(raised.get())), raised.get());
                return nullptr;
            }
        }
        return raise_failure_of(*call, *call->failure());
    }
    return make_response(call, self, core, nullptr);
}

}  // namespace

void add_sync_session(nb::module_& module) {
    static PyType_Slot slots[] = {{Py_tp_methods, session_methods<sync_session, false>::table()}, {0, nullptr}};
    nb::class_<sync_session> type(module, "Session", nb::type_slots(slots),
                                  "The engine's sync session; use `pabal.Session`.");
    type.def(nb::init<nb::kwargs>())
        .def("close", &sync_session::close)
        .def("_bulk",
             [](nb::handle self) { return nb::steal(checked(nb::inst_ptr<sync_session>(self)->bulk(self.ptr()))); })
        .def_prop_ro("is_closed", &sync_session::is_closed);
    define_defaults(type);
}

}  // namespace pabal::python

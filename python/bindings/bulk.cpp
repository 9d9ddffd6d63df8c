#include "bulk.hpp"

#include <nanobind/stl/string.h>

#include "body_source.hpp"
#include "errors.hpp"
#include "loop_driver.hpp"
#include "pending.hpp"
#include "prepared_call.hpp"
#include "response.hpp"
#include "traces.hpp"

namespace pabal::python {

namespace {

class bulk;

class bulk_call final : public base::list_hook<>, public client::call_observer {
public:
    bulk_call(bulk& its_owner, PyObject* its_outcome, prepared_call prepared)
        : owner(its_owner),
          outcome(owned::borrow(its_outcome)),
          call(base::make_counted<client::call>(std::move(prepared.request), this)) {
        if (prepared.body) source.emplace(prepared.body.get(), false);
    }

    void on_call_done(client::call&) override;
    result<read_outcome> read_call_body(client::call&, std::span<char> buffer) override;
    const fields* call_trailers(client::call&) override { return source ? source->trailers() : nullptr; }
    bool rewind_call_body(client::call&) override { return source && source->rewind(); }

    bulk& owner;
    owned outcome;  ///< gets the attribute `response` or `error`
    client::call_ptr call;
    std::optional<body_source> source;
};

class bulk {
public:
    bulk(PyObject* session, session_defaults& defaults, std::shared_ptr<sync_core> core, PyObject* driver)
        : session_(owned::borrow(session)),
          defaults_(defaults),
          core_(std::move(core)),
          driver_(owned::borrow(driver)) {}
    ~bulk() {
        if (!born_.is_elsewhere()) close();
    }

    bool start(PyObject* outcome, std::string_view method, PyObject* url, PyObject* options);
    PyObject* wait(PyObject* self) {
        if (born_.is_elsewhere()) return raise(belongs_elsewhere("bulk of requests"));
        return core_ ? wait_sync() : wait_async(self);
    }
    /// Makes an async wait return although nothing is done.
    void wake() {
        if (born_.is_elsewhere()) return;
        if (waiter_) {
            std::exchange(waiter_, nullptr)->complete();
            driver()->after_entry();
        } else {
            woken_ = true;
        }
    }
    void close();
    std::size_t running() const noexcept { return count_; }

    // What calls say; under the lock of a sync session, in a turn of an async one.
    void done(bulk_call& finished) {
        finished.unlink();
        done_.push_back(finished);
        notify();
    }
    void wants_piece(bulk_call& wanting) {
        wanting.unlink();
        hungry_.push_back(wanting);
        notify();
    }

    // What a wait of an async session does.
    bool has_news() const noexcept { return !done_.empty() || !hungry_.empty() || woken_; }
    void set_waiter(pending* waiting) noexcept { waiter_ = waiting; }
    pending* waiter() const noexcept { return waiter_; }
    loop_driver* driver() const noexcept { return loop_driver::of(driver_.get()); }
    PyObject* take();

private:
    PyObject* wait_sync();
    PyObject* wait_async(PyObject* self);
    void notify() {
        if (core_) wait_.set_ready();
        else if (waiter_) std::exchange(waiter_, nullptr)->complete();
    }
    void drive(std::unique_lock<std::mutex>& lock, bool& interrupted);
    void feed();
    bool settle(bulk_call& finished);

    base::birthplace born_;
    owned session_;
    session_defaults& defaults_;
    std::shared_ptr<sync_core> core_;
    owned driver_;
    std::optional<fields> new_defaults_;
    client::sync_wait wait_;
    pending* waiter_ = nullptr;
    bool woken_ = false;
    bool waiting_ = false;
    std::size_t count_ = 0;
    base::intrusive_list<bulk_call>
        fresh_;  ///< of a sync session: started when it waits, which is when the lock is taken
    base::intrusive_list<bulk_call> running_;
    base::intrusive_list<bulk_call> hungry_;
    base::intrusive_list<bulk_call> done_;
};

void bulk_call::on_call_done(client::call&) { owner.done(*this); }

result<read_outcome> bulk_call::read_call_body(client::call&, std::span<char> buffer) {
    auto got = source->read(buffer);
    if (source->wanted()) owner.wants_piece(*this);
    return got;
}

/// False: a body that only an event loop can read; nothing was started. Throws what is wrong with the arguments.
bool bulk::start(PyObject* outcome, std::string_view method, PyObject* url, PyObject* options) {
    if (born_.is_elsewhere()) throw_error(belongs_elsewhere("bulk of requests"));
    std::string verb;
    for (const char letter : method)
        verb.push_back(letter >= 'a' && letter <= 'z' ? static_cast<char>(letter - 32) : letter);
    if (!is_field_name(verb)) {  // a method is a token, as field names are
        const owned given(utf8(method));
        PyErr_Format(PyExc_ValueError, "%R is not an HTTP method: it may hold letters, digits and !#$%%&'*+-.^_`|~",
                     given.get());
        throw_python();
    }
    std::vector<PyObject*> arguments{url};
    owned names;
    if (options && options != Py_None) {
        if (!PyDict_Check(options)) throw nb::type_error("options are a dict");
        std::vector<PyObject*> keys;
        PyObject *name = nullptr, *value = nullptr;
        for (Py_ssize_t position = 0; PyDict_Next(options, &position, &name, &value);) {
            keys.push_back(name);
            arguments.push_back(value);
        }
        names = owned(checked(PyTuple_New(static_cast<Py_ssize_t>(keys.size()))));
        for (std::size_t index = 0; index < keys.size(); ++index)
            PyTuple_SET_ITEM(names.get(), static_cast<Py_ssize_t>(index), Py_NewRef(keys[index]));
    }
    if (driver_ && driver()->is_closed()) {
        throw_error({error_code::session_closed, phase::prepare, culprit::caller, 0,
                     "the session was closed while requests were left"});
    }
    auto prepared =
        prepare_call(session_.get(), defaults_, verb, arguments.data(), 1, names.get(), false, driver_.get());
    if (!prepared) throw_python();
    if (prepared->hooked || prepared->body_is_async) return false;
    if (prepared->request.streams_response) {
        throw_error({error_code::invalid_argument, phase::prepare, culprit::caller, 0,
                     "stream=True cannot be used here: responses are handed out with their bodies"});
    }
    auto* made = new bulk_call(*this, outcome, std::move(*prepared));
    ++count_;
    if (core_) {
        fresh_.push_back(*made);
        if (auto changed = changed_headers(defaults_)) new_defaults_ = std::move(changed);
        return true;
    }
    refresh_headers(defaults_, driver()->session());
    running_.push_back(*made);
    made->call->start(driver()->session());
    driver()->after_entry();
    return true;
}

// --- sync -------------------------------------------------------------------------------------------------------------

PyObject* bulk::wait_sync() {
    if (std::exchange(waiting_, true)) {
        PyErr_SetString(PyExc_RuntimeError, "another thread waits for these requests already");
        return nullptr;
    }
    bool interrupted = false;
    {
        const nb::gil_scoped_release released;
        auto lock = core_->driver.lock();
        drive(lock, interrupted);
    }
    waiting_ = false;
    return interrupted ? nullptr : take();
}

void bulk::drive(std::unique_lock<std::mutex>& lock, bool& interrupted) {
    if (new_defaults_) {
        core_->session.headers = std::move(*new_defaults_);
        new_defaults_.reset();
    }
    while (!fresh_.empty()) {
        bulk_call& next = fresh_.pop_front();
        running_.push_back(next);
        next.call->start(core_->session);
    }
    while (done_.empty() && count_ > 0) {
        if (!hungry_.empty()) {
            bulk_call& next = hungry_.pop_front();
            running_.push_back(next);
            // Python makes the next piece; others may drive the engine meanwhile.
            lock.unlock();
            {
                const nb::gil_scoped_acquire acquired;
                next.source->produce();
            }
            lock.lock();
            next.call->body_ready();
            continue;
        }
        wait_.reset();
        core_->driver.wait_for(wait_, lock, python_wants_attention);
        if (!wait_.is_ready()) {
            interrupted = true;
            return;
        }
    }
}

// --- async ------------------------------------------------------------------------------------------------------------

class bulk_wait final : public operation {
public:
    bulk_wait(bulk& waited_for, PyObject* object) : bulk_(waited_for), object_(owned::borrow(object)) {}
    ~bulk_wait() override { forget(); }

    loop_driver* driver() override { return bulk_.driver(); }
    bool start(pending& owner) override {
        owner_ = &owner;
        if (bulk_.has_news()) owner.complete();
        else bulk_.set_waiter(&owner);
        return true;
    }
    PyObject* take_result() override { return bulk_.take(); }
    void cancel() noexcept override { forget(); }

private:
    void forget() noexcept {
        if (owner_ && bulk_.waiter() == owner_) bulk_.set_waiter(nullptr);
    }

    bulk& bulk_;
    owned object_;
    pending* owner_ = nullptr;
};

PyObject* bulk::wait_async(PyObject* self) {
    feed();
    if (waiter_) {
        PyErr_SetString(PyExc_RuntimeError, "another task waits for these requests already");
        return nullptr;
    }
    if (has_news()) return make_ready(checked(take()), driver()->should_yield());
    return make_pending(std::make_unique<bulk_wait>(*this, self));
}

/// Gets the pieces that bodies wait for.
void bulk::feed() {
    while (!hungry_.empty()) {
        bulk_call& next = hungry_.pop_front();
        running_.push_back(next);
        next.source->produce();
        next.call->body_ready();
        driver()->after_entry();
    }
}

// --- both -------------------------------------------------------------------------------------------------------------

/// Everything that is done by now.
PyObject* bulk::take() {
    base::intrusive_list<bulk_call> taken;
    woken_ = false;
    if (core_) {
        const nb::gil_scoped_release released;
        const auto lock = core_->driver.lock();
        taken.splice_back(done_);
    } else {
        feed();
        taken.splice_back(done_);
    }
    owned out(PyList_New(0));
    bool good = bool(out);
    while (!taken.empty()) {
        const std::unique_ptr<bulk_call> finished(&taken.pop_front());
        --count_;
        good = good && settle(*finished) && PyList_Append(out.get(), finished->outcome.get()) == 0;
    }
    return good ? out.release() : nullptr;
}

bool bulk::settle(bulk_call& finished) {
    client::call& call = *finished.call;
    call.observe(nullptr);
    log_call(call);
    owned value;
    if (!call.failure()) {
        value = owned(make_response(std::move(finished.call), session_.get(), nullptr, nullptr));
        return value && PyObject_SetAttrString(finished.outcome.get(), "response", value.get()) == 0;
    }
    if (finished.source && call.failure()->code == error_code::request_body_failed) {
        value = owned(finished.source->take_exception());
        if (value && !PyExceptionInstance_Check(value.get())) value.reset();
    }
    if (!value) value = owned(make_failure(call, *call.failure()));
    return value && PyObject_SetAttrString(finished.outcome.get(), "error", value.get()) == 0;
}

void bulk::close() {
    if (born_.is_elsewhere()) return;
    base::intrusive_list<bulk_call> all;
    const auto abandon = [&] {
        for (auto* list : {&fresh_, &running_, &hungry_, &done_}) all.splice_back(*list);
        all.for_each([](bulk_call& each) {
            each.call->observe(nullptr);
            each.call->cancel();
        });
    };
    if (core_) {
        const nb::gil_scoped_release released;
        const auto lock = core_->driver.lock();
        abandon();
    } else {
        abandon();
        if (!driver()->is_closed()) driver()->after_entry();
    }
    while (!all.empty()) delete &all.pop_front();
    count_ = 0;
    if (!core_) wake();
}

PyObject* make(PyObject* session, session_defaults& defaults, std::shared_ptr<sync_core> core, PyObject* driver) {
    return nb::cast(new bulk(session, defaults, std::move(core), driver), nb::rv_policy::take_ownership)
        .release()
        .ptr();
}

}  // namespace

PyObject* make_bulk(PyObject* session, session_defaults& defaults, std::shared_ptr<sync_core> core) {
    return make(session, defaults, std::move(core), nullptr);
}

PyObject* make_bulk(PyObject* session, session_defaults& defaults, loop_driver& driver) {
    return make(session, defaults, nullptr, driver.self());
}

void add_bulk_type(nb::module_& module) {
    nb::class_<bulk>(module, "Bulk", "Many requests of one session at once.")
        .def(
            "start",
            [](bulk& self, nb::handle outcome, std::string method, nb::handle url, nb::handle options) {
                return self.start(outcome.ptr(), method, url.ptr(), options.ptr());
            },
            nb::arg("outcome"), nb::arg("method"), nb::arg("url"), nb::arg("options").none())
        .def("wait", [](nb::handle self) { return nb::steal(checked(nb::inst_ptr<bulk>(self)->wait(self.ptr()))); })
        .def("wake", &bulk::wake)
        .def("close", &bulk::close)
        .def_prop_ro("running", &bulk::running);
}

}  // namespace pabal::python

#include "loop_driver.hpp"

#include <new>

#include "alternatives.hpp"
#include "errors.hpp"

namespace pabal::python {

namespace {

struct driver_object {
    PyObject_HEAD loop_driver* held;
};

/// The only reference that the host loop has to a driver: when the loop is closed it forgets its readers, this object dies,
/// and the driver learns that nobody will ever call `turn` again.
struct reader_object {
    PyObject_HEAD PyObject* driver;
};

PyTypeObject* driver_type;
PyTypeObject* reader_type;
PyObject* name_context_tuple;
PyObject* get_running_loop;  ///< asyncio's C function; looked up once asyncio is imported

loop_driver& held(PyObject* object) noexcept { return *reinterpret_cast<driver_object*>(object)->held; }

/// `name` from sys.modules, without importing it. Borrowed.
PyObject* imported(const char* name) {
    PyObject* modules = PyImport_GetModuleDict();
    return PyDict_GetItemString(modules, name);
}

PyObject* turn_slot(PyObject* self, PyObject*) {
    held(self).turn();
    Py_RETURN_NONE;
}
PyObject* fileno_slot(PyObject* self, PyObject*) {
    return PyLong_FromLong(held(self).is_closed() ? -1 : held(self).reactor().descriptor());
}
PyObject* close_slot(PyObject* self, PyObject*) {
    held(self).close();
    Py_RETURN_NONE;
}
PyObject* is_closed_slot(PyObject* self, PyObject*) { return PyBool_FromLong(held(self).is_closed() ? 1 : 0); }

void deallocate(PyObject* self) {
    PyTypeObject* type = Py_TYPE(self);
    delete std::exchange(reinterpret_cast<driver_object*>(self)->held, nullptr);
    type->tp_free(self);
    Py_DECREF(type);
}

PyObject* reader_turn(PyObject* self, PyObject*) {
    held(reinterpret_cast<reader_object*>(self)->driver).turn();
    Py_RETURN_NONE;
}

void reader_deallocate(PyObject* self) {
    PyTypeObject* type = Py_TYPE(self);
    const owned driver(std::exchange(reinterpret_cast<reader_object*>(self)->driver, nullptr));
    if (driver) held(driver.get()).lose_loop();
    type->tp_free(self);
    Py_DECREF(type);
}

PyMethodDef reader_method{"turn", reader_turn, METH_NOARGS, "Serves what became ready."};

/// A new callable for the loop's add_reader.
PyObject* make_reader(PyObject* driver) {
    const owned made(reader_type->tp_alloc(reader_type, 0));
    if (!made) return nullptr;
    reinterpret_cast<reader_object*>(made.get())->driver = Py_NewRef(driver);
    return PyCFunction_New(&reader_method, made.get());
}

PyType_Slot reader_slots[] = {
    {Py_tp_dealloc, reinterpret_cast<void*>(reader_deallocate)},
    {Py_tp_doc, const_cast<char*>("What an event loop knows of an engine.")},
    {0, nullptr},
};
PyType_Spec reader_spec{"pabal._engine.LoopReader", sizeof(reader_object), 0,
                        Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION, reader_slots};

PyMethodDef driver_methods[] = {
    {"turn", turn_slot, METH_NOARGS, "Serves what became ready; what the host loop calls when fileno() is readable."},
    {"fileno", fileno_slot, METH_NOARGS, "The descriptor to watch; -1 once closed."},
    {"close", close_slot, METH_NOARGS, "Closes every connection."},
    {"is_closed", is_closed_slot, METH_NOARGS, "True after close()."},
    {nullptr, nullptr, 0, nullptr},
};

PyType_Slot driver_slots[] = {
    {Py_tp_dealloc, reinterpret_cast<void*>(deallocate)},
    {Py_tp_methods, driver_methods},
    {Py_tp_doc, const_cast<char*>("Runs an engine on an event loop.")},
    {0, nullptr},
};
PyType_Spec driver_spec{"pabal._engine.LoopDriver", sizeof(driver_object), 0,
                        Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION, driver_slots};

}  // namespace

PyObject* loop_driver::running_loop(host& kind) {
    if (!get_running_loop) {
        if (PyObject* asyncio = imported("asyncio.events"))
            get_running_loop = PyObject_GetAttrString(asyncio, "_get_running_loop");
    }
    if (get_running_loop) {
        PyObject* loop = PyObject_CallNoArgs(get_running_loop);
        if (!loop) return nullptr;
        Py_DECREF(loop);  // the running loop is kept alive by whoever runs it
        if (loop != Py_None) {
            kind = host::asyncio;
            return loop;
        }
    }
    if (imported("trio")) {
        static lazy_import in_trio_run("trio.lowlevel", "in_trio_run");
        static lazy_import current_token("trio.lowlevel", "current_trio_token");
        if (!in_trio_run.get() || !current_token.get()) return nullptr;
        const owned inside(PyObject_CallNoArgs(in_trio_run.get()));
        if (!inside) return nullptr;
        if (inside.get() == Py_True) {
            PyObject* token = PyObject_CallNoArgs(current_token.get());
            Py_XDECREF(token);  // the run keeps it
            kind = host::trio;
            return token;
        }
    }
    return nullptr;
}

PyObject* loop_driver::make(host kind, PyObject* loop, const session_limits& limits) {
    auto engine = client::engine::make(limits);
    if (!engine) return raise(engine.error());
    if ((*engine)->reactor().descriptor() < 0) {
        return raise({error_code::unsupported, phase::prepare, culprit::caller, 0,
                      "the poller \"" + std::string((*engine)->reactor().poller_name()) +
                          "\" has no descriptor that an event loop could watch; use a sync Session with it"});
    }
    auto* made = reinterpret_cast<driver_object*>(driver_type->tp_alloc(driver_type, 0));
    if (!made) return nullptr;
    auto* self = reinterpret_cast<PyObject*>(made);
    made->held = new loop_driver(self, kind, loop, std::move(*engine), limits);
    if (!made->held->watch()) return Py_DECREF(self), nullptr;
    return self;
}

loop_driver* loop_driver::of(PyObject* object) noexcept { return &held(object); }

loop_driver::loop_driver(PyObject* self, host kind, PyObject* loop, std::unique_ptr<client::engine> engine,
                         const session_limits& limits)
    : self_(self),
      kind_(kind),
      loop_(owned::borrow(loop)),
      engine_(std::move(engine)),
      session_(std::make_unique<client::session>(*engine_, limits)) {}

loop_driver::~loop_driver() { close(); }

bool loop_driver::watch() {
    if (kind_ == host::trio) return true;  // pabal._trio.wait watches it
    call_soon_ = owned(PyObject_GetAttrString(loop_.get(), "call_soon"));
    const owned turn(make_reader(self_));
    if (!call_soon_ || !turn) return false;
    const owned added(
        PyObject_CallMethod(loop_.get(), "add_reader", "iO", engine_->reactor().descriptor(), turn.get()));
    return bool(added);
}

void loop_driver::catch_up() {
    constexpr std::chrono::milliseconds fresh_enough{1};
    if (in_turn_ || pool().idle_connections() == 0) return;
    reactor::reactor& reactor = engine_->reactor();
    reactor.refresh_now();
    if (reactor.now() - last_turn_ < fresh_enough) return;
    reactor.turn(reactor::duration::zero());
    last_turn_ = reactor.now();
}

void loop_driver::turn() {
    if (is_closed() || in_turn_) return;
    const owned alive = owned::borrow(self_);
    in_turn_ = true;
    engine_->reactor().turn(reactor::duration::zero());
    in_turn_ = false;
    if (engine_) last_turn_ = engine_->reactor().now();
    deliver();
    if (is_closed()) return;
    in_turn_ = true;  // what the completions began leaves now, and not after another turn of the host loop
    const bool was_more = engine_->reactor().finish_turn();
    in_turn_ = false;
    if (was_more) deliver();
    if (!is_closed()) engine_->reactor().arm_host_alarm();
}

void loop_driver::enqueue(pending& completed) {
    completed_.push_back(completed);
    if (in_turn_ || delivering_ || delivery_scheduled_ || loop_gone_) return;
    static PyMethodDef method{"deliver", &loop_driver::deliver_slot, METH_NOARGS, nullptr};
    const owned deliver_method(PyCFunction_New(&method, self_));
    delivery_scheduled_ = deliver_method && call_soon(deliver_method.get(), nullptr, nullptr);
    if (!delivery_scheduled_) {
        PyErr_Clear();      // the loop is closed: nobody is there to be told,
        loop_gone_ = true;  // and `after_entry` or `close` lets go of what was completed
    }
}

void loop_driver::lose_loop() {
    if (closed_) return;
    const owned alive = owned::borrow(self_);
    loop_gone_ = true;
    close();
}

PyObject* loop_driver::deliver_slot(PyObject* self, PyObject*) {
    held(self).delivery_scheduled_ = false;
    const owned alive = owned::borrow(self);
    held(self).deliver();
    if (!held(self).is_closed()) held(self).engine_->reactor().arm_host_alarm();
    Py_RETURN_NONE;
}

void loop_driver::deliver() {
    if (delivering_) return;
    delivering_ = true;
    while (!completed_.empty() && !is_inherited()) completed_.pop_front().deliver();
    delivering_ = false;
}

bool loop_driver::call_soon(PyObject* callback, PyObject* argument, PyObject* context) {
    if (kind_ == host::trio) {
        const owned soon(PyObject_GetAttrString(loop_.get(), "run_sync_soon"));
        return soon && bool(owned(PyObject_CallFunctionObjArgs(soon.get(), callback, argument, nullptr)));
    }
    PyObject* arguments[] = {callback, argument, context};
    if (!argument) return bool(owned(PyObject_CallOneArg(call_soon_.get(), callback)));
    if (!context) return bool(owned(PyObject_Vectorcall(call_soon_.get(), arguments, 2, nullptr)));
    return bool(owned(PyObject_Vectorcall(call_soon_.get(), arguments, 2, name_context_tuple)));
}

/// An exception nobody awaits goes where asyncio reports such things.
void loop_driver::report(const char* what) {
    PyObject *type = nullptr, *value = nullptr, *trace = nullptr;
    PyErr_Fetch(&type, &value, &trace);
    PyErr_NormalizeException(&type, &value, &trace);
    if (trace) PyException_SetTraceback(value, trace);
    const owned kept_type(type), kept_value(value), kept_trace(trace);
    if (kind_ == host::asyncio && value && PyErr_GivenExceptionMatches(type, PyExc_Exception)) {
        const owned context(Py_BuildValue("{s:s,s:O}", "message", what, "exception", value));
        const owned called(context ? PyObject_CallMethod(loop_.get(), "call_exception_handler", "O", context.get())
                                   : nullptr);
        if (called) return;
        PyErr_Clear();
    }
    PyErr_Restore(Py_XNewRef(type), Py_XNewRef(value), Py_XNewRef(trace));
    PyErr_WriteUnraisable(self_);
}

void loop_driver::close() {
    if (closed_) return;
    if (is_inherited()) {
        closed_ = true;
        base::abandon(session_);
        base::abandon(engine_);
        base::abandon(loop_);  // asyncio's own end of a loop would take descriptors out of the parent's selector
        return;
    }
    PyObject *type = nullptr, *value = nullptr, *trace = nullptr;
    PyErr_Fetch(&type, &value, &trace);
    if (kind_ == host::trio) {  // which asks for the descriptor to forget: as long as there is one
        static lazy_import closing("pabal._trio", "closing");
        if (closing.get()) owned(PyObject_CallOneArg(closing.get(), self_));
    }
    const bool first = !std::exchange(closed_, true);
    if (first && kind_ != host::trio && !loop_gone_) {  // when its reader dies now, the loop is not taken for gone
        const owned removed(PyObject_CallMethod(loop_.get(), "remove_reader", "i", engine_->reactor().descriptor()));
    }
    PyErr_Clear();
    if (first) {
        engine_->pool().close();
        const auto file = session_->alternatives_file();
        const auto saved = session_->save_alternatives();
        session_.reset();
        engine_.reset();
        log_unsaved(file.get(), saved);
        if (loop_gone_) deliver();
    }
    PyErr_Restore(type, value, trace);
}

bool add_loop_driver_type(PyObject* module) {
    const owned name(PyUnicode_InternFromString("context"));
    name_context_tuple = name ? PyTuple_Pack(1, name.get()) : nullptr;
    driver_type = reinterpret_cast<PyTypeObject*>(PyType_FromSpec(&driver_spec));
    reader_type = reinterpret_cast<PyTypeObject*>(PyType_FromSpec(&reader_spec));
    if (!name_context_tuple || !driver_type || !reader_type) return false;
    return PyModule_AddObjectRef(module, "LoopDriver", reinterpret_cast<PyObject*>(driver_type)) == 0;
}

}  // namespace pabal::python

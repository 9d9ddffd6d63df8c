#include "body_stream.hpp"

#include "errors.hpp"
#include "traces.hpp"

namespace pabal::python {

namespace {

/// One piece of "whatever arrives": four TLS records, large enough that Python's share of a fast download is small. It is half
/// of what glibc's malloc maps anew each time, and of what it gives back to the system when it is freed at the heap's end (128
/// KiB): either would cost a page fault for every 4 KiB received.
constexpr std::size_t piece_size = 64 * 1024;

PyTypeObject* iterator_type;

response& response_of(PyObject* object) noexcept { return *nb::inst_ptr<response>(object); }

PyObject* raise_named(const char* name, const char* message) {
    const owned module(PyImport_ImportModule("pabal.exceptions"));
    const owned type(module ? PyObject_GetAttrString(module.get(), name) : nullptr);
    if (type) PyErr_SetString(type.get(), message);
    return nullptr;
}

/// Whether there is as much of a stream left as is asked for.
bool check_readable(response& from, Py_ssize_t size) {
    if (!from.streamed) return true;
    if (from.is_elsewhere()) return raise(belongs_elsewhere("response")) != nullptr;
    if (!from.consumed && !(from.begun && size == everything)) return true;
    raise_named("StreamConsumed",
                "the body of this response was already read or closed; keep what you read, or ask again");
    return false;
}

/// What a finished read leaves behind in its response.
void note(response& from, const reading& finished, Py_ssize_t size, PyObject* data) {
    if (size == everything && data) from.content = owned::borrow(data);
    if (size != everything && data && PyBytes_GET_SIZE(data) > 0) from.begun = true;
    if (finished.found_end() && (!data || PyBytes_GET_SIZE(data) == 0)) from.consumed = true;
}

class read_operation final : public operation {
public:
    read_operation(PyObject* response_object, Py_ssize_t size, reading begun, bool iterates)
        : response_(owned::borrow(response_object)), size_(size), reading_(std::move(begun)), iterates_(iterates) {}
    ~read_operation() override { cancel(); }

    loop_driver* driver() override { return &response_of(response_.get()).stream->driver(); }

    bool start(pending& owner) override {
        response& from = response_of(response_.get());
        if (from.stream->is_waited_for()) {
            PyErr_SetString(PyExc_RuntimeError, "this response's body is being read by another task");
            return false;
        }
        if (!reading_.prepare()) return false;
        if (reading_.attempt(*from.call)) {
            owner.complete();
            return true;
        }
        from.stream->wait(&owner, &reading_);
        waiting_ = true;
        return true;
    }

    PyObject* take_result() override {
        waiting_ = false;
        response& from = response_of(response_.get());
        PyObject* data = reading_.take(*from.call);
        note(from, reading_, size_, data);
        if (!data || !iterates_ || PyBytes_GET_SIZE(data) > 0) return data;
        Py_DECREF(data);
        PyErr_SetNone(PyExc_StopAsyncIteration);
        return nullptr;
    }

    void cancel() noexcept override {
        if (std::exchange(waiting_, false)) response_of(response_.get()).stream->wait(nullptr, nullptr);
    }

private:
    owned response_;
    Py_ssize_t size_;
    reading reading_;
    bool iterates_;
    bool waiting_ = false;
};

/// A blocking read. It goes on as soon as something came, while that lies where it was received, on whatever thread that is.
class sync_reader final : public client::call_observer {
public:
    sync_reader(reading& by, client::sync_wait& waked) noexcept : reading_(by), wait_(waked) {}
    void on_call_readable(client::call& from) override { look(from); }
    void on_call_done(client::call& from) override { look(from); }

    /// Tries without waiting. True: finished.
    bool look(client::call& from) {
        // The end of the body is announced from inside the attempt that finds it.
        if (std::exchange(looking_, true)) return finished_;
        finished_ = finished_ || reading_.attempt(from);
        looking_ = false;
        if (finished_) wait_.set_ready();
        return finished_;
    }

private:
    reading& reading_;
    client::sync_wait& wait_;
    bool looking_ = false;
    bool finished_ = false;
};

struct iterator_object {
    PyObject_HEAD PyObject* response;
    Py_ssize_t size;
    Py_ssize_t position;  ///< in a body that is in memory
};

PyObject* iterator_next(PyObject* self) {
    auto* it = reinterpret_cast<iterator_object*>(self);
    response& from = response_of(it->response);
    if (from.streamed && !from.content) return read_async(it->response, it->size, true);
    const owned content(PyObject_GetAttrString(it->response, "content"));
    if (!content) return nullptr;
    const Py_ssize_t left = PyBytes_GET_SIZE(content.get()) - it->position;
    if (left <= 0) return PyErr_SetNone(PyExc_StopAsyncIteration), nullptr;
    const Py_ssize_t wanted = it->size > 0 ? it->size : static_cast<Py_ssize_t>(piece_size);
    const Py_ssize_t size = left < wanted ? left : wanted;
    PyObject* piece = PyBytes_FromStringAndSize(PyBytes_AS_STRING(content.get()) + it->position, size);
    it->position += size;
    return piece ? make_ready(piece) : nullptr;
}

PyObject* iterator_self(PyObject* self) { return Py_NewRef(self); }
PyObject* iterator_close(PyObject* self, PyObject*) {
    response_of(reinterpret_cast<iterator_object*>(self)->response).close();
    return make_ready(Py_NewRef(Py_None));
}
void iterator_deallocate(PyObject* self) {
    PyTypeObject* type = Py_TYPE(self);
    Py_CLEAR(reinterpret_cast<iterator_object*>(self)->response);
    type->tp_free(self);
    Py_DECREF(type);
}

PyMethodDef iterator_methods[] = {
    {"aclose", iterator_close, METH_NOARGS, "Gives the connection back; what was not read is lost."},
    {nullptr, nullptr, 0, nullptr},
};
PyType_Slot iterator_slots[] = {
    {Py_tp_dealloc, reinterpret_cast<void*>(iterator_deallocate)},
    {Py_am_aiter, reinterpret_cast<void*>(iterator_self)},
    {Py_am_anext, reinterpret_cast<void*>(iterator_next)},
    {Py_tp_methods, iterator_methods},
    {Py_tp_doc, const_cast<char*>("Pieces of a response's body.")},
    {0, nullptr},
};
PyType_Spec iterator_spec{"pabal._engine.BodyIterator", sizeof(iterator_object), 0,
                          Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION, iterator_slots};

}  // namespace

// --- reading -------------------------------------------------------------------------------------------------------------

bool reading::prepare() {
    if (size_ == everything || bytes_) return true;
    const std::size_t room = size_ == whatever_arrives ? piece_size : static_cast<std::size_t>(size_);
    bytes_ = owned(PyBytes_FromStringAndSize(nullptr, static_cast<Py_ssize_t>(room)));
    return bool(bytes_);
}

std::span<char> reading::room(client::call& from) {
    if (size_ == everything) return from.body().space(64 * 1024);
    return {PyBytes_AS_STRING(bytes_.get()) + filled_,
            static_cast<std::size_t>(PyBytes_GET_SIZE(bytes_.get())) - filled_};
}

bool reading::attempt(client::call& from) {
    while (true) {
        const std::span<char> space = room(from);
        if (space.empty()) return true;
        auto got = from.read(space);
        if (!got) {
            failure_ = std::move(got).error();
            return true;
        }
        switch (got->what) {
        case read_outcome::kind::data:
            filled_ += got->size;
            if (size_ != everything) break;
            from.body().commit(got->size);
            if (from.body_exceeds_limit()) {
                failure_ = from.too_large();
                return true;
            }
            break;
        case read_outcome::kind::end: ended_ = true; return true;
        case read_outcome::kind::would_block: return size_ == whatever_arrives && filled_ > 0;
        }
    }
}

PyObject* reading::take(client::call& from) {
    // What came before a failure is delivered first; the call remembers the failure for the next read.
    if (failure_ && (filled_ == 0 || size_ == everything)) return raise_failure_of(from, *failure_);
    if (size_ == everything) return bytes(from.body().view());
    PyObject* data = bytes_.release();
    if (static_cast<std::size_t>(PyBytes_GET_SIZE(data)) == filled_) return data;
    return _PyBytes_Resize(&data, static_cast<Py_ssize_t>(filled_)) < 0 ? nullptr : data;
}

void body_stream::look(client::call& from) {
    // The end of the body is announced from inside the attempt that finds it: nobody waits while we look.
    pending* waiting = std::exchange(waiting_, nullptr);
    if (!waiting) return;
    if (reading_->attempt(from)) waiting->complete();
    else waiting_ = waiting;
}

// --- the ways to read ----------------------------------------------------------------------------------------------------

PyObject* read_async(PyObject* response_object, Py_ssize_t size, bool iterates) {
    response& from = response_of(response_object);
    if (!from.stream) {
        PyErr_SetString(PyExc_RuntimeError,
                        "this response belongs to a sync session: read it with iter_bytes() or content");
        return nullptr;
    }
    if (!check_readable(from, size)) return nullptr;
    reading begun(size);
    if (!begun.prepare()) return nullptr;
    if (!from.stream->is_waited_for() && begun.attempt(*from.call)) {
        PyObject* data = begun.take(*from.call);
        from.stream->driver().after_entry();
        note(from, begun, size, data);
        if (!data) return nullptr;
        if (iterates && PyBytes_GET_SIZE(data) == 0) {
            Py_DECREF(data);
            PyErr_SetNone(PyExc_StopAsyncIteration);
            return nullptr;
        }
        return make_ready(data, from.stream->driver().should_yield());
    }
    from.stream->driver().after_entry();
    return make_pending(std::make_unique<read_operation>(response_object, size, std::move(begun), iterates));
}

PyObject* read_blocking(response& from, Py_ssize_t size) {
    if (from.driver || !from.streamed) {
        return raise_named("ResponseNotRead",
                           "the body of a streamed AsyncSession response is read with await: aread(), aiter_bytes()");
    }
    if (!check_readable(from, size)) return nullptr;
    const std::shared_ptr<sync_core> core = from.sync;  // others may close the response meanwhile
    if (!core) return PyBytes_FromStringAndSize(nullptr, 0);
    reading begun(size);
    if (!begun.prepare()) return nullptr;
    bool interrupted = false;
    {
        const nb::gil_scoped_release released;
        auto lock = core->driver.lock();
        client::sync_wait wait;
        sync_reader reader(begun, wait);
        from.call->observe(&reader);
        if (!reader.look(*from.call)) {
            core->driver.wait_for(wait, lock, python_wants_attention);
            interrupted = !wait.is_ready();
        }
        from.call->observe(nullptr);
    }
    if (interrupted) return nullptr;
    PyObject* data = begun.take(*from.call);
    note(from, begun, size, data);
    if (from.consumed) from.let_go();
    return data;
}

PyObject* iterate_async(PyObject* response_object, Py_ssize_t size) {
    auto* made = reinterpret_cast<iterator_object*>(iterator_type->tp_alloc(iterator_type, 0));
    if (!made) return nullptr;
    made->response = Py_NewRef(response_object);
    made->size = size;
    made->position = 0;
    return reinterpret_cast<PyObject*>(made);
}

bool add_body_iterator_type(PyObject* module) {
    iterator_type = reinterpret_cast<PyTypeObject*>(PyType_FromSpec(&iterator_spec));
    if (!iterator_type) return false;
    return PyModule_AddObjectRef(module, "BodyIterator", reinterpret_cast<PyObject*>(iterator_type)) == 0;
}

}  // namespace pabal::python

#include "response.hpp"

#include <nanobind/stl/string.h>

#include "body_stream.hpp"
#include "cookies.hpp"
#include "errors.hpp"
#include "headers.hpp"
#include "json.hpp"
#include "loop_driver.hpp"
#include "retries.hpp"
#include "traces.hpp"

namespace pabal::python {

namespace {

PyObject* response_class;
PyObject* request_class;

response& of(PyObject* self) noexcept { return *nb::inst_ptr<response>(self); }

bool is_read(const response& self) noexcept { return !self.streamed || bool(self.content); }

nb::object headers_of(response& self) {
    if (!self.headers) self.headers = owned(checked(make_headers(self.call->response().headers)));
    return nb::borrow(self.headers.get());
}

nb::object trailers_of(response& self) {
    if (!self.call->is_done()) {
        static lazy_import not_read("pabal.exceptions", "ResponseNotRead");
        if (PyObject* type = not_read.get()) PyErr_SetString(type, "the trailers come after the body: read it first");
        throw_python();
    }
    return nb::steal(checked(make_headers(self.call->trailers())));
}

/// [(status, headers)] of the 1xx responses before this one.
nb::object informational_of(response& self) {
    nb::list out;
    for (const response_head& head : self.call->informational())
        out.append(nb::make_tuple(head.status, nb::steal(checked(make_headers(head.headers)))));
    return nb::object(std::move(out));
}

nb::object content_of(response& self) {
    if (!self.content) {
        PyObject* data = self.streamed ? read_blocking(self, everything) : bytes(self.call->body().view());
        self.content = owned(checked(data));
        if (self.streamed) self.close();
    }
    return nb::borrow(self.content.get());
}

nb::object history_of(response& self) {
    if (!self.history) {
        nb::list out;
        for (client::hop& hop : self.call->history()) {
            client::call_request asked;
            asked.method = hop.method;
            asked.location = hop.location;
            out.append(nb::steal(checked(make_response(
                client::call::answered(std::move(asked), std::move(hop.response)), nullptr, nullptr, nullptr))));
        }
        self.call->history().clear();
        self.history = owned(out.release().ptr());
    }
    return nb::borrow(self.history.get());
}

nb::object cookies_of(response& self) {
    if (!self.cookies) {
        auto jar = std::make_shared<client::shared_cookie_jar>();
        jar->store_from(self.call->location(), self.call->location(), self.call->response().headers);
        self.cookies = owned(checked(make_cookie_jar(std::move(jar))));
    }
    return nb::borrow(self.cookies.get());
}

nb::object request_of(response& self) {
    if (!self.request) {
        if (!request_class) {
            // Registers itself.
            const owned module(checked(PyImport_ImportModule("pabal._request")));
            const owned type(checked(PyObject_GetAttrString(module.get(), "Request")));
            request_class = type.new_reference();
        }
        const client::call_request& asked = self.call->asked();
        const owned method(text(asked.method)), location(utf8(asked.location.text()));
        const owned lines(make_headers(self.call->request.headers));
        const owned body(asked.body.size() == 0 ? Py_NewRef(Py_None) : bytes(asked.body.view()));
        self.request = owned(checked(PyObject_CallFunctionObjArgs(request_class, method.get(), location.get(),
                                                                  lines.get(), body.get(), nullptr)));
    }
    return nb::borrow(self.request.get());
}

nb::object elapsed_of(response& self) {
    const auto microseconds = std::chrono::duration_cast<std::chrono::microseconds>(self.call->elapsed()).count();
    return nb::module_::import_("datetime").attr("timedelta")(0, 0, microseconds);
}

/// Of a streamed response it may still grow, on whatever thread leads the engine now.
nb::object trace_of(response& self) {
    if (self.is_elsewhere()) throw_error(belongs_elsewhere("response"));
    pabal::trace copy;
    if (self.sync && !self.call->is_done()) {
        const nb::gil_scoped_release released;
        const auto lock = self.sync->driver.lock();
        copy = self.call->trace();
    } else {
        copy = self.call->trace();
    }
    return nb::steal(checked(trace_parts(copy)));
}

/// (method, URL, leaves the origin, drops the body) of the request that a redirect asks for; None without one.
nb::object next_of(response& self) {
    const auto planned = client::plan_redirect(self.call->location(), self.call->asked().method, self.call->response());
    if (!planned || !*planned) return nb::none();
    const client::redirect& next = **planned;
    const owned method(text(next.method)), location(utf8(next.location.text()));
    return nb::steal(
        checked(PyTuple_Pack(4, checked(method.get()), checked(location.get()), next.leaves_origin ? Py_True : Py_False,
                             next.drops_body ? Py_True : Py_False)));
}

bool redirects(response& self) {
    const int status = self.call->response().status;
    const bool status_redirects = status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
    return status_redirects && self.call->response().headers.contains(field_id::location);
}

/// response.json(**kwargs): ours without arguments, the json module's with them.
PyObject* json_method(PyObject* self_object, PyObject* const* arguments, Py_ssize_t count, PyObject* names) {
    response& self = of(self_object);
    if (count > 0) return PyErr_SetString(PyExc_TypeError, "json() takes keyword arguments only"), nullptr;
    if (names && PyTuple_GET_SIZE(names) > 0) {
        static lazy_import loads("json", "loads");
        const owned body(PyObject_GetAttrString(self_object, "text"));
        if (!body || !loads.get()) return nullptr;
        std::vector<PyObject*> all{body.get()};
        for (Py_ssize_t index = 0; index < PyTuple_GET_SIZE(names); ++index) all.push_back(arguments[index]);
        PyObject* value = PyObject_Vectorcall(loads.get(), all.data(), 1, names);
        if (!value) translate_json_error();
        return value;
    }
    if (!is_read(self)) {
        const owned content(PyObject_GetAttrString(self_object, "content"));
        if (!content) return nullptr;
    }
    return parse_json(self.call->body());
}

/// _plain_json(): what json() gives, or NotImplemented where the document is not plain UTF-8 JSON.
PyObject* plain_json_method(PyObject* self_object, PyObject*) {
    response& self = of(self_object);
    PyObject* value = is_read(self) ? parse_plain_json(self.call->body()) : nullptr;
    if (value || PyErr_Occurred()) return value;
    return Py_NewRef(Py_NotImplemented);
}

PyObject* aclose_method(PyObject* self, PyObject*) {
    of(self).close();
    return make_ready(Py_NewRef(Py_None));
}

/// _aread(size): the rest (-1) becomes `content`.
PyObject* aread_method(PyObject* self, PyObject* argument) {
    const Py_ssize_t size = PyLong_AsSsize_t(argument);
    if (size == -1 && PyErr_Occurred()) return nullptr;
    response& it = of(self);
    if (it.content || !it.streamed) {
        const owned content(PyObject_GetAttrString(self, "content"));
        return content ? make_ready(content.new_reference()) : nullptr;
    }
    return read_async(self, size, false);
}

PyObject* read_sync_method(PyObject* self, PyObject* argument) {
    const Py_ssize_t size = PyLong_AsSsize_t(argument);
    if (size == -1 && PyErr_Occurred()) return nullptr;
    if (size == everything) return PyObject_GetAttrString(self, "content");
    return read_blocking(of(self), size);
}

PyObject* aiter_bytes_method(PyObject* self, PyObject* const* arguments, Py_ssize_t count, PyObject* names) {
    PyObject* given = count > 0 ? arguments[0] : names && PyTuple_GET_SIZE(names) == 1 ? arguments[0] : nullptr;
    Py_ssize_t size = whatever_arrives;
    if (given && given != Py_None) {
        size = PyLong_AsSsize_t(given);
        if (size == -1 && PyErr_Occurred()) return nullptr;
        if (size <= 0) return PyErr_SetString(PyExc_ValueError, "chunk_size must be positive, or None"), nullptr;
    }
    return iterate_async(self, size);
}

template <class Function>
PyCFunction method(Function* function) {
    return reinterpret_cast<PyCFunction>(reinterpret_cast<void*>(function));
}

PyMethodDef methods[] = {
    {"json", method(json_method), METH_FASTCALL | METH_KEYWORDS,
     "The body as JSON; keyword arguments go to json.loads."},
    {"_plain_json", method(plain_json_method), METH_NOARGS, "json(), or NotImplemented unless it is plain UTF-8 JSON."},
    {"aclose", method(aclose_method), METH_NOARGS, "As close, awaitable."},
    {"_aread", method(aread_method), METH_O, "An awaitable of bytes."},
    {"_read_sync", method(read_sync_method), METH_O, "Bytes; blocks."},
    {"aiter_bytes", method(aiter_bytes_method), METH_FASTCALL | METH_KEYWORDS, "The body in pieces."},
    {nullptr, nullptr, 0, nullptr},
};

PyType_Slot slots[] = {{Py_tp_methods, methods}, {0, nullptr}};

}  // namespace

response::~response() {
    const bool elsewhere = is_elsewhere();
    close();
    if (elsewhere) base::abandon(call);
}

bool response::keep_encoded() {
    if (!streamed || consumed || is_elsewhere()) return false;
    if (!sync) return call->keep_encoded();
    const std::shared_ptr<sync_core> core = sync;
    const nb::gil_scoped_release released;
    const auto lock = core->driver.lock();
    return call->keep_encoded();
}

void response::close() {
    if (!call || call->is_done()) {
        if (streamed && !content) consumed = true;
        let_go();
        return;
    }
    consumed = true;
    if (is_elsewhere()) {
        sync.reset();
        session.reset();
        return;
    }
    if (const std::shared_ptr<sync_core> core = sync) {
        {
            const nb::gil_scoped_release released;
            const auto lock = core->driver.lock();
            call->cancel();
        }
        let_go();
    } else {
        call->cancel();
        if (driver && !loop_driver::of(driver.get())->is_closed()) loop_driver::of(driver.get())->after_entry();
    }
}

void response::let_go() {
    if (!sync || !call->is_done()) return;
    sync.reset();
    session.reset();
}

PyObject* raise_failure_of(client::call& failed, const error& failure) {
    const owned exception(make_failure(failed, failure));
    if (!exception) return nullptr;
    PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(exception.get())), exception.get());
    return nullptr;
}

PyObject* make_response(client::call_ptr call, PyObject* session, std::shared_ptr<sync_core> sync, PyObject* driver) {
    if (!response_class) {
        PyErr_SetString(PyExc_RuntimeError, "pabal.response has not been imported");
        return nullptr;
    }
    nb::object made = nb::inst_alloc(nb::handle(response_class));
    auto* it = new (nb::inst_ptr<response>(made)) response;
    nb::inst_mark_ready(made);
    it->streamed = call->asked().streams_response;
    it->call = std::move(call);
    if (it->streamed) {
        it->session = owned::borrow(session);
        it->sync = std::move(sync);
        if (driver) {
            it->driver = owned::borrow(driver);
            it->stream = std::make_unique<body_stream>(*loop_driver::of(driver));
            it->call->observe(it->stream.get());
        }
    }
    return made.release().ptr();
}

void add_response_type(nb::module_& module) {
    nb::class_<response>(module, "Response", nb::type_slots(slots), "What the engine knows of a response.")
        .def_prop_ro("status_code", [](response& self) { return self.call->response().status; })
        .def_prop_ro("reason", [](response& self) { return nb::steal(text(self.call->response().reason)); })
        .def_prop_ro("http_version",
                     [](response& self) {
                         switch (self.call->response().version) {
                         case http_version::http_1_0: return "1.0";
                         case http_version::http_1_1: break;
                         case http_version::http_2: return "2";
                         case http_version::http_3: return "3";
                         }
                         return "1.1";
                     })
        .def_prop_ro("url", [](response& self) { return nb::steal(utf8(self.call->location().text())); })
        .def_prop_ro("headers", headers_of)
        .def_prop_ro("trailers", trailers_of)
        .def_prop_ro("_informational", informational_of)
        .def_prop_ro("content", content_of)
        .def_prop_ro("cookies", cookies_of)
        .def_prop_ro("history", history_of)
        .def_prop_ro("retries", [](response& self) { return nb::steal(checked(make_attempts(self.call->attempts()))); })
        .def_prop_ro("request", request_of)
        .def_prop_ro("elapsed", elapsed_of)
        .def_prop_ro("ok", [](response& self) { return self.call->response().status < 400; })
        .def_prop_ro("is_redirect", redirects)
        .def_prop_ro("is_permanent_redirect",
                     [](response& self) {
                         const int status = self.call->response().status;
                         return (status == 301 || status == 308) && redirects(self);
                     })
        .def_prop_ro("is_stream_consumed", [](response& self) { return !self.streamed || self.consumed; })
        .def_prop_ro("_trace_parts", trace_of)
        .def_prop_ro("_next", next_of)
        .def_prop_ro("_is_read", [](response& self) { return is_read(self); })
        .def_prop_rw(
            "_encoding", [](response& self) { return nb::borrow(self.encoding ? self.encoding.get() : Py_None); },
            [](response& self, nb::handle value) { self.encoding = owned::borrow(value.ptr()); },
            nb::for_setter(nb::arg("value").none()))
        .def("_keep_content",
             [](response& self, nb::bytes data) {
                 self.content = owned::borrow(data.ptr());
                 if (self.call->is_done() && self.call->body().size() == 0)  // where json() looks for it
                     self.call->body().append({data.c_str(), data.size()});
             })
        .def("_keep_encoded", &response::keep_encoded)
        .def("close", &response::close);
    module.def("set_response_class", [](nb::handle type) {
        Py_XDECREF(response_class);
        response_class = Py_NewRef(type.ptr());
    });
    module.def("set_request_class", [](nb::handle type) {
        Py_XDECREF(request_class);
        request_class = Py_NewRef(type.ptr());
    });
}

}  // namespace pabal::python

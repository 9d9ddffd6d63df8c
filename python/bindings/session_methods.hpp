#pragma once
/// \file
/// The methods request, get, … of both session classes, as CPython calls them fastest. `Session` has
/// `defaults()` and `PyObject* send(PyObject* self, prepared_call)`; and `PyObject* refuse()` for a call that could not be
/// prepared (an exception is set).

#include <array>

#include "prepared_call.hpp"

namespace pabal::python {

template <class Session, bool IsAsync>
struct session_methods {
    static PyObject* call(PyObject* self, std::string_view method, PyObject* const* arguments, Py_ssize_t count,
                          PyObject* names, bool streams) {
        Session& session = *nb::inst_ptr<Session>(self);
        auto prepared = prepare_call(self, session.defaults(), method, arguments, count, names, streams, IsAsync);
        if (!prepared) return session.refuse();
        if (prepared->hooked) return send_hooked(self, method, arguments, count, names, streams);
        if (prepared->instead) return PyObject_CallNoArgs(prepared->instead.get());
        return session.send(self, std::move(*prepared));
    }

    /// The slower way, by which Python code sees the call first: hooks, progress.
    static PyObject* send_hooked(PyObject* self, std::string_view method, PyObject* const* arguments, Py_ssize_t count,
                                 PyObject* names, bool streams) {
        static lazy_import send("pabal._hooks", IsAsync ? "send_async" : "send");
        const owned options(PyDict_New());
        const owned verb(text(method));
        if (!send.get() || !options || !verb) return nullptr;
        PyObject* url = count > 0 ? arguments[0] : nullptr;
        for (Py_ssize_t index = 0; names && index < PyTuple_GET_SIZE(names); ++index) {
            PyObject* name = PyTuple_GET_ITEM(names, index);
            if (PyUnicode_CompareWithASCIIString(name, "url") == 0) url = arguments[count + index];
            else if (PyDict_SetItem(options.get(), name, arguments[count + index]) < 0) return nullptr;
        }
        if (streams && PyDict_SetItemString(options.get(), "stream", Py_True) < 0) return nullptr;
        return PyObject_CallFunctionObjArgs(send.get(), self, verb.get(), url, options.get(), nullptr);
    }

    /// The verbs in the order of `verbs`; the index is baked into each function.
    static constexpr std::array<const char*, 7> verbs{"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"};

    template <std::size_t Verb>
    static PyObject* verb(PyObject* self, PyObject* const* arguments, Py_ssize_t count, PyObject* names) {
        return call(self, verbs[Verb], arguments, count, names, false);
    }

    template <bool Streams>
    static PyObject* request(PyObject* self, PyObject* const* arguments, Py_ssize_t count, PyObject* names) {
        // method and url by position or by name.
        PyObject* method = count > 0 ? arguments[0] : nullptr;
        Py_ssize_t named_method = -1;
        if (!method && names) {
            for (Py_ssize_t index = 0; index < PyTuple_GET_SIZE(names); ++index) {
                if (PyUnicode_CompareWithASCIIString(PyTuple_GET_ITEM(names, index), "method") == 0)
                    named_method = index;
            }
            if (named_method >= 0) method = arguments[named_method];
        }
        if (!method || !(PyUnicode_Check(method) || PyBytes_Check(method))) {
            PyErr_SetString(PyExc_TypeError, "the method must be text, such as \"GET\"");
            return nullptr;
        }
        std::string name;
        if (!read_method(method, false, name)) return nullptr;
        if (named_method < 0) return call(self, name, arguments + 1, count - 1, names, Streams);
        std::vector<PyObject*> rest;
        owned rest_names(PyTuple_New(PyTuple_GET_SIZE(names) - 1));
        if (!rest_names) return nullptr;
        for (Py_ssize_t index = 0; index < PyTuple_GET_SIZE(names); ++index) {
            if (index == named_method) continue;
            PyTuple_SET_ITEM(rest_names.get(), static_cast<Py_ssize_t>(rest.size()),
                             Py_NewRef(PyTuple_GET_ITEM(names, index)));
            rest.push_back(arguments[index]);
        }
        return call(self, name, rest.data(), 0, rest_names.get(), Streams);
    }

    static PyObject* exchange(PyObject* self, PyObject* const* arguments, Py_ssize_t count, PyObject* names) {
        Session& session = *nb::inst_ptr<Session>(self);
        auto prepared = prepare_exchange(session.defaults(), arguments, count, names, IsAsync);
        if (!prepared) return nullptr;  // told to the caller at once: nothing is there yet for `finish` to be made of
        return session.send(self, std::move(*prepared));
    }

    using fast_function = PyObject* (*)(PyObject*, PyObject* const*, Py_ssize_t, PyObject*);
    static PyMethodDef definition(const char* name, fast_function function, const char* documentation) {
        return {name, reinterpret_cast<PyCFunction>(reinterpret_cast<void*>(function)), METH_FASTCALL | METH_KEYWORDS,
                documentation};
    }

    static PyMethodDef* table() {
        static PyMethodDef methods[] = {
            definition("request", request<false>, "request(method, url, **options)"),
            definition("stream", request<true>, "stream(method, url, **options): the body is read by the caller."),
            definition("get", verb<0>, "get(url, **options)"),
            definition("post", verb<1>, "post(url, **options)"),
            definition("put", verb<2>, "put(url, **options)"),
            definition("patch", verb<3>, "patch(url, **options)"),
            definition("delete", verb<4>, "delete(url, **options)"),
            definition("head", verb<5>, "head(url, **options); redirects are not followed unless asked."),
            definition("options", verb<6>, "options(url, **options)"),
            definition("exchange", exchange,
                       "exchange(method, url, headers, body, *, stream, timeout, verify, cert); async: finish"),
            {nullptr, nullptr, 0, nullptr},
        };
        return methods;
    }
};

}  // namespace pabal::python

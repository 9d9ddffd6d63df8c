#include "errors.hpp"
#include "prepared_call.hpp"
#include "proxies.hpp"

namespace pabal::python {

namespace {

/// What follows the four arguments by position.
struct exchange_options {
    PyObject* timeout = nullptr;
    PyObject* verify = nullptr;
    PyObject* cert = nullptr;
    PyObject* proxy = nullptr;
    PyObject* finish = nullptr;
    bool stream = false;
};

bool read_options(PyObject* const* values, PyObject* names, bool is_async, exchange_options& out) {
    for (Py_ssize_t index = 0; names && index < PyTuple_GET_SIZE(names); ++index) {
        PyObject* name = PyTuple_GET_ITEM(names, index);
        PyObject* value = values[index];
        const auto is = [&](const char* known) { return PyUnicode_CompareWithASCIIString(name, known) == 0; };
        if (is("timeout")) {
            out.timeout = value;
        } else if (is("verify")) {
            out.verify = value;
        } else if (is("cert")) {
            out.cert = value;
        } else if (is("proxy")) {
            out.proxy = value;
        } else if (is_async && is("finish")) {
            out.finish = value;
        } else if (is("stream")) {
            const int truth = PyObject_IsTrue(value);
            if (truth < 0) return false;
            out.stream = truth != 0;
        } else {
            PyErr_Format(PyExc_TypeError, "exchange() has no option %R", name);
            return false;
        }
    }
    return true;
}

/// bytes, or an object of pabal._body that is read while it is sent.
bool take_body(PyObject* body, prepared_call& out) {
    if (body == Py_None) return true;
    if (PyBytes_Check(body)) {
        out.request.body = content_of(body);
        return true;
    }
    const owned size(PyObject_GetAttrString(body, "size"));
    if (!size) return false;
    out.request.streams_body = true;
    out.body = owned::borrow(body);
    out.body_is_async = PyObject_HasAttrString(body, "pull");
    if (size.get() == Py_None) return true;
    const unsigned long long known = PyLong_AsUnsignedLongLong(size.get());
    if (known == static_cast<unsigned long long>(-1) && PyErr_Occurred()) return false;
    out.request.streamed_size = known;
    return true;
}

}  // namespace

std::optional<prepared_call> prepare_exchange(session_defaults& defaults, PyObject* const* arguments, Py_ssize_t count,
                                              PyObject* names, bool is_async) {
    if (count != 4) {
        PyErr_SetString(PyExc_TypeError,
                        "exchange(method, url, headers, body, *, stream, timeout, verify, cert, proxy)");
        return std::nullopt;
    }
    prepared_call out;
    client::call_request& request = out.request;
    exchange_options options;
    if (!read_options(arguments + count, names, is_async, options)) return std::nullopt;
    if (!read_method(arguments[0], true, request.method)) return std::nullopt;
    Py_ssize_t length = 0;
    const char* data = PyUnicode_AsUTF8AndSize(arguments[1], &length);
    if (!data) return std::nullopt;
    auto parsed = url::parse({data, static_cast<std::size_t>(length)});
    if (!parsed) return raise(parsed.error()), std::nullopt;
    request.location = std::move(*parsed);
    if (!append_headers(request.headers, arguments[2]) || !take_body(arguments[3], out)) return std::nullopt;
    request.as_told = true;
    request.follow_redirects = false;
    request.streams_response = options.stream;
    if (options.finish && options.finish != Py_None) out.finish = owned::borrow(options.finish);
    request.limits = defaults.parsed_timeouts;
    if (options.timeout && !defaults.timeouts_for(options.timeout, request.limits)) return std::nullopt;
    if (request.location.is_secure()) {
        request.tls = defaults.tls.context_for(options.verify, options.cert);
        if (!request.tls) return std::nullopt;
    }
    request.proxies = rules_from(options.proxy, nullptr);
    if (!request.proxies && PyErr_Occurred()) return std::nullopt;
    if (request.proxies && request.proxies->has_tls()) {
        request.proxy_tls = defaults.tls.proxy_context_for(options.verify);
        if (!request.proxy_tls) return std::nullopt;
    }
    return out;
}

}  // namespace pabal::python

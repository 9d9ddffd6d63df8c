#include "prepared_call.hpp"

#include <array>
#include <cmath>
#include <limits>

#include "auth.hpp"
#include "errors.hpp"
#include "options.hpp"
#include "proxies.hpp"
#include "retries.hpp"
#include "timeouts.hpp"

namespace pabal::python {

namespace {

using std::chrono::milliseconds;

/// The keyword arguments that are translated here; the rest is `pabal._prepare`'s.
enum class option : unsigned char {
    url,
    headers,
    timeout,
    allow_redirects,
    stream,
    verify,
    cert,
    hooks,  ///< and everything else that has Python code look at the call on its way
    max_redirects,
    prepared,  ///< what pabal._prepare.prepare returned, from pabal._hooks
    proxy,
    proxies,
    retries,
    max_body,
    priority,
    expect_continue,
    other
};

option option_named(PyObject* name) {
    struct entry {
        const char* text;
        option what;
        PyObject* interned;
    };
    static std::array<entry, 18> table{{{"url", option::url, nullptr},
                                        {"headers", option::headers, nullptr},
                                        {"timeout", option::timeout, nullptr},
                                        {"allow_redirects", option::allow_redirects, nullptr},
                                        {"stream", option::stream, nullptr},
                                        {"verify", option::verify, nullptr},
                                        {"cert", option::cert, nullptr},
                                        {"proxy", option::proxy, nullptr},
                                        {"proxies", option::proxies, nullptr},
                                        {"retries", option::retries, nullptr},
                                        {"max_body", option::max_body, nullptr},
                                        {"priority", option::priority, nullptr},
                                        {"expect_continue", option::expect_continue, nullptr},
                                        {"hooks", option::hooks, nullptr},
                                        {"progress", option::hooks, nullptr},
                                        {"upload_progress", option::hooks, nullptr},
                                        {"max_redirects", option::max_redirects, nullptr},
                                        {"_prepared", option::prepared, nullptr}}};
    for (entry& each : table) {
        if (!each.interned) each.interned = PyUnicode_InternFromString(each.text);
        if (name == each.interned) return each.what;
    }
    for (const entry& each : table) {  // a name that was not interned
        if (PyUnicode_CompareWithASCIIString(name, each.text) == 0) return each.what;
    }
    return option::other;
}

/// The names that exist besides, so that a misspelt one is a TypeError as everywhere in Python.
bool is_known_option(PyObject* name) {
    for (const char* known :
         {"params", "cookies", "data", "json", "content", "files", "auth", "compress", "trailers"}) {
        if (PyUnicode_CompareWithASCIIString(name, known) == 0) return true;
    }
    return false;
}

/// max_body=: a number of bytes, or None for the session's limits. False: exception set.
bool parse_max_body(PyObject* value, std::optional<std::uint64_t>& out) {
    if (value == Py_None) return true;
    long long bytes = 0;
    if (!read_count(value, "max_body", 0, std::numeric_limits<long long>::max(), bytes)) return false;
    out = static_cast<std::uint64_t>(bytes);
    return true;
}

/// priority=: an urgency, a Priority, or None. False: exception set.
bool parse_priority(PyObject* value, std::optional<priority>& out) {
    if (value == Py_None) return true;
    long long urgency = 0;
    if (PyLong_Check(value)) {
        if (!read_count(value, "priority", 0, priority::least_urgent, urgency)) return false;
        out = priority{.urgency = static_cast<int>(urgency)};
        return true;
    }
    static lazy_import type("pabal.priority", "Priority");
    if (!type.get()) return false;
    if (PyObject_IsInstance(value, type.get()) != 1) {
        PyErr_Format(PyExc_TypeError, "priority must be an int or a pabal.Priority, not %s", Py_TYPE(value)->tp_name);
        return false;
    }
    const owned given(PyObject_GetAttrString(value, "urgency"));
    const owned incremental(PyObject_GetAttrString(value, "incremental"));
    if (!given || !incremental || !read_count(given.get(), "urgency", 0, priority::least_urgent, urgency)) return false;
    out = priority{.urgency = static_cast<int>(urgency), .incremental = incremental.get() == Py_True};
    return true;
}

/// expect_continue=: whether to wait for 100 (Continue), or how many seconds at most. False: exception set.
bool parse_continue_wait(PyObject* value, std::optional<milliseconds>& out) {
    if (value == Py_None || value == Py_False) return true;
    if (value == Py_True) {
        out = milliseconds{1000};
        return true;
    }
    if (!PyFloat_Check(value) && !PyLong_Check(value)) {
        PyErr_Format(PyExc_TypeError, "expect_continue must be a bool or a number of seconds, not %s",
                     Py_TYPE(value)->tp_name);
        return false;
    }
    const double seconds = PyFloat_AsDouble(value);
    if (seconds == -1.0) PyErr_Clear();  // a number beyond all floats is none that will do either
    if (!(seconds > 0) || !std::isfinite(seconds)) {
        PyErr_Format(PyExc_ValueError, "expect_continue as a number of seconds must be positive and finite, not %R",
                     value);
        return false;
    }
    out = from_seconds(seconds);
    return true;
}

/// Smaller bodies are copied faster than they are kept.
constexpr std::size_t kept_from = 16 * 1024;

/// One attribute of a line `prepare` returned.
std::string_view bytes_view(PyObject* object) {
    return {PyBytes_AS_STRING(object), static_cast<std::size_t>(PyBytes_GET_SIZE(object))};
}

bool take_lines(PyObject* lines, fields& out) {
    const Py_ssize_t count = PyList_GET_SIZE(lines);
    for (Py_ssize_t index = 0; index < count; ++index) {
        PyObject* line = PyList_GET_ITEM(lines, index);
        auto added = out.append(bytes_view(PyTuple_GET_ITEM(line, 0)), bytes_view(PyTuple_GET_ITEM(line, 1)));
        if (!added) return raise(added.error()) != nullptr;
    }
    return true;
}

/// An absolute URL as it is given, any other against the session's base.
bool parse_location(const session_defaults& defaults, std::string_view given, url& out) {
    auto parsed = url::parse(given);
    if (!parsed && defaults.parsed_base) parsed = resolve(*defaults.parsed_base, given);
    if (!parsed) return raise(parsed.error()) != nullptr;
    out = std::move(*parsed);
    return true;
}

/// What pabal._prepare.prepare answered.
bool take_prepared(const session_defaults& defaults, PyObject* answer, prepared_call& out);

/// The long way: pabal._prepare.
bool prepare_in_python(PyObject* session, const session_defaults& defaults, PyObject* url, PyObject* options,
                       bool is_async, prepared_call& out) {
    static lazy_import prepare("pabal._prepare", "prepare");
    if (!prepare.get()) return false;
    const owned method(text(out.request.method));
    const owned answer(PyObject_CallFunctionObjArgs(prepare.get(), session, method.get(), url, options,
                                                    is_async ? Py_True : Py_False, nullptr));
    if (!answer) return false;
    if (!PyTuple_Check(answer.get())) {
        out.instead = owned::borrow(answer.get());
        return true;
    }
    return take_prepared(defaults, answer.get(), out);
}

bool take_prepared(const session_defaults& defaults, PyObject* answer, prepared_call& out) {
    PyObject *text_url = nullptr, *lines = nullptr, *body = nullptr, *size = nullptr, *cookies = nullptr,
             *auth = nullptr;
    if (!PyArg_ParseTuple(answer, "UO!OOOO", &text_url, &PyList_Type, &lines, &body, &size, &cookies, &auth))
        return false;
    out.request.auth = credentials_of(auth);
    std::string_view location;
    if (!read_utf8(text_url, "the URL", location, error_code::invalid_url)) return false;
    if (!parse_location(defaults, location, out.request.location)) return false;
    out.request.headers_are_complete = true;
    if (!take_lines(lines, out.request.headers)) return false;
    if (PyBytes_Check(body)) {
        out.request.body = content_of(body);
    } else if (body != Py_None) {
        out.request.streams_body = true;
        out.body = owned::borrow(body);
        out.body_is_async = PyObject_HasAttrString(body, "pull");
        if (size != Py_None) {
            const unsigned long long known = PyLong_AsUnsignedLongLong(size);
            if (known == static_cast<unsigned long long>(-1) && PyErr_Occurred()) return false;
            out.request.streamed_size = known;
        }
    }
    if (cookies != Py_None) {
        for (Py_ssize_t index = 0; index < PyList_GET_SIZE(cookies); ++index) {
            PyObject* pair = PyList_GET_ITEM(cookies, index);
            if (index > 0) out.request.cookies += "; ";
            const std::string_view name = bytes_view(PyTuple_GET_ITEM(pair, 0));
            if (!name.empty()) out.request.cookies.append(name).append("=");
            out.request.cookies += bytes_view(PyTuple_GET_ITEM(pair, 1));
        }
        if (!is_field_value(out.request.cookies)) {
            raise(
                {error_code::invalid_header, phase::prepare, culprit::caller, 0, "cookies= holds a control character"});
            return false;
        }
    }
    return true;
}

/// The rules for one call: its own, and behind them the session's. False: an exception is set.
bool take_proxies(session_defaults& defaults, PyObject* proxy, PyObject* proxies,
                  std::shared_ptr<const proxy_rules>& out) {
    if (!defaults.proxy_rules_now(out)) return false;
    if (!given(proxy) && !given(proxies)) return true;
    const auto own = rules_from(proxy, proxies);
    if (!own) return false;
    own->fall_back_on(std::move(out));
    out = own->empty() ? nullptr : own;
    return true;
}

}  // namespace

bool read_method(PyObject* method, bool keep_case, std::string& out) {
    owned keep;
    std::string_view given;
    if (!header_text(method, "method", keep, given)) return false;
    out.clear();
    for (const char letter : given)
        out.push_back(!keep_case && letter >= 'a' && letter <= 'z' ? static_cast<char>(letter - 32) : letter);
    if (is_field_name(out)) return true;  // a method is a token, as field names are
    PyErr_Format(PyExc_ValueError, "%R is not an HTTP method: it may hold letters, digits and !#$%%&'*+-.^_`|~",
                 method);
    return false;
}

std::optional<prepared_call> prepare_call(PyObject* session, session_defaults& defaults, std::string_view method,
                                          PyObject* const* arguments, Py_ssize_t count, PyObject* names, bool streams,
                                          bool is_async) {
    prepared_call out;
    client::call_request& request = out.request;
    request.method = method;
    request.streams_response = streams;
    request.follow_redirects = method != "HEAD";
    request.limits = defaults.parsed_timeouts;
    request.max_redirects = defaults.max_redirects;
    request.retries = defaults.parsed_retries;

    PyObject* url_object = count > 0 ? arguments[0] : nullptr;
    PyObject *headers_given = nullptr, *verify = nullptr, *cert = nullptr, *proxy = nullptr, *proxies = nullptr;
    PyObject* prepared = nullptr;
    bool hooked = given(defaults.hooks.get());
    if (count > 1) {
        PyErr_SetString(PyExc_TypeError, "only the URL is given by position; give the other options by name");
        return std::nullopt;
    }
    if (given(defaults.auth.get())) request.auth = credentials_of(defaults.auth.get());
    bool plain = (request.auth || !given(defaults.auth.get())) &&
                 (!given(defaults.params.get()) || PyObject_Not(defaults.params.get()) == 1);
    const Py_ssize_t named = names ? PyTuple_GET_SIZE(names) : 0;
    for (Py_ssize_t index = 0; index < named; ++index) {
        PyObject* name = PyTuple_GET_ITEM(names, index);
        PyObject* value = arguments[count + index];
        switch (option_named(name)) {
        case option::url: url_object = value; break;
        case option::headers: headers_given = value; break;
        case option::verify: verify = value; break;
        case option::cert: cert = value; break;
        case option::proxy: proxy = value; break;
        case option::proxies: proxies = value; break;
        case option::timeout:
            if (!parse_timeout(value, request.limits)) return std::nullopt;
            break;
        case option::allow_redirects:
            if (!read_flag(value, "allow_redirects", request.follow_redirects)) return std::nullopt;
            break;
        case option::max_redirects:
            if (value != Py_None && !read_max_redirects(value, request.max_redirects)) return std::nullopt;
            break;
        case option::retries:
            if (value != Py_None && !parse_retries(value, request.retries)) return std::nullopt;
            break;
        case option::max_body:
            if (!parse_max_body(value, request.max_body)) return std::nullopt;
            break;
        case option::priority:
            if (!parse_priority(value, request.priority)) return std::nullopt;
            break;
        case option::expect_continue:
            if (!parse_continue_wait(value, request.continue_wait)) return std::nullopt;
            break;
        case option::stream:
            if (!read_flag(value, "stream", request.streams_response)) return std::nullopt;
            break;
        case option::hooks: hooked = hooked || value != Py_None; break;
        case option::prepared:
            prepared = value;
            plain = false;
            break;
        case option::other:
            if (!is_known_option(name)) {
                PyErr_Format(PyExc_TypeError, "a request has no option %R", name);
                return std::nullopt;
            }
            if (value != Py_None) plain = false;
        }
    }
    if (!url_object) {
        PyErr_SetString(PyExc_TypeError, "a request needs a URL");
        return std::nullopt;
    }
    if (hooked && !prepared) {
        out.hooked = true;
        return out;
    }
    if (given(headers_given) && !PyDict_Check(headers_given)) plain = false;
    plain = plain && PyUnicode_Check(url_object);

    if (plain) {
        std::string_view location;
        if (!read_utf8(url_object, "the URL", location, error_code::invalid_url)) return std::nullopt;
        if (!parse_location(defaults, location, request.location)) return std::nullopt;
        if (given(headers_given)) {
            // None takes a default away: that needs the merging of the long way.
            PyObject *name = nullptr, *value = nullptr;
            for (Py_ssize_t position = 0; PyDict_Next(headers_given, &position, &name, &value);)
                plain = plain && value != Py_None;
            if (plain && !append_headers(request.headers, headers_given)) return std::nullopt;
        }
    }
    if (prepared) {
        if (!take_prepared(defaults, prepared, out)) return std::nullopt;
    } else if (!plain) {
        request.headers.clear();
        const owned options(PyDict_New());
        if (!options) return std::nullopt;
        for (Py_ssize_t index = 0; index < named; ++index) {
            if (PyDict_SetItem(options.get(), PyTuple_GET_ITEM(names, index), arguments[count + index]) < 0)
                return std::nullopt;
        }
        if (streams && PyDict_SetItemString(options.get(), "stream", Py_True) < 0) return std::nullopt;
        if (!prepare_in_python(session, defaults, url_object, options.get(), is_async, out)) return std::nullopt;
    }
    if (out.instead) return out;
    if (!take_proxies(defaults, proxy, proxies, request.proxies)) return std::nullopt;
    // What is never used here is looked at all the same.
    if (!read_tls_settings(verify, cert)) return std::nullopt;
    // A redirect may lead from http to https: then, too, the trust asked for counts.
    if (request.location.is_secure() || (request.follow_redirects && defaults.tls.is_special(verify, cert))) {
        request.tls = defaults.tls.context_for(verify, cert);
        if (!request.tls) return std::nullopt;
    }
    if (request.proxies && request.proxies->has_tls()) {
        request.proxy_tls = defaults.tls.proxy_context_for(verify);
        if (!request.proxy_tls) return std::nullopt;
    }
    return out;
}

client::call_content content_of(PyObject* bytes) {
    const std::string_view data = bytes_view(bytes);
    // A subclass may have a destructor of its own, which is not to run wherever a call ends.
    if (data.size() < kept_from || !PyBytes_CheckExact(bytes)) return std::string(data);
    return {data, std::shared_ptr<const void>(Py_NewRef(bytes), [](const void* kept) {
                if (!Py_IsInitialized()) return;
                const nb::gil_scoped_acquire acquired;
                Py_DECREF(static_cast<PyObject*>(const_cast<void*>(kept)));
            })};
}

}  // namespace pabal::python

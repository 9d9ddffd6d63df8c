#include "proxies.hpp"

#include <optional>
#include <string>

#include "errors.hpp"
#include "headers.hpp"
#include "options.hpp"

namespace pabal::python {

namespace {

/// Raises InvalidArgument; false for the caller to return.
bool refuse(std::string message) {
    raise({error_code::invalid_argument, phase::prepare, culprit::caller, 0, std::move(message)});
    return false;
}

std::string type_name(PyObject* object) { return Py_TYPE(object)->tp_name; }

std::optional<std::string_view> utf8_view(PyObject* text, const std::string& what) {
    std::string_view out;
    return read_utf8(text, what.c_str(), out) ? std::optional(out) : std::nullopt;
}

bool parse_url(PyObject* text, const std::string& what, std::optional<proxy>& out) {
    const auto view = utf8_view(text, what);
    if (!view) return false;
    auto parsed = proxy::parse(*view);
    if (!parsed) return refuse(what + ": " + parsed.error().message);
    out = std::move(*parsed);
    return true;
}

/// A pabal.Proxy: its parts are (url, header lines).
bool parse_object(PyObject* object, const std::string& what, std::optional<proxy>& out) {
    const owned parts(PyObject_GetAttrString(object, "parts"));
    PyObject *url = nullptr, *lines = nullptr;
    if (!parts || !PyArg_ParseTuple(parts.get(), "UO", &url, &lines) || !parse_url(url, what, out)) return false;
    if (!append_headers(out->headers, lines)) return false;
    if (!out->headers.empty() && !out->speaks_http())
        return refuse(what + ": SOCKS has no headers; only http:// and https:// proxies are sent some");
    return true;
}

/// A URL or a pabal.Proxy. False: exception set.
bool parse_proxy(PyObject* value, const std::string& what, std::optional<proxy>& out) {
    if (PyUnicode_Check(value)) return parse_url(value, what, out);
    static lazy_import type("pabal.config", "Proxy");
    if (!type.get()) return false;
    const int is_proxy = PyObject_IsInstance(value, type.get());
    if (is_proxy < 0) return false;
    if (is_proxy == 0) return refuse(what + " must be a URL or a pabal.Proxy, not " + type_name(value));
    return parse_object(value, what, out);
}

bool add_rule(PyObject* key, PyObject* value, proxy_rules& rules) {
    if (!PyUnicode_Check(key)) return refuse("the keys of proxies= are text such as \"https\", not " + type_name(key));
    const auto name = utf8_view(key, "a key of proxies=");
    if (!name) return false;
    const std::string what = "proxies['" + std::string(*name) + "']";
    if (*name == "no_proxy" || *name == "no") {  // as urllib's getproxies() calls it
        if (value == Py_None) return true;
        if (!PyUnicode_Check(value)) return refuse(what + " must be text, not " + type_name(value));
        const auto list = utf8_view(value, what);
        if (list) rules.set_no_proxy(*list);
        return list.has_value();
    }
    std::optional<proxy> by;
    const bool is_direct = value == Py_None || (PyUnicode_Check(value) && PyUnicode_GetLength(value) == 0);
    if (!is_direct && !parse_proxy(value, what, by)) return false;
    if (auto added = rules.add(*name, std::move(by)); !added) return refuse("proxies=: " + added.error().message);
    return true;
}

/// Items of any mapping as a list, or null with an exception.
PyObject* items_of(PyObject* mapping) {
    if (PyUnicode_Check(mapping) || !PyObject_HasAttrString(mapping, "keys")) {
        refuse("proxies= must be a mapping such as {\"https\": \"http://host:port\"}, not " + type_name(mapping) +
               "; one proxy for everything is proxy=");
        return nullptr;
    }
    const owned plain(PyDict_New());
    if (!plain || PyDict_Update(plain.get(), mapping) < 0) return nullptr;
    return PyDict_Items(plain.get());
}

/// os.environ, and whether it changed since it was looked at.
class environment {
public:
    bool changed() noexcept;
    bool read(std::shared_ptr<const proxy_rules>& out);

private:
    bool find();

    PyObject* mapping_ = nullptr;  ///< os.environ; kept for the life of the process
    PyObject* data_ = nullptr;     ///< the dict behind it; null: not found, so it may always have changed
#if PY_VERSION_HEX < 0x030C0000
    std::uint64_t version_ = 0;
#endif
};

#if PY_VERSION_HEX >= 0x030C0000
bool environment_is_new = true;

int on_environment_changed(PyDict_WatchEvent, PyObject*, PyObject*, PyObject*) {
    environment_is_new = true;
    return 0;
}
#endif

bool environment::find() {
    const owned module(PyImport_ImportModule("os"));
    if (!module) return false;
    mapping_ = PyObject_GetAttrString(module.get(), "environ");
    if (!mapping_) return false;
    data_ = PyObject_GetAttrString(mapping_, "_data");
    PyErr_Clear();
    if (!data_ || !PyDict_CheckExact(data_)) {
        Py_CLEAR(data_);
        return true;
    }
#if PY_VERSION_HEX >= 0x030C0000
    const int watcher = PyDict_AddWatcher(on_environment_changed);
    if (watcher < 0 || PyDict_Watch(watcher, data_) < 0) {
        PyErr_Clear();
        Py_CLEAR(data_);
    }
#endif
    return true;
}

/// Inlined into every request.
inline bool environment::changed() noexcept {
    if (!data_) return true;
#if PY_VERSION_HEX >= 0x030C0000
    return environment_is_new;
#else
    return reinterpret_cast<PyDictObject*>(data_)->ma_version_tag != version_;
#endif
}

bool environment::read(std::shared_ptr<const proxy_rules>& out) {
    if (!mapping_ && !find()) return false;
#if PY_VERSION_HEX >= 0x030C0000
    environment_is_new = false;
#else
    if (data_) version_ = reinterpret_cast<PyDictObject*>(data_)->ma_version_tag;
#endif
    bool failed = false;
    out = proxy_rules::from_environment([&](const char* name) -> std::optional<std::string> {
        if (failed) return std::nullopt;
        const owned value(PyObject_CallMethod(mapping_, "get", "s", name));
        if (!value) failed = true;
        if (!value || value.get() == Py_None) return std::nullopt;
        const owned encoded(PyUnicode_EncodeFSDefault(value.get()));
        if (!encoded) return failed = true, std::nullopt;
        return std::string(PyBytes_AS_STRING(encoded.get()), static_cast<std::size_t>(PyBytes_GET_SIZE(encoded.get())));
    });
    return !failed;
}

}  // namespace

std::shared_ptr<proxy_rules> rules_from(PyObject* proxy, PyObject* proxies) {
    if (given(proxy) && given(proxies)) {
        refuse("give proxy= (one for everything) or proxies= (a mapping), not both");
        return nullptr;
    }
    if (given(proxy)) {
        std::optional<pabal::proxy> by;
        if (!parse_proxy(proxy, "proxy=", by)) return nullptr;
        return std::make_shared<proxy_rules>(std::move(*by));
    }
    if (!given(proxies)) return nullptr;
    const owned items(items_of(proxies));
    if (!items) return nullptr;
    auto rules = std::make_shared<proxy_rules>();
    for (Py_ssize_t index = 0; index < PyList_GET_SIZE(items.get()); ++index) {
        PyObject *key = nullptr, *value = nullptr;
        if (!PyArg_ParseTuple(PyList_GET_ITEM(items.get(), index), "OO", &key, &value) || !add_rule(key, value, *rules))
            return nullptr;
    }
    return rules;
}

PyObject* make_proxies(PyObject* proxy, PyObject* proxies) {
    const auto rules = rules_from(proxy, proxies);
    if (!rules && PyErr_Occurred()) return nullptr;
    owned made(PyDict_New());
    if (!made) return nullptr;
    if (given(proxy) && PyDict_SetItemString(made.get(), "all", proxy) < 0) return nullptr;
    if (given(proxies) && PyDict_Update(made.get(), proxies) < 0) return nullptr;
    return made.release();
}

bool environment_rules(std::shared_ptr<const proxy_rules>& out) {
    static environment watched;
    static std::shared_ptr<const proxy_rules> rules;
    if (watched.changed() && !watched.read(rules)) return false;
    out = rules;
    return true;
}

void add_proxies(nb::module_& module) {
    module.def(
        "check_proxy",
        [](nb::handle value) {
            std::optional<proxy> by;
            if (!parse_proxy(value.ptr(), "a proxy", by)) throw_python();
        },
        nb::arg("proxy"), "Raises `InvalidArgument` for what cannot be a proxy.");
}

}  // namespace pabal::python

#include "cookies.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

#include <nanobind/operators.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>

#include "errors.hpp"
#include "options.hpp"

namespace pabal::python {

namespace {

using client::shared_cookie_jar;
using jar_pointer = std::shared_ptr<shared_cookie_jar>;
using time_point = cookie::time_point;

// --- Between Python and the engine ------------------------------------------------------------------------------------

/// Text of a cookie as Python shows it: UTF-8, and what is not passes through unharmed (PEP 383).
nb::object shown(std::string_view bytes) {
    return nb::steal(
        checked(PyUnicode_DecodeUTF8(bytes.data(), static_cast<Py_ssize_t>(bytes.size()), "surrogateescape")));
}

/// And back. `what` is named when it is no text.
std::string text_of(nb::handle given, const char* what) {
    if (!PyUnicode_Check(given.ptr())) {
        PyErr_Format(PyExc_TypeError, "a cookie's %s must be str, not %s", what, Py_TYPE(given.ptr())->tp_name);
        throw_python();
    }
    const nb::object bytes = nb::steal(PyUnicode_AsEncodedString(given.ptr(), "utf-8", "surrogateescape"));
    if (!bytes.is_valid()) {
        PyErr_Clear();
        PyErr_Format(PyExc_ValueError, "a cookie's %s holds a lone surrogate, which UTF-8 cannot carry", what);
        throw_python();
    }
    return {PyBytes_AS_STRING(bytes.ptr()), static_cast<std::size_t>(PyBytes_GET_SIZE(bytes.ptr()))};
}

/// Values may be numbers, too; None and True are mistakes.
std::string value_text(nb::handle given) {
    if (PyBytes_Check(given.ptr()))
        return {PyBytes_AS_STRING(given.ptr()), static_cast<std::size_t>(PyBytes_GET_SIZE(given.ptr()))};
    if (!PyBool_Check(given.ptr()) && (PyLong_Check(given.ptr()) || PyFloat_Check(given.ptr())))
        return text_of(nb::str(given), "value");
    return text_of(given, "value");
}

std::optional<std::string> optional_text(nb::handle given, const char* what) {
    return given.is_none() ? std::nullopt : std::optional(text_of(given, what));
}

/// A domain to look for; what is no host matches nothing.
std::optional<std::string> domain_to_find(nb::handle given) {
    auto domain = optional_text(given, "domain");
    if (domain && !domain->empty()) {
        if (auto normal = normalise_cookie_domain(*domain)) domain = std::move(*normal);
    }
    return domain;
}

nb::object seconds_of(time_point time) {
    return nb::float_(std::chrono::duration<double>(time.time_since_epoch()).count());
}

/// Seconds since the epoch, kept within what the clock can hold.
time_point time_of(nb::handle given, const char* what) {
    if (PyBool_Check(given.ptr()) || !(PyLong_Check(given.ptr()) || PyFloat_Check(given.ptr()))) {
        PyErr_Format(PyExc_TypeError, "a cookie's %s must be a number of seconds or None, not %s", what,
                     Py_TYPE(given.ptr())->tp_name);
        throw_python();
    }
    double seconds = PyFloat_AsDouble(given.ptr());
    if (seconds == -1.0 && PyErr_Occurred()) {  // an int beyond what a double holds
        PyErr_Clear();
        seconds = given < nb::int_(0) ? 0.0 : HUGE_VAL;
    }
    if (std::isnan(seconds)) {
        PyErr_Format(PyExc_ValueError, "a cookie's %s is not a number", what);
        throw_python();
    }
    constexpr double most = 9'000'000'000;  // in the year 2255
    seconds = std::fmin(std::fmax(seconds, 0.0), most);
    return time_point{std::chrono::duration_cast<time_point::duration>(std::chrono::duration<double>(seconds))};
}

std::string_view name_of(same_site site) noexcept {
    switch (site) {
    case same_site::none: return "None";
    case same_site::lax: return "Lax";
    case same_site::strict: return "Strict";
    case same_site::unset: break;
    }
    return "";
}

same_site site_of(nb::handle given) {
    const std::string text = text_of(given, "same_site");
    for (const same_site site : {same_site::unset, same_site::none, same_site::lax, same_site::strict}) {
        if (equals_ignoring_case(text, name_of(site))) return site;
    }
    throw nb::value_error("a cookie's same_site is \"Strict\", \"Lax\", \"None\" or \"\"");
}

template <class T>
T or_throw(result<T>&& outcome) {
    if (!outcome) throw_error(outcome.error());
    return std::move(*outcome);
}

bool flag_of(nb::handle given, const char* name) {
    bool out = false;
    if (!read_flag(given.ptr(), name, out)) throw_python();
    return out;
}

cookie make_cookie(nb::handle name, nb::handle value, nb::handle domain, nb::handle path, nb::handle host_only,
                   nb::handle secure, nb::handle http_only, nb::handle site, nb::handle expires, nb::handle created) {
    cookie made;
    made.name = text_of(name, "name");
    made.value = value_text(value);
    made.domain = text_of(domain, "domain");
    made.path = text_of(path, "path");
    made.host_only = host_only.is_none() ? !made.domain.starts_with('.') : flag_of(host_only, "a cookie's host_only");
    if (made.host_only && made.domain.starts_with('.')) made.domain.erase(0, 1);
    made.secure = flag_of(secure, "a cookie's secure");
    made.http_only = flag_of(http_only, "a cookie's http_only");
    made.site = site_of(site);
    if (!expires.is_none()) made.expires = time_of(expires, "expires");
    if (!created.is_none()) made.created = time_of(created, "created");
    return or_throw(checked_cookie(std::move(made)));
}

/// All that `make_cookie` takes, in its order.
nb::tuple parts_of(const cookie& of) {
    return nb::make_tuple(shown(of.name), shown(of.value), shown(of.domain), shown(of.path), of.host_only, of.secure,
                          of.http_only, nb::steal(text(name_of(of.site))),
                          of.expires ? seconds_of(*of.expires) : nb::none(),
                          of.created == time_point{} ? nb::none() : seconds_of(of.created));
}

// --- Jars -------------------------------------------------------------------------------------------------------------

void put(shared_cookie_jar& jar, cookie made) {
    const auto now = std::chrono::system_clock::now();
    if (auto done = jar.with([&](cookie_jar& held) { return held.set(std::move(made), now); }); !done)
        throw_error(done.error());
}

void put_everywhere(shared_cookie_jar& jar, nb::handle name, nb::handle value) {
    cookie made;
    made.name = text_of(name, "name");
    made.value = value_text(value);
    put(jar, std::move(made));
}

std::vector<cookie> all(shared_cookie_jar& jar) {
    std::vector<cookie> out;
    jar.with([&](cookie_jar& held) {
        out.reserve(held.size());
        held.for_each([&](const cookie& each) { out.push_back(each); });
    });
    return out;
}

nb::list as_list(std::vector<cookie>&& cookies) {
    nb::list out;
    for (cookie& each : cookies) out.append(nb::cast(std::move(each)));
    return out;
}

std::optional<std::string> find(shared_cookie_jar& jar, std::string_view name, const std::optional<std::string>& domain,
                                const std::optional<std::string>& path) {
    std::optional<std::string> found;
    jar.with([&](cookie_jar& held) {
        held.for_each([&](const cookie& each) {
            if (each.name == name && (!domain || each.domain == *domain) && (!path || each.path == *path))
                found = each.value;
        });
    });
    return found;
}

/// Whether this is a jar of the standard library (or of requests, which derives from it), without importing it.
bool is_standard_jar(nb::handle given) {
    PyObject* const modules = PyImport_GetModuleDict();
    PyObject* const module = PyDict_GetItemString(modules, "http.cookiejar");
    return module && PyObject_IsInstance(given.ptr(), nb::object(nb::handle(module).attr("CookieJar")).ptr()) == 1;
}

nb::object python_part(const char* name) { return nb::module_::import_("pabal.cookies").attr(name); }

void add_given(shared_cookie_jar& jar, nb::handle given) {
    if (given.is_none()) return;
    if (nb::isinstance<cookie_jar_object>(given)) {
        for (cookie& each : all(*nb::cast<cookie_jar_object&>(given).jar)) put(jar, std::move(each));
        return;
    }
    nb::object items = nb::borrow(given);
    if (is_standard_jar(given)) items = python_part("cookies_of")(given);
    else if (PyUnicode_Check(given.ptr()) || PyBytes_Check(given.ptr()))
        throw nb::type_error("cookies are given as a mapping, pairs or a jar, not as the text of a header");
    else if (nb::hasattr(given, "items")) items = given.attr("items")();
    else if (nb::hasattr(given, "keys")) items = nb::module_::import_("builtins").attr("dict")(given).attr("items")();
    if (!nb::hasattr(items, "__iter__")) {
        PyErr_Format(PyExc_TypeError, "cookies are given as a mapping, (name, value) pairs or a jar, not as %s",
                     Py_TYPE(given.ptr())->tp_name);
        throw_python();
    }
    for (const nb::handle item : nb::iter(items)) {
        if (nb::isinstance<cookie>(item)) {
            put(jar, nb::cast<cookie>(item));
            continue;
        }
        const nb::object pair = nb::steal(PyUnicode_Check(item.ptr()) ? nullptr : PySequence_Tuple(item.ptr()));
        if (!pair.is_valid() || PyTuple_GET_SIZE(pair.ptr()) != 2) {
            PyErr_Clear();
            PyErr_Format(PyExc_TypeError, "cookies are given as a mapping, (name, value) pairs or a jar; %R is no pair",
                         item.ptr());
            throw_python();
        }
        put_everywhere(jar, pair[0], pair[1]);
    }
}

nb::list names(const cookie_jar_object& self) {
    nb::list out;
    for (const cookie& each : all(*self.jar)) out.append(shown(each.name));
    return out;
}

[[noreturn]] void throw_key_error(nb::handle name) {
    PyErr_SetObject(PyExc_KeyError, name.ptr());
    throw_python();
}

nb::object value_of(const cookie_jar_object& self, nb::handle name) {
    const auto found = find(*self.jar, text_of(name, "name"), std::nullopt, std::nullopt);
    if (!found) throw_key_error(name);
    return shown(*found);
}

/// What tells cookies apart, to remove them after Python was asked about copies of them.
bool is_same(const cookie& left, const cookie& right) noexcept {
    return left.name == right.name && left.domain == right.domain && left.path == right.path &&
           left.host_only == right.host_only;
}

bool is_at_or_below(std::string_view host, std::string_view domain) noexcept {
    return host == domain || (!domain.empty() && host.size() > domain.size() && host.ends_with(domain) &&
                              host[host.size() - domain.size() - 1] == '.');
}

void clear(cookie_jar_object& self, nb::handle domain, nb::handle where) {
    const auto wanted = domain_to_find(domain);
    if (where.is_none()) {
        self.jar->with([&](cookie_jar& held) {
            held.remove_if([&](const cookie& each) { return !wanted || is_at_or_below(each.domain, *wanted); });
        });
        return;
    }
    if (!PyCallable_Check(where.ptr())) throw nb::type_error("where= must be a function of a Cookie");
    // Python may do anything in there: it is asked without the lock, about copies.
    std::vector<cookie> chosen;
    for (cookie& each : all(*self.jar)) {
        if (wanted && !is_at_or_below(each.domain, *wanted)) continue;
        const nb::object answer = where(nb::cast(each));
        const int yes = PyObject_IsTrue(answer.ptr());
        if (yes < 0) throw_python();
        if (yes == 1) chosen.push_back(std::move(each));
    }
    self.jar->with([&](cookie_jar& held) {
        held.remove_if([&](const cookie& each) {
            return std::any_of(chosen.begin(), chosen.end(), [&](const cookie& gone) { return is_same(each, gone); });
        });
    });
}

/// Two jars by what they hold; any other mapping by names and values.
nb::object equals(nb::handle self, nb::handle other) {
    if (!nb::isinstance<cookie_jar_object>(other))
        return nb::module_::import_("_collections_abc").attr("Mapping").attr("__eq__")(self, other);
    const jar_pointer left = nb::cast<cookie_jar_object&>(self).jar;
    const jar_pointer right = nb::cast<cookie_jar_object&>(other).jar;
    if (left == right) return nb::bool_(true);
    const cookie_jar copy = right->with([](const cookie_jar& held) { return held; });
    return nb::bool_(left->with([&](const cookie_jar& held) { return held.equals(copy); }));
}

// --- Policies ---------------------------------------------------------------------------------------------------------

std::vector<std::string> domains_of(nb::handle given) {
    std::vector<std::string> out;
    if (given.is_none()) return out;
    for (const nb::handle each : nb::iter(given)) out.push_back(text_of(each, "domain"));
    return out;
}

void set_policy(cookie_jar_object& self, nb::handle given) {
    cookie_policy made;
    if (!given.is_none()) {
        if (!nb::isinstance(given, python_part("CookiePolicy"))) {
            PyErr_Format(PyExc_TypeError, "policy must be a pabal.CookiePolicy or None, not %s",
                         Py_TYPE(given.ptr())->tp_name);
            throw_python();
        }
        made.accept = nb::cast<bool>(given.attr("accept"));
        made.third_party = nb::cast<bool>(given.attr("third_party"));
        made.allowed_domains = domains_of(given.attr("allowed_domains"));
        made.blocked_domains = domains_of(given.attr("blocked_domains"));
        made.accept_public_suffix = nb::cast<bool>(given.attr("accept_public_suffix"));
        made.trust_loopback = nb::cast<bool>(given.attr("trust_loopback"));
    }
    if (auto done = self.jar->with([&](cookie_jar& held) { return held.set_policy(std::move(made)); }); !done)
        throw_error(done.error());
}

nb::object policy_of(const cookie_jar_object& self) {
    const cookie_policy policy = self.jar->with([](const cookie_jar& held) { return held.policy(); });
    const auto listed = [](const std::vector<std::string>& domains) {
        nb::list out;
        for (const std::string& each : domains) out.append(shown(each));
        return out;
    };
    nb::dict arguments;
    arguments["accept"] = policy.accept;
    arguments["third_party"] = policy.third_party;
    if (!policy.allowed_domains.empty()) arguments["allowed_domains"] = listed(policy.allowed_domains);
    arguments["blocked_domains"] = listed(policy.blocked_domains);
    arguments["accept_public_suffix"] = policy.accept_public_suffix;
    arguments["trust_loopback"] = policy.trust_loopback;
    return python_part("CookiePolicy")(**arguments);
}

// --- The types --------------------------------------------------------------------------------------------------------

void add_cookie(nb::module_& module) {
    nb::class_<cookie> type(module, "Cookie", "One cookie of a `CookieJar`; it does not change.");
    type.def(
            "__init__",
            [](cookie* self, nb::handle name, nb::handle value, nb::handle domain, nb::handle path,
               nb::handle host_only, nb::handle secure, nb::handle http_only, nb::handle site, nb::handle expires,
               nb::handle created) {
                new (self) cookie(
                    make_cookie(name, value, domain, path, host_only, secure, http_only, site, expires, created));
            },
            nb::arg("name").none(), nb::arg("value").none(), nb::kw_only(), nb::arg("domain").none() = "",
            nb::arg("path").none() = "/", nb::arg("host_only").none() = nb::none(), nb::arg("secure").none() = false,
            nb::arg("http_only").none() = false, nb::arg("same_site").none() = "",
            nb::arg("expires").none() = nb::none(), nb::arg("created").none() = nb::none())
        .def_prop_ro("name", [](const cookie& self) { return shown(self.name); })
        .def_prop_ro("value", [](const cookie& self) { return shown(self.value); })
        .def_prop_ro("domain", [](const cookie& self) { return shown(self.domain); })
        .def_prop_ro("path", [](const cookie& self) { return shown(self.path); })
        .def_ro("secure", &cookie::secure)
        .def_ro("http_only", &cookie::http_only)
        .def_ro("host_only", &cookie::host_only)
        .def_prop_ro("same_site", [](const cookie& self) { return nb::steal(text(name_of(self.site))); })
        .def_prop_ro("expires",
                     [](const cookie& self) { return self.expires ? seconds_of(*self.expires) : nb::none(); })
        .def_prop_ro(
            "created",
            [](const cookie& self) { return self.created == time_point{} ? nb::none() : seconds_of(self.created); })
        .def(
            "__eq__",
            [](const cookie& self, nb::handle other) {
                return nb::isinstance<cookie>(other) ? nb::object(nb::bool_(self.equals(nb::cast<cookie&>(other))))
                                                     : nb::borrow(Py_NotImplemented);
            },
            nb::arg("other").none(), nb::is_operator())
        .def("__hash__",
             [](const cookie& self) {
                 return nb::hash(nb::make_tuple(shown(self.name), shown(self.domain), shown(self.path)));
             })
        .def("__getstate__", parts_of)
        .def("__setstate__",
             [](cookie& self, const nb::tuple& parts) {
                 if (parts.size() != 10) throw nb::value_error("this is not the state of a Cookie");
                 new (&self) cookie(make_cookie(parts[0], parts[1], parts[2], parts[3], parts[4], parts[5], parts[6],
                                                parts[7], parts[8], parts[9]));
             })
        .def("__repr__", [](const cookie& self) {
            // Without the value: it may be a secret.
            return nb::steal(checked(PyUnicode_FromFormat("<Cookie %U for %U%U>", shown(self.name).ptr(),
                                                          shown(self.domain).ptr(), shown(self.path).ptr())));
        });
}

nb::object forward(const char* name, nb::handle self, nb::args arguments, nb::kwargs options) {
    return python_part(name)(self, *arguments, **options);
}

void add_cookie_jar(nb::module_& module) {
    nb::class_<cookie_jar_object> type(module, "CookieJar",
                                       "Cookies as RFC 6265bis keeps them; a mapping of names to values.");
    type.def(
            "__init__",
            [](cookie_jar_object* self, nb::handle given, nb::handle policy) {
                cookie_jar_object made;
                set_policy(made, policy);
                add_given(*made.jar, given);
                new (self) cookie_jar_object(std::move(made));
            },
            nb::arg("cookies").none() = nb::none(), nb::kw_only(), nb::arg("policy").none() = nb::none())
        .def_prop_rw("policy", policy_of, set_policy, nb::for_setter(nb::arg("policy").none()))
        .def("__getitem__", value_of)
        .def(
            "__setitem__",
            [](cookie_jar_object& self, nb::handle name, nb::handle value) { put_everywhere(*self.jar, name, value); },
            nb::arg("name").none(), nb::arg("value").none())
        .def("__delitem__",
             [](cookie_jar_object& self, nb::handle name) {
                 const std::string wanted = text_of(name, "name");
                 if (self.jar->with([&](cookie_jar& held) { return held.remove(wanted); }) == 0) throw_key_error(name);
             })
        .def(
            "__contains__",
            [](cookie_jar_object& self, nb::handle name) {
                return PyUnicode_Check(name.ptr()) &&
                       find(*self.jar, text_of(name, "name"), std::nullopt, std::nullopt).has_value();
            },
            nb::arg("name").none())
        .def("__len__",
             [](const cookie_jar_object& self) {
                 return self.jar->with([](const cookie_jar& held) { return held.size(); });
             })
        .def("__iter__", [](const cookie_jar_object& self) { return nb::iter(names(self)); })
        .def("keys", names)
        .def(
            "set",
            [](cookie_jar_object& self, nb::handle name, nb::handle value, nb::handle domain, nb::handle path,
               nb::handle secure, nb::handle http_only, nb::handle site, nb::handle expires) {
                put(*self.jar,
                    make_cookie(name, value, domain, path, nb::none(), secure, http_only, site, expires, nb::none()));
            },
            nb::arg("name").none(), nb::arg("value").none(), nb::kw_only(), nb::arg("domain").none() = "",
            nb::arg("path").none() = "/", nb::arg("secure").none() = false, nb::arg("http_only").none() = false,
            nb::arg("same_site").none() = "", nb::arg("expires").none() = nb::none())
        .def("set_cookie",
             [](cookie_jar_object& self, nb::handle given) {
                 if (nb::isinstance<cookie>(given)) put(*self.jar, nb::cast<cookie>(given));
                 else put(*self.jar, nb::cast<cookie>(python_part("cookie_of")(given)));
             })
        .def(
            "get",
            [](cookie_jar_object& self, nb::handle name, nb::handle fallback, nb::handle domain, nb::handle path) {
                const auto found =
                    find(*self.jar, text_of(name, "name"), domain_to_find(domain), optional_text(path, "path"));
                return found ? shown(*found) : nb::borrow(fallback);
            },
            nb::arg("name"), nb::arg("default").none() = nb::none(), nb::kw_only(),
            nb::arg("domain").none() = nb::none(), nb::arg("path").none() = nb::none())
        .def(
            "delete",
            [](cookie_jar_object& self, nb::handle given, nb::handle domain, nb::handle path) {
                const std::string name = text_of(given, "name");
                const auto at = domain_to_find(domain);
                const auto below = optional_text(path, "path");
                return self.jar->with([&](cookie_jar& held) { return held.remove(name, at, below); });
            },
            nb::arg("name"), nb::kw_only(), nb::arg("domain").none() = nb::none(), nb::arg("path").none() = nb::none())
        .def("clear", clear, nb::kw_only(), nb::arg("domain").none() = nb::none(), nb::arg("where").none() = nb::none())
        .def("cookies", [](const cookie_jar_object& self) { return as_list(all(*self.jar)); })
        .def("cookies_for",
             [](const cookie_jar_object& self, const std::string& address) {
                 const url to = or_throw(url::parse(address));
                 const auto now = std::chrono::system_clock::now();
                 return as_list(self.jar->with([&](const cookie_jar& held) { return held.matching(to, now); }));
             })
        .def(
            "update",
            [](cookie_jar_object& self, nb::handle given, nb::kwargs more) {
                // All or nothing: what cannot be taken is found before anything changes.
                const jar_pointer taken = self.jar->copy();
                add_given(*taken, given);
                add_given(*taken, more);
                for (cookie& each : all(*taken)) put(*self.jar, std::move(each));
            },
            nb::arg("other").none() = nb::none(), nb::arg("more"))
        .def("copy", [](const cookie_jar_object& self) { return cookie_jar_object{self.jar->copy()}; })
        .def("__copy__", [](const cookie_jar_object& self) { return cookie_jar_object{self.jar->copy()}; })
        .def("__deepcopy__",
             [](const cookie_jar_object& self, nb::handle) { return cookie_jar_object{self.jar->copy()}; })
        .def("__getstate__",
             [](const cookie_jar_object& self) { return nb::make_tuple(policy_of(self), as_list(all(*self.jar))); })
        .def("__setstate__",
             [](cookie_jar_object& self, const nb::tuple& state) {
                 if (state.size() != 2) throw nb::value_error("this is not the state of a CookieJar");
                 cookie_jar_object made;
                 set_policy(made, state[0]);
                 add_given(*made.jar, state[1]);
                 new (&self) cookie_jar_object(std::move(made));
             })
        .def("__eq__", equals, nb::arg("other").none(), nb::is_operator())
        .def("to_cookiejar", [](nb::handle self) { return python_part("to_cookiejar")(self); })
        .def_static("from_cookiejar",
                    [](nb::handle jar) {
                        cookie_jar_object made;
                        add_given(*made.jar, python_part("cookies_of")(jar));
                        return made;
                    })
        .def("save", [](nb::handle self, nb::args arguments,
                        nb::kwargs options) { return forward("save", self, arguments, options); })
        .def_static("load",
                    [](nb::args arguments, nb::kwargs options) { return python_part("load")(*arguments, **options); })
        .def("__repr__", [](const cookie_jar_object& self) {
            return nb::steal(checked(PyUnicode_FromFormat("<CookieJar %R>", names(self).ptr())));
        });
    type.attr("__hash__") = nb::none();
    const nb::object mutable_mapping = nb::module_::import_("_collections_abc").attr("MutableMapping");
    for (const char* name : {"pop", "popitem", "setdefault", "items", "values"})
        type.attr(name) = mutable_mapping.attr(name);
    mutable_mapping.attr("register")(type);
}

}  // namespace

PyObject* make_cookie_jar(jar_pointer jar) { return nb::cast(cookie_jar_object{std::move(jar)}).release().ptr(); }

jar_pointer jar_of(PyObject* object) { return nb::cast<cookie_jar_object&>(nb::handle(object)).jar; }

PyObject* make_cookie_jar_from(PyObject* given) {
    if (given && nb::isinstance<cookie_jar_object>(given)) return Py_NewRef(given);
    cookie_jar_object made;
    if (given) add_given(*made.jar, given);
    return nb::cast(std::move(made)).release().ptr();
}

void add_cookie_types(nb::module_& module) {
    add_cookie(module);
    add_cookie_jar(module);
    module.def(
        "normalise_cookie_domain",
        [](nb::handle domain) { return shown(or_throw(normalise_cookie_domain(text_of(domain, "domain")))); },
        nb::arg("domain").none());
}

}  // namespace pabal::python

#include "cookies.hpp"

#include <vector>

#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>

#include "errors.hpp"

namespace pabal::python {

namespace {

using client::shared_cookie_jar;

void put(shared_cookie_jar& jar, cookie made) {
    const auto now = std::chrono::system_clock::now();
    if (auto done = jar.with([&](cookie_jar& held) { return held.set(std::move(made), now); }); !done)
        throw_error(done.error());
}

/// As in Set-Cookie of old: a leading dot means "and every host below".
void set_cookie(shared_cookie_jar& jar, std::string name, std::string value, std::string domain, std::string path) {
    cookie made;
    made.name = std::move(name);
    made.value = std::move(value);
    made.host_only = !domain.starts_with('.');
    made.domain = made.host_only ? std::move(domain) : domain.substr(1);
    made.path = std::move(path);
    put(jar, std::move(made));
}

std::vector<cookie> all(shared_cookie_jar& jar) {
    std::vector<cookie> out;
    jar.with([&](cookie_jar& held) { held.for_each([&](const cookie& each) { out.push_back(each); }); });
    return out;
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

void add_given(shared_cookie_jar& jar, nb::handle given) {
    if (given.is_none()) return;
    if (nb::isinstance<cookie_jar_object>(given)) {
        for (cookie& each : all(*nb::cast<cookie_jar_object&>(given).jar)) put(jar, std::move(each));
        return;
    }
    const nb::object pairs = nb::hasattr(given, "items") ? given.attr("items")() : nb::borrow(given);
    for (const nb::handle pair : nb::iter(pairs)) {
        set_cookie(jar, nb::cast<std::string>(nb::str(pair[0])), nb::cast<std::string>(nb::str(pair[1])), "", "/");
    }
}

nb::list names(const cookie_jar_object& self) {
    nb::list out;
    for (const cookie& each : all(*self.jar)) out.append(nb::steal(checked(utf8(each.name))));
    return out;
}

nb::object value_of(const cookie_jar_object& self, const std::string& name) {
    const auto found = find(*self.jar, name, std::nullopt, std::nullopt);
    if (!found) throw nb::key_error(name.c_str());
    return nb::steal(checked(utf8(*found)));
}

}  // namespace

PyObject* make_cookie_jar(std::shared_ptr<shared_cookie_jar> jar) {
    return nb::cast(cookie_jar_object{std::move(jar)}).release().ptr();
}

std::shared_ptr<shared_cookie_jar> jar_of(PyObject* object) {
    return nb::cast<cookie_jar_object&>(nb::handle(object)).jar;
}

PyObject* make_cookie_jar_from(PyObject* given) {
    if (given && nb::isinstance<cookie_jar_object>(given)) return Py_NewRef(given);
    cookie_jar_object made;
    if (given) add_given(*made.jar, given);
    return nb::cast(std::move(made)).release().ptr();
}

void add_cookie_types(nb::module_& module) {
    nb::class_<cookie>(module, "Cookie", "One cookie of a `CookieJar`.")
        .def_ro("name", &cookie::name)
        .def_ro("value", &cookie::value)
        .def_ro("domain", &cookie::domain)
        .def_ro("path", &cookie::path)
        .def_ro("secure", &cookie::secure)
        .def_ro("http_only", &cookie::http_only)
        .def_ro("host_only", &cookie::host_only)
        .def_prop_ro("same_site", [](const cookie& self) { return nb::steal(text(name_of(self.site))); })
        .def_prop_ro("expires",
                     [](const cookie& self) -> nb::object {
                         if (!self.expires) return nb::none();
                         const auto since = self.expires->time_since_epoch();
                         return nb::float_(std::chrono::duration<double>(since).count());
                     })
        .def("__repr__",
             [](const cookie& self) { return "<Cookie " + self.name + " for " + self.domain + self.path + ">"; });

    nb::class_<cookie_jar_object> type(module, "CookieJar",
                                       "Cookies as RFC 6265bis keeps them; a mapping of names to values.");
    type.def(
            "__init__",
            [](cookie_jar_object* self, nb::handle given) {
                cookie_jar_object made;
                add_given(*made.jar, given);
                new (self) cookie_jar_object(std::move(made));
            },
            nb::arg("cookies").none() = nb::none())
        .def("__getitem__", value_of)
        .def("__setitem__",
             [](cookie_jar_object& self, std::string name, std::string value) {
                 set_cookie(*self.jar, std::move(name), std::move(value), "", "/");
             })
        .def("__delitem__",
             [](cookie_jar_object& self, const std::string& name) {
                 if (self.jar->with([&](cookie_jar& held) { return held.remove(name); }) == 0)
                     throw nb::key_error(name.c_str());
             })
        .def("__contains__",
             [](cookie_jar_object& self, nb::handle name) {
                 return nb::isinstance<nb::str>(name) &&
                        find(*self.jar, nb::cast<std::string>(name), std::nullopt, std::nullopt).has_value();
             })
        .def("__len__", [](const cookie_jar_object& self) { return all(*self.jar).size(); })
        .def("__iter__", [](const cookie_jar_object& self) { return nb::iter(names(self)); })
        .def("keys", names)
        .def(
            "set",
            [](cookie_jar_object& self, std::string name, std::string value, std::string domain, std::string path) {
                set_cookie(*self.jar, std::move(name), std::move(value), std::move(domain), std::move(path));
            },
            nb::arg("name"), nb::arg("value"), nb::kw_only(), nb::arg("domain") = "", nb::arg("path") = "/")
        .def(
            "get",
            [](cookie_jar_object& self, const std::string& name, nb::handle fallback, std::optional<std::string> domain,
               std::optional<std::string> path) {
                const auto found = find(*self.jar, name, domain, path);
                return found ? nb::steal(checked(utf8(*found))) : nb::borrow(fallback);
            },
            nb::arg("name"), nb::arg("default").none() = nb::none(), nb::kw_only(),
            nb::arg("domain").none() = nb::none(), nb::arg("path").none() = nb::none())
        .def("clear", [](cookie_jar_object& self) { self.jar->with([](cookie_jar& held) { held.clear(); }); })
        .def("cookies",
             [](const cookie_jar_object& self) {
                 nb::list out;
                 for (cookie& each : all(*self.jar)) out.append(nb::cast(std::move(each)));
                 return out;
             })
        .def("__repr__", [](const cookie_jar_object& self) {
            return nb::steal(checked(PyUnicode_FromFormat("<CookieJar %R>", names(self).ptr())));
        });
    const nb::object mutable_mapping = nb::module_::import_("_collections_abc").attr("MutableMapping");
    for (const char* name : {"update", "pop", "popitem", "setdefault", "items", "values", "__eq__"})
        type.attr(name) = mutable_mapping.attr(name);
    mutable_mapping.attr("register")(type);
}

}  // namespace pabal::python

#include "auth.hpp"

#include <new>
#include <utility>
#include <vector>

#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>

#include "client/origin_map.hpp"
#include "errors.hpp"
#include "options.hpp"

namespace pabal::python {

namespace {

/// The engine speaks of places; whoever reads the message has written `auth=`.
error about_auth(error failure) {
    failure.message.insert(0, "auth: ");
    return failure;
}

/// str as UTF-8, bytes as they are.
std::string bytes_of(nb::handle value, const char* what) {
    if (PyBytes_Check(value.ptr()))
        return {PyBytes_AS_STRING(value.ptr()), static_cast<std::size_t>(PyBytes_GET_SIZE(value.ptr()))};
    if (!PyUnicode_Check(value.ptr())) {
        PyErr_Format(PyExc_TypeError, "%s must be str or bytes, not %s", what, Py_TYPE(value.ptr())->tp_name);
        throw_python();
    }
    std::string_view text;
    if (!read_utf8(value.ptr(), what, text)) throw_python();
    return std::string(text);
}

void make_digest(engine_auth* self, nb::handle username, nb::handle password) {
    auto made = digest_auth(bytes_of(username, "DigestAuth's username"), bytes_of(password, "DigestAuth's password"));
    if (!made) throw_error(made.error());
    new (self) engine_auth{std::move(*made), owned::borrow(username.ptr()), owned::borrow(password.ptr())};
}

/// Credentials of which the most specific place counts, for every host on the way.
struct placed_auth {
    credentials_ptr held;
};

/// What Python gives for a place: a DigestAuth, (user, password), a bearer's token, or None.
credentials_ptr entry_of(nb::handle given) {
    if (given.is_none()) return nullptr;
    if (auto held = credentials_of(given.ptr())) return held;
    auto made = PyTuple_Check(given.ptr())
                    ? basic_auth(bytes_of(nb::borrow<nb::tuple>(given)[0], "the user name in auth"),
                                 bytes_of(nb::borrow<nb::tuple>(given)[1], "the password in auth"))
                    : bearer_auth(bytes_of(given, "the token in auth"));
    if (!made) throw_error(made.error());
    return *std::move(made);
}

std::string place_of(nb::handle key) {
    if (!PyUnicode_Check(key.ptr())) {
        PyErr_Format(PyExc_TypeError, "a place in auth must be str, not %s", Py_TYPE(key.ptr())->tp_name);
        throw_python();
    }
    std::string_view text;
    if (!read_utf8(key.ptr(), "a place in auth", text)) throw_python();
    return std::string(text);
}

void make_placed(placed_auth* self, nb::dict mapping) {
    std::vector<std::pair<std::string, credentials_ptr>> places;
    for (const auto& [key, value] : mapping) places.emplace_back(place_of(key), entry_of(value));
    auto made = auth_by_place(std::move(places));
    if (!made) throw_error(about_auth(std::move(made).error()));
    new (self) placed_auth{std::move(*made)};
}

/// The most specific of the places (keys of `mapping`) that is the URL's; its value, or None.
nb::object entry_for(nb::dict mapping, std::string_view location) {
    auto parsed = url::parse(location);
    if (!parsed) throw_error(parsed.error());
    client::origin_map<PyObject*> places;
    for (const auto& [key, value] : mapping) {
        auto pattern = client::origin_pattern::parse(place_of(key));
        if (!pattern) throw_error(about_auth(std::move(pattern).error()));
        places.add(std::move(*pattern), value.ptr());
    }
    PyObject* const* found = places.find(*parsed);
    return found ? nb::borrow(*found) : nb::none();
}

}  // namespace

credentials_ptr credentials_of(PyObject* object) {
    if (!object) return nullptr;
    if (nb::isinstance<engine_auth>(object)) return nb::inst_ptr<engine_auth>(object)->held;
    return nb::isinstance<placed_auth>(object) ? nb::inst_ptr<placed_auth>(object)->held : nullptr;
}

void add_auth_types(nb::module_& module) {
    nb::class_<engine_auth>(
        module, "DigestAuth",
        "RFC 7616: MD5, SHA-256 and SHA-512-256. Answers challenges of the server that was asked, and "
        "no other's.")
        .def("__init__", make_digest, nb::arg("username").none(), nb::arg("password").none())
        .def_prop_ro("username", [](engine_auth& self) { return nb::borrow(self.username.get()); })
        // Copies and pickles know whom, not what servers have asked: they are challenged anew.
        .def("__getstate__",
             [](engine_auth& self) {
                 return nb::make_tuple(nb::borrow(self.username.get()), nb::borrow(self.password.get()));
             })
        .def("__setstate__",
             [](engine_auth& self, const nb::tuple& state) {
                 if (state.size() != 2) throw nb::value_error("this is not the state of a DigestAuth");
                 make_digest(&self, state[0], state[1]);
             })
        .def("__repr__", [](engine_auth& self) {
            return nb::steal(checked(PyUnicode_FromFormat("DigestAuth(%R, '***')", self.username.get())));
        });
    nb::class_<placed_auth>(module, "PlacedAuth", "Credentials by place, which every host on the way is looked up in.")
        .def("__init__", make_placed);
    module.def("entry_for", entry_for);
}

}  // namespace pabal::python

#include "auth.hpp"

#include <new>

#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>

#include "client/origin_map.hpp"
#include "errors.hpp"

namespace pabal::python {

namespace {

/// str as UTF-8, bytes as they are.
std::string bytes_of(nb::handle value, const char* what) {
    if (PyBytes_Check(value.ptr()))
        return {PyBytes_AS_STRING(value.ptr()), static_cast<std::size_t>(PyBytes_GET_SIZE(value.ptr()))};
    if (!PyUnicode_Check(value.ptr())) {
        PyErr_Format(PyExc_TypeError, "%s must be str or bytes, not %s", what, Py_TYPE(value.ptr())->tp_name);
        throw_python();
    }
    Py_ssize_t size = 0;
    const char* data = PyUnicode_AsUTF8AndSize(value.ptr(), &size);
    if (!data) throw_python();
    return {data, static_cast<std::size_t>(size)};
}

void make_digest(engine_auth* self, nb::handle username, nb::handle password) {
    auto made = digest_auth(bytes_of(username, "the user name"), bytes_of(password, "the password"));
    if (!made) throw_error(made.error());
    new (self) engine_auth{std::move(*made), owned::borrow(username.ptr())};
}

/// The most specific of the places (keys of `mapping`) that is the URL's; its value, or None.
nb::object entry_for(nb::dict mapping, std::string_view location) {
    auto parsed = url::parse(location);
    if (!parsed) throw_error(parsed.error());
    client::origin_map<PyObject*> places;
    for (const auto& [key, value] : mapping) {
        if (!PyUnicode_Check(key.ptr())) {
            PyErr_Format(PyExc_TypeError, "a place must be str, not %s", Py_TYPE(key.ptr())->tp_name);
            throw_python();
        }
        auto pattern = client::origin_pattern::parse(nb::cast<std::string_view>(key));
        if (!pattern) throw_error(pattern.error());
        places.add(std::move(*pattern), value.ptr());
    }
    PyObject* const* found = places.find(*parsed);
    return found ? nb::borrow(*found) : nb::none();
}

}  // namespace

credentials_ptr credentials_of(PyObject* object) {
    return object && nb::isinstance<engine_auth>(object) ? nb::inst_ptr<engine_auth>(object)->held : nullptr;
}

void add_auth_types(nb::module_& module) {
    nb::class_<engine_auth>(
        module, "DigestAuth",
        "RFC 7616: MD5, SHA-256 and SHA-512-256. Answers challenges of the server that was asked, and "
        "no other's.")
        .def("__init__", make_digest, nb::arg("username").none(), nb::arg("password").none())
        .def_prop_ro("username", [](engine_auth& self) { return nb::borrow(self.username.get()); })
        .def("__repr__", [](engine_auth& self) {
            return nb::steal(checked(PyUnicode_FromFormat("DigestAuth(%R, '***')", self.username.get())));
        });
    module.def("entry_for", entry_for);
}

}  // namespace pabal::python

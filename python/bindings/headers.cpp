#include "headers.hpp"

#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>

#include "errors.hpp"
#include "protocol/http/idna.hpp"

namespace pabal::python {

namespace {

/// A name or value that must be valid, as a view that lives as long as `keep`.
struct piece {
    piece(nb::handle value, std::string_view what) {
        if (!header_text(value.ptr(), what, keep, view)) throw_python();
    }
    owned keep;
    std::string_view view;
};

void set_line(headers& self, nb::handle name, nb::handle value) {
    const piece key(name, "name"), content(value, "value");
    if (auto done = self.lines.set(key.view, content.view); !done) throw_error(done.error());
    ++self.version;
}

void add_line(headers& self, nb::handle name, nb::handle value) {
    const piece key(name, "name"), content(value, "value");
    if (auto done = self.lines.append(key.view, content.view); !done) throw_error(done.error());
    ++self.version;
}

void remove_line(headers& self, nb::handle name) {
    const piece key(name, "name");
    if (self.lines.remove(key.view) == 0) throw nb::key_error(std::string(key.view).c_str());
    ++self.version;
}

nb::object get_line(const headers& self, nb::handle name) {
    const piece key(name, "name");
    const auto joined = self.lines.joined(key.view);
    if (!joined) throw nb::key_error(std::string(key.view).c_str());
    return nb::steal(checked(text(*joined)));
}

bool contains(const headers& self, nb::handle name) {
    if (!PyUnicode_Check(name.ptr()) && !PyBytes_Check(name.ptr())) return false;
    const piece key(name, "name");
    return self.lines.contains(key.view);
}

bool is_first_of_its_name(const fields& lines, std::size_t index) {
    for (std::size_t before = 0; before < index; ++before) {
        if (equals_ignoring_case(lines[before].name, lines[index].name)) return false;
    }
    return true;
}

nb::list names(const headers& self) {
    nb::list out;
    for (std::size_t index = 0; index < self.lines.size(); ++index) {
        if (is_first_of_its_name(self.lines, index)) out.append(nb::steal(checked(text(self.lines[index].name))));
    }
    return out;
}

nb::list lines(const headers& self, PyObject* (*convert)(std::string_view)) {
    nb::list out;
    for (const fields::field line : self.lines) {
        const owned name(checked(convert(line.name))), value(checked(convert(line.value)));
        out.append(nb::steal(checked(PyTuple_Pack(2, name.get(), value.get()))));
    }
    return out;
}

nb::list values_of(const headers& self, nb::handle name) {
    const piece key(name, "name");
    nb::list out;
    for (const fields::field line : self.lines) {
        if (equals_ignoring_case(line.name, key.view)) out.append(nb::steal(checked(text(line.value))));
    }
    return out;
}

/// Equal as mappings: the same lines, names without regard to case, in any order of different names.
bool equal(const headers& self, nb::handle other) {
    headers theirs;
    if (!append_headers(theirs.lines, other.ptr())) {
        PyErr_Clear();
        return false;
    }
    if (self.lines.size() != theirs.lines.size()) return false;
    for (const fields::field line : self.lines) {
        if (self.lines.joined(line.name) != theirs.lines.joined(line.name)) return false;
    }
    return true;
}

bool append_line(fields& out, PyObject* name, PyObject* value) {
    owned kept_name, kept_value;
    std::string_view key, content;
    if (!header_text(name, "name", kept_name, key)) return false;
    if (!header_text(value, "value", kept_value, content)) return false;
    if (auto done = out.append(key, content); !done) return raise(done.error()) != nullptr;
    return true;
}

bool append_pairs(fields& out, PyObject* iterable) {
    constexpr const char* wanted = "headers must be a mapping or an iterable of (name, value) pairs, not ";
    const auto refuse = [&](PyObject* given) {
        PyErr_Format(PyExc_TypeError, "%s%s", wanted, Py_TYPE(given)->tp_name);
        return false;
    };
    if (PyUnicode_Check(iterable) || PyBytes_Check(iterable)) return refuse(iterable);
    const owned iterator(PyObject_GetIter(iterable));
    if (!iterator) return PyErr_ExceptionMatches(PyExc_TypeError) && (PyErr_Clear(), refuse(iterable));
    while (true) {
        const owned pair(PyIter_Next(iterator.get()));
        if (!pair) return !PyErr_Occurred();
        if (PyUnicode_Check(pair.get()) || PyBytes_Check(pair.get())) return refuse(pair.get());
        const owned sequence(PySequence_Fast(pair.get(), "headers must be a mapping or (name, value) pairs"));
        if (!sequence) return false;
        if (PySequence_Fast_GET_SIZE(sequence.get()) != 2) {
            PyErr_Format(PyExc_ValueError, "headers must be (name, value) pairs, not %R", pair.get());
            return false;
        }
        PyObject** items = PySequence_Fast_ITEMS(sequence.get());
        if (!append_line(out, items[0], items[1])) return false;
    }
}

}  // namespace

bool header_text(PyObject* value, std::string_view what, owned& keep, std::string_view& out) {
    if (PyUnicode_Check(value)) {
        if (PyUnicode_IS_COMPACT_ASCII(value)) {
            Py_ssize_t size = 0;
            const char* data = PyUnicode_AsUTF8AndSize(value, &size);
            if (!data) return false;
            out = {data, static_cast<std::size_t>(size)};
            return true;
        }
        keep = owned(PyUnicode_AsLatin1String(value));
        if (!keep) {
            PyErr_Clear();
            raise({error_code::invalid_header, phase::prepare, culprit::caller, 0,
                   "a header " + std::string(what) + " holds characters beyond Latin-1; pass bytes to send others"});
            return false;
        }
        value = keep.get();
    }
    if (!PyBytes_Check(value)) {
        raise({error_code::invalid_header, phase::prepare, culprit::caller, 0,
               "a header " + std::string(what) + " must be str or bytes, not " + Py_TYPE(value)->tp_name});
        return false;
    }
    out = {PyBytes_AS_STRING(value), static_cast<std::size_t>(PyBytes_GET_SIZE(value))};
    return true;
}

bool append_headers(fields& out, PyObject* given) {
    if (given == Py_None) return true;
    if (nb::isinstance<headers>(given)) {
        for (const fields::field line : nb::inst_ptr<headers>(given)->lines) out.append_valid(line.name, line.value);
        return true;
    }
    if (PyDict_Check(given)) {
        PyObject *name = nullptr, *value = nullptr;
        for (Py_ssize_t position = 0; PyDict_Next(given, &position, &name, &value);) {
            if (!append_line(out, name, value)) return false;
        }
        return true;
    }
    if (PyObject_HasAttrString(given, "items")) {
        const owned items(PyObject_CallMethod(given, "items", nullptr));
        return items && append_pairs(out, items.get());
    }
    return append_pairs(out, given);
}

PyObject* make_headers(fields lines) { return nb::cast(headers{std::move(lines), 0}).release().ptr(); }

namespace {

std::string ascii_host(std::string_view name) {
    auto ascii = http::host_to_ascii(name);
    if (!ascii) throw nb::value_error("not a host name that can be internationalised");
    return *std::move(ascii);
}

}  // namespace

void add_headers_type(nb::module_& module) {
    module.def("host_to_ascii", ascii_host);
    nb::class_<headers> type(module, "Headers", "Header fields: an ordered mapping that ignores the case of names.");
    type.def(
            "__init__",
            [](headers* self, nb::handle given) {
                auto* made = new (self) headers;
                if (append_headers(made->lines, given.ptr())) return;
                made->~headers();
                throw_python();
            },
            nb::arg("headers").none() = nb::none())
        .def("__getitem__", get_line)
        .def("__setitem__", set_line)
        .def("__delitem__", remove_line)
        .def("__contains__", contains, nb::arg().none())
        .def("__len__", [](const headers& self) { return nb::len(names(self)); })
        .def("__iter__", [](const headers& self) { return nb::iter(names(self)); })
        .def("keys", names)
        .def("values",
             [](const headers& self) {
                 nb::list out;
                 for (const fields::field line : self.lines) out.append(nb::steal(checked(text(line.value))));
                 return out;
             })
        .def("items", [](const headers& self) { return lines(self, text); })
        .def("get_list", values_of)
        .def("add", add_line)
        .def(
            "get",
            [](const headers& self, nb::handle name, nb::handle fallback) {
                return contains(self, name) ? get_line(self, name) : nb::borrow(fallback);
            },
            nb::arg(), nb::arg("default").none() = nb::none())
        .def("copy", [](const headers& self) { return headers{self.lines, 0}; })
        .def("__copy__", [](const headers& self) { return headers{self.lines, 0}; })
        .def("__eq__", equal, nb::arg().none())
        .def_prop_ro("raw", [](const headers& self) { return lines(self, bytes); })
        .def("__reduce__",
             [](nb::handle self) {
                 return nb::make_tuple(self.type(), nb::make_tuple(lines(nb::cast<headers&>(self), bytes)));
             })
        .def("__repr__", [](const headers& self) {
            return nb::steal(checked(PyUnicode_FromFormat("Headers(%R)", lines(self, text).ptr())));
        });
    // The rest of the mapping protocol (update, pop, setdefault, …) is the standard library's.
    const nb::object mutable_mapping = nb::module_::import_("_collections_abc").attr("MutableMapping");
    for (const char* name : {"update", "pop", "popitem", "setdefault", "clear"})
        type.attr(name) = mutable_mapping.attr(name);
    mutable_mapping.attr("register")(type);
}

}  // namespace pabal::python

#include "options.hpp"

#include "errors.hpp"

namespace pabal::python {

bool read_flag(PyObject* value, const char* name, bool& out) {
    if (!PyBool_Check(value)) {
        PyErr_Format(PyExc_TypeError, "%s must be True or False, not %s", name, Py_TYPE(value)->tp_name);
        return false;
    }
    out = value == Py_True;
    return true;
}

bool read_count(PyObject* value, const char* name, long long least, long long most, long long& out) {
    if (PyBool_Check(value) || !PyLong_Check(value)) {
        PyErr_Format(PyExc_TypeError, "%s must be an int, not %s", name, Py_TYPE(value)->tp_name);
        return false;
    }
    int overflow = 0;
    out = PyLong_AsLongLongAndOverflow(value, &overflow);
    if (overflow == 0 && out >= least && out <= most) return true;
    PyErr_Format(PyExc_ValueError, "%s must be from %lld to %lld, not %s", name, least, most,
                 overflow > 0   ? "a number beyond 64 bits"
                 : overflow < 0 ? "a negative number beyond 64 bits"
                                : std::to_string(out).c_str());
    return false;
}

bool read_utf8(PyObject* value, const char* name, std::string_view& out, error_code code) {
    Py_ssize_t size = 0;
    const char* data = PyUnicode_AsUTF8AndSize(value, &size);
    if (!data) {
        if (!PyErr_ExceptionMatches(PyExc_UnicodeEncodeError)) return false;
        PyErr_Clear();
        raise({code, phase::prepare, culprit::caller, 0,
               std::string(name) + " holds a lone surrogate, which UTF-8 cannot carry"});
        return false;
    }
    out = {data, static_cast<std::size_t>(size)};
    return true;
}

bool read_path(PyObject* value, const char* name, const char* wanted, std::string& out) {
    if (!PyUnicode_Check(value) && !PyBytes_Check(value) && !PyObject_HasAttrString(value, "__fspath__")) {
        PyErr_Format(PyExc_TypeError, "%s must be %s, not %s", name, wanted, Py_TYPE(value)->tp_name);
        return false;
    }
    PyObject* encoded = nullptr;
    if (!PyUnicode_FSConverter(value, &encoded)) {
        if (!PyErr_ExceptionMatches(PyExc_ValueError)) return false;
        PyErr_Clear();
        PyErr_Format(PyExc_ValueError, "%s must be %s; %R is no path", name, wanted, value);
        return false;
    }
    const owned path(encoded);
    out.assign(PyBytes_AS_STRING(encoded), static_cast<std::size_t>(PyBytes_GET_SIZE(encoded)));
    if (!out.empty()) return true;
    PyErr_Format(PyExc_ValueError, "%s must be %s, not empty", name, wanted);
    return false;
}

bool read_max_redirects(PyObject* value, int& out) {
    long long count = 0;
    if (!read_count(value, "max_redirects", 0, 1'000'000, count)) return false;
    out = static_cast<int>(count);
    return true;
}

}  // namespace pabal::python

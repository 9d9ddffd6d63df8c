#include "timeouts.hpp"

#include <algorithm>
#include <cmath>

namespace pabal::python {

using std::chrono::milliseconds;

milliseconds from_seconds(double seconds) {
    return milliseconds(std::max<long long>(1, std::llround(std::min(seconds, 4.0e6) * 1000)));
}

/// Timeout.parts: seven numbers of seconds or None.
bool parse_timeout_parts(PyObject* timeout, timeouts& out) {
    const owned parts(PyObject_GetAttrString(timeout, "parts"));
    if (!parts) return false;
    milliseconds* const places[] = {&out.total, &out.resolve, &out.connect, &out.tls, &out.pool, &out.write, &out.read};
    for (Py_ssize_t index = 0; index < 7; ++index) {
        PyObject* part = PyTuple_GetItem(parts.get(), index);
        if (!part) return false;
        if (part == Py_None) {
            *places[index] = milliseconds{0};
            continue;
        }
        const double seconds = PyFloat_AsDouble(part);
        if (seconds == -1.0 && PyErr_Occurred()) return false;
        *places[index] = from_seconds(seconds);
    }
    return true;
}

bool parse_timeout(PyObject* value, timeouts& out) {
    if (PyFloat_CheckExact(value)) {  // a plain number is the total; see pabal.Timeout
        const double seconds = PyFloat_AS_DOUBLE(value);
        if (seconds > 0 && std::isfinite(seconds)) {
            const timeouts defaults;
            out = defaults;
            out.total = from_seconds(seconds);
            out.pool = std::max(defaults.pool, out.total);
            out.write = std::max(defaults.write, out.total);
            out.read = std::max(defaults.read, out.total);
            return true;
        }
    }
    static lazy_import timeout_of("pabal.config", "timeout_of");
    if (!timeout_of.get()) return false;
    const owned timeout(PyObject_CallOneArg(timeout_of.get(), value));
    return timeout && parse_timeout_parts(timeout.get(), out);
}

}  // namespace pabal::python

#include "body_source.hpp"

#include <algorithm>
#include <cstring>

#include "errors.hpp"
#include "headers.hpp"
#include "protocol/http1/encoder.hpp"

namespace pabal::python {

result<read_outcome> body_source::read(std::span<char> buffer) {
    if (failed_) {
        return error{error_code::request_body_failed, phase::write, culprit::caller, 0,
                     "the request body raised an exception while it was being sent"};
    }
    const std::size_t left = piece_.size() - used_;
    if (left > 0) {
        const std::size_t size = std::min(left, buffer.size());
        std::memcpy(buffer.data(), piece_.data() + used_, size);
        used_ += size;
        return read_outcome{read_outcome::kind::data, size};
    }
    if (ended_) return read_outcome{read_outcome::kind::end, 0};
    wanted_ = true;
    return read_outcome{};
}

void body_source::produce() {
    const owned piece(PyObject_CallMethod(body_.get(), "next_piece", nullptr));
    if (piece) return deliver(piece.get(), Py_None);
    fail_with_current_exception();
}

void body_source::fail_with_current_exception() {
    PyObject *type = nullptr, *value = nullptr, *trace = nullptr;
    PyErr_Fetch(&type, &value, &trace);
    PyErr_NormalizeException(&type, &value, &trace);
    if (trace) PyException_SetTraceback(value, trace);
    Py_XDECREF(type);
    Py_XDECREF(trace);
    deliver(Py_None, value);
    Py_XDECREF(value);
}

void body_source::deliver(PyObject* piece, PyObject* exception) {
    wanted_ = false;
    if (!PyBytes_Check(piece)) {
        failed_ = true;
        exception_ = owned::borrow(exception);
        return;
    }
    piece_.assign(PyBytes_AS_STRING(piece), static_cast<std::size_t>(PyBytes_GET_SIZE(piece)));
    used_ = 0;
    ended_ = piece_.empty();
    if (ended_ && !take_trailers()) fail_with_current_exception();
}

/// The body's `trailers()`: lines, or None. False: an exception is set.
bool body_source::take_trailers() {
    const owned lines(PyObject_CallMethod(body_.get(), "trailers", nullptr));
    if (!lines) return false;
    return lines.get() == Py_None || read_trailers(lines.get(), trailers_);
}

bool read_trailers(PyObject* lines, fields& out) {
    if (!append_headers(out, lines)) return false;
    const auto checked = http1::check_trailers(out);
    return checked || raise(checked.error()) != nullptr;
}

bool body_source::rewind() {
    const nb::gil_scoped_acquire acquired;
    const owned done(PyObject_CallMethod(body_.get(), "rewind", nullptr));
    if (!done) PyErr_Clear();
    if (!done || done.get() != Py_True) return false;
    piece_.clear();
    trailers_.clear();
    used_ = 0;
    ended_ = wanted_ = failed_ = false;
    return true;
}

}  // namespace pabal::python

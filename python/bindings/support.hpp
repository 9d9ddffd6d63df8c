#pragma once
/// \file
/// What every binding file needs: nanobind, an owning pointer for the CPython API, and imports by dotted name.

#include <string_view>
#include <utility>

#include <nanobind/nanobind.h>

namespace pabal::python {

namespace nb = nanobind;

/// Owns one reference (or none).
class owned {
public:
    owned() noexcept = default;
    explicit owned(PyObject* stolen) noexcept : object_(stolen) {}
    static owned borrow(PyObject* borrowed) noexcept { return owned(Py_XNewRef(borrowed)); }
    owned(owned&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
    owned& operator=(owned&& other) noexcept {
        // The old object goes last: its destructor may run any code, which must find us in order.
        PyObject* old = std::exchange(object_, std::exchange(other.object_, nullptr));
        Py_XDECREF(old);
        return *this;
    }
    ~owned() { Py_XDECREF(object_); }

    PyObject* get() const noexcept { return object_; }
    PyObject* release() noexcept { return std::exchange(object_, nullptr); }
    PyObject* new_reference() const noexcept { return Py_XNewRef(object_); }
    void reset() noexcept { *this = owned(); }
    explicit operator bool() const noexcept { return object_ != nullptr; }

private:
    PyObject* object_ = nullptr;
};

/// `module.attribute`, imported when first used and kept for the life of the process. Empty with an exception set.
class lazy_import {
public:
    constexpr lazy_import(const char* module, const char* attribute) noexcept
        : module_(module), attribute_(attribute) {}
    PyObject* get() {
        if (object_) return object_;
        const owned module(PyImport_ImportModule(module_));
        if (module) object_ = PyObject_GetAttrString(module.get(), attribute_);
        return object_;
    }

private:
    const char* module_;
    const char* attribute_;
    PyObject* object_ = nullptr;
};

inline PyObject* text(std::string_view latin1) {
    return PyUnicode_DecodeLatin1(latin1.data(), static_cast<Py_ssize_t>(latin1.size()), nullptr);
}
inline PyObject* utf8(std::string_view bytes) {
    return PyUnicode_DecodeUTF8(bytes.data(), static_cast<Py_ssize_t>(bytes.size()), "replace");
}
inline PyObject* bytes(std::string_view data) {
    return PyBytes_FromStringAndSize(data.data(), static_cast<Py_ssize_t>(data.size()));
}

/// Throws what the CPython API has set.
[[noreturn]] inline void throw_python() { throw nb::python_error(); }
inline PyObject* checked(PyObject* object) {
    if (!object) throw_python();
    return object;
}

}  // namespace pabal::python

#include "alternatives.hpp"

#include <chrono>
#include <string>

#include "options.hpp"

namespace pabal::python {

std::shared_ptr<dial::alternative_file> alternative_file_of(nb::handle given) {
    static lazy_import read("pabal.config", "alternatives_file_of");
    if (!read.get()) throw_python();
    const owned path(checked(PyObject_CallOneArg(read.get(), given.ptr())));
    if (path.get() == Py_None) return nullptr;
    std::string bytes;
    if (!read_path(path.get(), "alternatives_file", "the path of a file", bytes)) throw_python();
    auto opened = dial::alternative_file::open(bytes, std::chrono::system_clock::now());
    if (opened) return *opened;
    const error& failure = opened.error();
    const owned message(checked(utf8("alternatives_file " + failure.message)));
    const owned refusal(
        checked(PyObject_CallFunction(PyExc_OSError, "iOO", failure.system_errno, message.get(), path.get())));
    PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(refusal.get())), refusal.get());
    throw_python();
}

nb::object path_of(const dial::alternative_file* file) {
    if (!file) return nb::none();
    const std::string& path = file->path();
    return nb::steal(checked(PyUnicode_DecodeFSDefaultAndSize(path.data(), static_cast<Py_ssize_t>(path.size()))));
}

void log_unsaved(const dial::alternative_file* file, const result<void>& saved) {
    if (saved) return;
    PyObject *type = nullptr, *value = nullptr, *traceback = nullptr;
    PyErr_Fetch(&type, &value, &traceback);
    static lazy_import log("pabal._log", "alternatives_unsaved");
    const std::string& bytes = file->path();
    const owned path(PyUnicode_DecodeFSDefaultAndSize(bytes.data(), static_cast<Py_ssize_t>(bytes.size())));
    const owned message(utf8(saved.error().message));
    if (log.get() && path && message)
        owned(PyObject_CallFunctionObjArgs(log.get(), path.get(), message.get(), nullptr));
    PyErr_Clear();
    PyErr_Restore(type, value, traceback);
}

}  // namespace pabal::python

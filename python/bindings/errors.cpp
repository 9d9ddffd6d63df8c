#include "errors.hpp"

namespace pabal::python {

PyObject* make_exception(const error& failure, std::string_view method, std::string_view url) {
    static lazy_import from_engine("pabal.exceptions", "from_engine");
    PyObject* make = from_engine.get();
    if (!make) return nullptr;
    const owned code(text(name_of(failure.code)));
    const owned where(text(name_of(failure.where)));
    const owned whose(text(name_of(failure.whose)));
    const owned number(PyLong_FromLong(failure.system_errno));
    const owned message(utf8(failure.message));
    const owned status(PyLong_FromLong(failure.status));
    const owned at(utf8(url));
    const owned how(utf8(method));
    if (!code || !where || !whose || !number || !message || !at || !how || !status) return nullptr;
    return PyObject_CallFunctionObjArgs(make, code.get(), where.get(), whose.get(), number.get(), message.get(),
                                        at.get(), how.get(), status.get(), nullptr);
}

PyObject* raise(const error& failure, std::string_view method, std::string_view url) {
    const owned exception(make_exception(failure, method, url));
    if (exception) PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(exception.get())), exception.get());
    return nullptr;
}

error belongs_elsewhere(std::string_view what) {
    return {error_code::session_closed, phase::none, culprit::caller, 0,
            "this " + std::string(what) + " belongs to the process that began it; a forked child has to ask again"};
}

void throw_error(const error& failure) {
    raise(failure);
    throw_python();
}

}  // namespace pabal::python

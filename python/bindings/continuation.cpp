#include "continuation.hpp"

#include "loop_driver.hpp"
#include "pending.hpp"

namespace pabal::python {

namespace {

PyObject* task_done(PyObject* self, PyObject*) {
    pending_of(self).complete();
    Py_RETURN_NONE;
}

}  // namespace

void continuation::start(pending& owner, PyObject* coroutine) {
    static PyMethodDef method{"task_done", task_done, METH_O, nullptr};
    const owned told(PyCFunction_New(&method, owner.self));
    owned task(told ? PyObject_CallMethod(owner.driver()->loop(), "create_task", "O", coroutine) : nullptr);
    if (!task) return;
    const owned added(PyObject_CallMethod(task.get(), "add_done_callback", "O", told.get()));
    if (added) task_ = std::move(task);
}

PyObject* continuation::take() { return PyObject_CallMethod(task_.get(), "result", nullptr); }

void continuation::cancel() noexcept {
    if (!task_) return;
    PyObject *type = nullptr, *value = nullptr, *trace = nullptr;
    PyErr_Fetch(&type, &value, &trace);
    const owned cancelled(PyObject_CallMethod(task_.get(), "cancel", nullptr));
    PyErr_Clear();
    PyErr_Restore(type, value, trace);
    task_.reset();
}

}  // namespace pabal::python

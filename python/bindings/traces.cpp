#include "traces.hpp"

#include <chrono>

#include "errors.hpp"
#include "headers.hpp"

namespace pabal::python {

namespace {

using clock = std::chrono::steady_clock;

double seconds(clock::duration span) { return std::chrono::duration<double>(span).count(); }

/// Seconds since `zero`, or None where it was not reached.
PyObject* moment(clock::time_point at, clock::time_point zero) {
    return exchange_times::reached(at) ? PyFloat_FromDouble(seconds(at - zero)) : Py_NewRef(Py_None);
}

PyObject* connection_parts(const connection_facts* facts, clock::time_point zero) {
    if (!facts) Py_RETURN_NONE;
    return Py_BuildValue("(NdddNNNNNOO)", moment(facts->dialled, zero), seconds(facts->resolve),
                         seconds(facts->connect), seconds(facts->tls), utf8(facts->peer_address),
                         utf8(facts->local_address), text(facts->application_protocol), text(facts->tls_version),
                         text(facts->cipher), facts->tls_session_resumed ? Py_True : Py_False,
                         facts->encrypted_client_hello ? Py_True : Py_False);
}

PyObject* exchange_parts(const exchange_trace& of, clock::time_point zero) {
    const exchange_times& times = of.times;
    return Py_BuildValue("(NNiNNONNNNNN)", text(of.method), utf8(of.url), of.status,
                         of.failure ? text(name_of(*of.failure)) : Py_NewRef(Py_None), text(name_of(of.failed_in)),
                         of.reused_connection ? Py_True : Py_False, moment(times.submitted, zero),
                         moment(times.started, zero), moment(times.sent, zero), moment(times.head, zero),
                         moment(times.ended, zero), connection_parts(of.connection.get(), zero));
}

/// logging's module, if the program has imported it: nobody else could listen. Borrowed.
PyObject* logging_module() { return PyDict_GetItemString(PyImport_GetModuleDict(), "logging"); }

/// Whether the logger wants messages of debug level; a repeated request is worth a warning.
bool log_wants(const client::call& told) {
    static PyObject* is_enabled = nullptr;
    static PyObject* debug = nullptr;
    static PyObject* warning = nullptr;
    if (!is_enabled) {
        if (!logging_module()) return false;
        static lazy_import enabled("pabal._log", "is_enabled_for");
        if (!enabled.get()) return PyErr_Clear(), false;
        debug = PyLong_FromLong(10);
        warning = PyLong_FromLong(30);
        is_enabled = enabled.get();
    }
    const owned answer(PyObject_CallOneArg(is_enabled, told.was_repeated() ? warning : debug));
    if (!answer) PyErr_Clear();
    return answer.get() == Py_True;
}

}  // namespace

PyObject* trace_parts(const trace& of) {
    const clock::time_point zero = of.before.empty() ? of.last.times.submitted : of.before.front().times.submitted;
    const double ago = exchange_times::reached(zero) ? seconds(clock::now() - zero) : 0;
    const double now = std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
    const owned hops(PyList_New(0));
    if (!hops) return nullptr;
    const auto add = [&](const exchange_trace& each) {
        const owned parts(exchange_parts(each, zero));
        return parts && PyList_Append(hops.get(), parts.get()) == 0;
    };
    for (const exchange_trace& each : of.before) {
        if (!add(each)) return nullptr;
    }
    if (!add(of.last)) return nullptr;
    return Py_BuildValue("(dO)", now - ago, hops.get());
}

PyObject* make_failure(client::call& failed, const error& failure) {
    owned exception(make_exception(failure, failed.asked().method, failed.location().text()));
    if (!exception) return nullptr;
    const owned parts(trace_parts(failed.trace()));
    if (!parts || PyObject_SetAttrString(exception.get(), "_trace_parts", parts.get()) < 0) return nullptr;
    if (failed.response().status != 0 && PyObject_SetAttrString(exception.get(), "head_arrived", Py_True) < 0)
        return nullptr;
    return exception.release();
}

void log_call(client::call& told) {
    PyObject *type = nullptr, *value = nullptr, *traceback = nullptr;
    PyErr_Fetch(&type, &value, &traceback);
    if (log_wants(told)) {
        static lazy_import call_done("pabal._log", "call_done");
        const owned parts(trace_parts(told.trace()));
        const owned sent(make_headers(told.request.headers));
        const owned received(make_headers(told.response().headers));
        const owned message(told.failure() ? utf8(told.failure()->message) : Py_NewRef(Py_None));
        if (call_done.get() && parts && sent && received && message) {
            const owned done(PyObject_CallFunctionObjArgs(call_done.get(), parts.get(), sent.get(), received.get(),
                                                          message.get(), nullptr));
        }
        PyErr_Clear();
    }
    PyErr_Restore(type, value, traceback);
}

}  // namespace pabal::python

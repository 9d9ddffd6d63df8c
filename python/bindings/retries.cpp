#include "retries.hpp"

#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

namespace pabal::python {

namespace {

std::chrono::milliseconds from_seconds(nb::handle seconds) {
    return std::chrono::milliseconds(static_cast<long long>(nb::cast<double>(seconds) * 1000 + 0.5));
}

/// Retry.parts, which Retry has checked.
retry_policy from_parts(const nb::tuple& parts) {
    retry_policy out;
    out.total = nb::cast<int>(parts[0]);
    out.connect = nb::cast<std::optional<int>>(parts[1]);
    out.read = nb::cast<std::optional<int>>(parts[2]);
    out.status = nb::cast<std::optional<int>>(parts[3]);
    out.statuses = nb::cast<std::vector<int>>(parts[4]);
    out.methods = nb::cast<std::vector<std::string>>(parts[5]);
    out.backoff = from_seconds(parts[6]);
    out.jitter = nb::cast<double>(parts[7]);
    out.max_backoff = from_seconds(parts[8]);
    out.respect_retry_after = nb::cast<bool>(parts[9]);
    out.retry_after_cap = from_seconds(parts[10]);
    if (!parts[11].is_none()) out.budget = std::max(std::chrono::milliseconds{1}, from_seconds(parts[11]));
    return out;
}

}  // namespace

bool parse_retries(PyObject* value, std::shared_ptr<const retry_policy>& out, owned* kept) {
    static lazy_import retry_of("pabal.retry", "retry_of");
    if (!retry_of.get()) return false;
    owned made(PyObject_CallOneArg(retry_of.get(), value));
    if (!made) return false;
    out = nullptr;
    if (made.get() != Py_None) {
        const owned parts(PyObject_GetAttrString(made.get(), "parts"));
        if (!parts) return false;
        try {
            auto policy = from_parts(nb::borrow<nb::tuple>(parts.get()));
            if (policy.total > 0) out = std::make_shared<const retry_policy>(std::move(policy));
        } catch (const std::exception& error) {
            return PyErr_SetString(PyExc_TypeError, error.what()), false;
        }
    }
    if (kept) *kept = std::move(made);
    return true;
}

PyObject* make_attempts(std::span<const client::retried> attempts) {
    static lazy_import attempt("pabal.retry", "Attempt");
    owned list(PyList_New(0));
    if (!list || (!attempts.empty() && !attempt.get())) return nullptr;
    for (const client::retried& each : attempts) {
        const bool by_status = each.cause == client::retry_cause::status;
        const owned cause(text(client::name_of(each.cause)));
        const owned status(by_status ? PyLong_FromLong(each.status) : Py_NewRef(Py_None));
        const owned code(by_status ? Py_NewRef(Py_None) : text(pabal::name_of(each.code)));
        const owned wait(PyFloat_FromDouble(std::chrono::duration<double>(each.wait).count()));
        if (!cause || !status || !code || !wait) return nullptr;
        const owned made(
            PyObject_CallFunctionObjArgs(attempt.get(), cause.get(), status.get(), code.get(), wait.get(), nullptr));
        if (!made || PyList_Append(list.get(), made.get()) < 0) return nullptr;
    }
    return list.release();
}

}  // namespace pabal::python

#include "rate_limits.hpp"

#include <cmath>
#include <new>

#include <nanobind/stl/string_view.h>

#include "errors.hpp"
#include "options.hpp"

namespace pabal::python {

namespace {

/// The Python objects share their limiter with the sessions that use it. Copies and pickles are limiters of their own, which
/// begin as new ones do.
struct limiter {
    std::shared_ptr<rate_limiter> held;
    double rate = 0;
    std::size_t size = 0;  ///< burst or capacity
    std::size_t waiting = 0;
};
struct token_bucket_object : limiter {};
struct leaky_bucket_object : limiter {};

double checked_rate(nb::handle value) {
    if (PyBool_Check(value.ptr()) || !(PyFloat_Check(value.ptr()) || PyLong_Check(value.ptr()))) {
        PyErr_Format(PyExc_TypeError, "rate must be a number of requests per second, not %s",
                     Py_TYPE(value.ptr())->tp_name);
        throw_python();
    }
    double rate = PyFloat_AsDouble(value.ptr());
    if (rate == -1.0 && PyErr_Occurred()) {
        if (!PyErr_ExceptionMatches(PyExc_OverflowError)) throw_python();
        PyErr_Clear();
        rate = HUGE_VAL;
    }
    if (!(rate >= 1e-6 && rate <= 1e9)) {
        PyErr_Format(PyExc_ValueError, "rate must be from 0.000001 to 1,000,000,000 requests per second, not %R",
                     value.ptr());
        throw_python();
    }
    return rate;
}

std::size_t checked_count(nb::handle value, const char* name, long long least) {
    long long count = 0;
    if (!read_count(value.ptr(), name, least, 1'000'000'000, count)) throw_python();
    return static_cast<std::size_t>(count);
}

void make_token_bucket(token_bucket_object* self, nb::handle rate, nb::handle burst, nb::handle max_waiting) {
    const double each_second = checked_rate(rate);
    const std::size_t at_once = checked_count(burst, "burst", 1);
    const std::size_t waiting = checked_count(max_waiting, "max_waiting", 0);
    new (self) token_bucket_object{
        {std::make_shared<token_bucket>(each_second, at_once, waiting), each_second, at_once, waiting}};
}

void make_leaky_bucket(leaky_bucket_object* self, nb::handle rate, nb::handle capacity) {
    const double each_second = checked_rate(rate);
    const std::size_t waiting = checked_count(capacity, "capacity", 0);
    new (self)
        leaky_bucket_object{{std::make_shared<leaky_bucket>(each_second, waiting), each_second, waiting, waiting}};
}

std::shared_ptr<rate_limiter> limiter_of(nb::handle value) {
    if (!nb::isinstance<limiter>(value)) {
        PyErr_Format(PyExc_TypeError,
                     "rate_limit must be a TokenBucket, a LeakyBucket, a mapping of hosts to them, or None, not %s",
                     Py_TYPE(value.ptr())->tp_name);
        throw_python();
    }
    return nb::inst_ptr<limiter>(value)->held;
}

nb::object represent(limiter& self, const char* type) {
    const nb::float_ rate(self.rate);
    return nb::steal(checked(PyUnicode_FromFormat("%s(%R, %zu)", type, rate.ptr(), self.size)));
}

}  // namespace

std::shared_ptr<const client::rate_limits> rate_limits_of(nb::handle given) {
    if (given.is_none()) return nullptr;
    client::rate_limits out;
    if (!PyObject_HasAttrString(given.ptr(), "items")) {
        out.everywhere = limiter_of(given);
        return std::make_shared<const client::rate_limits>(std::move(out));
    }
    const auto places = nb::cast<nb::dict>(nb::module_::import_("builtins").attr("dict")(given));
    for (const auto& [key, value] : places) {
        if (!PyUnicode_Check(key.ptr())) {
            PyErr_Format(PyExc_TypeError, "a place in rate_limit must be str, not %s", Py_TYPE(key.ptr())->tp_name);
            throw_python();
        }
        std::string_view place;
        if (!read_utf8(key.ptr(), "a place in rate_limit", place)) throw_python();
        auto pattern = client::origin_pattern::parse(place);
        if (!pattern) {
            error failure = std::move(pattern).error();
            failure.message.insert(0, "rate_limit: ");
            throw_error(failure);
        }
        out.somewhere.add(std::move(*pattern), limiter_of(value));
    }
    return std::make_shared<const client::rate_limits>(std::move(out));
}

void add_rate_limit_types(nb::module_& module) {
    nb::class_<limiter>(module, "RateLimiter", "What TokenBucket and LeakyBucket have in common.")
        .def_prop_ro("rate", [](limiter& self) { return self.rate; });
    nb::class_<token_bucket_object, limiter>(module, "TokenBucket",
                                             "Up to `burst` requests at once, and `rate` a second in the long run.")
        .def("__init__", make_token_bucket, nb::arg("rate").none(), nb::arg("burst").none(), nb::kw_only(),
             nb::arg("max_waiting").none() = 10000)
        .def("__getstate__", [](limiter& self) { return nb::make_tuple(self.rate, self.size, self.waiting); })
        .def("__setstate__",
             [](token_bucket_object& self, const nb::tuple& state) {
                 if (state.size() != 3) throw nb::value_error("this is not the state of a TokenBucket");
                 make_token_bucket(&self, state[0], state[1], state[2]);
             })
        .def_prop_ro("burst", [](limiter& self) { return self.size; })
        .def("__repr__", [](limiter& self) { return represent(self, "TokenBucket"); });
    nb::class_<leaky_bucket_object, limiter>(module, "LeakyBucket",
                                             "Requests evenly spaced, `rate` a second; up to `capacity` of them wait.")
        .def("__init__", make_leaky_bucket, nb::arg("rate").none(), nb::arg("capacity").none())
        .def("__getstate__", [](limiter& self) { return nb::make_tuple(self.rate, self.size); })
        .def("__setstate__",
             [](leaky_bucket_object& self, const nb::tuple& state) {
                 if (state.size() != 2) throw nb::value_error("this is not the state of a LeakyBucket");
                 make_leaky_bucket(&self, state[0], state[1]);
             })
        .def_prop_ro("capacity", [](limiter& self) { return self.size; })
        .def("__repr__", [](limiter& self) { return represent(self, "LeakyBucket"); });
}

}  // namespace pabal::python

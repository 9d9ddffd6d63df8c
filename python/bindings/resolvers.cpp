#include "resolvers.hpp"

#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "dial/network.hpp"
#include "errors.hpp"

namespace pabal::python {

namespace {

/// SafeResolver.parts: (allow, deny, proxies_may_resolve).
std::shared_ptr<const safe_resolver> made_of(nb::handle parts) {
    const nb::tuple each(parts);
    safe_resolver_options options;
    options.allow = nb::cast<std::vector<std::string>>(each[0]);
    options.deny = nb::cast<std::vector<std::string>>(each[1]);
    options.proxies_may_resolve = nb::cast<bool>(each[2]);
    auto made = safe_resolver::make(options);
    if (!made) throw_error(made.error());
    return *made;
}

nb::object refusal(nb::handle parts, const std::string& literal) {
    const auto resolver = made_of(parts);
    const auto judged = dial::address::parse(literal);
    if (!judged)
        throw_error({error_code::invalid_argument, phase::prepare, culprit::caller, 0,
                     "refusal() takes an IP address, not a name: only what is connected to can be judged"});
    const auto rule = resolver->refusal(*judged);
    return rule ? nb::steal(checked(utf8(*rule))) : nb::none();
}

}  // namespace

std::shared_ptr<const safe_resolver> resolver_of(nb::handle given) {
    if (given.is_none()) return nullptr;
    static lazy_import type("pabal.config", "SafeResolver");
    if (!type.get()) throw_python();
    const int is_one = PyObject_IsInstance(given.ptr(), type.get());
    if (is_one < 0) throw_python();
    if (is_one == 0) {
        PyErr_Format(PyExc_TypeError, "resolver must be a SafeResolver or None, not %s", Py_TYPE(given.ptr())->tp_name);
        throw_python();
    }
    return made_of(given.attr("parts"));
}

void add_resolvers(nb::module_& module) {
    module.def("check_networks", [](nb::handle parts) { made_of(parts); });
    module.def("refusal", refusal);
}

}  // namespace pabal::python

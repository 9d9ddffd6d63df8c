#pragma once
/// \file
/// From what Python calls proxies — proxy=, proxies=, os.environ — to `pabal::proxy_rules`. What they mean is decided there.

#include <memory>

#include <pabal/proxy.hpp>

#include "support.hpp"

namespace pabal::python {

/// The rules that `proxy` (a URL or pabal.Proxy) or `proxies` (a mapping like requests') stand for; either may be null or
/// None, not both given. Null without an exception: neither was. Null with one: `InvalidArgument`.
std::shared_ptr<proxy_rules> rules_from(PyObject* proxy, PyObject* proxies);

/// The same in the shape that `Session.proxies` has: a new dict.
PyObject* make_proxies(PyObject* proxy, PyObject* proxies);

/// The rules of os.environ as it is now; null when it has none. False: an exception is set.
///
/// os.environ is read again only after it changed, and asking whether it did costs a comparison: CPython counts (3.11 and
/// older) or reports (3.12 and newer) the changes of the dict behind it.
bool environment_rules(std::shared_ptr<const proxy_rules>& out);

void add_proxies(nb::module_& module);

}  // namespace pabal::python

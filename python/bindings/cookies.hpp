#pragma once
/// \file
/// `pabal._engine.CookieJar` and `Cookie`: a mapping view of a shared RFC 6265bis jar.

#include <memory>

#include "client/shared_cookie_jar.hpp"
#include "support.hpp"

namespace pabal::python {

struct cookie_jar_object {
    std::shared_ptr<client::shared_cookie_jar> jar = std::make_shared<client::shared_cookie_jar>();
};

/// The CookieJar that was given, or a new one with what was given (None, mapping, pairs, http.cookiejar.CookieJar).
/// Throws.
PyObject* make_cookie_jar_from(PyObject* given);
PyObject* make_cookie_jar(std::shared_ptr<client::shared_cookie_jar> jar);
std::shared_ptr<client::shared_cookie_jar> jar_of(PyObject* object);

void add_cookie_types(nb::module_& module);

}  // namespace pabal::python

#pragma once
// The template part of session_defaults.hpp.

#include "alternatives.hpp"
#include "cookies.hpp"
#include "headers.hpp"
#include "options.hpp"
#include "proxies.hpp"
#include "retries.hpp"

namespace pabal::python {

template <class Session>
void define_defaults(nb::class_<Session>& type) {
    const auto object = [](const owned& held) { return nb::borrow(held ? held.get() : Py_None); };
    type.def_prop_rw(
            "headers", [object](Session& self) { return object(self.defaults().headers); },
            [](Session& self, nb::handle value) {
                fields lines;
                if (!append_headers(lines, value.ptr())) throw_python();
                self.defaults().headers = owned(make_headers(std::move(lines)));
                self.defaults().headers_seen = nullptr;
            })
        .def_prop_rw(
            "cookies", [object](Session& self) { return object(self.defaults().cookies); },
            [](Session& self, nb::handle value) { self.set_cookies(nb::steal(make_cookie_jar_from(value.ptr()))); })
        .def_prop_rw(
            "params", [object](Session& self) { return object(self.defaults().params); },
            [](Session& self, nb::handle value) { self.defaults().params = owned::borrow(value.ptr()); },
            nb::for_setter(nb::arg("value").none()))
        .def_prop_rw(
            "auth", [object](Session& self) { return object(self.defaults().auth); },
            [](Session& self, nb::handle value) { self.defaults().auth = owned::borrow(value.ptr()); },
            nb::for_setter(nb::arg("value").none()))
        .def_prop_rw(
            "verify", [](Session& self) { return nb::borrow(self.defaults().tls.verify()); },
            [](Session& self, nb::handle value) {
                if (!self.defaults().tls.set_verify(value.ptr())) throw_python();
            },
            nb::for_setter(nb::arg("value").none()))
        .def_prop_rw(
            "cert", [](Session& self) { return nb::borrow(self.defaults().tls.cert()); },
            [](Session& self, nb::handle value) {
                if (!self.defaults().tls.set_cert(value.ptr())) throw_python();
            },
            nb::for_setter(nb::arg("value").none()))
        .def_prop_rw(
            "proxies", [object](Session& self) { return object(self.defaults().proxies); },
            [](Session& self, nb::handle value) {
                self.defaults().proxies = owned(checked(make_proxies(nullptr, value.ptr())));
            },
            nb::for_setter(nb::arg("value").none()))
        .def_prop_rw(
            "timeout", [object](Session& self) { return object(self.defaults().timeout); },
            [](Session& self, nb::handle value) {
                if (!self.defaults().set_timeout(value.ptr())) throw_python();
            },
            nb::for_setter(nb::arg("value").none()))
        .def_prop_rw(
            "retries", [object](Session& self) { return object(self.defaults().retries); },
            [](Session& self, nb::handle value) {
                if (!parse_retries(value.ptr(), self.defaults().parsed_retries, &self.defaults().retries))
                    throw_python();
            },
            nb::for_setter(nb::arg("value").none()))
        .def_prop_rw(
            "_hooks", [object](Session& self) { return object(self.defaults().hooks); },
            [](Session& self, nb::handle value) {
                if (!self.defaults().set_hooks(value.ptr())) throw_python();
            },
            nb::for_setter(nb::arg("value").none()))
        .def_prop_rw(
            "base_url", [object](Session& self) { return object(self.defaults().base_url); },
            [](Session& self, nb::handle value) {
                if (!self.defaults().set_base_url(value.ptr())) throw_python();
            },
            nb::for_setter(nb::arg("value").none()))
        .def_prop_ro("limits", [object](Session& self) { return object(self.defaults().limits); })
        .def_prop_rw(
            "max_redirects", [](Session& self) { return self.defaults().max_redirects; },
            [](Session& self, nb::handle value) {
                if (!read_max_redirects(value.ptr(), self.defaults().max_redirects)) throw_python();
            },
            nb::for_setter(nb::arg("value").none()))
        .def_prop_rw(
            "trust_env", [](Session& self) { return self.defaults().trust_env; },
            [](Session& self, nb::handle value) {
                bool trusted = true;
                if (!read_flag(value.ptr(), "trust_env", trusted)) throw_python();
                self.defaults().set_trust_env(trusted);
                self.set_netrc(self.defaults().netrc);
            },
            nb::for_setter(nb::arg("value").none()))
        .def_prop_ro("rate_limit", [object](Session& self) { return object(self.defaults().rate_limit); })
        .def_prop_ro("http", [object](Session& self) { return object(self.defaults().http); })
        .def_prop_ro("encrypted_client_hello",
                     [object](Session& self) { return object(self.defaults().encrypted_hello); })
        .def_prop_ro("early_data", [object](Session& self) { return object(self.defaults().early_data); })
        .def_prop_ro("quic", [object](Session& self) { return object(self.defaults().quic); })
        .def_prop_ro("local_address", [object](Session& self) { return object(self.defaults().local_address); })
        .def_prop_ro("alternatives_file",
                     [](Session& self) { return path_of(self.defaults().alternatives_file.get()); })
        .def_prop_ro("resolver", [object](Session& self) { return object(self.defaults().resolver); });
}

}  // namespace pabal::python

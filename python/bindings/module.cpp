#include <nanobind/nanobind.h>

#include <pabal/url.hpp>
#include <pabal/version.hpp>

#include "auth.hpp"
#include "body_stream.hpp"
#include "bulk.hpp"
#include "cookies.hpp"
#include "demo_server.hpp"
#include "encoders.hpp"
#include "errors.hpp"
#include "files_of.hpp"
#include "headers.hpp"
#include "loop_driver.hpp"
#include "pending.hpp"
#include "proxies.hpp"
#include "rate_limits.hpp"
#include "resolvers.hpp"
#include "response.hpp"
#include "sessions.hpp"
#include "watch.hpp"

NB_MODULE(_engine, module) {
    using namespace pabal::python;
    module.doc() = "The engine, as the C++ module shows it; use it through the package pabal.";
    module.attr("__version__") = PABAL_VERSION;
    // Interpreter shutdown frees modules in no useful order; what nanobind would report then is no leak of a program.
    nb::set_leak_warnings(false);
    if (!add_pending_types(module.ptr()) || !add_loop_driver_type(module.ptr()) ||
        !add_body_iterator_type(module.ptr()))
        throw nb::python_error();
    add_headers_type(module);
    add_cookie_types(module);
    add_auth_types(module);
    add_rate_limit_types(module);
    add_response_type(module);
    add_bulk_type(module);
    add_proxies(module);
    add_resolvers(module);
    add_encoder_type(module);
    add_sync_session(module);
    add_async_session(module);
    add_demo_server(module);
    add_watch(module);
    add_files_of(module);
    module.def(
        "join_url",
        [](nb::str base, nb::str reference) {
            if (auto whole = pabal::url::parse(reference.c_str())) return nb::steal(utf8(whole->text()));
            const auto root = pabal::url::parse(base.c_str());
            if (!root) throw_error(root.error());
            const auto joined = pabal::resolve(*root, reference.c_str());
            if (!joined) throw_error(joined.error());
            return nb::steal(utf8(joined->text()));
        },
        "The reference as it is if it is absolute, else against the base (RFC 3986 section 5.2).");
}

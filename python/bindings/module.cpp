#include <nanobind/nanobind.h>

#include <pabal/version.hpp>

#include "auth.hpp"
#include "body_stream.hpp"
#include "cookies.hpp"
#include "demo_server.hpp"
#include "headers.hpp"
#include "loop_driver.hpp"
#include "pending.hpp"
#include "proxies.hpp"
#include "rate_limits.hpp"
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
    add_proxies(module);
    add_sync_session(module);
    add_async_session(module);
    add_demo_server(module);
    add_watch(module);
}

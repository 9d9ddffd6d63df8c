#include "demo_server.hpp"

#include <nanobind/stl/string.h>

#include "errors.hpp"
#include "quic.hpp"
#include "server/demo_server.hpp"

namespace pabal::python {

void add_demo_server(nb::module_& module) {
    using server_demo::demo_server;
    struct running_demo {
        std::unique_ptr<demo_server> server;
    };
    nb::class_<running_demo>(module, "DemoServer",
                             "The embedded price server of `pabal demo`, on 127.0.0.1, on a thread of its own.")
        .def(
            "__init__",
            [](running_demo* self, std::uint16_t port, bool tls, nb::handle quic) {
                auto started = demo_server::start(port, tls, quic_options_of(quic));
                if (!started) throw_error(started.error());
                new (self) running_demo{std::move(*started)};
            },
            nb::arg("port") = 0, nb::arg("tls") = true, nb::arg("quic") = nb::none())
        .def_prop_ro("port", [](const running_demo& self) { return self.server->port(); })
        .def_prop_ro("certificate_pem", [](const running_demo& self) { return self.server->certificate_pem(); })
        .def("stop", [](running_demo& self) {
            const nb::gil_scoped_release released;
            self.server->stop();
        });
}

}  // namespace pabal::python

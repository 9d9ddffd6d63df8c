#include "server/demo_server.hpp"

#include <array>
#include <utility>

#include "transport/throw_away_certificate.hpp"

namespace pabal::server_demo {

result<std::unique_ptr<demo_server>> demo_server::start(std::uint16_t port, bool tls, quic_options quic) {
    auto made = std::make_unique<demo_server>();
    server_options options;
    options.port = port;
    options.quic = std::move(quic);
    options.early_data = true;  // nothing here remembers anything
    if (tls) {
        const std::array<std::string, 3> names{"localhost", "127.0.0.1", "::1"};
        auto certificate = transport::self_signed_certificate(names);
        if (!certificate) return std::move(certificate).error();
        made->certificate_ = certificate->certificate;
        tls_server_options identity;
        identity.certificate = certificate->certificate;
        identity.key = certificate->key;
        options.tls = std::move(identity);
    }
    auto listening = server::make(made->application_, options);
    if (!listening) return std::move(listening).error();
    made->server_ = std::move(*listening);
    made->application_.serve_on(*made->server_);
    made->server_->start();
    return made;
}

}  // namespace pabal::server_demo

#include "transport/throw_away_certificate.hpp"
#include "transport/tls_support.hpp"

using namespace pabal;
using namespace pabal::transport;
using namespace pabal::transport::testing;

namespace {

TEST(throw_away_certificates, serve_every_name_asked_for) {
    const std::string names[] = {"localhost", "127.0.0.1", "::1", "quotes.example"};
    const auto made = self_signed_certificate(names);
    ASSERT_TRUE(made);
    tls_server_options server;
    server.certificate = made->certificate;
    server.key = made->key;
    const temporary_folder folder;
    tls_options options;
    options.ca_file = folder.add("ca.pem", made->certificate);
    for (const std::string& name : names) {
        tls_link link{tls_context::make_client(options).value(), tls_context::make_server(server).value(), {name, ""}};
        const auto failure = link.shake_hands();
        EXPECT_FALSE(failure) << failure->message;
    }
    EXPECT_FALSE(self_signed_certificate({}));
}

}  // namespace

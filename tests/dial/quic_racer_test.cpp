// Dials over QUIC, against nghttp3's server on a real socket.

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "connection/http3_host.hpp"
#include "dial/dial_support.hpp"
#include "dial/hello_keys.hpp"
#include "dial/network_dialer.hpp"

namespace pabal::dial {
namespace {

using namespace testing;
using connection::testing::http3_host;

struct quic_caller final : dial_observer {
    std::unique_ptr<connection::http3_link> link;
    transport::transport_ptr transport;
    std::optional<error> failure;
    dial_timings timings;
    bool done() const { return link || transport || failure; }

    void on_dialed(transport::transport_ptr connected, const dial_timings&) override {
        transport = std::move(connected);
    }
    void on_linked(std::unique_ptr<connection::http3_link> made, const dial_timings& took) override {
        link = std::move(made);
        timings = took;
    }
    void on_dial_failed(error why) override { failure = std::move(why); }
    void on_hello_rejected(std::string keys) override { told_to_encrypt_with = std::move(keys); }
    std::optional<std::string> told_to_encrypt_with;
};

std::uint16_t port_of(const transport::socket_address& address) {
    return ntohs(reinterpret_cast<const sockaddr_in*>(address.get())->sin_port);
}

class quic_dial : public ::testing::Test {
protected:
    target to(std::uint16_t port, bool verify = false) {
        tls_options options;
        options.verify = verify;
        target made;
        made.host = "127.0.0.1";
        made.port = port;
        made.tls = transport::tls_context::make_client(options).value();
        made.over_quic = true;
        return made;
    }
    void dial(const target& there, const dial_limits& limits = {}) {
        attempt_ = dialer_.dial(there, limits, caller_);
        EXPECT_FALSE(caller_.done()) << "nobody is told from inside dial";
        ASSERT_TRUE(turn_until(reactor_, [&] { return caller_.done(); }, 20s));
    }

    reactor::reactor reactor_{reactor::make_poller().value()};
    network_dialer dialer_{reactor_};
    quic_caller caller_;
    std::unique_ptr<attempt> attempt_;
};

TEST_F(quic_dial, ends_with_a_link_that_is_established) {
    http3_host host(reactor_);
    dial(to(port_of(host.address)));
    ASSERT_TRUE(caller_.link) << (caller_.failure ? caller_.failure->message : "");
    EXPECT_TRUE(caller_.link->is_established());
    EXPECT_GT(caller_.timings.connect.count(), 0);
    attempt_.reset();  // the link lives on
    EXPECT_EQ(caller_.link->describe().application_protocol, "h3");
    caller_.link.reset();
}

TEST_F(quic_dial, encrypts_its_client_hello_with_the_keys_it_was_given) {
    http3_host host(reactor_);
    const hello_keys keys(7, "front.example");
    keys.give_to(SSL_get_SSL_CTX(host.tls()));
    target there = to(port_of(host.address));
    there.server_name = "quotes.example";
    there.encrypted_hello_keys = keys.published();
    dial(there);
    ASSERT_TRUE(caller_.link) << (caller_.failure ? caller_.failure->message : "");
    EXPECT_TRUE(caller_.link->describe().encrypted_client_hello);
    caller_.link.reset();
}

TEST_F(quic_dial, hears_what_to_encrypt_with_instead) {
    http3_host host(reactor_);
    const hello_keys current(7, "front.example");
    current.give_to(SSL_get_SSL_CTX(host.tls()));
    target there = to(port_of(host.address));
    there.server_name = "quotes.example";
    there.encrypted_hello_keys = hello_keys(8, "front.example").published();
    dial(there);
    ASSERT_TRUE(caller_.failure);
    EXPECT_EQ(caller_.failure->code, error_code::tls_handshake_failed);
    EXPECT_EQ(caller_.told_to_encrypt_with, current.published());
}

TEST_F(quic_dial, what_tls_says_of_one_address_ends_it) {
    http3_host host(reactor_);
    dial(to(port_of(host.address), true));
    ASSERT_TRUE(caller_.failure);
    EXPECT_EQ(caller_.failure->code, error_code::certificate_untrusted);
    EXPECT_EQ(caller_.failure->where, phase::tls);
}

TEST_F(quic_dial, to_where_nobody_listens_is_refused) {
    http3_host host(reactor_);
    host.go_deaf();
    dial(to(port_of(host.address)));
    ASSERT_TRUE(caller_.failure);
    EXPECT_EQ(caller_.failure->code, error_code::connection_refused);
    EXPECT_EQ(caller_.failure->where, phase::connect);
}

TEST_F(quic_dial, to_where_nobody_answers_runs_into_the_limit_for_connecting) {
    const reactor::descriptor silent(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    transport::socket_address address = transport::ip_address("127.0.0.1", 0).value();
    ASSERT_EQ(::bind(silent.get(), address.get(), address.size), 0);
    ASSERT_EQ(::getsockname(silent.get(), address.get(), &address.size), 0);
    dial(to(port_of(address)), {.connect = 100ms});
    ASSERT_TRUE(caller_.failure);
    EXPECT_EQ(caller_.failure->code, error_code::timed_out);
    EXPECT_EQ(caller_.failure->where, phase::connect);
}

TEST_F(quic_dial, wins_where_an_https_record_names_it_and_tcp_does_not_get_on) {
    std::optional<http3_host> host;
    reactor::descriptor listening;  // TCP's on the same port, where nobody else has that
    for (int tries = 0; tries < 16 && !listening.is_open(); ++tries) {
        host.emplace(reactor_);
        listening = reactor::descriptor(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        if (::bind(listening.get(), host->address.get(), host->address.size) != 0) listening.reset();
    }
    ASSERT_TRUE(listening.is_open());
    ASSERT_EQ(::listen(listening.get(), 8), 0);  // accepted by the system, and never answered
    const std::uint16_t port = port_of(host->address);
    fake_name_server names(reactor_);
    names.zones["quotes.example"] = {.ipv4 = {"127.0.0.1"}};
    names.zones["_" + std::to_string(port) + "._https.quotes.example"] = {
        .services = {fake_name_server::service(1, "quotes.example", fake_name_server::parameter(1, "\2h3"))}};
    network_dialer dialer(reactor_,
                          std::make_unique<cares_resolver>(
                              reactor_, resolver_options{.servers = names.address(), .hosts_path = "/dev/null"}));
    target there = to(port);
    there.host = "quotes.example";
    there.over_quic = false;
    there.alternatives = std::make_shared<alternative_cache>();
    attempt_ = dialer.dial(there, {}, caller_);
    ASSERT_TRUE(turn_until(reactor_, [&] { return caller_.done(); }, 20s));
    ASSERT_TRUE(caller_.link) << (caller_.failure ? caller_.failure->message : "TCP won");
    EXPECT_TRUE(there.alternatives->find("quotes.example", port, "h3", std::chrono::system_clock::now()));
    attempt_.reset();
    caller_.link.reset();
}

}  // namespace
}  // namespace pabal::dial

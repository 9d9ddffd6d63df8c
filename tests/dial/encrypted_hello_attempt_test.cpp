// Encrypted ClientHello, against BoringSSL's server on real sockets, its keys published by a name server.

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include "dial/dial_support.hpp"
#include "dial/hello_keys.hpp"
#include "dial/network_dialer.hpp"
#include "transport/listener.hpp"
#include "transport/throw_away_certificate.hpp"
#include "transport/tls_transport.hpp"

namespace pabal::dial {
namespace {

using namespace testing;

class encrypted_hello : public ::testing::Test, private transport::accept_observer {
protected:
    encrypted_hello() {
        const std::string names[] = {"quotes.example", "front.example"};
        identity_ = transport::self_signed_certificate(names).value();
        tls_server_options options;
        options.certificate = identity_.certificate;
        options.key = identity_.key;
        server_ = transport::tls_context::make_server(options).value();
        listener_ = transport::listener::tcp(reactor_, "127.0.0.1", 0, *this).value();
        names_.zones["quotes.example"] = {.ipv4 = {"127.0.0.1"}};
    }
    void publish(const std::string& keys) {
        names_.zones["_" + std::to_string(listener_->port()) + "._https.quotes.example"] = {
            .services = {fake_name_server::service(1, "", fake_name_server::parameter(5, keys))}};
    }
    target to(encrypted_client_hello when) {
        const auto path = std::filesystem::temp_directory_path() / ("pabal-ech-" + std::to_string(::getpid()) + ".pem");
        std::ofstream{path} << identity_.certificate;
        tls_options options;
        options.ca_file = path.string();
        options.encrypted_hello = when;
        target made{.host = "quotes.example", .port = listener_->port()};
        made.tls = transport::tls_context::make_client(options).value();
        std::filesystem::remove(path);
        return made;
    }
    void dial(const target& there, const dial_limits& limits = {}) {
        reactor_.refresh_now();
        who_.inside_dial = true;
        attempt_ = dialer_.dial(there, limits, who_);
        who_.inside_dial = false;
        ASSERT_TRUE(turn_until(reactor_, [&] { return who_.done(); }, 20s));
        EXPECT_EQ(who_.calls, 1);
    }
    bool is_encrypted() { return who_.connected && who_.connected->describe().encrypted_client_hello; }
    std::string failure() { return who_.failure ? who_.failure->message : ""; }

    reactor::reactor reactor_{reactor::make_poller().value()};
    fake_name_server names_{reactor_};
    network_dialer dialer_{reactor_,
                           std::make_unique<cares_resolver>(
                               reactor_, resolver_options{.servers = names_.address(), .hosts_path = "/dev/null"})};
    transport::tls_context_ptr server_;
    std::size_t handshakes_ = 0;
    caller who_;
    hello_keys current_{7, "front.example"};

private:
    struct peer final : transport::transport_observer {
        std::unique_ptr<transport::tls_transport> tls;
        void on_transport_ready(transport::readiness) override { (void)tls->handshake(); }
    };
    void on_accepted(transport::transport_ptr accepted) override {
        ++handshakes_;
        auto made = std::make_unique<peer>();
        made->tls = transport::tls_transport::accept(std::move(accepted), server_).value();
        made->tls->observe(made.get());
        peers_.push_back(std::move(made));
    }

    transport::throw_away_certificate identity_;
    std::unique_ptr<transport::listener> listener_;
    std::vector<std::unique_ptr<peer>> peers_;
    std::unique_ptr<attempt> attempt_;
};

TEST_F(encrypted_hello, uses_the_key_that_the_https_record_publishes) {
    current_.give_to(server_->native());
    publish(current_.published());
    dial(to(encrypted_client_hello::when_offered));
    EXPECT_TRUE(is_encrypted()) << failure();
    EXPECT_EQ(handshakes_, 1U);
}

TEST_F(encrypted_hello, is_not_needed_where_somebody_is_already) {
    publish(current_.published());
    const target there = to(encrypted_client_hello::required);
    who_.has = address::parse("127.0.0.1")->with_port(there.port);
    dial(there);
    EXPECT_TRUE(who_.reached) << failure();
    EXPECT_EQ(handshakes_, 0U);
}

TEST_F(encrypted_hello, is_not_asked_for_by_default) {
    current_.give_to(server_->native());
    publish(current_.published());
    dial(to(encrypted_client_hello::never));
    ASSERT_TRUE(who_.connected) << failure();
    EXPECT_FALSE(is_encrypted());
    for (const std::string& question : names_.questions) EXPECT_FALSE(question.starts_with("HTTPS"));
}

TEST_F(encrypted_hello, tries_again_with_the_key_that_the_server_has_now) {
    current_.give_to(server_->native());
    publish(hello_keys(8, "front.example").published());
    dial(to(encrypted_client_hello::required));
    EXPECT_TRUE(is_encrypted()) << failure();
    EXPECT_EQ(handshakes_, 2U);
}

TEST_F(encrypted_hello, goes_on_in_the_clear_where_the_server_has_no_keys_any_more) {
    publish(current_.published());
    dial(to(encrypted_client_hello::when_offered));
    ASSERT_TRUE(who_.connected) << failure();
    EXPECT_FALSE(is_encrypted());
    EXPECT_EQ(handshakes_, 2U);
}

TEST_F(encrypted_hello, is_an_error_where_the_server_has_no_keys_any_more_and_it_is_required) {
    publish(current_.published());
    dial(to(encrypted_client_hello::required));
    ASSERT_TRUE(who_.failure);
    EXPECT_EQ(who_.failure->code, error_code::unsupported);
    EXPECT_EQ(who_.failure->whose, culprit::peer);
    EXPECT_EQ(handshakes_, 1U) << "the name was not told in the clear";
}

TEST_F(encrypted_hello, believes_a_rejection_only_from_whom_the_keys_name) {
    publish(hello_keys(8, "stranger.example").published());
    dial(to(encrypted_client_hello::when_offered));
    ASSERT_TRUE(who_.failure);
    EXPECT_EQ(who_.failure->code, error_code::certificate_wrong_host) << failure();
    EXPECT_EQ(handshakes_, 1U) << "whoever answered did not learn the name";
}

TEST_F(encrypted_hello, is_in_the_clear_where_no_record_publishes_a_key) {
    dial(to(encrypted_client_hello::when_offered));
    ASSERT_TRUE(who_.connected) << failure();
    EXPECT_FALSE(is_encrypted());
}

TEST_F(encrypted_hello, is_an_error_where_it_is_required_and_no_record_publishes_a_key) {
    dial(to(encrypted_client_hello::required));
    ASSERT_TRUE(who_.failure);
    EXPECT_EQ(who_.failure->code, error_code::unsupported);
    EXPECT_NE(failure().find("publishes no key"), std::string::npos) << failure();
    EXPECT_EQ(handshakes_, 0U);
}

TEST_F(encrypted_hello, is_an_error_where_it_is_required_and_all_keys_are_of_unknown_kinds) {
    // RFC 9849 section 4: a version that is not known is skipped by its length.
    publish(std::string{"\0\6\xff\xff\0\2\1\2", 8});
    dial(to(encrypted_client_hello::required));
    ASSERT_TRUE(who_.failure);
    EXPECT_EQ(who_.failure->code, error_code::unsupported);
    EXPECT_NE(failure().find("of a kind that is known"), std::string::npos) << failure();
}

TEST_F(encrypted_hello, is_an_error_where_the_keys_are_malformed) {
    publish("nonsense");
    dial(to(encrypted_client_hello::when_offered));
    ASSERT_TRUE(who_.failure);
    EXPECT_EQ(who_.failure->code, error_code::tls_handshake_failed);
    EXPECT_NE(failure().find("malformed"), std::string::npos) << failure();
}

TEST_F(encrypted_hello, is_an_error_for_addresses_where_it_is_required) {
    target there = to(encrypted_client_hello::required);
    there.host = "127.0.0.1";
    dial(there);
    ASSERT_TRUE(who_.failure);
    EXPECT_EQ(who_.failure->code, error_code::unsupported);
    EXPECT_TRUE(names_.questions.empty());
}

TEST_F(encrypted_hello, through_a_proxy_nobody_asks_the_dns) {
    target there = to(encrypted_client_hello::required);
    there.proxy = std::make_shared<const proxy>(*proxy::parse("http://127.0.0.1:9"));
    dial(there);
    ASSERT_TRUE(who_.failure);
    EXPECT_EQ(who_.failure->code, error_code::unsupported);
    EXPECT_NE(failure().find("through a proxy"), std::string::npos) << failure();
    EXPECT_TRUE(names_.questions.empty());
}

TEST_F(encrypted_hello, a_silent_name_server_is_waited_for_as_long_as_resolving_may_take) {
    names_.zones["_" + std::to_string(to(encrypted_client_hello::never).port) + "._https.quotes.example"] = {.silent =
                                                                                                                 true};
    dial(to(encrypted_client_hello::required), {.resolve = 100ms});
    ASSERT_TRUE(who_.failure);
    EXPECT_EQ(who_.failure->code, error_code::timed_out);
    EXPECT_EQ(who_.failure->where, phase::resolve);
}

TEST_F(encrypted_hello, a_silent_name_server_is_as_good_as_one_without_keys) {
    names_.zones["_" + std::to_string(to(encrypted_client_hello::never).port) + "._https.quotes.example"] = {.silent =
                                                                                                                 true};
    dial(to(encrypted_client_hello::when_offered), {.resolve = 100ms});
    ASSERT_TRUE(who_.connected) << failure();
    EXPECT_FALSE(is_encrypted());
}

}  // namespace
}  // namespace pabal::dial

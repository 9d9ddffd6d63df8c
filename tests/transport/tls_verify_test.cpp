// Each way a certificate can be wrong has its own code, and a message that tells a person what to do.

#include "transport/tls_support.hpp"
#include "transport/tls_verify.hpp"

using namespace pabal;
using namespace pabal::transport;
using namespace pabal::transport::testing;

namespace {

class certificate_verification : public ::testing::Test {
protected:
    /// What a client that trusts only `trusted_` says of a server with this chain.
    std::optional<error> verdict(const made_certificate& leaf, const std::string& host = "quotes.example",
                                 const std::string& intermediates = {}, bool verify = true) {
        tls_options options;
        options.ca_file = folder_.add("ca.pem", trusted_);
        options.verify = verify;
        const auto client = tls_context::make_client(options);
        EXPECT_TRUE(client) << client.error().message;
        tls_link link{*client, server_context(leaf, intermediates), {host, ""}};
        std::optional<error> failure = link.shake_hands();
        if (!failure) return failure;
        EXPECT_EQ(failure->where, phase::tls);
        EXPECT_EQ(failure->whose, culprit::peer);
        EXPECT_EQ(link.client->handshake().error().code, failure->code) << "the error is repeated";
        const auto of_server = link.read_all(*link.server);
        EXPECT_TRUE(of_server.failure && of_server.failure->message.find("alert") != std::string::npos)
            << "the server is told";
        return failure;
    }
    static tls_context_ptr context_trusting_all() {
        tls_options options;
        options.verify = false;
        return tls_context::make_client(options).value();
    }
    static bool mentions(const std::optional<error>& failure, std::string_view words) {
        return failure && failure->message.find(words) != std::string::npos;
    }

    temporary_folder folder_;
    made_certificate authority_ = make_authority();
    std::string trusted_ = authority_.pem;
};

TEST_F(certificate_verification, accepts_a_good_certificate) {
    EXPECT_FALSE(verdict(make_certificate({}, &authority_)));
}

TEST_F(certificate_verification, tells_for_whom_a_certificate_is) {
    const auto made = make_certificate({.dns_names = {"quotes.example", "*.books.example"}}, &authority_);
    tls_link link{context_trusting_all(), server_context(made, {}), {"quotes.example", ""}};
    ASSERT_FALSE(link.shake_hands());
    const std::string certificate = link.client->describe().peer_certificate;
    for (const char* host : {"quotes.example", "QUOTES.example", "new.books.example"})
        EXPECT_TRUE(is_certificate_for(certificate, host)) << host;
    for (const char* host : {"other.example", "books.example", "a.b.books.example", "127.0.0.1", ""})
        EXPECT_FALSE(is_certificate_for(certificate, host)) << host;
    EXPECT_FALSE(is_certificate_for("", "quotes.example"));
    EXPECT_FALSE(is_certificate_for("nonsense", "quotes.example"));
}

TEST_F(certificate_verification, says_when_a_certificate_expired) {
    const auto failure = verdict(make_certificate({.begins = -7200, .ends = -3600}, &authority_));
    ASSERT_TRUE(failure);
    EXPECT_EQ(failure->code, error_code::certificate_expired);
    EXPECT_TRUE(mentions(failure, "certificate of quotes.example expired on ")) << failure->message;
}

TEST_F(certificate_verification, says_from_when_a_certificate_is_valid) {
    const auto failure = verdict(make_certificate({.begins = 3600, .ends = 7200}, &authority_));
    ASSERT_TRUE(failure);
    EXPECT_EQ(failure->code, error_code::certificate_not_yet_valid);
    EXPECT_TRUE(mentions(failure, "not valid before")) << failure->message;
}

TEST_F(certificate_verification, names_the_hosts_a_certificate_is_for) {
    const auto failure = verdict(
        make_certificate({.dns_names = {"a.example", "*.b.example"}, .ip_addresses = {"192.0.2.7"}}, &authority_),
        "c.example");
    ASSERT_TRUE(failure);
    EXPECT_EQ(failure->code, error_code::certificate_wrong_host);
    EXPECT_TRUE(mentions(failure, "is for a.example, *.b.example, 192.0.2.7, not for c.example")) << failure->message;
}

TEST_F(certificate_verification, shows_only_some_of_many_names) {
    certificate_wish wish{.dns_names = {}};
    for (int index = 0; index < 50; ++index) wish.dns_names.push_back(std::to_string(index) + ".example");
    EXPECT_TRUE(
        mentions(verdict(make_certificate(wish, &authority_)), "5.example and 44 more, not for quotes.example"));
}

TEST_F(certificate_verification, does_not_fall_back_to_the_common_name) {
    const auto failure = verdict(make_certificate({.dns_names = {}}, &authority_));
    ASSERT_TRUE(failure);
    EXPECT_EQ(failure->code, error_code::certificate_wrong_host);
    EXPECT_TRUE(mentions(failure, "names no host at all")) << failure->message;
}

TEST_F(certificate_verification, matches_a_wildcard_for_exactly_one_label) {
    const auto wildcard = make_certificate({.dns_names = {"*.example.org"}}, &authority_);
    EXPECT_FALSE(verdict(wildcard, "a.example.org"));
    EXPECT_FALSE(verdict(wildcard, "A.Example.ORG"));
    EXPECT_TRUE(verdict(wildcard, "a.b.example.org"));
    EXPECT_TRUE(verdict(wildcard, "example.org"));
    EXPECT_TRUE(verdict(make_certificate({.dns_names = {"a*.example.org"}}, &authority_), "ab.example.org"))
        << "no partial wildcards";
}

TEST_F(certificate_verification, ignores_the_root_dot_of_a_name) {
    EXPECT_FALSE(verdict(make_certificate({}, &authority_), "quotes.example."));
}

TEST_F(certificate_verification, verifies_ip_addresses_as_addresses) {
    const auto by_address = make_certificate({.dns_names = {}, .ip_addresses = {"127.0.0.1", "::1"}}, &authority_);
    EXPECT_FALSE(verdict(by_address, "127.0.0.1"));
    EXPECT_FALSE(verdict(by_address, "::1"));
    EXPECT_EQ(verdict(by_address, "127.0.0.2")->code, error_code::certificate_wrong_host);
    const auto by_name = make_certificate({.dns_names = {"127.0.0.1"}}, &authority_);
    EXPECT_EQ(verdict(by_name, "127.0.0.1")->code, error_code::certificate_wrong_host) << "a DNS name is no address";
}

TEST_F(certificate_verification, recognises_a_self_signed_certificate) {
    const auto failure = verdict(make_certificate({}));
    ASSERT_TRUE(failure);
    EXPECT_EQ(failure->code, error_code::certificate_self_signed);
    EXPECT_TRUE(mentions(failure, "self-signed")) << failure->message;
}

TEST_F(certificate_verification, trusts_a_self_signed_certificate_that_is_in_the_bundle) {
    const auto own = make_certificate({});
    trusted_ = own.pem;
    EXPECT_FALSE(verdict(own));
}

TEST_F(certificate_verification, names_the_unknown_issuer) {
    const auto stranger = make_authority("Strange Root");
    const auto failure = verdict(make_certificate({}, &stranger));
    ASSERT_TRUE(failure);
    EXPECT_EQ(failure->code, error_code::certificate_untrusted);
    EXPECT_TRUE(mentions(failure, "Strange Root")) << failure->message;
    const auto with_root = verdict(make_certificate({}, &stranger), "quotes.example", stranger.pem);
    ASSERT_TRUE(with_root);
    EXPECT_EQ(with_root->code, error_code::certificate_untrusted);
    EXPECT_TRUE(mentions(with_root, "descends from 'Strange Root'")) << with_root->message;
}

TEST_F(certificate_verification, needs_the_intermediates_from_the_server) {
    const auto intermediate =
        make_certificate({.dns_names = {}, .common_name = "Middle", .is_authority = true}, &authority_);
    const auto leaf = make_certificate({}, &intermediate);
    EXPECT_FALSE(verdict(leaf, "quotes.example", intermediate.pem));
    EXPECT_EQ(verdict(leaf)->code, error_code::certificate_untrusted);
    trusted_ = intermediate.pem;
    EXPECT_FALSE(verdict(leaf)) << "an intermediate may be trusted by itself";
}

TEST_F(certificate_verification, says_when_an_intermediate_expired) {
    const auto intermediate = make_certificate(
        {.dns_names = {}, .common_name = "Middle", .begins = -7200, .ends = -3600, .is_authority = true}, &authority_);
    const auto failure = verdict(make_certificate({}, &intermediate), "quotes.example", intermediate.pem);
    ASSERT_TRUE(failure);
    EXPECT_EQ(failure->code, error_code::certificate_expired);
    EXPECT_TRUE(mentions(failure, "issuer 'Middle' expired")) << failure->message;
}

TEST_F(certificate_verification, refuses_a_leaf_that_issues_certificates) {
    const auto not_an_authority = make_certificate({.dns_names = {"evil.example"}, .common_name = "evil"}, &authority_);
    const auto failure = verdict(make_certificate({}, &not_an_authority), "quotes.example", not_an_authority.pem);
    ASSERT_TRUE(failure);
    EXPECT_EQ(failure->code, error_code::certificate_untrusted) << failure->message;
}

TEST_F(certificate_verification, refuses_a_client_certificate_as_a_servers) {
    const auto failure = verdict(make_certificate({.for_clients = true}, &authority_));
    ASSERT_TRUE(failure);
    EXPECT_EQ(failure->code, error_code::certificate_invalid) << failure->message;
}

TEST_F(certificate_verification, accepts_anything_when_told_so) {
    EXPECT_FALSE(verdict(make_certificate({.begins = -7200, .ends = -3600}), "wrong.example", {}, false));
}

}  // namespace

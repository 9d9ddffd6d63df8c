#include <thread>

#include "transport/tls_context.hpp"
#include "transport/tls_session_cache.hpp"
#include "transport/tls_support.hpp"
#include "transport/tls_trust.hpp"

using namespace pabal;
using namespace pabal::transport;
using namespace pabal::transport::testing;

namespace {

/// Tests must not depend on what the machine's environment names.
class tls_contexts : public ::testing::Test {
protected:
    tls_options trusting(const std::string& file) {
        tls_options options;
        options.ca_file = file;
        return options;
    }
    temporary_folder folder_;
    made_certificate authority_ = make_authority();
    scoped_variable no_requests_bundle_{"REQUESTS_CA_BUNDLE", nullptr};
    scoped_variable no_curl_bundle_{"CURL_CA_BUNDLE", nullptr};
    scoped_variable no_file_{"SSL_CERT_FILE", nullptr};
    scoped_variable no_directory_{"SSL_CERT_DIR", nullptr};
    scoped_variable no_log_{"SSLKEYLOGFILE", nullptr};
};

TEST_F(tls_contexts, equal_options_share_a_context) {
    const auto options = trusting(folder_.add("ca.pem", authority_.pem));
    const auto one = tls_context::make_client(options);
    const auto two = tls_context::make_client(options);
    ASSERT_TRUE(one && two);
    EXPECT_EQ(*one, *two);
}

TEST_F(tls_contexts, options_that_differ_do_not_share) {
    const auto options = trusting(folder_.add("ca.pem", authority_.pem));
    const auto verified = tls_context::make_client(options);
    auto other = options;
    other.verify = false;
    const auto unverified = tls_context::make_client(other);
    auto h2 = options;
    h2.application_protocols = {"h2", "http/1.1"};
    const auto with_h2 = tls_context::make_client(h2);
    ASSERT_TRUE(verified && unverified && with_h2);
    EXPECT_NE(*verified, *unverified);
    EXPECT_NE(*verified, *with_h2);
    EXPECT_TRUE((*verified)->verifies_peer());
    EXPECT_FALSE((*unverified)->verifies_peer());
}

TEST_F(tls_contexts, a_bundle_is_parsed_once) {
    const auto file = folder_.add("ca.pem", authority_.pem);
    const std::size_t before = trust_sources_parsed();
    std::vector<std::thread> threads;
    for (int index = 0; index < 4; ++index) {
        threads.emplace_back([&, index] {
            auto options = trusting(file);
            options.application_protocols = {"protocol-" + std::to_string(index)};
            EXPECT_TRUE(tls_context::make_client(options));
        });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(trust_sources_parsed() - before, 1U);
}

TEST_F(tls_contexts, a_replaced_bundle_is_read_anew) {
    const auto options = trusting(folder_.add("ca.pem", authority_.pem));
    const auto one = tls_context::make_client(options);
    folder_.add("ca.pem", authority_.pem + make_authority("Another").pem);
    const auto two = tls_context::make_client(options);
    ASSERT_TRUE(one && two);
    EXPECT_NE(*one, *two);
}

TEST_F(tls_contexts, name_a_bundle_that_cannot_be_read) {
    const auto missing = tls_context::make_client(trusting(folder_.path() + "/none.pem"));
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().code, error_code::trust_store_unreadable);
    EXPECT_NE(missing.error().message.find("none.pem"), std::string::npos) << missing.error().message;
    const auto empty = tls_context::make_client(trusting(folder_.add("empty.pem", "nothing here")));
    ASSERT_FALSE(empty);
    EXPECT_EQ(empty.error().code, error_code::trust_store_unreadable);
    EXPECT_NE(empty.error().message.find("empty.pem"), std::string::npos) << empty.error().message;
}

TEST_F(tls_contexts, a_directory_may_hold_the_roots) {
    folder_.add("one.pem", authority_.pem);
    folder_.add("readme.txt", "not a certificate");
    EXPECT_TRUE(tls_context::make_client(trusting(folder_.path())));
    const temporary_folder nothing;
    EXPECT_EQ(tls_context::make_client(trusting(nothing.path())).error().code, error_code::trust_store_unreadable);
}

TEST_F(tls_contexts, the_environment_names_bundles_in_order_of_precedence) {
    const std::string file = folder_.add("ca.pem", authority_.pem);
    const scoped_variable ssl_file{"SSL_CERT_FILE", file.c_str()};
    EXPECT_EQ(choose_trust_source({})->named_by, "SSL_CERT_FILE");
    {
        const scoped_variable ssl_directory{"SSL_CERT_DIR", "/one:/two"};
        const auto both = choose_trust_source({});
        EXPECT_EQ(both->files, std::vector{file});
        EXPECT_EQ(both->directories, (std::vector<std::string>{"/one", "/two"}));
    }
    const scoped_variable curl{"CURL_CA_BUNDLE", file.c_str()};
    EXPECT_EQ(choose_trust_source({})->named_by, "CURL_CA_BUNDLE");
    const scoped_variable requests{"REQUESTS_CA_BUNDLE", folder_.path().c_str()};
    EXPECT_EQ(choose_trust_source({})->named_by, "REQUESTS_CA_BUNDLE");
    EXPECT_EQ(choose_trust_source({})->directories, std::vector{folder_.path()});
    EXPECT_EQ(choose_trust_source(trusting(file))->named_by, "ca_file");
    tls_options ignoring;
    ignoring.use_environment = false;
    const auto ignored = choose_trust_source(ignoring);
    EXPECT_TRUE(!ignored || ignored->named_by != "REQUESTS_CA_BUNDLE");
}

TEST_F(tls_contexts, an_unreadable_bundle_is_traced_to_its_variable) {
    const scoped_variable file{"SSL_CERT_FILE", "/nonexistent/roots.pem"};
    const auto made = tls_context::make_client({});
    ASSERT_FALSE(made);
    EXPECT_NE(made.error().message.find("/nonexistent/roots.pem"), std::string::npos);
    EXPECT_NE(made.error().message.find("SSL_CERT_FILE"), std::string::npos) << made.error().message;
}

TEST_F(tls_contexts, client_certificates_that_cannot_be_used_say_why) {
    const auto root = folder_.add("ca.pem", authority_.pem);
    const auto own = make_certificate({.for_clients = true, .key_password = "secret"}, &authority_);
    const auto other = make_certificate({.for_clients = true}, &authority_);
    const auto certificate = folder_.add("own.pem", own.pem);
    const auto key = folder_.add("own.key", own.key_pem);
    const auto attempt = [&](const std::string& certificate_file, const std::string& key_file,
                             const std::string& password = {}) {
        tls_options options = trusting(root);
        options.client_certificate = certificate_file;
        options.client_key = key_file;
        options.client_key_password = password;
        const auto made = tls_context::make_client(options);
        EXPECT_TRUE(made || made.error().code == error_code::client_certificate_unusable);
        return made ? std::string{} : made.error().message;
    };
    EXPECT_EQ(attempt(certificate, key, "secret"), "");
    EXPECT_EQ(attempt(folder_.add("both.pem", other.key_pem + other.pem), ""), "") << "key and chain in one file";
    EXPECT_NE(attempt(certificate, key).find("needs a password"), std::string::npos);
    EXPECT_NE(attempt(certificate, key, "wrong").find("wrong password"), std::string::npos);
    EXPECT_NE(attempt(certificate, folder_.add("other.key", other.key_pem)).find("does not belong"), std::string::npos);
    EXPECT_NE(attempt(certificate, "").find("holds no private key"), std::string::npos);
    EXPECT_NE(attempt(folder_.path() + "/none.pem", key).find("none.pem"), std::string::npos);
    EXPECT_NE(attempt(key, key, "secret").find("holds no certificate"), std::string::npos);
    EXPECT_NE(attempt("", key).find("without a client certificate"), std::string::npos);
}

TEST_F(tls_contexts, a_servers_certificate_that_cannot_be_used_is_the_callers_fault) {
    const auto own = make_certificate({});
    tls_server_options options;
    options.certificate = own.pem;
    options.key = make_certificate({}).key_pem;
    const auto made = tls_context::make_server(options);
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().code, error_code::invalid_argument);
    EXPECT_EQ(made.error().whose, culprit::caller);
}

TEST_F(tls_contexts, application_protocol_names_are_checked) {
    tls_options options = trusting(folder_.add("ca.pem", authority_.pem));
    options.application_protocols = {std::string(256, 'x')};
    EXPECT_EQ(tls_context::make_client(options).error().code, error_code::invalid_argument);
}

TEST_F(tls_contexts, the_systems_roots_can_be_loaded) {
    const auto source = choose_trust_source({});
    if (!source) GTEST_SKIP() << "this machine has no roots";
    const auto made = tls_context::make_client({});
    EXPECT_TRUE(made) << made.error().message;
}

}  // namespace

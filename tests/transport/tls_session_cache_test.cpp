#include <ctime>

#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include "transport/tls_session_cache.hpp"

using namespace pabal::transport;

namespace {

class session_cache : public ::testing::Test {
protected:
    /// Of TLS 1.2 (usable again and again) or 1.3 (once), begun `age` seconds ago.
    bssl::UniquePtr<SSL_SESSION> session(std::uint16_t version = TLS1_3_VERSION, std::uint64_t age = 0) {
        bssl::UniquePtr<SSL_SESSION> made{SSL_SESSION_new(context_.get())};
        SSL_SESSION_set_protocol_version(made.get(), version);
        SSL_SESSION_set_time(made.get(), static_cast<std::uint64_t>(std::time(nullptr)) - age);
        SSL_SESSION_set_timeout(made.get(), 3600);
        return made;
    }
    bssl::UniquePtr<SSL_CTX> context_{SSL_CTX_new(TLS_with_buffers_method())};
    tls_session_cache cache_;
};

TEST_F(session_cache, gives_the_newest_ticket_of_a_peer_once) {
    SSL_SESSION* first = nullptr;
    SSL_SESSION* second = nullptr;
    for (SSL_SESSION** each : {&first, &second}) {
        auto made = session();
        *each = made.get();
        cache_.put("a", std::move(made));
    }
    EXPECT_FALSE(cache_.take("b"));
    EXPECT_EQ(cache_.take("a").get(), second);
    EXPECT_EQ(cache_.take("a").get(), first);
    EXPECT_FALSE(cache_.take("a"));
    EXPECT_EQ(cache_.size(), 0U);
}

TEST_F(session_cache, keeps_one_tls_1_2_session_for_any_number_of_uses) {
    cache_.put("a", session(TLS1_2_VERSION));
    cache_.put("a", session(TLS1_2_VERSION));
    EXPECT_EQ(cache_.size(), 1U);
    EXPECT_TRUE(cache_.take("a"));
    EXPECT_TRUE(cache_.take("a"));
}

TEST_F(session_cache, passes_over_what_has_expired) {
    cache_.put("a", session());
    cache_.put("a", session(TLS1_3_VERSION, 7200));
    EXPECT_TRUE(cache_.take("a"));
    EXPECT_EQ(cache_.size(), 0U);
}

TEST_F(session_cache, is_bounded_for_a_peer_and_for_all) {
    for (int index = 0; index < 500; ++index) cache_.put("a", session());
    EXPECT_EQ(cache_.size(), tls_session_cache::max_sessions_of_a_peer);
    for (int index = 0; index < 3000; ++index) cache_.put("host" + std::to_string(index), session());
    EXPECT_EQ(cache_.size(), tls_session_cache::max_sessions);
    EXPECT_FALSE(cache_.take("a")) << "the peer unused for the longest time is forgotten first";
    EXPECT_TRUE(cache_.take("host2999"));
}

TEST_F(session_cache, forgets_a_peer) {
    cache_.put("a", session());
    cache_.put("b", session());
    cache_.forget("a");
    EXPECT_FALSE(cache_.take("a"));
    EXPECT_TRUE(cache_.take("b"));
}

}  // namespace

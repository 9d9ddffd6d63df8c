#include <gtest/gtest.h>

#include "dial/alternative_cache.hpp"

namespace pabal::dial {
namespace {

using namespace std::chrono_literals;

class alternatives : public ::testing::Test {
protected:
    void learn(std::string_view said, std::string_view host = "example.com") {
        const auto read = http::parse_alternative_services(said);
        ASSERT_TRUE(read) << said;
        cache_.learn(host, 443, *read, now_);
    }
    std::string found(std::string_view host = "example.com", std::uint16_t port = 443, std::string_view by = "h3") {
        const auto place = cache_.find(host, port, by, now_);
        return place ? place->host + ':' + std::to_string(place->port) : "nothing";
    }

    alternative_cache cache_{4};
    alternative_cache::time_point now_{std::chrono::hours{500'000}};
    const alternative place_{"example.com", 8443};
};

TEST_F(alternatives, belong_to_an_origin_and_a_protocol) {
    learn(R"(h2="other.example:443", h3=":8443")");
    EXPECT_EQ(found(), "example.com:8443");
    EXPECT_EQ(found("example.com", 443, "h2"), "other.example:443");
    EXPECT_EQ(found("example.com", 444), "nothing");
    EXPECT_EQ(found("www.example.com"), "nothing");
}

TEST_F(alternatives, that_do_not_answer_for_their_origin_are_forgotten_and_avoided) {
    EXPECT_FALSE(cache_.reject("example.com", 443, "h3", now_));
    learn(R"(h3=":8443")");
    EXPECT_TRUE(cache_.reject("example.com", 443, "h3", now_));
    EXPECT_EQ(found(), "nothing");
    learn(R"(h3=":8443", h3=":9443")");
    EXPECT_EQ(found(), "example.com:9443");
    now_ += alternative_cache::first_avoidance;
    EXPECT_EQ(found(), "example.com:8443");
}

TEST_F(alternatives, hold_as_long_as_was_said) {
    learn(R"(h3=":8443"; ma=60)");
    now_ += 59s;
    EXPECT_EQ(found(), "example.com:8443");
    now_ += 1s;
    EXPECT_EQ(found(), "nothing");
    EXPECT_EQ(cache_.size(), 0U);
    learn(R"(h3=":8443"; ma=0)");
    EXPECT_EQ(cache_.size(), 0U);
}

TEST_F(alternatives, are_replaced_by_what_is_said_later) {
    learn(R"(h3=":8443")");
    learn(R"(h3="other.example:443")");
    EXPECT_EQ(found(), "other.example:443");
    learn("clear");
    EXPECT_EQ(found(), "nothing");
}

TEST_F(alternatives, that_fail_are_avoided_longer_each_time) {
    learn(R"(h3=":8443"; ma=100000000, h3=":9443"; ma=100000000)");
    cache_.avoid(place_, "h3", now_);
    EXPECT_EQ(found(), "example.com:9443") << "the next in the server's order";
    now_ += 5min;
    EXPECT_EQ(found(), "example.com:8443");
    cache_.avoid(place_, "h3", now_);
    cache_.avoid(place_, "h3", now_);  // failed at the same time
    now_ += 10min - 1s;
    EXPECT_TRUE(cache_.is_avoided(place_, "h3", now_));
    now_ += 1s;
    EXPECT_FALSE(cache_.is_avoided(place_, "h3", now_));
    for (int times = 0; times < 20; ++times) {
        cache_.avoid(place_, "h3", now_);
        now_ += 48h;
        EXPECT_FALSE(cache_.is_avoided(place_, "h3", now_)) << "never longer than two days";
    }
}

TEST_F(alternatives, that_were_reached_begin_anew) {
    cache_.avoid(place_, "h3", now_);
    now_ += 5min;
    cache_.trust(place_, "h3");
    cache_.avoid(place_, "h3", now_);
    now_ += 5min;
    EXPECT_FALSE(cache_.is_avoided(place_, "h3", now_));
}

TEST_F(alternatives, that_origins_told_of_are_news_until_they_are_kept_elsewhere) {
    cache_.recall({"file.example", 443, {{"h3", {"edge.example", 443}, now_ + 1h}}});
    cache_.recall({"old.example", 443, {{"h3", {"old.example", 443}, now_ + 1h}}});
    EXPECT_EQ(found("file.example"), "edge.example:443");
    EXPECT_TRUE(cache_.news().empty()) << "it is from there";

    learn(R"(h3=":8443"; ma=60; persist=1)");
    learn("clear", "old.example");
    ASSERT_EQ(cache_.news().size(), 2U);
    EXPECT_EQ(cache_.news()[0], (origin_alternatives{"example.com", 443, {{"h3", place_, now_ + 60s, true}}}));
    EXPECT_EQ(cache_.news()[1], (origin_alternatives{"old.example", 443, {}}));
    cache_.forget_news();
    EXPECT_TRUE(cache_.news().empty());
    EXPECT_EQ(found(), "example.com:8443");
}

TEST_F(alternatives, that_are_void_are_news_too) {
    learn(R"(h3=":8443")");
    cache_.forget_news();
    EXPECT_TRUE(cache_.reject("example.com", 443, "h3", now_));
    ASSERT_EQ(cache_.news().size(), 1U);
    EXPECT_TRUE(cache_.news()[0].places.empty());

    learn(R"(h3=":9443"; ma=60)");
    ASSERT_EQ(cache_.news().size(), 1U) << "the last word counts";
    EXPECT_EQ(cache_.news()[0].places.size(), 1U);
    now_ += 60s;
    EXPECT_EQ(found(), "nothing");
    ASSERT_EQ(cache_.news().size(), 1U);
    EXPECT_TRUE(cache_.news()[0].places.empty()) << "it has said for how long";
}

TEST_F(alternatives, are_bounded) {
    for (int number = 0; number < 100; ++number) {
        learn(R"(h3=":443")", "host" + std::to_string(number));
        cache_.avoid({"host" + std::to_string(number), 1}, "h3", now_);
    }
    EXPECT_EQ(cache_.size(), 4U);
    EXPECT_EQ(found("host99"), "host99:443");
    EXPECT_EQ(found("host95"), "nothing");
    EXPECT_FALSE(cache_.is_avoided({"host95", 1}, "h3", now_));
    for (int number = 0; number < 100; ++number) learn("clear", "host" + std::to_string(number));
    EXPECT_EQ(cache_.news().size(), 4U);
}

}  // namespace
}  // namespace pabal::dial

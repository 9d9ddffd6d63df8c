#include <pabal/auth.hpp>

#include "client/call_support.hpp"

namespace pabal::client {
namespace {

using testing::body_of;
using testing::redirect_to;
using testing::scripted_answer;
using testing::seen_request;
using testing::to;

const std::string challenge = "Digest realm=\"r\", qop=\"auth\", nonce=\"";

scripted_answer denied(std::string header) {
    return {.status = 401, .body = "who?", .headers = {{"WWW-Authenticate", std::move(header)}}};
}

/// A server that asks everybody for a digest with the nonce of the day.
class authenticating : public testing::calling {
protected:
    void SetUp() override {
        world.handler.answer = [this](const seen_request& asked) {
            const std::string given = asked.all("authorization");
            if (given.find("nonce=\"" + nonce + "\"") != std::string::npos) return accepted;
            const bool is_old = given.find("nonce=\"") != std::string::npos;
            return denied(challenge + nonce + "\"" + (is_old && says_stale ? ", stale=true" : ""));
        };
    }
    call_request with(call_request asked) {
        asked.auth = digest;
        return asked;
    }
    std::string said(std::size_t index) const { return world.handler.seen.at(index).all("authorization"); }
    bool counted(std::size_t index, const std::string& count) const {
        return said(index).find("nc=" + count) != std::string::npos;
    }

    std::string nonce = "one";
    bool says_stale = true;
    scripted_answer accepted{.body = "welcome"};
    credentials_ptr digest = digest_auth("user", "secret").value();
};

TEST_F(authenticating, answers_a_challenge_on_the_same_connection) {
    const auto done = send(with(to("http://a.example/x?y", "POST", "body")));
    EXPECT_EQ(body_of(*done), "welcome");
    ASSERT_EQ(world.handler.seen.size(), 2U);
    EXPECT_EQ(said(0), "");
    EXPECT_TRUE(said(1).starts_with("Digest username=\"user\", realm=\"r\", nonce=\"one\", uri=\"/x?y\"")) << said(1);
    EXPECT_EQ(world.handler.seen[1].body, "body");
    EXPECT_EQ(world.network->dialled.size(), 1U);
    EXPECT_TRUE(done->history().empty());
    EXPECT_TRUE(done->attempts().empty()) << "an answer to a challenge is no retry";
}

TEST_F(authenticating, is_known_from_then_on_and_counts) {
    send(with(to("http://a.example/")));
    send(with(to("http://a.example/other")));
    send(with(to("http://a.example/third")));
    ASSERT_EQ(world.handler.seen.size(), 4U);
    EXPECT_TRUE(counted(1, "00000001"));
    EXPECT_TRUE(counted(2, "00000002"));
    EXPECT_TRUE(counted(3, "00000003"));
    send(with(to("http://b.example/")));
    EXPECT_EQ(said(4), "") << "another origin has not asked yet";
}

TEST_F(authenticating, a_nonce_that_became_too_old_is_renewed) {
    send(with(to("http://a.example/")));
    for (const bool says : {true, false}) {
        says_stale = says;
        nonce += "+";
        EXPECT_EQ(body_of(*send(with(to("http://a.example/")))), "welcome") << says;
        EXPECT_TRUE(counted(world.handler.seen.size() - 1, "00000001"));
    }
    EXPECT_EQ(world.handler.seen.size(), 6U);
}

TEST_F(authenticating, a_server_that_says_no_twice_means_it) {
    world.handler.answer = [](const seen_request&) { return denied(challenge + "n\""); };
    EXPECT_EQ(send(with(to("http://a.example/")))->response().status, 401);
    EXPECT_EQ(world.handler.seen.size(), 2U);
    world.handler.seen.clear();
    world.handler.answer = [this](const seen_request&) {
        return denied(challenge + std::to_string(world.handler.seen.size()) + "\", stale=true");
    };
    const auto done = send(with(to("http://b.example/")));
    EXPECT_EQ(done->response().status, 401);
    EXPECT_EQ(body_of(*done), "who?");
    EXPECT_EQ(world.handler.seen.size(), 3U);
}

TEST_F(authenticating, takes_the_next_nonce_that_a_server_announces) {
    accepted.headers = {{"Authentication-Info", "nextnonce=\"two\""}};
    send(with(to("http://a.example/")));
    nonce = "two";
    send(with(to("http://a.example/")));
    ASSERT_EQ(world.handler.seen.size(), 3U);
    EXPECT_TRUE(counted(2, "00000001"));
}

TEST_F(authenticating, keeps_to_the_paths_that_the_challenge_names) {
    world.handler.answer = [](const seen_request& asked) {
        if (asked.all("authorization").empty() && asked.head.target.starts_with("/private"))
            return denied(challenge + "n\", domain=\"/private http://b.example/\"");
        return scripted_answer{};
    };
    for (const auto* path : {"/private/a", "/private/b", "/public"})
        send(with(to(std::string("http://a.example") + path)));
    ASSERT_EQ(world.handler.seen.size(), 4U);
    EXPECT_NE(said(2), "");
    EXPECT_EQ(said(3), "");
    send(with(to("http://b.example/")));
    EXPECT_EQ(last().all("authorization"), "") << "no server speaks for another";
}

TEST_F(authenticating, never_another_origin_that_a_redirect_led_to) {
    // aiohttp #12825.
    world.handler.answer = [](const seen_request& asked) {
        if (asked.all("host") == "a.example") return redirect_to(307, "http://evil.example/");
        return denied(challenge + "n\"");
    };
    EXPECT_EQ(send(with(to("http://a.example/")))->response().status, 401);
    ASSERT_EQ(world.handler.seen.size(), 2U);
    for (const seen_request& each : world.handler.seen) EXPECT_EQ(each.all("authorization"), "");
}

TEST_F(authenticating, the_origin_itself_after_a_redirect) {
    world.handler.answer = [](const seen_request& asked) {
        if (asked.head.target == "/") return redirect_to(307, "/private");
        return asked.all("authorization").empty() ? denied(challenge + "n\"") : scripted_answer{.body = "in"};
    };
    EXPECT_EQ(body_of(*send(with(to("http://a.example/")))), "in");
}

TEST_F(authenticating, a_consumed_body_is_not_sent_again) {
    auto asked = with(to("http://a.example/", "POST"));
    asked.streams_body = true;
    watcher.body = "once";
    EXPECT_EQ(send(asked)->response().status, 401);
    EXPECT_EQ(world.handler.seen.size(), 1U);
    watcher.rewindable = true;
    watcher.given = 0;
    auto again = with(to("http://b.example/", "POST"));
    again.streams_body = true;
    EXPECT_EQ(send(again)->response().status, 200);
    EXPECT_EQ(last().body, "once");
}

TEST_F(authenticating, credentials_go_before_a_field_of_the_session) {
    world.session->headers.append_valid("Authorization", "Bearer t");
    send(with(to("http://a.example/")));
    EXPECT_EQ(said(0), "");
    EXPECT_TRUE(said(1).starts_with("Digest "));
    EXPECT_EQ(said(1).find(" | "), std::string::npos);
}

TEST_F(authenticating, other_challenges_are_not_answered) {
    for (const auto* other : {"Basic realm=\"r\"", "Negotiate", "Digest realm=\"r\"", ""}) {
        world.handler.seen.clear();
        world.handler.answer = [&](const seen_request&) { return denied(other); };
        EXPECT_EQ(send(with(to("http://a.example/")))->response().status, 401);
        EXPECT_EQ(world.handler.seen.size(), 1U);
    }
}

TEST_F(authenticating, streamed_responses_begin_after_it) {
    auto asked = with(to("http://a.example/"));
    asked.streams_response = true;
    send(asked);
    EXPECT_EQ(watcher.received, "welcome");
    EXPECT_EQ(watcher.heads, 1);
}

TEST_F(authenticating, basic_is_sent_at_once_and_not_again) {
    world.handler.answer = [](const seen_request&) { return denied("Basic realm=\"r\""); };
    auto asked = to("http://u:p@a.example/");
    asked.auth = basic_auth("user", "secret").value();
    EXPECT_EQ(send(asked)->response().status, 401);
    ASSERT_EQ(world.handler.seen.size(), 1U);
    EXPECT_EQ(said(0), "Basic dXNlcjpzZWNyZXQ=");
}

/// Credentials for a.example and b.example over any scheme, and for one port of c.example.
class placed : public testing::calling {
protected:
    void SetUp() override {
        world.handler.answer = [this](const seen_request& asked) {
            return asked.head.target == "/go" ? redirect_to(307, location) : scripted_answer{};
        };
    }
    std::string said(const std::string& first, const std::string& then) {
        location = then;
        auto asked = to(first, "POST", "body");
        asked.auth = auth_by_place({{"a.example", basic_auth("a", "1").value()},
                                    {"b.example", basic_auth("b", "2").value()},
                                    {"b.example:8000", bearer_auth("t").value()},
                                    {"b.example:9000", nullptr}})
                         .value();
        asked.headers.append_valid("X-Own", "1");
        send(asked);
        return last().all("authorization");
    }
    std::string location;
    const std::string as_b = "Basic Yjoy";
};

TEST_F(placed, every_host_on_the_way_is_told_its_own) {
    EXPECT_EQ(said("http://a.example/", ""), "Basic YTox");
    EXPECT_EQ(said("http://a.example/go", "http://b.example/"), as_b);
    EXPECT_EQ(said("http://a.example/go", "http://b.example:8000/"), "Bearer t") << "the most specific place counts";
    EXPECT_EQ(said("http://a.example/go", "http://b.example:9000/"), "") << "nothing is a choice, too";
    EXPECT_EQ(said("http://other.example/go", "https://b.example/"), as_b);
    EXPECT_EQ(said("http://a.example/go", "http://other.example/"), "");
}

TEST_F(placed, nothing_is_told_over_an_open_connection_that_a_protected_one_led_to) {
    EXPECT_EQ(said("https://a.example/go", "http://b.example/"), "");
    EXPECT_EQ(said("https://a.example/go", "http://a.example/"), "");
    EXPECT_EQ(said("https://a.example/go", "https://b.example/"), as_b);
}

TEST_F(placed, a_field_of_the_caller_stays_where_no_place_is_named_and_at_home) {
    location = "http://b.example/";
    auto asked = to("http://other.example/go");
    asked.headers.append_valid("Authorization", "Bearer own");
    asked.auth = auth_by_place({{"b.example", basic_auth("b", "2").value()}}).value();
    send(asked);
    ASSERT_EQ(world.handler.seen.size(), 2U);
    EXPECT_EQ(world.handler.seen[0].all("authorization"), "Bearer own");
    EXPECT_EQ(world.handler.seen[1].all("authorization"), as_b);
}

TEST_F(placed, a_challenge_of_the_next_host_is_answered_with_its_own_digest) {
    world.handler.answer = [](const seen_request& asked) {
        if (asked.all("host") == "a.example") return redirect_to(307, "http://b.example/");
        return asked.all("authorization").empty() ? denied(challenge + "n\"") : scripted_answer{.body = "in"};
    };
    auto asked = to("http://a.example/");
    asked.auth =
        auth_by_place({{"a.example", basic_auth("a", "1").value()}, {"b.example", digest_auth("b", "secret").value()}})
            .value();
    EXPECT_EQ(body_of(*send(asked)), "in");
    EXPECT_TRUE(last().all("authorization").starts_with("Digest username=\"b\""));
}

TEST(credentials_by_place, are_checked) {
    for (const auto* wrong : {"", "*", "a/b", "a b"})
        EXPECT_FALSE(auth_by_place({{wrong, nullptr}}).has_value()) << wrong;
    for (const auto* wrong : {"", "a b", "a\r\n", "\xc3\xa4"}) EXPECT_FALSE(bearer_auth(wrong).has_value()) << wrong;
}

TEST(credentials_of_a_user, are_checked) {
    EXPECT_FALSE(basic_auth("a:b", "c"));
    EXPECT_FALSE(basic_auth("a", "b\n"));
    EXPECT_TRUE(digest_auth("a:b", "c"));
    EXPECT_FALSE(digest_auth("a\r\n", "c"));
    EXPECT_EQ(digest_auth("a", "b\1").error().code, error_code::invalid_argument);
}

}  // namespace
}  // namespace pabal::client

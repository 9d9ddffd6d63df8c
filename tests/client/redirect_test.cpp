#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "client/call_support.hpp"
#include "client/redirect.hpp"

namespace pabal::client {
namespace {

using namespace std::chrono_literals;

result<std::optional<redirect>> plan(std::string_view from, const std::string& method, int status,
                                     std::string_view location) {
    response_head head;
    head.status = status;
    if (!location.empty()) head.headers.append_valid("Location", location);
    return plan_redirect(url::parse(from).value(), method, head);
}

redirect planned(std::string_view from, const std::string& method, int status, std::string_view location) {
    auto made = plan(from, method, status, location);
    EXPECT_TRUE(made && *made) << method << " " << status << " to " << location;
    return std::move(**made);
}

TEST(plan_redirect, the_status_decides_about_method_and_body) {
    const struct {
        int status;
        const char* method;
        const char* becomes;
        bool drops_body;
    } cases[] = {
        {301, "GET", "GET", false},
        {301, "POST", "GET", true},  // RFC 9110 section 15.4.2: allowed for historical reasons, and done by everybody
        {301, "PUT", "PUT", false},
        {301, "DELETE", "DELETE", false},
        {302, "POST", "GET", true},
        {302, "PATCH", "PATCH", false},
        {302, "HEAD", "HEAD", false},
        {303, "POST", "GET", true},  // section 15.4.4: a retrieval request
        {303, "PUT", "GET", true},
        {303, "DELETE", "GET", true},
        {303, "HEAD", "HEAD", true},
        {303, "GET", "GET", true},  // also the content that a GET may have had
        {307, "POST", "POST", false},
        {307, "GET", "GET", false},
        {308, "POST", "POST", false},
        {308, "PUT", "PUT", false},
    };
    for (const auto& each : cases) {
        const redirect next = planned("http://a.example/", each.method, each.status, "/there");
        EXPECT_EQ(next.method, each.becomes) << each.status << " " << each.method;
        EXPECT_EQ(next.drops_body, each.drops_body) << each.status << " " << each.method;
        EXPECT_EQ(next.location.text(), "http://a.example/there");
    }
}

TEST(plan_redirect, other_statuses_and_a_missing_location_ask_for_nothing) {
    for (const int status : {200, 201, 300, 304, 305, 306, 309, 399, 400}) {
        EXPECT_FALSE(is_redirect_status(status));
        const auto made = plan("http://a.example/", "GET", status, "/there");
        ASSERT_TRUE(made);
        EXPECT_FALSE(*made) << status;
    }
    const auto without = plan("http://a.example/", "GET", 302, "");
    ASSERT_TRUE(without);
    EXPECT_FALSE(*without);
}

TEST(plan_redirect, a_relative_location_is_resolved_and_inherits_the_fragment) {
    const auto from = "http://a.example/dir/page?q=1#part";
    EXPECT_EQ(planned(from, "GET", 302, "other").location.text(), "http://a.example/dir/other#part");
    EXPECT_EQ(planned(from, "GET", 302, "../up").location.text(), "http://a.example/up#part");
    EXPECT_EQ(planned(from, "GET", 302, "?q=2").location.text(), "http://a.example/dir/page?q=2#part");
    EXPECT_EQ(planned(from, "GET", 302, "//b.example/x").location.text(), "http://b.example/x#part");
    EXPECT_EQ(planned(from, "GET", 302, "/x#own").location.text(), "http://a.example/x#own");
}

TEST(plan_redirect, knows_when_the_origin_is_left) {
    const auto leaves = [](std::string_view from, std::string_view location) {
        return planned(from, "GET", 302, location).leaves_origin;
    };
    EXPECT_FALSE(leaves("http://a.example/", "/there"));
    EXPECT_FALSE(leaves("http://a.example/", "http://A.EXAMPLE:80/there")) << "the same host and the default port";
    EXPECT_TRUE(leaves("http://a.example/", "http://b.example/"));
    EXPECT_TRUE(leaves("http://a.example/", "http://www.a.example/"));
    EXPECT_TRUE(leaves("http://a.example/", "http://a.example:8080/")) << "another port";
    EXPECT_TRUE(leaves("http://a.example/", "https://a.example/")) << "another scheme";
    EXPECT_TRUE(leaves("https://a.example/", "http://a.example/"));
    EXPECT_TRUE(leaves("https://a.example/", "http://a.example:443/")) << "the same port is not the same origin";
}

TEST(plan_redirect, refuses_locations_that_are_no_http_urls) {
    for (const auto* location : {"ftp://a.example/", "file:///etc/passwd", "javascript:alert(1)", "http://", "ws://a/",
                                 "http+unix://%2Frun%2Fdocker.sock/", "http://127.1/", "http://a b/"}) {
        const auto made = plan("http://a.example/", "GET", 302, location);
        ASSERT_FALSE(made) << location;
        EXPECT_EQ(made.error().code, error_code::unfollowable_redirect);
        EXPECT_EQ(made.error().whose, culprit::peer);
    }
}

// --- Followed by a call -------------------------------------------------------------------------------------------------

using testing::body_of;
using testing::failure_of;
using testing::redirect_to;
using testing::scripted_answer;
using testing::scripted_peer;
using testing::seen_request;
using testing::to;

class following : public testing::calling {
protected:
    /// Answers by path; what is not listed is 200 with the path as its body.
    void route(std::map<std::string, scripted_answer> answers) {
        world.handler.answer = [answers = std::move(answers)](const seen_request& asked) {
            const auto found = answers.find(asked.head.target);
            return found == answers.end() ? scripted_answer{.body = asked.head.target} : found->second;
        };
    }
    std::vector<std::string> seen() const {
        std::vector<std::string> all;
        for (const seen_request& each : world.handler.seen)
            all.push_back(each.head.method + " " + each.all("host") + each.head.target + " " + each.body);
        return all;
    }
    using lines = std::vector<std::string>;
};

TEST_F(following, every_status_sends_what_the_plan_says) {
    route({{"/301", redirect_to(301, "/end")},
           {"/302", redirect_to(302, "/end")},
           {"/303", redirect_to(303, "/end")},
           {"/307", redirect_to(307, "/end")},
           {"/308", redirect_to(308, "/end")}});
    for (const auto* status : {"301", "302", "303", "307", "308"}) {
        world.handler.seen.clear();
        auto asked = to(std::string("http://a.example/") + status, "POST", "payload");
        asked.headers.append_valid("Content-Type", "text/x-test");
        asked.headers.append_valid("Content-Language", "en");
        const auto done = send(std::move(asked));
        ASSERT_FALSE(done->failure()) << failure_of(*done);
        const bool keeps = status[2] == '7' || status[2] == '8';
        EXPECT_EQ(seen(), (lines{std::string("POST a.example/") + status + " payload",
                                 keeps ? "POST a.example/end payload" : "GET a.example/end "}));
        EXPECT_EQ(last().all("content-type"), keeps ? "text/x-test" : "") << "describes a body that is gone";
        EXPECT_EQ(last().all("content-length"), keeps ? "7" : "");
        EXPECT_EQ(body_of(*done), "/end");
    }
}

TEST_F(following, the_history_tells_the_way) {
    route({{"/a", redirect_to(302, "/b")}, {"/b", redirect_to(307, "http://b.example/c")}});
    const auto done = send(to("http://a.example/a#part", "POST", "x"));
    ASSERT_FALSE(done->failure());
    EXPECT_EQ(done->location().text(), "http://b.example/c#part");
    ASSERT_EQ(done->history().size(), 2U);
    EXPECT_EQ(done->history()[0].location.text(), "http://a.example/a#part");
    EXPECT_EQ(done->history()[0].method, "POST");
    EXPECT_EQ(done->history()[0].response.status, 302);
    EXPECT_EQ(done->history()[1].method, "GET");
    EXPECT_EQ(done->history()[1].response.headers.find("location"), "http://b.example/c");
    EXPECT_EQ(world.network->dialled.size(), 2U) << "the first origin's connection served both";
}

TEST_F(following, the_limit_is_counted_and_ends_a_loop) {
    route({{"/loop", redirect_to(302, "/loop")}});
    auto asked = to("http://a.example/loop");
    asked.max_redirects = 5;
    const auto done = send(std::move(asked));
    EXPECT_EQ(failure_of(*done), "too_many_redirects in read by peer");
    EXPECT_EQ(seen().size(), 6U);
    EXPECT_EQ(done->history().size(), 5U);
    EXPECT_EQ(done->response().status, 302) << "the last response stays visible";

    auto none = to("http://a.example/loop");
    none.max_redirects = 0;
    EXPECT_EQ(failure_of(*send(std::move(none))), "too_many_redirects in read by peer");
}

TEST_F(following, nothing_is_followed_when_the_caller_says_so) {
    route({{"/a", redirect_to(302, "/b", "see there")}});
    auto asked = to("http://a.example/a");
    asked.follow_redirects = false;
    const auto done = send(std::move(asked));
    EXPECT_EQ(done->response().status, 302);
    EXPECT_EQ(body_of(*done), "see there");
    EXPECT_TRUE(done->history().empty());
    EXPECT_EQ(seen().size(), 1U);
}

TEST_F(following, a_redirect_without_location_is_the_response) {
    route({{"/a", {.status = 302, .body = "nowhere"}}});
    const auto done = send(to("http://a.example/a"));
    EXPECT_EQ(done->response().status, 302);
    EXPECT_EQ(body_of(*done), "nowhere");
}

TEST_F(following, an_unfollowable_location_is_an_error_and_keeps_the_response) {
    route({{"/a", redirect_to(302, "ftp://a.example/b")}});
    const auto done = send(to("http://a.example/a"));
    EXPECT_EQ(failure_of(*done), "unfollowable_redirect in read by peer");
    EXPECT_EQ(done->response().status, 302);
}

// RFC 9110 section 15.4: credentials are for the origin they were given for.
class crossing : public following {
protected:
    /// Asks https://a.example/start with every kind of credential, each several times, which redirects to `location`;
    /// returns what the last request carried of them.
    std::string carried(std::string_view from, const std::string& location) {
        world.handler.seen.clear();
        transport::tls_context_ptr trusting = transport::tls_context::make_client({.verify = false}).value();
        world.session->tls = trusting;
        fields defaults = default_fields();
        defaults.append_valid("Authorization", "default");
        defaults.append_valid("Proxy-Authorization", "default");
        defaults.append_valid("X-Harmless", "default");
        if (with_defaults) world.session->headers = defaults;
        route({{"/start", redirect_to(307, location)}});
        auto asked = to(from);
        if (!with_defaults) {
            for (const auto* value : {"one", "two"}) {
                asked.headers.append_valid("Authorization", value);
                asked.headers.append_valid("authorization", value);
                asked.headers.append_valid("Proxy-Authorization", value);
                asked.headers.append_valid("Cookie", value);
                asked.headers.append_valid("X-Harmless", value);
            }
        } else {
            asked.cookies = "mine=1";
        }
        const auto done = send(std::move(asked));
        EXPECT_FALSE(done->failure()) << failure_of(*done);
        EXPECT_EQ(world.handler.seen.size(), 2U);
        EXPECT_NE(world.handler.seen.front().all("authorization"), "");
        EXPECT_NE(world.handler.seen.front().all("cookie"), "");
        EXPECT_NE(last().all("x-harmless"), "");
        return last().all("authorization") + ";" + last().all("proxy-authorization") + ";" + last().all("cookie");
    }
    bool with_defaults = false;
};

TEST_F(crossing, several_credentials_are_all_dropped_wherever_the_origin_changes) {
    for (const bool defaults : {false, true}) {
        with_defaults = defaults;
        EXPECT_EQ(carried("https://a.example/start", "https://b.example/end"), ";;") << "another host";
        EXPECT_EQ(carried("https://a.example/start", "http://a.example/end"), ";;") << "https to http";
        EXPECT_EQ(carried("https://a.example/start", "https://a.example:8443/end"), ";;") << "another port";
        EXPECT_EQ(carried("http://a.example/start", "https://a.example/end"), ";;") << "http to https";
        EXPECT_EQ(carried("https://a.example/start", "https://sub.a.example/end"), ";;") << "a name below";
        EXPECT_NE(carried("https://a.example/start", "https://a.example/end"), ";;") << "the same origin";
    }
}

TEST_F(crossing, they_stay_dropped_when_a_redirect_leads_back) {
    route({{"/start", redirect_to(302, "http://b.example/back")}, {"/back", redirect_to(302, "http://a.example/end")}});
    auto asked = to("http://a.example/start");
    asked.headers.append_valid("Authorization", "secret");
    asked.cookies = "mine=1";
    send(std::move(asked));
    ASSERT_EQ(world.handler.seen.size(), 3U);
    EXPECT_EQ(last().head.target, "/end");
    EXPECT_EQ(last().all("authorization") + last().all("cookie"), "");
}

TEST_F(crossing, userinfo_of_a_url_stays_with_its_origin) {
    route({{"/start", redirect_to(302, "http://b.example/end")}});
    send(to("http://user:secret@a.example/start"));
    EXPECT_NE(world.handler.seen.front().all("authorization"), "");
    EXPECT_EQ(last().all("authorization"), "");
}

TEST_F(crossing, the_jar_decides_by_domain_and_scheme) {
    world.session->tls = transport::tls_context::make_client({.verify = false}).value();
    world.handler.answer = [](const seen_request& asked) {
        if (asked.head.target == "/start") {
            scripted_answer answer = redirect_to(302, "http://a.example/end");
            answer.headers.emplace_back("Set-Cookie", "open=1");
            answer.headers.emplace_back("Set-Cookie", "closed=1; Secure");
            return answer;
        }
        return scripted_answer{};
    };
    send(to("https://a.example/start"));
    EXPECT_EQ(last().all("cookie"), "open=1") << "a Secure cookie never goes over http";
    send(to("https://a.example/other"));
    EXPECT_EQ(last().all("cookie"), "open=1; closed=1");
    send(to("http://b.example/"));
    EXPECT_EQ(last().all("cookie"), "");
}

TEST_F(crossing, a_given_host_field_is_for_the_first_origin_only) {
    route({{"/start", redirect_to(302, "/next")}, {"/next", redirect_to(302, "http://b.example/end")}});
    auto asked = to("http://a.example/start");
    asked.headers.append_valid("Host", "virtual.example");
    send(std::move(asked));
    EXPECT_EQ(seen(), (lines{"GET virtual.example/start ", "GET virtual.example/next ", "GET b.example/end "}));
}

class streaming_up : public following {
protected:
    call_request uploading(std::string_view where, std::size_t size) {
        watcher.body.assign(size, 'u');
        watcher.body.back() = 'e';
        auto asked = to(where, "POST");
        asked.streams_body = true;
        asked.streamed_size = size;
        return asked;
    }
};

TEST_F(streaming_up, a_consumed_body_is_never_resent_empty) {
    route({{"/start", redirect_to(307, "/end")}});
    const auto done = send(uploading("http://a.example/start", 5000));
    EXPECT_EQ(failure_of(*done), "body_not_replayable in read by caller");
    EXPECT_EQ(world.handler.seen.size(), 1U);
    EXPECT_EQ(watcher.rewinds, 1);
}

TEST_F(streaming_up, a_consumed_body_does_not_matter_when_the_redirect_drops_it) {
    route({{"/start", redirect_to(303, "/end")}});
    const auto done = send(uploading("http://a.example/start", 5000));
    ASSERT_FALSE(done->failure());
    EXPECT_EQ(last().head.method + last().body, "GET");
    EXPECT_EQ(watcher.rewinds, 0);
}

TEST_F(streaming_up, a_body_that_can_be_rewound_is_sent_whole_again) {
    watcher.rewindable = true;
    route({{"/start", redirect_to(308, "http://b.example/end")}});
    for (const bool known_size : {true, false}) {
        auto asked = uploading("http://a.example/start", 5000);
        watcher.given = 0;
        if (!known_size) asked.streamed_size = std::nullopt;
        const auto done = send(std::move(asked));
        ASSERT_FALSE(done->failure()) << failure_of(*done);
        EXPECT_EQ(last().head.target, "/end");
        EXPECT_EQ(last().body, watcher.body);
    }
}

TEST_F(streaming_up, a_redirect_that_comes_early_does_not_eat_the_rewound_body) {
    // The server answers before it has read the body, while the old connection still takes pieces of it.
    watcher.rewindable = true;
    world.network->route = [](const dial::target&) {
        return pabal::testing::simulated_route{.to_server = {.capacity = 1000, .latency = 5ms},
                                               .to_client = {.capacity = 1000, .latency = 5ms}};
    };
    world.handler.answers_early = [](const request_head& head) { return head.target == "/start"; };
    scripted_answer slow = redirect_to(307, "http://b.example/end", std::string(20'000, 'r'));
    slow.headers.emplace_back("X-Slow", "yes");
    route({{"/start", slow}});
    const auto done = send(uploading("http://a.example/start", 200'000));
    ASSERT_FALSE(done->failure()) << failure_of(*done);
    EXPECT_EQ(last().head.target, "/end");
    EXPECT_EQ(last().body.size(), watcher.body.size());
    EXPECT_EQ(last().body, watcher.body);
}

TEST_F(following, a_redirect_that_comes_early_keeps_a_body_in_memory_whole) {
    world.network->route = [](const dial::target&) {
        return pabal::testing::simulated_route{.to_server = {.capacity = 1000, .latency = 5ms},
                                               .to_client = {.capacity = 1000, .latency = 5ms}};
    };
    world.handler.answers_early = [](const request_head& head) { return head.target != "/end"; };
    route({{"/kept", redirect_to(307, "http://b.example/end", std::string(20'000, 'r'))},
           {"/dropped", redirect_to(303, "http://b.example/end", std::string(20'000, 'r'))}});
    const std::string body(200'000, 'm');
    EXPECT_FALSE(send(to("http://a.example/kept", "PUT", body))->failure());
    EXPECT_EQ(last().body, body);
    EXPECT_FALSE(send(to("http://a.example/dropped", "PUT", body))->failure());
    EXPECT_EQ(last().head.method + last().body, "GET");
}

TEST_F(following, a_long_redirect_body_is_not_read_to_its_end) {
    route({{"/short", redirect_to(302, "/end", std::string(1000, 'r'))},
           {"/long", redirect_to(302, "/end", std::string(1'000'000, 'r'))}});
    EXPECT_EQ(body_of(*send(to("http://a.example/short"))), "/end");
    EXPECT_EQ(world.network->dialled.size(), 1U);
    EXPECT_EQ(body_of(*send(to("http://a.example/long"))), "/end");
    EXPECT_EQ(world.network->dialled.size(), 2U) << "a new connection is cheaper than a megabyte";
}

TEST_F(following, a_redirect_whose_body_breaks_off_is_followed) {
    use_peers();
    on_peer = [this](scripted_peer& peer) {
        peer.on_received = [first = peers.size() == 1](scripted_peer& at) {
            at.send(first ? "HTTP/1.1 302 Found\r\nLocation: /b\r\nContent-Length: 100\r\n\r\nshort"
                          : "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
            if (first) at.close();
        };
    };
    const auto done = send(to("http://a.example/a"));
    ASSERT_FALSE(done->failure()) << failure_of(*done);
    EXPECT_EQ(body_of(*done), "ok");
}

TEST_F(following, a_redirected_answer_of_this_process_comes_in_order) {
    // A handler that pushes its whole reply without a responder cannot be stopped in the middle of it: its rest must not
    // reach the next hop, which is answered later.
    struct pushing final : handler {
        void handle(exchange_ptr asked) override {
            if (asked->request.target != "/start") return rest->handle(std::move(asked));
            response_head head;
            head.status = 302;
            head.headers.append_valid("Location", "/end");
            asked->on_response(std::move(head));
            for (int piece = 0; piece < 10; ++piece) asked->on_data(std::string(50'000, 'r'));
            asked->on_end({});
        }
        handler* rest = nullptr;
    } handler;
    handler.rest = &world.handler;
    world.session->answer_by(&handler);
    route({{"/end", {.body = "arrived", .delay = 10ms}}});
    const auto done = send(to("http://a.example/start"));
    ASSERT_FALSE(done->failure()) << failure_of(*done);
    EXPECT_EQ(body_of(*done), "arrived");
}

}  // namespace
}  // namespace pabal::client

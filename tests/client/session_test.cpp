#include "client/call_support.hpp"
#include "client/session.hpp"

namespace pabal::client {
namespace {

using namespace std::chrono_literals;
using testing::body_of;
using testing::failure_of;
using testing::scripted_answer;
using testing::seen_request;
using testing::to;

class session_of_calls : public testing::calling {};

TEST_F(session_of_calls, sends_defaults_unless_the_call_gives_its_own) {
    world.session->headers.append_valid("X-Session", "s");
    auto asked = to("http://a.example/path?q#part");
    asked.headers.append_valid("user-agent", "mine");
    asked.headers.append_valid("X-Call", "c");
    send(std::move(asked));
    EXPECT_EQ(last().head.target, "/path?q");
    EXPECT_EQ(last().all("host"), "a.example");
    EXPECT_EQ(last().all("user-agent"), "mine");
    EXPECT_EQ(last().all("accept"), "*/*");
    EXPECT_EQ(last().all("x-session"), "s");
    EXPECT_EQ(last().all("x-call"), "c");
    EXPECT_EQ(last().all("content-length") + last().all("transfer-encoding"), "");
}

TEST_F(session_of_calls, adds_no_defaults_to_complete_headers) {
    auto asked = to("http://a.example/");
    asked.headers_are_complete = true;
    asked.headers.append_valid("X-Only", "this");
    send(std::move(asked));
    EXPECT_EQ(last().head.headers.size(), 2U) << "Host and X-Only";
}

TEST_F(session_of_calls, keeps_cookies_and_joins_those_of_the_call) {
    world.handler.answer = [](const seen_request&) {
        return scripted_answer{
            .headers = {{"Set-Cookie", "kept=1; Path=/"}, {"Set-Cookie", "bad=1; Domain=elsewhere.example"}}};
    };
    auto asked = to("http://a.example/");
    asked.cookies = "mine=2";
    send(asked);
    EXPECT_EQ(last().all("cookie"), "mine=2");
    send(asked);
    EXPECT_EQ(last().all("cookie"), "kept=1; mine=2");
    auto own = to("http://a.example/");
    own.headers.append_valid("Cookie", "verbatim=3");
    send(std::move(own));
    EXPECT_EQ(last().all("cookie"), "verbatim=3") << "a Cookie field of the caller's replaces the jar's";
}

TEST_F(session_of_calls, dials_what_the_url_means) {
    world.session->tls = transport::tls_context::make_client({.verify = false}).value();
    send(to("http://A.example/"));
    send(to("http://[::1]:8080/"));
    send(to("https://a.example/"));
    send(to("http+unix://%2Frun%2Fapp.sock/path"));
    const auto& dialled = world.network->dialled;
    ASSERT_EQ(dialled.size(), 4U);
    EXPECT_EQ(dialled[0].host, "a.example");
    EXPECT_EQ(dialled[0].port, 80);
    EXPECT_FALSE(dialled[0].tls);
    EXPECT_EQ(dialled[1].host, "::1");
    EXPECT_EQ(dialled[1].port, 8080);
    EXPECT_EQ(dialled[2].port, 443);
    EXPECT_EQ(dialled[2].tls, world.session->tls);
    EXPECT_EQ(dialled[3].unix_path, "/run/app.sock");
    EXPECT_EQ(last().all("host"), "localhost");
}

TEST_F(session_of_calls, never_mixes_connections_of_different_trust) {
    // CVE-2024-35195: a connection that was made without verification served a request that asked for it.
    world.session->tls = transport::tls_context::make_client({.verify = false}).value();
    send(to("https://a.example/"));
    send(to("https://a.example/"));
    EXPECT_EQ(world.network->dialled.size(), 1U);
    auto other = to("https://a.example/");
    other.tls = transport::tls_context::make_client({.verify = false, .application_protocols = {}}).value();
    send(std::move(other));
    EXPECT_EQ(world.network->dialled.size(), 2U);
}

TEST_F(session_of_calls, basic_credentials_come_from_userinfo_unless_given) {
    send(to("http://user:p%40ss@a.example/"));
    EXPECT_EQ(last().all("authorization"), "Basic dXNlcjpwQHNz");
    EXPECT_EQ(last().all("host"), "a.example");
    auto given = to("http://user:pass@a.example/");
    given.headers.append_valid("Authorization", "Bearer t");
    send(std::move(given));
    EXPECT_EQ(last().all("authorization"), "Bearer t");
}

// --- A handler in this process ------------------------------------------------------------------------------------------

class in_process : public testing::calling {
protected:
    void SetUp() override {
        world.session->answer_by(&world.handler);
        world.handler.answer = [](const seen_request& asked) {
            return scripted_answer{.body = asked.head.method + " " + asked.head.target + " " + asked.body};
        };
    }
    void TearDown() override { EXPECT_TRUE(world.network->dialled.empty()); }
};

/// Pushes a whole reply from inside `handle`, whatever delivery the requester chose: how a handler is most simply written.
class pushing final : public handler {
public:
    explicit pushing(std::string answer) : answer_(std::move(answer)) {}
    void handle(exchange_ptr asked) override {
        response_head head;
        head.status = 200;
        asked->on_response(std::move(head));
        asked->on_data(std::string_view(answer_).substr(0, 10));
        asked->on_data(std::string_view(answer_).substr(10));
        asked->on_end({});
    }

private:
    std::string answer_;
};

TEST_F(in_process, a_call_is_answered_without_a_socket) {
    const auto done = send(to("http://nowhere.invalid/path", "POST", "body"));
    ASSERT_FALSE(done->failure());
    EXPECT_EQ(body_of(*done), "POST /path body");
}

TEST_F(in_process, a_late_answer_arrives_and_a_cancelled_one_never_does) {
    world.handler.answer = [](const seen_request&) { return scripted_answer{.body = "late", .delay = 1s}; };
    EXPECT_EQ(body_of(*send(to("http://a.example/"))), "late");
    const auto cancelled = start(to("http://a.example/"));
    const int done = watcher.done;
    cancelled->cancel();
    EXPECT_FALSE(world.handler.is_answering()) << "the handler was told";
    world.run_for(10s);
    EXPECT_EQ(watcher.done, done);
    EXPECT_EQ(failure_of(*cancelled), "cancelled in none by caller");
}

TEST_F(in_process, a_streamed_body_goes_both_ways) {
    watcher.body = std::string(10'000, 'u');
    auto asked = to("http://a.example/", "PUT");
    asked.streams_body = true;
    asked.streamed_size = std::nullopt;
    asked.streams_response = true;
    const auto done = send(std::move(asked));
    ASSERT_FALSE(done->failure());
    EXPECT_EQ(watcher.received, "PUT / " + watcher.body);
    EXPECT_TRUE(watcher.ended);
}

TEST_F(in_process, a_handler_that_only_pushes_can_be_streamed_from) {
    const std::string answer(100'000, 'p');
    pushing handler(answer);
    world.session->answer_by(&handler);
    auto asked = to("http://a.example/");
    asked.streams_response = true;
    const auto streamed = send(asked);
    ASSERT_FALSE(streamed->failure());
    EXPECT_EQ(watcher.received.size(), answer.size());

    // The reader may come later than everything else.
    watcher.reads = false;
    watcher.received.clear();
    const auto late = start(asked);
    EXPECT_FALSE(late->is_done());
    watcher.read_all(*late);
    EXPECT_EQ(watcher.received.size(), answer.size());
    EXPECT_TRUE(late->is_done());
    EXPECT_EQ(watcher.done, 2);
}

TEST_F(in_process, an_answer_to_a_call_that_is_over_is_ignored) {
    // A handler that has attached no responder cannot be told of the cancellation.
    struct keeping final : handler {
        void handle(exchange_ptr asked) override { kept = std::move(asked); }
        exchange_ptr kept;
    } handler;
    world.session->answer_by(&handler);
    auto asked = to("http://a.example/");
    asked.limits.total = 100ms;
    const auto late = send(std::move(asked));
    EXPECT_EQ(failure_of(*late), "timed_out in total by peer");
    response_head redirecting;
    redirecting.status = 302;
    redirecting.headers.append_valid("Location", "/again");
    const exchange_ptr answered = std::exchange(handler.kept, nullptr);
    answered->on_response(std::move(redirecting));
    answered->on_data("late");
    answered->on_end({});
    EXPECT_TRUE(late->is_done());
    EXPECT_EQ(failure_of(*late), "timed_out in total by peer");
    EXPECT_FALSE(handler.kept) << "no further exchange was made";
}

TEST_F(in_process, the_network_is_used_again_afterwards) {
    send(to("http://a.example/"));
    world.session->answer_by(nullptr);
    EXPECT_TRUE(world.network->dialled.empty());
    EXPECT_EQ(body_of(*send(to("http://a.example/net"))), "GET /net ");
    EXPECT_EQ(world.network->dialled.size(), 1U);
    world.network->dialled.clear();
}

// --- Proxies ------------------------------------------------------------------------------------------------------------

std::shared_ptr<const proxy_rules> all_through(std::string_view by, std::string_view no_proxy = {}) {
    auto rules = std::make_shared<proxy_rules>(*proxy::parse(by));
    rules->set_no_proxy(no_proxy);
    return rules;
}

TEST_F(session_of_calls, forwards_plain_requests_through_an_http_proxy) {
    world.session->proxies = all_through("http://user:secret@p:3128");
    auto asked = to("http://u:p@a.example/path?q#part");
    asked.headers.append_valid("Proxy-Authorization", "Basic the-callers");
    send(std::move(asked));
    EXPECT_EQ(last().head.target, "http://a.example/path?q");
    EXPECT_EQ(last().all("host"), "a.example");
    EXPECT_EQ(last().all("proxy-authorization"), "Basic dXNlcjpzZWNyZXQ=");
    send(to("http://b.example:81"));
    EXPECT_EQ(last().head.target, "http://b.example:81/");
    const auto& dialled = world.network->dialled;
    ASSERT_EQ(dialled.size(), 1U) << "one connection serves all origins";
    EXPECT_EQ(dialled[0].host, "");
    EXPECT_EQ(dialled[0].text(), "http://p:3128");
    EXPECT_FALSE(dialled[0].tls);
}

TEST_F(session_of_calls, proxy_authorization_is_for_no_origin_but_a_gateway_that_is_addressed_as_one) {
    const auto sent = [&](bool as_told, const char* by) {
        auto asked = to("http://gateway.example/");
        asked.as_told = as_told;
        asked.headers.append_valid("Proxy-Authorization", "Bearer the-callers");
        asked.proxies = by ? all_through(by) : nullptr;
        send(std::move(asked));
        return last().all("proxy-authorization");
    };
    EXPECT_EQ(sent(true, nullptr), "Bearer the-callers");
    EXPECT_EQ(sent(true, "socks5h://p"), "");
    EXPECT_EQ(sent(true, "http://p"), "") << "this proxy is told by its own headers";
    EXPECT_EQ(sent(false, nullptr), "");
}

TEST_F(session_of_calls, tunnels_everything_else) {
    world.session->tls = transport::tls_context::make_client({.verify = false}).value();
    for (const auto& [by, url] :
         {std::pair{"http://user:secret@p", "https://a.example/x"}, std::pair{"https://p", "https://a.example/x"},
          std::pair{"socks5://user:secret@p", "http://a.example/x"}}) {
        world.network->dialled.clear();
        auto asked = to(url);
        asked.proxies = all_through(by);
        send(std::move(asked));
        EXPECT_EQ(last().head.target, "/x") << by;
        EXPECT_EQ(last().all("proxy-authorization"), "") << by;
        ASSERT_EQ(world.network->dialled.size(), 1U) << by;
        const dial::target& dialled = world.network->dialled[0];
        EXPECT_EQ(dialled.host, "a.example");
        EXPECT_EQ(*dialled.proxy, *proxy::parse(by));
        EXPECT_EQ(dialled.proxy_tls, dialled.proxy->kind == proxy_kind::https ? world.session->tls : nullptr);
    }
}

TEST_F(session_of_calls, decides_the_proxy_for_every_hop_anew) {
    // Credentials of a proxy are seen by nobody else: requests' CVE-2023-32681.
    world.handler.answer = [](const seen_request& seen) {
        if (seen.head.target != "http://a.example/") return scripted_answer{};
        return scripted_answer{.status = 302, .headers = {{"Location", "http://direct.example/"}}};
    };
    world.session->proxies = all_through("http://user:secret@p:3128", "direct.example");
    EXPECT_FALSE(send(to("http://a.example/"))->failure());
    EXPECT_EQ(last().head.target, "/");
    EXPECT_EQ(last().all("proxy-authorization"), "");
    ASSERT_EQ(world.network->dialled.size(), 2U);
    EXPECT_TRUE(world.network->dialled[0].proxy);
    EXPECT_FALSE(world.network->dialled[1].proxy);
    EXPECT_EQ(world.network->dialled[1].host, "direct.example");
}

TEST_F(session_of_calls, fails_where_the_proxy_is_not_clear) {
    world.session->proxies = proxy_rules::from_environment([](const char* name) -> std::optional<std::string> {
        return std::string_view(name) == "http_proxy" ? std::optional<std::string>("socks://p") : std::nullopt;
    });
    EXPECT_EQ(failure_of(*send(to("http://a.example/"))), "invalid_argument in prepare by caller");
    EXPECT_TRUE(world.network->dialled.empty());
}

}  // namespace
}  // namespace pabal::client

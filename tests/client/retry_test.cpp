#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "client/call_support.hpp"
#include "client/retry.hpp"

namespace pabal::client {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;
using std::chrono::sys_seconds;

/// Sun, 06 Nov 1994 08:49:37 GMT.
constexpr sys_seconds some_time{784111777s};

error failed(error_code code, phase where) { return {code, where, culprit::peer, 0, "it"}; }

retry_policy exact() {
    retry_policy policy;
    policy.jitter = 0;
    return policy;
}

response_head answer(int status, std::string_view retry_after = {}) {
    response_head head;
    head.status = status;
    if (!retry_after.empty()) head.headers.append_valid("Retry-After", retry_after);
    return head;
}

std::string plan(const retry_policy& policy, std::span<const retried> history, const retry_question& asked) {
    const auto planned = plan_retry(policy, history, asked);
    if (!planned) return "final";
    return std::string(name_of(planned->cause)) + " " + std::to_string(planned->wait.count());
}

// --- Causes -------------------------------------------------------------------------------------------------------------

TEST(retry_cause, of_every_failure) {
    const struct {
        error_code code;
        phase where;
        std::optional<retry_cause> cause;
    } cases[] = {
        {error_code::host_not_found, phase::resolve, retry_cause::connect},
        {error_code::resolver_failed, phase::resolve, retry_cause::connect},
        {error_code::connection_refused, phase::connect, retry_cause::connect},
        {error_code::network_unreachable, phase::connect, retry_cause::connect},
        {error_code::connect_failed, phase::connect, retry_cause::connect},
        {error_code::timed_out, phase::resolve, retry_cause::connect},
        {error_code::timed_out, phase::connect, retry_cause::connect},
        {error_code::timed_out, phase::tls, retry_cause::connect},
        {error_code::connection_reset, phase::tls, retry_cause::connect},
        {error_code::timed_out, phase::write, retry_cause::read},
        {error_code::timed_out, phase::read, retry_cause::read},
        {error_code::connection_closed, phase::read, retry_cause::read},
        {error_code::connection_reset, phase::read, retry_cause::read},
        {error_code::connection_reset, phase::write, retry_cause::read},
        {error_code::write_failed, phase::write, retry_cause::read},
        {error_code::body_incomplete, phase::read, retry_cause::read},
        {error_code::timed_out, phase::pool, std::nullopt},
        {error_code::timed_out, phase::total, std::nullopt},
        {error_code::cancelled, phase::none, std::nullopt},
        {error_code::invalid_url, phase::prepare, std::nullopt},
        {error_code::session_closed, phase::prepare, std::nullopt},
        {error_code::too_many_open_files, phase::connect, std::nullopt},
        {error_code::tls_handshake_failed, phase::tls, std::nullopt},
        {error_code::certificate_expired, phase::tls, std::nullopt},
        {error_code::certificate_untrusted, phase::tls, std::nullopt},
        {error_code::malformed_message, phase::read, std::nullopt},
        {error_code::head_too_large, phase::read, std::nullopt},
        {error_code::content_coding_failed, phase::read, std::nullopt},
        {error_code::body_too_large, phase::read, std::nullopt},
        {error_code::request_body_failed, phase::write, std::nullopt},
    };
    for (const auto& each : cases)
        EXPECT_EQ(cause_of(failed(each.code, each.where)), each.cause)
            << pabal::name_of(each.code) << " in " << pabal::name_of(each.where);
}

// --- Methods ------------------------------------------------------------------------------------------------------------

TEST(retry_plan, repeats_what_is_idempotent_or_was_never_sent) {
    const struct {
        const char* method;
        bool sent;
        const char* expected;
    } cases[] = {
        {"GET", true, "read 200"},     {"HEAD", true, "read 200"},  {"PUT", true, "read 200"},
        {"DELETE", true, "read 200"},  {"TRACE", true, "read 200"}, {"POST", true, "final"},
        {"PATCH", true, "final"},      {"get", true, "final"},      {"POST", false, "read 200"},
        {"OPTIONS", true, "read 200"},
    };
    const error lost = failed(error_code::connection_closed, phase::read);
    for (const auto& each : cases)
        EXPECT_EQ(plan(exact(), {}, {.method = each.method, .failure = &lost, .request_sent = each.sent}),
                  each.expected)
            << each.method;
}

TEST(retry_plan, any_method_when_the_peer_was_not_reached) {
    const error refused = failed(error_code::connection_refused, phase::connect);
    EXPECT_EQ(plan(exact(), {}, {.method = "POST", .failure = &refused}), "connect 200");
}

TEST(retry_plan, a_status_is_repeated_for_the_listed_methods_only) {
    const auto busy = answer(503);
    EXPECT_EQ(plan(exact(), {}, {.method = "GET", .response = &busy}), "status 200");
    EXPECT_EQ(plan(exact(), {}, {.method = "POST", .response = &busy}), "final");
    auto policy = exact();
    policy.methods.emplace_back("POST");
    EXPECT_EQ(plan(policy, {}, {.method = "POST", .response = &busy}), "status 200");
}

TEST(retry_plan, by_status) {
    for (const int status : {429, 502, 503, 504}) {
        const auto head = answer(status);
        EXPECT_EQ(plan(exact(), {}, {.method = "GET", .response = &head}), "status 200") << status;
    }
    for (const int status : {200, 204, 302, 400, 401, 404, 500, 501}) {
        const auto head = answer(status, "1");
        EXPECT_EQ(plan(exact(), {}, {.method = "GET", .response = &head}), "final") << status;
    }
}

// --- Counts -------------------------------------------------------------------------------------------------------------

TEST(retry_plan, counts_in_all_and_for_each_cause) {
    const error refused = failed(error_code::connection_refused, phase::connect);
    const error lost = failed(error_code::connection_closed, phase::read);
    const auto busy = answer(503);
    const std::vector<retried> one_of_each{{retry_cause::connect, 0, error_code::connection_refused, 1ms},
                                           {retry_cause::read, 0, error_code::connection_closed, 1ms},
                                           {retry_cause::status, 503, {}, 1ms}};
    const struct {
        int total;
        std::optional<int> each;
        bool again;
    } cases[] = {{3, std::nullopt, false}, {4, std::nullopt, true}, {4, 1, false}, {4, 2, true},
                 {0, std::nullopt, false}, {-1, 5, false},          {9, 0, false}};
    for (const auto& each : cases) {
        auto policy = exact();
        policy.total = each.total;
        policy.connect = policy.read = policy.status = each.each;
        const retry_question questions[] = {{.method = "GET", .failure = &refused},
                                            {.method = "GET", .failure = &lost, .request_sent = true},
                                            {.method = "GET", .response = &busy}};
        for (const auto& question : questions)
            EXPECT_EQ(plan_retry(policy, one_of_each, question).has_value(), each.again)
                << each.total << " " << each.each.value_or(-1);
    }
}

// --- Waits --------------------------------------------------------------------------------------------------------------

TEST(retry_plan, waits_double_up_to_a_bound) {
    auto policy = exact();
    policy.total = 100;
    policy.backoff = 100ms;
    policy.max_backoff = 1s;
    const auto busy = answer(503);
    std::vector<retried> history;
    for (const auto* expected :
         {"status 100", "status 200", "status 400", "status 800", "status 1000", "status 1000"}) {
        EXPECT_EQ(plan(policy, history, {.method = "GET", .response = &busy}), expected);
        history.push_back({retry_cause::status, 503, {}, 1ms});
    }
    history.resize(90);
    EXPECT_EQ(plan(policy, history, {.method = "GET", .response = &busy}), "status 1000");
    policy.max_backoff = milliseconds::max();
    EXPECT_TRUE(plan_retry(policy, history, {.method = "GET", .response = &busy}));
    policy.backoff = 0ms;
    EXPECT_EQ(plan(policy, history, {.method = "GET", .response = &busy}), "status 0");
    policy.backoff = 5s;
    policy.max_backoff = 1s;
    EXPECT_EQ(plan(policy, {}, {.method = "GET", .response = &busy}), "status 1000");
}

TEST(retry_plan, jitter_takes_a_random_part_away) {
    auto policy = exact();
    policy.backoff = 1s;
    const auto busy = answer(503);
    const struct {
        double jitter, random;
        const char* expected;
    } cases[] = {{0.0, 0.99, "status 1000"}, {0.5, 0.0, "status 1000"}, {0.5, 0.5, "status 750"},
                 {0.5, 1.0, "status 500"},   {1.0, 0.5, "status 500"},  {1.0, 1.0, "status 0"},
                 {7.0, 1.0, "status 0"}};
    for (const auto& each : cases) {
        policy.jitter = each.jitter;
        EXPECT_EQ(plan(policy, {}, {.method = "GET", .response = &busy, .random = each.random}), each.expected);
    }
}

TEST(retry_plan, retry_after_replaces_the_wait_up_to_its_cap) {
    auto policy = exact();
    policy.retry_after_cap = 60s;
    const struct {
        const char* value;
        const char* expected;
    } cases[] = {
        {"3", "status 3000"},
        {"0", "status 0"},
        {"60", "status 60000"},
        {"99999999", "status 60000"},
        {"99999999999999999999999999999999", "status 60000"},
        {"Sun, 06 Nov 1994 08:49:47 GMT", "status 10000"},
        {"Sun, 06 Nov 1994 08:49:27 GMT", "status 0"},
        {"Sun, 06 Nov 2094 08:49:37 GMT", "status 60000"},
        {"-1", "status 200"},
        {"1.5", "status 200"},
        {"soon", "status 200"},
        {"1, 2", "status 200"},
    };
    for (const auto& each : cases) {
        const auto busy = answer(503, each.value);
        EXPECT_EQ(plan(policy, {}, {.method = "GET", .response = &busy, .now = some_time}), each.expected)
            << each.value;
    }
    policy.respect_retry_after = false;
    const auto busy = answer(503, "3");
    EXPECT_EQ(plan(policy, {}, {.method = "GET", .response = &busy, .now = some_time}), "status 200");
}

TEST(retry_plan, never_waits_for_what_would_come_too_late) {
    auto policy = exact();
    policy.backoff = 1s;
    policy.budget = 10s;
    const auto busy = answer(503);
    EXPECT_EQ(plan(policy, {}, {.method = "GET", .response = &busy, .elapsed = 9s}), "status 1000");
    EXPECT_EQ(plan(policy, {}, {.method = "GET", .response = &busy, .elapsed = 9001ms}), "final");
    policy.budget = 0s;
    EXPECT_EQ(plan(policy, {}, {.method = "GET", .response = &busy, .elapsed = 1h}), "status 1000");
    EXPECT_EQ(plan(policy, {}, {.method = "GET", .response = &busy, .left = 1001ms}), "status 1000");
    EXPECT_EQ(plan(policy, {}, {.method = "GET", .response = &busy, .left = 1s}), "final");
    const auto patient = answer(503, "30");
    EXPECT_EQ(plan(policy, {}, {.method = "GET", .response = &patient, .left = 20s}), "final");
}

TEST(retry_after, reads_seconds_and_dates) {
    EXPECT_EQ(parse_retry_after("120", some_time), 120s);
    EXPECT_EQ(parse_retry_after("", some_time), std::nullopt);
    EXPECT_EQ(parse_retry_after("+1", some_time), std::nullopt);
    EXPECT_EQ(parse_retry_after("Sunday, 06-Nov-94 08:49:40 GMT", some_time), 3s);
    EXPECT_EQ(parse_retry_after("Sun Nov  6 08:49:40 1994", some_time), 3s);
}

// --- Carried out by calls -----------------------------------------------------------------------------------------------

using testing::body_of;
using testing::failure_of;
using testing::redirect_to;
using testing::scripted_answer;
using testing::scripted_peer;
using testing::seen_request;
using testing::simulated_route;
using testing::to;

class retrying : public testing::calling {
protected:
    static call_request patient(call_request asked, retry_policy policy = exact()) {
        asked.retries = std::make_shared<const retry_policy>(std::move(policy));
        return asked;
    }
    /// The server answers with these, one after the other; the last one stays.
    void answer_with(std::vector<scripted_answer> answers) {
        world.handler.answer = [this, answers = std::move(answers)](const seen_request&) {
            return answers[std::min(world.handler.seen.size(), answers.size()) - 1];
        };
    }
    void refuse_dials(int times) {
        world.network->route = [this, times](const dial::target&) {
            if (world.network->dialled.size() > static_cast<std::size_t>(times)) return simulated_route{};
            return simulated_route{.failure =
                                       error{error_code::connection_refused, phase::connect, culprit::peer, 111, "no"}};
        };
    }
    static std::string history_of(const call& of) {
        std::string out;
        for (const retried& each : of.attempts()) {
            if (!out.empty()) out += ", ";
            out += std::string(name_of(each.cause)) + " " +
                   (each.status ? std::to_string(each.status) : std::string(pabal::name_of(each.code))) + " " +
                   std::to_string(each.wait.count());
        }
        return out;
    }
    auto passed() const { return world.clock->now() - begun; }
    reactor::time_point begun = world.clock->now();
};

const scripted_answer busy{.status = 503, .body = "busy"};
const scripted_answer fine{.body = "fine"};

TEST_F(retrying, nothing_without_a_policy) {
    answer_with({busy, fine});
    EXPECT_EQ(send(to("http://a.example/"))->response().status, 503);
    refuse_dials(100);
    EXPECT_EQ(failure_of(*send(to("http://b.example/"))), "connection_refused in connect by peer");
    EXPECT_EQ(world.handler.seen.size(), 1U);
}

TEST_F(retrying, until_the_answer_is_good_on_the_same_connection) {
    answer_with({busy, busy, fine});
    const auto done = send(patient(to("http://a.example/")));
    ASSERT_FALSE(done->failure()) << failure_of(*done);
    EXPECT_EQ(body_of(*done), "fine");
    EXPECT_EQ(history_of(*done), "status 503 200, status 503 400");
    EXPECT_GE(passed(), 600ms);
    EXPECT_LE(passed(), 620ms);
    EXPECT_EQ(world.network->dialled.size(), 1U);
    EXPECT_EQ(world.handler.seen.size(), 3U);
}

TEST_F(retrying, the_last_answer_is_the_response) {
    answer_with({busy});
    const auto done = send(patient(to("http://a.example/")));
    EXPECT_FALSE(done->failure());
    EXPECT_EQ(done->response().status, 503);
    EXPECT_EQ(body_of(*done), "busy");
    EXPECT_EQ(done->attempts().size(), 3U);
}

TEST_F(retrying, a_peer_that_cannot_be_reached_whatever_the_method) {
    refuse_dials(2);
    const auto done = send(patient(to("http://a.example/", "POST", "x")));
    EXPECT_FALSE(done->failure()) << failure_of(*done);
    EXPECT_EQ(history_of(*done), "connect connection_refused 200, connect connection_refused 400");
    EXPECT_EQ(world.handler.seen.at(0).body, "x");
}

TEST_F(retrying, says_how_often_it_tried) {
    refuse_dials(100);
    const auto done = send(patient(to("http://a.example/")));
    ASSERT_TRUE(done->failure());
    EXPECT_EQ(done->failure()->message, "no (4 attempts) [GET http://a.example/]");
}

TEST_F(retrying, a_body_that_broke_off) {
    use_peers();
    int requests = 0;
    on_peer = [&](scripted_peer& peer) {
        peer.on_received = [&](scripted_peer& at) {
            if (++requests == 1) {
                at.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345");
                return at.close();
            }
            at.send("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc");
        };
    };
    const auto done = send(patient(to("http://a.example/")));
    ASSERT_FALSE(done->failure()) << failure_of(*done);
    EXPECT_EQ(body_of(*done), "abc");
    EXPECT_EQ(history_of(*done), "read body_incomplete 200");
}

TEST_F(retrying, a_streamed_response_that_has_begun_is_not_repeated) {
    use_peers();
    on_peer = [](scripted_peer& peer) {
        peer.on_received = [](scripted_peer& at) {
            at.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345");
            at.close();
        };
    };
    auto asked = patient(to("http://a.example/"));
    asked.streams_response = true;
    const auto begun_call = start(std::move(asked));
    world.run_until([&] { return begun_call->is_done(); });
    EXPECT_EQ(watcher.received, "12345");
    EXPECT_EQ(watcher.heads, 1);
    EXPECT_TRUE(watcher.read_failure);
    EXPECT_EQ(peers.size(), 1U);
}

TEST_F(retrying, a_streamed_response_before_its_head) {
    answer_with({busy, fine});
    auto asked = patient(to("http://a.example/"));
    asked.streams_response = true;
    send(std::move(asked));
    EXPECT_EQ(watcher.received, "fine");
    EXPECT_EQ(watcher.heads, 1);
}

TEST_F(retrying, sends_a_body_again_from_its_beginning) {
    answer_with({busy, fine});
    watcher.body = std::string(5000, 'x');
    watcher.rewindable = true;
    auto asked = patient(to("http://a.example/", "PUT"));
    asked.streams_body = true;
    asked.streamed_size = 5000;
    const auto done = send(std::move(asked));
    EXPECT_EQ(done->response().status, 200);
    ASSERT_EQ(world.handler.seen.size(), 2U);
    EXPECT_EQ(world.handler.seen[1].body, watcher.body);
}

TEST_F(retrying, a_consumed_body_is_never_sent_again_empty) {
    answer_with({busy, fine});
    watcher.body = "once";
    auto asked = patient(to("http://a.example/", "PUT"));
    asked.streams_body = true;
    const auto answered = send(std::move(asked));
    EXPECT_FALSE(answered->failure());
    EXPECT_EQ(answered->response().status, 503);
    EXPECT_TRUE(answered->attempts().empty());
    EXPECT_EQ(world.handler.seen.size(), 1U);

    use_peers();
    on_peer = [](scripted_peer& peer) { peer.on_received = [](scripted_peer& at) { at.close(); }; };
    watcher.given = 0;
    auto lost = patient(to("http://b.example/", "PUT"));
    lost.streams_body = true;
    const auto failed = send(std::move(lost));
    ASSERT_TRUE(failed->failure());
    EXPECT_NE(failed->failure()->message.find("not repeated, because its streamed body was already consumed"),
              std::string::npos)
        << failed->failure()->message;
    EXPECT_EQ(peers.size(), 1U);
}

TEST_F(retrying, waits_as_the_server_asks) {
    auto asks = busy;
    asks.headers = {{"Retry-After", "7"}};
    answer_with({asks, fine});
    EXPECT_EQ(send(patient(to("http://a.example/")))->response().status, 200);
    EXPECT_GE(passed(), 7s);
    EXPECT_LE(passed(), 7100ms);
}

TEST_F(retrying, the_total_limit_covers_attempts_and_waits) {
    auto asks = busy;
    asks.headers = {{"Retry-After", "7"}};
    answer_with({asks, fine});
    auto hurried = patient(to("http://a.example/"));
    hurried.limits.total = 5s;
    EXPECT_EQ(send(std::move(hurried))->response().status, 503);
    EXPECT_LE(passed(), 100ms) << "what comes too late is not waited for";

    answer_with({busy, {.never = true}});
    world.handler.seen.clear();
    auto late = patient(to("http://a.example/"));
    late.limits.total = 5s;
    EXPECT_EQ(failure_of(*send(std::move(late))), "timed_out in total by peer");
    EXPECT_LE(passed(), 5200ms);
}

TEST_F(retrying, redirects_and_retries_mix) {
    answer_with({busy, redirect_to(302, "/next"), busy, fine});
    const auto done = send(patient(to("http://a.example/")));
    EXPECT_EQ(body_of(*done), "fine");
    EXPECT_EQ(last().head.target, "/next");
    EXPECT_EQ(done->history().size(), 1U);
    EXPECT_EQ(history_of(*done), "status 503 200, status 503 400");
}

TEST_F(retrying, a_refused_body_that_is_too_long_costs_its_connection) {
    auto long_one = busy;
    long_one.body = std::string(1'000'000, 'x');
    answer_with({long_one, fine});
    EXPECT_EQ(body_of(*send(patient(to("http://a.example/")))), "fine");
    EXPECT_EQ(world.network->dialled.size(), 2U);
}

TEST_F(retrying, can_be_cancelled_while_it_waits) {
    answer_with({busy, fine});
    auto policy = exact();
    policy.backoff = 10s;
    const auto waiting = start(patient(to("http://a.example/"), policy));
    world.run_for(1s);
    EXPECT_FALSE(waiting->is_done());
    EXPECT_EQ(world.engine->pool().idle_connections(), 1U) << "no connection is held while it waits";
    waiting->cancel();
    world.run_for(1min);
    EXPECT_EQ(watcher.done, 0);
    EXPECT_EQ(world.handler.seen.size(), 1U);
}

TEST_F(retrying, ends_with_its_session_while_it_waits) {
    answer_with({busy, fine});
    auto policy = exact();
    policy.backoff = 10s;
    const auto waiting = start(patient(to("http://a.example/"), policy));
    world.run_for(1s);
    world.session->close();
    EXPECT_EQ(failure_of(*waiting), "session_closed in pool by caller");
    EXPECT_EQ(watcher.done, 1);
}

TEST_F(retrying, may_be_forgotten_while_it_waits) {
    answer_with({busy, fine});
    auto policy = exact();
    policy.backoff = 10s;
    start(patient(to("http://a.example/"), policy));
    world.run_for(1min);
    EXPECT_EQ(world.handler.seen.size(), 1U);
}

}  // namespace
}  // namespace pabal::client

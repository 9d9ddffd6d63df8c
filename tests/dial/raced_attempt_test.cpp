#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "dial/raced_attempt.hpp"
#include "reactor/simulated_poller.hpp"
#include "transport/memory_transport.hpp"

namespace pabal::dial {
namespace {

using namespace std::chrono_literals;

/// Dials nothing, and lets the test say how each dial goes.
class scripted_dialer final : public dialer {
public:
    struct asked {
        target to;
        dial_observer* observer;
        std::shared_ptr<bool> abandoned;
    };
    struct token final : attempt {
        explicit token(std::shared_ptr<bool> told) : abandoned(std::move(told)) {}
        ~token() override { *abandoned = true; }
        std::shared_ptr<bool> abandoned;
    };
    std::unique_ptr<attempt> dial(const target& to, const dial_limits&, dial_observer& observer) override {
        dials.push_back({to, &observer, std::make_shared<bool>(false)});
        return std::make_unique<token>(dials.back().abandoned);
    }
    std::vector<asked> dials;
};

/// Knows no names, and lets the test say what an origin's records are.
class scripted_resolver final : public resolver {
public:
    struct token final : lookup {};
    std::unique_ptr<lookup> resolve(std::string_view, resolve_observer&) override { return nullptr; }
    std::unique_ptr<lookup> find_services(std::string_view host, std::uint16_t port,
                                          service_observer& observer) override {
        asked.push_back(std::string(host) + ':' + std::to_string(port));
        waiting = &observer;
        return std::make_unique<token>();
    }
    std::vector<std::string> asked;
    service_observer* waiting = nullptr;
};

class raced : public ::testing::Test, public dial_observer {
protected:
    void on_dialed(transport::transport_ptr, const dial_timings&) override { outcome_ = "tcp"; }
    void on_linked(std::unique_ptr<connection::http3_link>, const dial_timings&) override { outcome_ = "quic"; }
    bool is_reached(const address&, bool over_quic) override { return over_quic; }
    void on_reached() override { outcome_ = "reached"; }
    void on_dial_failed(error failure) override { outcome_ = failure.message; }

    void begin() {
        to_.host = "quotes.example";
        to_.port = 443;
        to_.http3_at = alternative{"edge.example", 8443};
        start();
    }
    /// Of an origin of which nothing is known.
    void begin_in_the_dark() {
        to_.host = "quotes.example";
        to_.port = 443;
        start();
    }
    void start() {
        to_.alternatives = std::make_shared<alternative_cache>();
        race_ = std::make_unique<raced_attempt>(reactor_, dialer_, resolver_, to_, dial_limits{}, *this);
    }
    std::optional<alternative> known() {
        return to_.alternatives->find("quotes.example", 443, "h3", std::chrono::system_clock::now());
    }
    void pass(reactor::duration time) {
        for (const auto until = reactor_.now() + time; reactor_.now() < until;) reactor_.turn(until - reactor_.now());
    }
    bool is_avoided() { return to_.alternatives->is_avoided(*to_.http3_at, "h3", std::chrono::system_clock::now()); }
    transport::transport_ptr wire() { return transport::make_memory_pair(reactor_, {}, {}).first; }
    static error down(std::string message) {
        return {error_code::connect_failed, phase::connect, culprit::network, 0, std::move(message)};
    }

    reactor::reactor reactor_{std::make_unique<reactor::simulated_poller>()};
    scripted_dialer dialer_;
    scripted_resolver resolver_;
    target to_;
    std::unique_ptr<raced_attempt> race_;
    std::string outcome_;
};

TEST_F(raced, quic_goes_first_to_the_alternative_under_the_origins_name) {
    begin();
    ASSERT_EQ(dialer_.dials.size(), 1U);
    const target& there = dialer_.dials[0].to;
    EXPECT_EQ(there.host, "edge.example");
    EXPECT_EQ(there.port, 8443);
    EXPECT_EQ(there.server_name, "quotes.example");
    EXPECT_TRUE(there.over_quic);
    EXPECT_FALSE(there.http3_at);
    pass(240ms);
    EXPECT_EQ(dialer_.dials.size(), 1U);
    dialer_.dials[0].observer->on_linked(nullptr, {});
    EXPECT_EQ(outcome_, "quic");
    pass(1s);
    EXPECT_EQ(dialer_.dials.size(), 1U) << "nobody needs TCP any more";
    EXPECT_FALSE(is_avoided());
}

TEST_F(raced, a_place_that_is_avoided_by_now_is_not_tried) {
    to_.host = "quotes.example";
    to_.port = 443;
    to_.http3_at = alternative{"edge.example", 8443};
    to_.alternatives = std::make_shared<alternative_cache>();
    to_.alternatives->avoid(*to_.http3_at, "h3", std::chrono::system_clock::now());
    race_ = std::make_unique<raced_attempt>(reactor_, dialer_, resolver_, to_, dial_limits{}, *this);
    pass(1s);
    ASSERT_EQ(dialer_.dials.size(), 1U);
    EXPECT_FALSE(dialer_.dials[0].to.over_quic);
    dialer_.dials[0].observer->on_dialed(wire(), {});
    EXPECT_EQ(outcome_, "tcp");
}

TEST_F(raced, tcp_follows_when_quic_takes_its_time_and_the_loser_is_dropped) {
    begin();
    pass(260ms);
    ASSERT_EQ(dialer_.dials.size(), 2U);
    EXPECT_EQ(dialer_.dials[1].to.host, "quotes.example");
    EXPECT_FALSE(dialer_.dials[1].to.over_quic);
    EXPECT_FALSE(dialer_.dials[1].to.http3_at);
    dialer_.dials[1].observer->on_dialed(wire(), {});
    EXPECT_EQ(outcome_, "tcp");
    EXPECT_TRUE(*dialer_.dials[0].abandoned);
    EXPECT_TRUE(is_avoided()) << "it had a head start and is not there yet";
}

TEST_F(raced, quic_may_still_win_after_tcp_has_started) {
    begin();
    pass(260ms);
    dialer_.dials[0].observer->on_linked(nullptr, {});
    EXPECT_EQ(outcome_, "quic");
    EXPECT_TRUE(*dialer_.dials[1].abandoned);
    EXPECT_FALSE(is_avoided());
}

TEST_F(raced, tcp_follows_at_once_when_quic_fails) {
    begin();
    dialer_.dials[0].observer->on_dial_failed(down("no UDP"));
    ASSERT_EQ(dialer_.dials.size(), 2U);
    EXPECT_TRUE(is_avoided());
    EXPECT_EQ(outcome_, "");
    dialer_.dials[1].observer->on_dialed(wire(), {});
    EXPECT_EQ(outcome_, "tcp");
}

TEST_F(raced, a_tcp_failure_is_told_once_quic_has_failed_too) {
    for (const bool quic_first : {true, false}) {
        dialer_.dials.clear();
        outcome_.clear();
        begin();
        pass(260ms);
        ASSERT_EQ(dialer_.dials.size(), 2U);
        dialer_.dials[quic_first ? 0 : 1].observer->on_dial_failed(down(quic_first ? "no UDP" : "no TCP"));
        EXPECT_EQ(outcome_, "");
        dialer_.dials[quic_first ? 1 : 0].observer->on_dial_failed(down(quic_first ? "no TCP" : "no UDP"));
        EXPECT_EQ(outcome_, "no TCP");
    }
}

TEST_F(raced, records_are_asked_for_where_nothing_is_known_and_nobody_waits_for_them) {
    begin_in_the_dark();
    ASSERT_EQ(dialer_.dials.size(), 1U);
    EXPECT_FALSE(dialer_.dials[0].to.over_quic);
    EXPECT_FALSE(dialer_.dials[0].to.alternatives);
    EXPECT_EQ(resolver_.asked, std::vector<std::string>{"quotes.example:443"});
    dialer_.dials[0].observer->on_dialed(wire(), {});
    EXPECT_EQ(outcome_, "tcp");
}

TEST_F(raced, quic_joins_where_the_records_say_and_the_place_is_known_from_then_on) {
    begin_in_the_dark();
    service_binding old, modern;
    old.protocols = {"h2"};
    modern.protocols = {"h2", "h3"};
    modern.target = "edge.example";
    modern.port = 8443;
    resolver_.waiting->on_services({old, modern});
    ASSERT_EQ(dialer_.dials.size(), 2U);
    const target& there = dialer_.dials[1].to;
    EXPECT_TRUE(there.over_quic);
    EXPECT_EQ(there.host, "edge.example");
    EXPECT_EQ(there.port, 8443);
    EXPECT_EQ(there.server_name, "quotes.example");
    EXPECT_EQ(known(), (alternative{"edge.example", 8443}));
    EXPECT_TRUE(to_.alternatives->news().empty()) << "the DNS is not the origin: it is asked again another time";
    dialer_.dials[1].observer->on_linked(nullptr, {});
    EXPECT_EQ(outcome_, "quic");
    EXPECT_TRUE(*dialer_.dials[0].abandoned);
}

TEST_F(raced, quic_that_joined_late_may_lose_without_being_avoided) {
    begin_in_the_dark();
    service_binding modern;
    modern.protocols = {"h3"};
    resolver_.waiting->on_services({modern});
    ASSERT_EQ(dialer_.dials.size(), 2U);
    dialer_.dials[0].observer->on_dialed(wire(), {});
    EXPECT_EQ(outcome_, "tcp");
    EXPECT_TRUE(*dialer_.dials[1].abandoned);
    EXPECT_EQ(known(), (alternative{"quotes.example", 443}));
}

TEST_F(raced, records_without_http3_change_nothing) {
    begin_in_the_dark();
    service_binding old;
    old.protocols = {"h2"};
    resolver_.waiting->on_services({old});
    EXPECT_EQ(dialer_.dials.size(), 1U);
    EXPECT_FALSE(known());
    dialer_.dials[0].observer->on_dial_failed(down("no TCP"));
    EXPECT_EQ(outcome_, "no TCP");
}

TEST_F(raced, records_are_waited_for_when_tcp_has_failed_before_them) {
    begin_in_the_dark();
    dialer_.dials[0].observer->on_dial_failed(down("no TCP"));
    EXPECT_EQ(outcome_, "");
    service_binding modern;
    modern.protocols = {"h3"};
    resolver_.waiting->on_services({modern});
    ASSERT_EQ(dialer_.dials.size(), 2U);
    EXPECT_TRUE(dialer_.dials[1].to.over_quic);
    pass(1s);
    EXPECT_EQ(outcome_, "");
    dialer_.dials[1].observer->on_linked(nullptr, {});
    EXPECT_EQ(outcome_, "quic");
}

TEST_F(raced, records_that_come_late_or_know_nothing_do_not_hold_a_failure_back_for_long) {
    begin_in_the_dark();
    dialer_.dials[0].observer->on_dial_failed(down("no TCP"));
    pass(200ms);
    EXPECT_EQ(outcome_, "");
    pass(100ms);
    EXPECT_EQ(outcome_, "no TCP");

    dialer_.dials.clear();
    outcome_.clear();
    begin_in_the_dark();
    dialer_.dials[0].observer->on_dial_failed(down("no TCP"));
    resolver_.waiting->on_services({});
    EXPECT_EQ(outcome_, "no TCP");
}

TEST_F(raced, a_side_that_finds_a_connection_has_won) {
    begin();
    pass(260ms);
    EXPECT_TRUE(dialer_.dials[0].observer->is_reached({}, true)) << "whoever asked for the race is asked";
    EXPECT_FALSE(dialer_.dials[1].observer->is_reached({}, false));
    dialer_.dials[0].observer->on_reached();
    EXPECT_EQ(outcome_, "reached");
    EXPECT_TRUE(*dialer_.dials[1].abandoned);
    EXPECT_FALSE(is_avoided());

    dialer_.dials.clear();
    begin();
    pass(260ms);
    dialer_.dials[1].observer->on_reached();
    EXPECT_TRUE(*dialer_.dials[0].abandoned);
    EXPECT_TRUE(is_avoided());
}

TEST_F(raced, a_race_that_is_given_up_leaves_nothing_behind) {
    begin();
    pass(260ms);
    race_.reset();
    EXPECT_TRUE(*dialer_.dials[0].abandoned);
    EXPECT_TRUE(*dialer_.dials[1].abandoned);
}

}  // namespace
}  // namespace pabal::dial

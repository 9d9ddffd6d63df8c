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

class raced : public ::testing::Test, public dial_observer {
protected:
    void on_dialed(transport::transport_ptr, const dial_timings&) override { outcome_ = "tcp"; }
    void on_linked(std::unique_ptr<connection::http3_link>, const dial_timings&) override { outcome_ = "quic"; }
    void on_dial_failed(error failure) override { outcome_ = failure.message; }

    void begin() {
        to_.host = "quotes.example";
        to_.port = 443;
        to_.http3_at = alternative{"edge.example", 8443};
        to_.alternatives = std::make_shared<alternative_cache>();
        race_ = std::make_unique<raced_attempt>(reactor_, dialer_, to_, dial_limits{}, *this);
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

TEST_F(raced, a_race_that_is_given_up_leaves_nothing_behind) {
    begin();
    pass(260ms);
    race_.reset();
    EXPECT_TRUE(*dialer_.dials[0].abandoned);
    EXPECT_TRUE(*dialer_.dials[1].abandoned);
}

}  // namespace
}  // namespace pabal::dial

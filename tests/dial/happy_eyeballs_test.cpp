// RFC 8305 as a table: what happens when, and which address is tried when.

#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "dial/happy_eyeballs.hpp"

using namespace pabal::dial;
using namespace std::chrono_literals;

namespace {

/// One scenario in words. Events: "0 v4 a b" (at 0 ms the IPv4 answer with the addresses 192.0.2.a and .b), "0 v6 c"
/// (2001:db8::c), "30 fail" (the oldest attempt fails). Expected: "50 v4 a" (an attempt starts), "70 exhausted".
struct scenario {
    const char* name;
    std::vector<std::string> events;
    std::vector<std::string> expected;
};
std::ostream& operator<<(std::ostream& out, const scenario& which) { return out << which.name; }

address of(address_family family, const std::string& last) {
    return *address::parse((family == address_family::ipv6 ? "2001:db8::" : "192.0.2.") + last);
}

std::string shown(const address& which) {
    const std::string text = which.to_string();
    if (which.family == address_family::ipv4) return "v4 " + text.substr(8, text.find(':') - 8);
    return "v6 " + text.substr(11, text.find(']') - 11);
}

/// Runs the plan on a clock of its own, as a dialer would.
std::vector<std::string> run(const std::vector<std::string>& events) {
    happy_eyeballs plan;
    const happy_eyeballs::time_point origin{1h};
    std::vector<std::string> seen;
    std::size_t next_event = 0;
    constexpr int never = 1 << 30;
    int wake = 0;
    for (int now = 0; now <= 3000; ++now) {
        bool news = now >= wake;
        for (; next_event < events.size(); ++next_event) {
            std::istringstream words{events[next_event]};
            int when = 0;
            std::string what;
            words >> when >> what;
            if (when > now) break;
            news = true;
            if (what == "fail") {
                plan.attempt_failed(origin + std::chrono::milliseconds{now});
                continue;
            }
            const auto family = what == "v6" ? address_family::ipv6 : address_family::ipv4;
            std::vector<address> addresses;
            for (std::string last; words >> last;) addresses.push_back(of(family, last));
            plan.answered(family, addresses, origin + std::chrono::milliseconds{now});
        }
        while (news) {
            const auto decision = plan.next(origin + std::chrono::milliseconds{now});
            wake = decision.until ? static_cast<int>((*decision.until - origin) / 1ms) : never;
            if (decision.what == happy_eyeballs::step::start) {
                seen.push_back(std::to_string(now) + " " + shown(*decision.to));
                continue;
            }
            if (decision.what == happy_eyeballs::step::exhausted)
                return seen.push_back(std::to_string(now) + " exhausted"), seen;
            news = false;
        }
    }
    return seen;
}

const scenario scenarios[] = {
    {"one_address", {"0 v6", "0 v4 1"}, {"0 v4 1"}},
    {"ipv6_first", {"0 v6 1", "0 v4 1"}, {"0 v6 1", "250 v4 1"}},
    {"ipv6_does_not_wait_for_ipv4", {"0 v6 1", "900 v4 1"}, {"0 v6 1", "900 v4 1"}},
    {"ipv4_waits_a_little_for_ipv6", {"0 v4 1", "49 v6 1"}, {"49 v6 1", "299 v4 1"}},
    {"ipv4_does_not_wait_longer", {"0 v4 1", "60 v6 1"}, {"50 v4 1", "300 v6 1"}},
    {"ipv4_need_not_wait_when_there_is_no_ipv6", {"0 v4 1", "20 v6"}, {"20 v4 1"}},
    {"families_alternate", {"0 v6 1 2 3", "0 v4 1 2"}, {"0 v6 1", "250 v4 1", "500 v6 2", "750 v4 2", "1000 v6 3"}},
    {"one_family_runs_out", {"0 v6 1", "0 v4 1 2 3"}, {"0 v6 1", "250 v4 1", "500 v4 2", "750 v4 3"}},
    {"a_failure_hastens_the_next", {"0 v6 1", "0 v4 1", "30 fail"}, {"0 v6 1", "30 v4 1"}},
    {"the_delay_begins_anew", {"0 v6 1 2", "0 v4 1", "30 fail"}, {"0 v6 1", "30 v4 1", "280 v6 2"}},
    {"late_addresses_join", {"0 v4 1 2", "100 v6 1"}, {"50 v4 1", "300 v6 1", "550 v4 2"}},
    {"late_ipv6_after_a_failure", {"0 v4 1", "80 fail", "100 v6 1"}, {"50 v4 1", "100 v6 1"}},
    {"all_fail", {"0 v6 1", "0 v4 1", "10 fail", "20 fail"}, {"0 v6 1", "10 v4 1", "20 exhausted"}},
    {"waits_for_the_other_family_before_giving_up", {"0 v6 1", "10 fail", "500 v4"}, {"0 v6 1", "500 exhausted"}},
    {"no_addresses_at_all", {"0 v6", "5 v4"}, {"5 exhausted"}},
    {"nothing_to_try_yet", {"0 v4"}, {}},
};

class happy_eyeballs_table : public ::testing::TestWithParam<scenario> {};
INSTANTIATE_TEST_SUITE_P(rfc_8305, happy_eyeballs_table, ::testing::ValuesIn(scenarios),
                         [](const auto& which) { return which.param.name; });

TEST_P(happy_eyeballs_table, starts_attempts_in_order_and_time) {
    EXPECT_EQ(run(GetParam().events), GetParam().expected);
}

TEST(happy_eyeballs, tries_a_bounded_number_of_addresses) {
    std::vector<address> many(1000, *address::parse("192.0.2.1"));
    happy_eyeballs plan;
    happy_eyeballs::time_point now{1h};
    plan.answered(address_family::ipv6, {}, now);
    plan.answered(address_family::ipv4, many, now);
    std::size_t started = 0;
    for (int step = 0; step < 2000 && plan.next(now).what == happy_eyeballs::step::start; ++step, now += 250ms)
        ++started;
    EXPECT_EQ(started, happy_eyeballs::max_addresses);
}

}  // namespace

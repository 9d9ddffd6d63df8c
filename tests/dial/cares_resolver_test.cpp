#include "dial/cares_resolver.hpp"
#include "dial/dial_support.hpp"

using namespace pabal;
using namespace pabal::dial;
using namespace pabal::dial::testing;

namespace {

/// Records the answers of a lookup.
struct listener final : resolve_observer {
    std::optional<family_answer> answers[2];
    std::function<void()> then;
    void on_answer(address_family family, const family_answer& answer) override {
        auto& slot = answers[static_cast<std::size_t>(family)];
        EXPECT_FALSE(slot) << "answered twice";
        slot = answer;
        if (then) then();
    }
    bool done() const { return answers[0] && answers[1]; }
    const family_answer& ipv6() const { return *answers[0]; }
    const family_answer& ipv4() const { return *answers[1]; }
};

class resolving : public ::testing::TestWithParam<const char*> {
protected:
    void SetUp() override { make(); }
    void make(std::chrono::milliseconds timeout = 2000ms, std::size_t max_cached = 1024) {
        resolver_options options;
        options.servers = server_.address();
        options.hosts_path = hosts_path_.string();
        options.timeout = timeout;
        options.tries = 1;
        options.max_cached_hosts = max_cached;
        resolver_ = std::make_unique<cares_resolver>(reactor_, options);
    }
    void TearDown() override { std::filesystem::remove(hosts_path_); }
    /// Resolves and waits.
    listener resolved(const std::string& host) {
        listener heard;
        const auto waiting = resolver_->resolve(host, heard);
        EXPECT_TRUE(turn_until(reactor_, [&] { return heard.done(); })) << host;
        return heard;
    }
    reactor::reactor reactor_{reactor::make_poller(GetParam()).value()};
    fake_name_server server_{reactor_};
    std::filesystem::path hosts_path_ =
        std::filesystem::temp_directory_path() / ("pabal-hosts-" + std::to_string(::getpid()) + "-" + GetParam());
    std::unique_ptr<cares_resolver> resolver_;
};

INSTANTIATE_TEST_SUITE_P(pollers, resolving, ::testing::Values("epoll", "poll"),
                         [](const auto& which) { return which.param; });

TEST_P(resolving, asks_for_both_families) {
    server_.zones["a.example"] = {.ipv4 = {"192.0.2.1", "192.0.2.2"}, .ipv6 = {"2001:db8::1"}};
    const listener heard = resolved("a.example");
    ASSERT_EQ(heard.ipv4().addresses.size(), 2U);
    EXPECT_EQ(heard.ipv4().addresses[0], *address::parse("192.0.2.1"));
    EXPECT_EQ(heard.ipv4().addresses[1], *address::parse("192.0.2.2"));
    ASSERT_EQ(heard.ipv6().addresses.size(), 1U);
    EXPECT_EQ(heard.ipv6().addresses[0], *address::parse("2001:db8::1"));
    EXPECT_EQ(server_.asked("A a.example"), 1U);
    EXPECT_EQ(server_.asked("AAAA a.example"), 1U);
}

TEST_P(resolving, gives_one_family_without_waiting_for_the_other) {
    server_.zones["a.example"] = {.ipv4 = {"192.0.2.1"}, .silent_ipv6 = true};
    listener heard;
    const auto waiting = resolver_->resolve("a.example", heard);
    EXPECT_TRUE(turn_until(reactor_, [&] { return heard.answers[1].has_value(); }, 1s));
    EXPECT_FALSE(heard.answers[0]);
}

TEST_P(resolving, remembers_answers_for_their_time_to_live) {
    server_.zones["a.example"] = {.ipv4 = {"192.0.2.1"}, .time_to_live = 1};
    (void)resolved("a.example");
    listener again;
    EXPECT_FALSE(resolver_->resolve("A.Example.", again)) << "answered at once, whatever the spelling";
    EXPECT_TRUE(again.done());
    EXPECT_EQ(server_.asked("A a.example"), 1U);
    const auto end = reactor::clock::now() + 1100ms;
    turn_until(reactor_, [&] { return reactor::clock::now() > end; });
    (void)resolved("a.example");
    EXPECT_EQ(server_.asked("A a.example"), 2U);
    EXPECT_EQ(server_.asked("AAAA a.example"), 1U) << "that there is no IPv6 is remembered a little longer";
}

TEST_P(resolving, a_time_to_live_of_zero_is_not_remembered) {
    server_.zones["a.example"] = {.ipv4 = {"192.0.2.1"}, .ipv6 = {"2001:db8::1"}, .time_to_live = 0};
    (void)resolved("a.example");
    (void)resolved("a.example");
    EXPECT_EQ(server_.asked("A a.example"), 2U);
}

TEST_P(resolving, an_aliass_time_to_live_counts_too) {
    server_.zones["a.example"] = {.ipv4 = {"192.0.2.1"},
                                  .ipv6 = {"2001:db8::1"},
                                  .time_to_live = 600,
                                  .alias = "b.example",
                                  .alias_time_to_live = 0};
    EXPECT_EQ(resolved("a.example").ipv4().addresses.size(), 1U);
    EXPECT_EQ(resolver_->cached_hosts(), 0U);
}

TEST_P(resolving, the_cache_is_bounded) {
    make(2000ms, 4);
    for (int index = 0; index < 20; ++index) {
        const std::string name = "h" + std::to_string(index) + ".example";
        server_.zones[name] = {.ipv4 = {"192.0.2.1"}};
        (void)resolved(name);
    }
    EXPECT_EQ(resolver_->cached_hosts(), 4U);
}

TEST_P(resolving, concurrent_lookups_share_a_query) {
    server_.zones["a.example"] = {.ipv4 = {"192.0.2.1"}};
    std::vector<listener> heard(100);
    std::vector<std::unique_ptr<lookup>> waiting;
    for (auto& each : heard) waiting.push_back(resolver_->resolve("a.example", each));
    EXPECT_EQ(resolver_->queries_under_way(), 1U);
    EXPECT_TRUE(turn_until(reactor_, [&] { return std::ranges::all_of(heard, &listener::done); }));
    EXPECT_EQ(server_.asked("A a.example"), 1U);
    EXPECT_EQ(server_.asked("AAAA a.example"), 1U);
    EXPECT_EQ(resolver_->queries_under_way(), 0U);
}

TEST_P(resolving, names_a_host_that_does_not_exist) {
    const listener heard = resolved("none.example");
    ASSERT_TRUE(heard.ipv4().failure);
    EXPECT_EQ(heard.ipv4().failure->code, error_code::host_not_found);
    EXPECT_EQ(heard.ipv4().failure->where, phase::resolve);
    EXPECT_NE(heard.ipv4().failure->message.find("none.example"), std::string::npos);
    (void)resolved("none.example");
    EXPECT_EQ(server_.asked("A none.example"), 1U) << "remembered for a short while";
}

TEST_P(resolving, a_failing_server_is_reported_and_not_remembered) {
    server_.zones["a.example"] = {.response_code = 2};
    const listener heard = resolved("a.example");
    ASSERT_TRUE(heard.ipv4().failure);
    EXPECT_EQ(heard.ipv4().failure->code, error_code::resolver_failed);
    EXPECT_NE(heard.ipv4().failure->message.find("a.example"), std::string::npos);
    server_.zones["a.example"] = {.ipv4 = {"192.0.2.1"}};
    EXPECT_EQ(resolved("a.example").ipv4().addresses.size(), 1U);
}

TEST_P(resolving, a_silent_server_times_out) {
    make(300ms);
    server_.zones["a.example"] = {.silent = true};
    const listener heard = resolved("a.example");
    ASSERT_TRUE(heard.ipv4().failure);
    EXPECT_EQ(heard.ipv4().failure->code, error_code::resolver_failed);
    EXPECT_EQ(resolver_->queries_under_way(), 0U);
}

TEST_P(resolving, names_in_the_hosts_file_need_no_query) {
    std::ofstream{hosts_path_}
        << "# a comment\n192.0.2.9\tOne.example two.example # more\n2001:db8::9 one.example\nnonsense x\n";
    listener heard;
    EXPECT_FALSE(resolver_->resolve("one.example", heard));
    ASSERT_TRUE(heard.done());
    EXPECT_EQ(heard.ipv4().addresses, std::vector{*address::parse("192.0.2.9")});
    EXPECT_EQ(heard.ipv6().addresses, std::vector{*address::parse("2001:db8::9")});
    EXPECT_TRUE(server_.questions.empty());
    std::ofstream{hosts_path_} << "192.0.2.10 one.example\n";
    listener changed;
    EXPECT_FALSE(resolver_->resolve("one.example", changed));
    EXPECT_EQ(changed.ipv4().addresses, std::vector{*address::parse("192.0.2.10")});
    EXPECT_TRUE(changed.ipv6().addresses.empty());
}

TEST_P(resolving, literals_and_localhost_need_no_query) {
    for (const char* host : {"127.0.0.1", "::1", "localhost"}) {
        listener heard;
        EXPECT_FALSE(resolver_->resolve(host, heard));
        EXPECT_TRUE(heard.done());
    }
    EXPECT_TRUE(server_.questions.empty());
}

TEST_P(resolving, giving_up_leaves_nothing_behind) {
    const std::size_t before = open_descriptors();
    server_.zones["a.example"] = {.silent = true};
    std::vector<listener> heard(3);
    std::vector<std::unique_ptr<lookup>> waiting;
    for (auto& each : heard) waiting.push_back(resolver_->resolve("a.example", each));
    reactor_.turn(0ms);
    EXPECT_GT(open_descriptors(), before);
    waiting.clear();
    reactor_.turn(0ms);
    EXPECT_EQ(resolver_->queries_under_way(), 0U);
    EXPECT_EQ(open_descriptors(), before);
    EXPECT_FALSE(heard[0].answers[1]);
    server_.zones["a.example"] = {.ipv4 = {"192.0.2.1"}};
    EXPECT_EQ(resolved("a.example").ipv4().addresses.size(), 1U) << "and it can be asked again";
}

TEST_P(resolving, one_who_gives_up_does_not_disturb_the_others) {
    server_.zones["a.example"] = {.ipv4 = {"192.0.2.1"}};
    listener first, second;
    auto leaving = resolver_->resolve("a.example", first);
    const auto staying = resolver_->resolve("a.example", second);
    leaving.reset();
    EXPECT_TRUE(turn_until(reactor_, [&] { return second.done(); }));
    EXPECT_FALSE(first.answers[1]);
}

TEST_P(resolving, observers_may_destroy_lookups_and_ask_again) {
    server_.zones["a.example"] = {.ipv4 = {"192.0.2.1"}, .ipv6 = {"2001:db8::1"}, .time_to_live = 0};
    listener first, second, third;
    std::unique_ptr<lookup> one, two, three;
    first.then = [&] {
        one.reset();
        two.reset();
        if (!three && !third.done()) three = resolver_->resolve("a.example", third);
    };
    one = resolver_->resolve("a.example", first);
    two = resolver_->resolve("a.example", second);
    EXPECT_TRUE(turn_until(reactor_, [&] { return third.done(); }));
    EXPECT_FALSE(second.done());
}

TEST_P(resolving, an_observer_may_destroy_the_resolver) {
    server_.zones["a.example"] = {.ipv4 = {"192.0.2.1"}, .ipv6 = {"2001:db8::1"}};
    listener first, second;
    first.then = [&] { resolver_.reset(); };
    const auto one = resolver_->resolve("a.example", first);
    const auto two = resolver_->resolve("a.example", second);
    EXPECT_TRUE(turn_until(reactor_, [&] { return !resolver_; }));
    turn_until(reactor_, [] { return false; }, 20ms);
    EXPECT_FALSE(second.done());
}

TEST_P(resolving, the_resolver_may_die_before_its_lookups) {
    server_.zones["a.example"] = {.silent = true};
    const std::size_t before = open_descriptors();
    listener heard;
    const auto waiting = resolver_->resolve("a.example", heard);
    resolver_.reset();
    turn_until(reactor_, [] { return false; }, 20ms);
    EXPECT_FALSE(heard.answers[1]);
    EXPECT_EQ(open_descriptors(), before);
}

TEST_P(resolving, makes_no_socket_before_it_is_asked) {
    const std::size_t before = open_descriptors();
    make();
    EXPECT_EQ(open_descriptors(), before);
}

}  // namespace

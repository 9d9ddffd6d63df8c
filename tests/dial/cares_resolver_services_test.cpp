#include "dial/cares_resolver.hpp"
#include "dial/dial_support.hpp"

using namespace pabal;
using namespace pabal::dial;
using namespace pabal::dial::testing;

namespace {

using namespace std::string_literals;

/// Writes down what it is told.
struct listener final : service_observer {
    std::optional<std::string> heard;
    std::function<void()> then;
    void on_services(const std::vector<service_binding>& found) override {
        EXPECT_FALSE(heard) << "answered twice";
        heard.emplace();
        for (const service_binding& each : found) {
            *heard += std::to_string(each.priority) + ' ' + (each.target.empty() ? "." : each.target);
            for (const std::string& protocol : each.protocols) *heard += ' ' + protocol;
            if (each.port != 0) *heard += " :" + std::to_string(each.port);
            *heard += ';';
        }
        if (then) then();
    }
};

class finding_services : public ::testing::Test {
protected:
    void SetUp() override { make(); }
    void make(std::chrono::milliseconds timeout = 2000ms, std::size_t max_cached = 1024) {
        resolver_ = std::make_unique<cares_resolver>(reactor_, resolver_options{.servers = server_.address(),
                                                                                .hosts_path = "/dev/null",
                                                                                .timeout = timeout,
                                                                                .tries = 1,
                                                                                .max_cached_hosts = max_cached});
    }
    std::string found(const std::string& host, std::uint16_t port = 443) {
        listener who;
        const auto waiting = resolver_->find_services(host, port, who);
        EXPECT_TRUE(turn_until(reactor_, [&] { return who.heard.has_value(); })) << host;
        return who.heard.value_or("nothing");
    }
    static std::string service(std::uint16_t priority, std::string_view target, const std::string& parameters = {}) {
        return fake_name_server::service(priority, target, parameters);
    }
    const std::string h3_ = fake_name_server::parameter(1, "\2h3\2h2");

    reactor::reactor reactor_{reactor::make_poller("epoll").value()};
    fake_name_server server_{reactor_};
    std::unique_ptr<cares_resolver> resolver_;
};

TEST_F(finding_services, gives_the_best_first) {
    server_.zones["a.example"] = {
        .services = {service(2, "b.example", fake_name_server::parameter(3, "\x20\xfb")), service(1, "", h3_)}};
    EXPECT_EQ(found("A.example."), "1 . h3 h2;2 b.example :8443;");
    EXPECT_EQ(found("none.example"), "");
    server_.zones["_8443._https.a.example"] = {.services = {service(1, "", h3_)}};
    EXPECT_EQ(found("a.example", 8443), "1 . h3 h2;");
}

TEST_F(finding_services, leaves_out_what_it_does_not_understand) {
    server_.zones["a.example"] = {
        .services = {service(1, "", fake_name_server::parameter(0, "\0\x09"s) + fake_name_server::parameter(9, "")),
                     service(2, "", h3_)}};
    EXPECT_EQ(found("a.example"), "2 . h3 h2;");
}

TEST_F(finding_services, follows_aliases) {
    server_.zones["a.example"] = {.services = {service(0, "b.example")}};
    server_.zones["b.example"] = {.services = {service(0, "c.example")}};
    server_.zones["c.example"] = {.services = {service(1, "", h3_)}};
    EXPECT_EQ(found("a.example"), "1 c.example h3 h2;");
    server_.zones["loop.example"] = {.services = {service(0, "loop.example")}};
    EXPECT_EQ(found("loop.example"), "");
    EXPECT_EQ(server_.asked("HTTPS loop.example"), 9U);
    server_.zones["gone.example"] = {.services = {service(0, "")}};
    EXPECT_EQ(found("gone.example"), "");
}

TEST_F(finding_services, remembers_for_the_time_to_live) {
    server_.zones["a.example"] = {.time_to_live = 1, .services = {service(1, "", h3_)}};
    EXPECT_EQ(found("a.example"), "1 . h3 h2;");
    EXPECT_EQ(found("a.example"), "1 . h3 h2;");
    EXPECT_EQ(server_.asked("HTTPS a.example"), 1U);
    EXPECT_TRUE(
        turn_until(reactor_, [&, began = reactor::clock::now()] { return reactor::clock::now() - began > 1100ms; }));
    EXPECT_EQ(found("a.example"), "1 . h3 h2;");
    EXPECT_EQ(server_.asked("HTTPS a.example"), 2U);
    EXPECT_EQ(found("none.example") + found("none.example"), "");
    EXPECT_EQ(server_.asked("HTTPS none.example"), 1U) << "that there are none is remembered as well";
}

TEST_F(finding_services, is_bounded) {
    make(2000ms, 2);
    for (const char* host : {"a.example", "b.example", "c.example", "a.example"}) found(host);
    EXPECT_EQ(server_.asked("HTTPS a.example"), 2U);
}

TEST_F(finding_services, a_server_that_fails_or_is_silent_means_none) {
    make(50ms);
    server_.zones["bad.example"] = {.response_code = 2};
    server_.zones["mute.example"] = {.silent = true};
    EXPECT_EQ(found("bad.example"), "");
    EXPECT_EQ(found("mute.example"), "");
    EXPECT_EQ(found("bad.example"), "");
    EXPECT_EQ(server_.asked("HTTPS bad.example"), 2U) << "not remembered";
}

TEST_F(finding_services, what_needs_no_resolver_is_not_asked_for) {
    for (const char* host : {"127.0.0.1", "::1", "localhost", "www.localhost"}) {
        listener who;
        EXPECT_FALSE(resolver_->find_services(host, 443, who)) << host;
        EXPECT_EQ(who.heard, "") << host;
    }
    EXPECT_TRUE(server_.questions.empty());
}

TEST_F(finding_services, giving_up_leaves_nothing_behind) {
    server_.zones["mute.example"] = {.silent = true};
    const std::size_t before = open_descriptors();
    {
        listener who;
        const auto waiting = resolver_->find_services("mute.example", 443, who);
        EXPECT_TRUE(turn_until(reactor_, [&] { return !server_.questions.empty(); }));
    }
    EXPECT_TRUE(turn_until(reactor_, [&] { return open_descriptors() == before; }));
}

TEST_F(finding_services, an_observer_may_destroy_everything) {
    server_.zones["a.example"] = {.services = {service(1, "", h3_)}};
    listener who, other;
    std::unique_ptr<lookup> waiting, others;
    who.then = [&] {
        waiting.reset();
        resolver_.reset();
    };
    waiting = resolver_->find_services("a.example", 443, who);
    others = resolver_->find_services("b.example", 443, other);
    EXPECT_TRUE(turn_until(reactor_, [&] { return !resolver_; }));
    EXPECT_EQ(who.heard, "1 . h3 h2;");
    others.reset();
}

}  // namespace

#include <random>

#include "dial/dial_support.hpp"
#include "dial/network_dialer.hpp"
#include "transport/listener.hpp"
#include "transport/throw_away_certificate.hpp"
#include "transport/tls_transport.hpp"

using namespace pabal;
using namespace pabal::dial;
using namespace pabal::dial::testing;

namespace {

/// Gives the answers a test wishes, or none.
struct scripted_resolver final : resolver {
    std::vector<address> ipv4;
    std::vector<address> ipv6;
    std::optional<error> failure;
    bool silent = false;
    int lookups = 0;

    struct nothing final : lookup {
        explicit nothing(int& counter) : count(counter) { ++count; }
        ~nothing() override { --count; }
        int& count;
    };
    std::unique_ptr<lookup> resolve(std::string_view host, resolve_observer& observer) override {
        if (const auto known = answer_without_asking(host)) {
            observer.on_answer(address_family::ipv6, known->ipv6);
            observer.on_answer(address_family::ipv4, known->ipv4);
            return nullptr;
        }
        if (silent) return std::make_unique<nothing>(lookups);
        observer.on_answer(address_family::ipv6, {ipv6, failure});
        observer.on_answer(address_family::ipv4, {ipv4, failure});
        return nullptr;
    }
};

/// Accepts, and shakes hands if it has a context.
struct server final : transport::accept_observer {
    struct peer final : transport::transport_observer {
        std::unique_ptr<transport::tls_transport> tls;
        void on_transport_ready(transport::readiness) override { (void)tls->handshake(); }
    };
    transport::tls_context_ptr context;
    std::vector<transport::transport_ptr> plain;
    std::vector<std::unique_ptr<peer>> secure;
    void on_accepted(transport::transport_ptr accepted) override {
        if (!context) return plain.push_back(std::move(accepted));
        auto made = std::make_unique<peer>();
        made->tls = transport::tls_transport::accept(std::move(accepted), context).value();
        made->tls->observe(made.get());
        secure.push_back(std::move(made));
    }
};

/// A listening socket that answers nobody: its queue is full, so the system drops further attempts.
class black_hole {
public:
    explicit black_hole(const char* host) : listening_(::socket(AF_INET, SOCK_STREAM, 0)) {
        const transport::socket_address any = address::parse(host)->to_socket_address();
        ::bind(listening_.get(), any.get(), any.size);
        ::listen(listening_.get(), 0);
        socklen_t size = sizeof(sockaddr_storage);
        transport::socket_address bound;
        ::getsockname(listening_.get(), bound.get(), &size);
        port = ntohs(reinterpret_cast<const sockaddr_in*>(bound.get())->sin_port);
        for (int index = 0; index < 4; ++index) {
            reactor::descriptor filler{::socket(AF_INET, SOCK_STREAM, 0)};
            reactor::make_non_blocking(filler.get());
            ::connect(filler.get(), bound.get(), size);
            fillers_.push_back(std::move(filler));
        }
    }
    std::uint16_t port = 0;

private:
    reactor::descriptor listening_;
    std::vector<reactor::descriptor> fillers_;
};

class dialing : public ::testing::TestWithParam<const char*> {
protected:
    void SetUp() override {
        auto resolver = std::make_unique<scripted_resolver>();
        resolver_ = resolver.get();
        dialer_ = std::make_unique<network_dialer>(reactor_, std::move(resolver));
    }
    std::uint16_t listen(const char* host = "127.0.0.1", std::uint16_t port = 0) {
        listeners_.push_back(transport::listener::tcp(reactor_, host, port, server_).value());
        return listeners_.back()->port();
    }
    /// A port nobody listens on.
    std::uint16_t closed_port() {
        const std::uint16_t port = listen();
        listeners_.pop_back();
        return port;
    }
    void serve_tls() {
        const std::string names[] = {"quotes.example", "127.0.0.1"};
        certificate_ = transport::self_signed_certificate(names).value();
        tls_server_options options;
        options.certificate = certificate_.certificate;
        options.key = certificate_.key;
        server_.context = transport::tls_context::make_server(options).value();
    }
    transport::tls_context_ptr trusting_context() {
        const auto path = std::filesystem::temp_directory_path() / ("pabal-ca-" + std::to_string(::getpid()) + ".pem");
        std::ofstream{path} << certificate_.certificate;
        tls_options options;
        options.ca_file = path.string();
        auto made = transport::tls_context::make_client(options).value();
        std::filesystem::remove(path);
        return made;
    }
    std::unique_ptr<attempt> dial(caller& who, const target& to, const dial_limits& limits = {}) {
        reactor_.refresh_now();
        who.inside_dial = true;
        auto made = dialer_->dial(to, limits, who);
        who.inside_dial = false;
        return made;
    }
    void finish(caller& who, const target& to, const dial_limits& limits = {}) {
        const auto attempt = dial(who, to, limits);
        EXPECT_TRUE(turn_until(reactor_, [&] { return who.done(); }));
        EXPECT_EQ(who.calls, 1);
    }
    static target named(std::uint16_t port, transport::tls_context_ptr tls = nullptr) {
        return {.host = "quotes.example", .port = port, .tls = std::move(tls)};
    }
    void quiet_turns(int count = 3) {
        for (int turn = 0; turn < count; ++turn) reactor_.turn(0ms);
    }
    reactor::reactor reactor_{reactor::make_poller(GetParam()).value()};
    scripted_resolver* resolver_ = nullptr;
    std::unique_ptr<network_dialer> dialer_;
    server server_;
    std::vector<std::unique_ptr<transport::listener>> listeners_;
    transport::throw_away_certificate certificate_;
    const address here_ = *address::parse("127.0.0.1");
    const address elsewhere_ = *address::parse("127.0.0.2");
};

INSTANTIATE_TEST_SUITE_P(pollers, dialing, ::testing::Values("epoll", "poll"),
                         [](const auto& which) { return which.param; });

TEST_P(dialing, an_address_connects) {
    const std::uint16_t port = listen();
    caller who;
    finish(who, {.host = "127.0.0.1", .port = port});
    ASSERT_TRUE(who.connected) << who.failure->message;
    EXPECT_EQ(who.connected->describe().peer_address, "127.0.0.1:" + std::to_string(port));
    EXPECT_TRUE(turn_until(reactor_, [&] { return !server_.plain.empty(); }));
    const std::string_view hello = "hello";
    EXPECT_EQ(who.connected->write({&hello, 1})->size, 5U);
}

TEST_P(dialing, a_name_connects_to_the_first_address_that_answers) {
    const std::uint16_t port = listen();
    resolver_->ipv4 = {elsewhere_, here_};
    caller who;
    finish(who, named(port));
    ASSERT_TRUE(who.connected) << who.failure->message;
    EXPECT_EQ(who.connected->describe().peer_address, "127.0.0.1:" + std::to_string(port));
}

TEST_P(dialing, where_somebody_is_already_nobody_connects) {
    const std::uint16_t port = listen();
    resolver_->ipv6 = {*address::parse("::1")};
    resolver_->ipv4 = {elsewhere_, here_};
    caller who;
    who.has = here_.with_port(port);
    finish(who, named(port));
    EXPECT_TRUE(who.reached);
    quiet_turns();
    EXPECT_TRUE(server_.plain.empty());

    caller stranger;
    stranger.has = here_.with_port(static_cast<std::uint16_t>(port - 1));
    finish(stranger, named(port));
    EXPECT_TRUE(stranger.connected) << "another port is another place";
}

TEST_P(dialing, an_address_that_may_not_be_reached_is_none_where_somebody_is) {
    const std::uint16_t port = listen();
    resolver_->ipv4 = {here_};
    caller who;
    who.has = here_.with_port(port);
    target to = named(port);
    to.guard = safe_resolver::make().value();
    finish(who, to);
    ASSERT_TRUE(who.failure);
    EXPECT_EQ(who.failure->code, error_code::address_refused);
}

TEST_P(dialing, connections_leave_from_the_address_that_was_asked_for) {
    const std::uint16_t port = listen();
    resolver_->ipv6 = {*address::parse("::1")};
    resolver_->ipv4 = {here_};
    target to = named(port);
    to.from = elsewhere_;
    caller who;
    finish(who, to);
    ASSERT_TRUE(who.connected) << who.failure->message;
    EXPECT_TRUE(who.connected->describe().local_address.starts_with("127.0.0.2:"));
}

TEST_P(dialing, what_cannot_be_reached_from_there_says_why) {
    resolver_->ipv6 = {*address::parse("::1")};
    target to = named(80);
    to.from = here_;
    caller who;
    finish(who, to);
    ASSERT_TRUE(who.failure);
    EXPECT_EQ(who.failure->message,
              "cannot connect to quotes.example:80 ([::1]:80: out of reach from an IPv4 local address)");
    resolver_->ipv6.clear();
    resolver_->ipv4 = {here_};
    to.from = address::parse("192.0.2.1");  // of no machine
    caller other;
    finish(other, to);
    ASSERT_TRUE(other.failure);
    EXPECT_EQ(other.failure->whose, culprit::local);
    EXPECT_EQ(other.failure->code, error_code::connect_failed);
}

TEST_P(dialing, a_silent_address_is_raced_after_a_quarter_of_a_second) {
    const black_hole silent{"127.0.0.2"};
    listen("127.0.0.1", silent.port);
    resolver_->ipv4 = {elsewhere_, here_};
    caller who;
    const auto began = reactor::clock::now();
    finish(who, named(silent.port));
    ASSERT_TRUE(who.connected) << who.failure->message;
    EXPECT_GE(reactor::clock::now() - began, 240ms);
    EXPECT_GE(who.timings.connect, 240ms);
    EXPECT_EQ(who.connected->describe().peer_address, "127.0.0.1:" + std::to_string(silent.port));
}

TEST_P(dialing, a_refusal_says_so) {
    const std::uint16_t port = closed_port();
    caller who;
    finish(who, {.host = "127.0.0.1", .port = port});
    ASSERT_TRUE(who.failure);
    EXPECT_EQ(who.failure->code, error_code::connection_refused);
    EXPECT_EQ(who.failure->where, phase::connect);
    EXPECT_NE(who.failure->message.find("127.0.0.1:" + std::to_string(port)), std::string::npos)
        << who.failure->message;
}

TEST_P(dialing, when_all_fail_each_is_listed) {
    const std::uint16_t port = closed_port();
    for (int last = 1; last <= 12; ++last)
        resolver_->ipv4.push_back(*address::parse("127.0.0." + std::to_string(last)));
    caller who;
    finish(who, named(port));
    ASSERT_TRUE(who.failure);
    EXPECT_EQ(who.failure->code, error_code::connection_refused);
    for (const char* words : {"quotes.example", "127.0.0.1:", "127.0.0.2:", "Connection refused", "and 4 more"})
        EXPECT_NE(who.failure->message.find(words), std::string::npos) << who.failure->message;
}

TEST_P(dialing, a_name_without_addresses_is_not_found) {
    caller who;
    finish(who, named(80));
    ASSERT_TRUE(who.failure);
    EXPECT_EQ(who.failure->code, error_code::host_not_found);
    EXPECT_NE(who.failure->message.find("quotes.example"), std::string::npos);
    resolver_->failure = error{error_code::resolver_failed, phase::resolve, culprit::network, 0, "no servers"};
    caller other;
    finish(other, named(80));
    EXPECT_EQ(other.failure->code, error_code::resolver_failed);
    caller third;
    finish(third, {.host = "2130706433", .port = 80});
    EXPECT_EQ(third.failure->code, error_code::host_not_found);
}

TEST_P(dialing, resolving_has_a_limit) {
    resolver_->silent = true;
    caller who;
    finish(who, named(80), {.resolve = 30ms});
    ASSERT_TRUE(who.failure);
    EXPECT_EQ(who.failure->code, error_code::timed_out);
    EXPECT_EQ(who.failure->where, phase::resolve);
    EXPECT_EQ(who.failure->message, "resolving quotes.example took longer than 30 ms");
    EXPECT_EQ(resolver_->lookups, 0);
}

TEST_P(dialing, connecting_has_a_limit) {
    const black_hole silent{"127.0.0.2"};
    resolver_->ipv4 = {elsewhere_};
    caller who;
    finish(who, named(silent.port), {.resolve = 10s, .connect = 30ms});
    ASSERT_TRUE(who.failure);
    EXPECT_EQ(who.failure->code, error_code::timed_out);
    EXPECT_EQ(who.failure->where, phase::connect);
    EXPECT_EQ(who.failure->message,
              "connecting to quotes.example:" + std::to_string(silent.port) + " took longer than 30 ms");
}

TEST_P(dialing, shaking_hands_has_a_limit) {
    serve_tls();
    const auto context = trusting_context();
    server_.context = nullptr;  // accepts and says nothing
    const std::uint16_t port = listen();
    resolver_->ipv4 = {here_};
    caller who;
    finish(who, named(port, context), {.resolve = 10s, .connect = 10s, .tls = 30ms});
    ASSERT_TRUE(who.failure);
    EXPECT_EQ(who.failure->code, error_code::timed_out);
    EXPECT_EQ(who.failure->where, phase::tls);
    EXPECT_NE(who.failure->message.find("quotes.example"), std::string::npos);
}

TEST_P(dialing, tls_is_ready_when_it_is_handed_over_and_resumes_the_next_time) {
    serve_tls();
    const auto context = trusting_context();
    const std::uint16_t port = listen();
    resolver_->ipv4 = {here_};
    for (const bool resumed : {false, true}) {
        caller who;
        finish(who, named(port, context), {.resolve = 10s, .connect = 10s, .tls = 10s});
        ASSERT_TRUE(who.connected) << who.failure->message;
        const auto description = who.connected->describe();
        EXPECT_EQ(description.tls_version, "TLSv1.3");
        EXPECT_EQ(description.application_protocol, "http/1.1");
        EXPECT_EQ(description.tls_session_resumed, resumed);
        EXPECT_GT(who.timings.tls, 0ns);
        // The server's tickets travel with its first answer.
        const std::string_view hello = "hello";
        EXPECT_TRUE(turn_until(reactor_, [&] { return server_.secure.back()->tls->is_established(); }));
        EXPECT_EQ(server_.secure.back()->tls->write({&hello, 1})->size, 5U);
        std::string heard;
        turn_until(reactor_, [&] {
            char buffer[100];
            heard.append(buffer, who.connected->read(buffer).value().size);
            return heard == hello;
        });
        EXPECT_EQ(heard, hello);
    }
}

TEST_P(dialing, the_server_name_is_what_is_verified) {
    serve_tls();
    const auto context = trusting_context();
    const std::uint16_t port = listen();
    caller who;
    finish(who, {.host = "127.0.0.1", .port = port, .tls = context, .server_name = "quotes.example"});
    EXPECT_TRUE(who.connected);
    caller wrong;
    finish(wrong, {.host = "127.0.0.1", .port = port, .tls = context, .server_name = "other.example"});
    ASSERT_TRUE(wrong.failure);
    EXPECT_EQ(wrong.failure->code, error_code::certificate_wrong_host);
    EXPECT_EQ(wrong.failure->where, phase::tls);
}

// --- Addresses that are judged at the moment of connecting -----------------------------------------------------------

class guarded_dialing : public dialing {
protected:
    static target guarded(std::uint16_t port, safe_resolver_options options = {}, std::string host = "quotes.example") {
        return {.host = std::move(host), .port = port, .guard = safe_resolver::make(options).value()};
    }
    void expect_refusal(const caller& who, std::initializer_list<std::string_view> words) {
        ASSERT_TRUE(who.failure);
        EXPECT_EQ(who.failure->code, error_code::address_refused) << who.failure->message;
        EXPECT_EQ(who.failure->where, phase::connect);
        EXPECT_EQ(who.failure->whose, culprit::caller);
        for (const std::string_view each : words)
            EXPECT_NE(who.failure->message.find(each), std::string::npos) << who.failure->message;
        quiet_turns();
        EXPECT_TRUE(server_.plain.empty()) << "nobody heard of it";
    }
};

INSTANTIATE_TEST_SUITE_P(pollers, guarded_dialing, ::testing::Values("epoll", "poll"),
                         [](const auto& which) { return which.param; });

TEST_P(guarded_dialing, a_refused_address_is_told_with_host_and_rule) {
    const std::uint16_t port = listen();
    resolver_->ipv4 = {here_};
    caller by_name;
    finish(by_name, guarded(port));
    expect_refusal(by_name, {"quotes.example", "127.0.0.1:" + std::to_string(port), "loopback 127.0.0.0/8"});
    for (const char* host : {"127.0.0.1", "::ffff:127.0.0.1", "localhost", "::1"}) {
        caller who;
        finish(who, guarded(port, {}, host));
        expect_refusal(who, {host, "loopback"});
    }
}

TEST_P(guarded_dialing, what_is_allowed_connects) {
    const std::uint16_t port = listen();
    resolver_->ipv4 = {here_};
    caller who;
    finish(who, guarded(port, {.allow = {"127.0.0.0/8"}}));
    EXPECT_TRUE(who.connected) << who.failure->message;
}

TEST_P(guarded_dialing, of_several_addresses_those_that_may_be_reached_are) {
    const std::uint16_t port = listen();
    resolver_->ipv4 = {elsewhere_, here_};
    resolver_->ipv6 = {*address::parse("::1")};
    caller who;
    finish(who, guarded(port, {.allow = {"127.0.0.1"}}));
    ASSERT_TRUE(who.connected) << who.failure->message;
    EXPECT_EQ(who.connected->describe().peer_address, "127.0.0.1:" + std::to_string(port));
    const std::uint16_t closed = closed_port();
    caller nobody;
    finish(nobody, guarded(closed, {.allow = {"127.0.0.1"}}));
    ASSERT_TRUE(nobody.failure);
    EXPECT_EQ(nobody.failure->code, error_code::address_refused) << "says more than that the other was closed";
}

TEST_P(guarded_dialing, a_name_that_is_bound_anew_is_judged_anew) {
    const std::uint16_t port = listen();
    const target to = guarded(port, {.allow = {"127.0.0.1"}});
    resolver_->ipv4 = {here_};
    caller first;
    finish(first, to);
    EXPECT_TRUE(first.connected);
    turn_until(reactor_, [&] { return !server_.plain.empty(); });
    server_.plain.clear();
    resolver_->ipv4 = {elsewhere_};
    caller second;
    finish(second, to);
    expect_refusal(second, {"127.0.0.2"});
}

TEST_P(guarded_dialing, unix_sockets_are_refused) {
    caller who;
    target to = guarded(80);
    to.unix_path = "/run/docker.sock";
    finish(who, to);
    expect_refusal(who, {"/run/docker.sock", "Unix"});
}

TEST_P(dialing, a_unix_socket_connects) {
    const std::string path = "/tmp/pabal-dial-" + std::to_string(::getpid());
    listeners_.push_back(transport::listener::unix_socket(reactor_, path, server_).value());
    caller who;
    finish(who, {.host = "quotes.example", .port = 80, .unix_path = path});
    ASSERT_TRUE(who.connected) << who.failure->message;
    listeners_.clear();
    caller nobody;
    finish(nobody, {.host = "quotes.example", .port = 80, .unix_path = path});
    ASSERT_TRUE(nobody.failure);
    EXPECT_NE(nobody.failure->message.find(path), std::string::npos) << nobody.failure->message;
    caller too_long;
    finish(too_long, {.host = "quotes.example", .port = 80, .unix_path = std::string(500, 'x')});
    EXPECT_EQ(too_long.failure->code, error_code::invalid_argument);
}

TEST_P(dialing, a_unix_sockets_full_queue_is_waited_for) {
    const std::string path = "/tmp/pabal-dial-full-" + std::to_string(::getpid());
    listeners_.push_back(transport::listener::unix_socket(reactor_, path, server_, {.backlog = 1}).value());
    listeners_.back()->pause();
    std::vector<caller> callers(8);
    std::vector<std::unique_ptr<attempt>> attempts;
    for (auto& each : callers) attempts.push_back(dial(each, {.host = "x", .unix_path = path}));
    quiet_turns();
    EXPECT_TRUE(std::ranges::none_of(callers, [](const auto& each) { return each.failure.has_value(); }));
    EXPECT_TRUE(std::ranges::any_of(callers, [](const auto& each) { return !each.done(); }));
    listeners_.back()->resume();
    EXPECT_TRUE(turn_until(reactor_, [&] { return std::ranges::all_of(callers, &caller::done); }));
    for (const auto& each : callers) EXPECT_TRUE(each.connected);
}

TEST_P(dialing, running_out_of_descriptors_says_so) {
    const std::uint16_t port = listen();
    std::vector<reactor::descriptor> all;
    for (int number = ::dup(0); number >= 0; number = ::dup(0)) all.emplace_back(number);
    caller who;
    finish(who, {.host = "127.0.0.1", .port = port});
    all.clear();
    ASSERT_TRUE(who.failure);
    EXPECT_EQ(who.failure->code, error_code::too_many_open_files);
}

TEST_P(dialing, abandoning_at_any_moment_leaves_nothing_behind) {
    serve_tls();
    const auto context = trusting_context();
    const black_hole silent{"127.0.0.2"};
    const std::uint16_t port = listen();
    const auto try_at_every_turn = [&](const target& to, int turns) {
        for (int until = 0; until < turns; ++until) {
            server_.secure.clear();
            quiet_turns(5);
            server_.secure.clear();
            const std::size_t before = open_descriptors();
            caller who;
            auto attempt = dial(who, to, {.resolve = 10s, .connect = 10s, .tls = 10s});
            for (int turn = 0; turn < until && !who.done(); ++turn) reactor_.turn(1ms);
            const bool done = who.done();
            attempt.reset();
            who.connected.reset();
            quiet_turns(5);
            server_.secure.clear();
            EXPECT_EQ(who.calls, done ? 1 : 0) << "nobody is told afterwards";
            EXPECT_EQ(open_descriptors(), before) << "after " << until << " turns";
        }
    };
    resolver_->ipv4 = {here_};
    try_at_every_turn(named(port, context), 8);
    resolver_->ipv4 = {elsewhere_};
    try_at_every_turn(named(silent.port, context), 4);
    resolver_->silent = true;
    try_at_every_turn(named(port, context), 3);
    EXPECT_EQ(resolver_->lookups, 0);
}

TEST_P(dialing, thousands_abandoned_at_random_do_not_hurt_the_next) {
    serve_tls();
    const auto context = trusting_context();
    const std::uint16_t port = listen();
    resolver_->ipv4 = {here_};
    quiet_turns();
    const std::size_t before = open_descriptors();
    std::mt19937 random{42};
    std::vector<std::unique_ptr<caller>> callers;
    std::vector<std::unique_ptr<attempt>> attempts;
    for (int index = 0; index < 1000; ++index) {
        callers.push_back(std::make_unique<caller>());
        attempts.push_back(dial(*callers.back(), named(port, random() % 2 ? context : nullptr)));
        if (random() % 4 == 0) reactor_.turn(0ms);
        if (attempts.size() > 50) {
            const std::size_t victim = random() % attempts.size();
            attempts.erase(attempts.begin() + static_cast<std::ptrdiff_t>(victim));
            callers.erase(callers.begin() + static_cast<std::ptrdiff_t>(victim));
        }
    }
    attempts.clear();
    callers.clear();
    quiet_turns(20);
    server_.secure.clear();
    EXPECT_EQ(open_descriptors(), before);
    caller who;
    finish(who, named(port, context));
    EXPECT_TRUE(who.connected);
}

TEST_P(dialing, an_attempt_may_be_destroyed_by_what_it_reports) {
    serve_tls();
    const auto context = trusting_context();
    const std::uint16_t port = listen();
    const std::uint16_t closed = closed_port();
    resolver_->ipv4 = {here_};
    for (const target& to :
         {named(port), named(port, context), named(closed),
          target{.host = "wrong.example", .port = port, .tls = context}, target{.host = "bad name"}}) {
        caller who;
        std::unique_ptr<attempt> attempt;
        who.then = [&] { attempt.reset(), who.connected.reset(); };
        attempt = dial(who, to);
        EXPECT_TRUE(turn_until(reactor_, [&] { return who.done(); }));
        EXPECT_FALSE(attempt);
    }
}

TEST_P(dialing, works_with_the_systems_resolver) {
    network_dialer own{reactor_};
    const std::uint16_t port = listen();
    caller who;
    reactor_.refresh_now();
    const auto attempt = own.dial({.host = "localhost", .port = port}, {}, who);
    EXPECT_TRUE(turn_until(reactor_, [&] { return who.done(); }));
    EXPECT_TRUE(who.connected) << who.failure->message;
}

}  // namespace

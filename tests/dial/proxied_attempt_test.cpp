#include <array>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>

#include <gtest/gtest.h>
#include <unistd.h>

#include "dial/dial_support.hpp"
#include "dial/proxied_attempt.hpp"
#include "reactor/simulated_poller.hpp"
#include "transport/memory_transport.hpp"
#include "transport/throw_away_certificate.hpp"

using namespace pabal;
using namespace pabal::dial;
using namespace pabal::dial::testing;
using namespace std::chrono_literals;
using namespace std::string_literals;

namespace {

/// Gives the answers a test wishes, at once or when told to.
struct scripted_resolver final : resolver {
    struct waiting final : lookup {
        explicit waiting(int& counter) : count(counter) { ++count; }
        ~waiting() override { --count; }
        int& count;
    };
    std::unique_ptr<lookup> resolve(std::string_view host, resolve_observer& observer) override {
        asked = host;
        if (!silent) return answer(observer), nullptr;
        waiter = &observer;
        return std::make_unique<waiting>(lookups);
    }
    void answer(resolve_observer& observer) const {
        observer.on_answer(address_family::ipv6, {ipv6, failure});
        observer.on_answer(address_family::ipv4, {ipv4, failure});
    }

    std::vector<address> ipv4;
    std::vector<address> ipv6;
    std::optional<error> failure;
    bool silent = false;
    std::string asked;
    resolve_observer* waiter = nullptr;
    int lookups = 0;
};

/// The way to the proxy: handed over when the test says so.
struct scripted_dialer final : dialer {
    struct under_way final : attempt {
        explicit under_way(int& counter) : count(counter) { ++count; }
        ~under_way() override { --count; }
        int& count;
    };
    std::unique_ptr<attempt> dial(const target& to, const dial_limits& limits, dial_observer& observer) override {
        asked.push_back(to);
        given = limits;
        waiter = &observer;
        return std::make_unique<under_way>(attempts);
    }
    std::vector<target> asked;
    dial_limits given;
    dial_observer* waiter = nullptr;
    int attempts = 0;
};

class proxied_dialing : public ::testing::Test {
protected:
    static target through(const std::string& by, const std::string& host = "example.com", std::uint16_t port = 80) {
        return {.host = host, .port = port, .proxy = std::make_shared<const proxy>(*proxy::parse(by))};
    }
    void begin(const target& to, const dial_limits& limits = {}) {
        attempt_ = std::make_unique<proxied_attempt>(reactor_, to, limits, who_);
        who_.inside_dial = true;
        attempt_->begin(dialer_, resolver_);
        who_.inside_dial = false;
        turns();
    }
    void turns(int count = 6) {
        for (int turn = 0; turn < count; ++turn) reactor_.turn(0ms);
    }
    /// The proxy answers the phone.
    void reach(const transport::memory_wire& wire = {}) {
        auto pair = transport::make_memory_pair(reactor_, wire, wire);
        proxy_end_ = std::move(pair.second);
        reactor_.refresh_now();
        dialer_.waiter->on_dialed(std::move(pair.first), {1ms, 2ms, 0ms, 3ms});
        turns();
    }
    std::string hear() {
        std::string heard;
        std::array<char, 4096> buffer;
        for (;;) {
            auto got = proxy_end_->read(buffer);
            if (!got || got->what != transport::io_outcome::kind::moved) return heard;
            heard.append(buffer.data(), got->size);
            turns();
        }
    }
    void say(std::string_view text) {
        while (!text.empty()) {
            const auto wrote = proxy_end_->write({&text, 1});
            ASSERT_TRUE(wrote);
            text.remove_prefix(wrote->size);
            turns();
        }
    }
    void expect_failure(error_code code, phase where, std::string_view words) {
        ASSERT_TRUE(who_.failure);
        EXPECT_EQ(who_.failure->code, code) << who_.failure->message;
        EXPECT_EQ(who_.failure->where, where) << who_.failure->message;
        EXPECT_NE(who_.failure->message.find(words), std::string::npos) << who_.failure->message;
        EXPECT_EQ(who_.failure->message.find("secret"), std::string::npos) << who_.failure->message;
        EXPECT_EQ(who_.calls, 1);
        turns();
        EXPECT_EQ(dialer_.attempts, 0);
        EXPECT_EQ(resolver_.lookups, 0);
    }

    reactor::reactor reactor_{std::make_unique<reactor::simulated_poller>()};
    caller who_;
    scripted_resolver resolver_;
    scripted_dialer dialer_;
    std::unique_ptr<proxied_attempt> attempt_;
    transport::transport_ptr proxy_end_;
};

TEST_F(proxied_dialing, a_tunnel_by_connect) {
    begin(through("http://user:secret@proxy:3128"), {.resolve = 1s, .connect = 2s, .tls = 3s});
    ASSERT_EQ(dialer_.asked.size(), 1U);
    EXPECT_EQ(dialer_.asked[0], (target{.host = "proxy", .port = 3128}));
    EXPECT_EQ(dialer_.given.connect, 2s);
    EXPECT_EQ(resolver_.asked, "") << "the proxy resolves the origin";
    reach();
    EXPECT_EQ(hear(), "CONNECT example.com:80 HTTP/1.1\r\nHost: example.com:80\r\n"
                      "Proxy-Authorization: Basic dXNlcjpzZWNyZXQ=\r\n\r\n");
    EXPECT_EQ(who_.calls, 0);
    say("HTTP/1.1 200 OK\r\n\r\n");
    ASSERT_TRUE(who_.connected) << who_.failure->message;
    EXPECT_EQ(who_.timings.connect, 2ms);
    EXPECT_FALSE(who_.connected->maybe_readable()) << "ready for its next owner";
    say("later");
    EXPECT_TRUE(who_.connected->maybe_readable());
}

TEST_F(proxied_dialing, the_proxys_own_headers_go_before_its_credentials) {
    proxy by = *proxy::parse("http://user:secret@proxy:3128");
    by.headers.append_valid("proxy-authorization", "Bearer token");
    by.headers.append_valid("X-Tenant", "7");
    target to = through("p");
    to.proxy = std::make_shared<const proxy>(by);
    begin(to);
    reach();
    EXPECT_EQ(hear(), "CONNECT example.com:80 HTTP/1.1\r\nHost: example.com:80\r\nproxy-authorization: Bearer token\r\n"
                      "X-Tenant: 7\r\n\r\n");
}

TEST_F(proxied_dialing, bytes_may_come_and_go_one_by_one) {
    for (const char* by : {"http://proxy", "socks5h://proxy", "socks4a://proxy"}) {
        who_ = {};
        begin(through(by));
        reach({.max_per_write = 1, .max_per_read = 1});
        std::string heard;
        for (int again = 0; again < 300; ++again) heard += hear(), turns(1);
        say(by[0] == 'h' ? "HTTP/1.1 200 OK\r\n\r\n"s : by[5] == '4' ? "\0\x5a\0\0\0\0\0\0"s : "\5\0"s);
        if (by[5] == '5') say("\5\0\0\1\0\0\0\0\0\0"s);
        EXPECT_TRUE(who_.connected) << by;
    }
}

TEST_F(proxied_dialing, a_proxy_that_forwards_is_only_reached) {
    target to = through("http://proxy:3128");
    to.host.clear();
    to.port = 0;
    begin(to);
    reach();
    ASSERT_TRUE(who_.connected);
    EXPECT_EQ(hear(), "");
}

TEST_F(proxied_dialing, a_tunnel_by_socks) {
    resolver_.ipv4 = {*address::parse("192.0.2.1")};
    resolver_.ipv6 = {*address::parse("2001:db8::1")};
    struct {
        std::string by;
        std::string host;
        std::string resolved;
        std::string request;
    } const cases[] = {
        {"socks5h", "example.com", "",
         "\5\1\0\3\x0b"
         "example.com\0\x50"s},
        {"socks5", "example.com", "example.com", "\5\1\0\1\xc0\0\2\1\0\x50"s},
        {"socks5", "127.0.0.1", "", "\5\1\0\1\x7f\0\0\1\0\x50"s},
        {"socks5h", "::1", "", "\5\1\0\4"s + std::string(15, '\0') + "\1\0\x50"s},
    };
    for (const auto& expected : cases) {
        who_ = {};
        resolver_.asked.clear();
        begin(through(expected.by + "://proxy", expected.host));
        reach();
        EXPECT_EQ(hear(), "\5\1\0"s) << expected.by;
        say("\5\0"s);
        EXPECT_EQ(hear(), expected.request) << expected.by;
        EXPECT_EQ(who_.calls, 0);
        say("\5\0\0\1\0\0\0\0\0\0"s);
        EXPECT_TRUE(who_.connected) << expected.by;
        EXPECT_EQ(resolver_.asked, expected.resolved) << expected.by;
    }
}

TEST_F(proxied_dialing, names_are_resolved_when_the_proxy_is_reached) {
    resolver_.silent = true;
    begin(through("socks5://proxy"));
    ASSERT_EQ(dialer_.asked.size(), 1U);
    EXPECT_EQ(resolver_.asked, "");
    reach();
    EXPECT_EQ(resolver_.asked, "example.com");
    resolver_.waiter->on_answer(address_family::ipv6, {{*address::parse("2001:db8::1")}, {}});
    turns();
    EXPECT_EQ(hear(), "\5\1\0"s) << "it is greeted meanwhile";
    say("\5\0"s);
    EXPECT_EQ(hear(), "") << "IPv4 goes first";
    resolver_.waiter->on_answer(address_family::ipv4, {});
    turns();
    EXPECT_EQ(hear().substr(0, 4), "\5\1\0\4"s);
}

TEST_F(proxied_dialing, an_address_that_comes_before_the_greeting_is_answered_waits_for_it) {
    resolver_.silent = true;
    begin(through("socks5://proxy"));
    reach();
    resolver_.waiter->on_answer(address_family::ipv4, {{*address::parse("192.0.2.1")}, {}});
    turns();
    EXPECT_EQ(hear(), "\5\1\0"s);
    say("\5\0"s);
    EXPECT_EQ(hear(), "\5\1\0\1\xc0\0\2\1\0\x50"s);
}

TEST_F(proxied_dialing, a_proxy_that_refuses_the_greeting_is_told_although_the_name_is_not_resolved_yet) {
    resolver_.silent = true;
    begin(through("socks5://proxy"));
    reach();
    say("\5\xff"s);
    expect_failure(error_code::proxy_auth_required, phase::proxy, "authentication");
}

TEST_F(proxied_dialing, a_proxy_that_closes_while_the_name_is_resolved_has_failed) {
    resolver_.silent = true;
    begin(through("socks4://proxy"));
    reach();
    proxy_end_.reset();
    turns();
    expect_failure(error_code::proxy_failed, phase::proxy, "closed the connection");
}

TEST_F(proxied_dialing, a_proxy_that_speaks_before_it_is_asked_has_failed) {
    resolver_.silent = true;
    begin(through("socks4://proxy"));
    reach();
    say("\0\x5a"s);
    expect_failure(error_code::proxy_failed, phase::proxy, "before it was asked");
}

TEST_F(proxied_dialing, a_proxy_that_is_down_is_told_even_where_no_name_can_be_resolved) {
    resolver_.failure = error{error_code::host_not_found, phase::resolve, culprit::network, 0, "no such name"};
    begin(through("socks5://proxy"));
    dialer_.waiter->on_dial_failed({error_code::connection_refused, phase::connect, culprit::peer, 111, "refused"});
    attempt_.reset();
    expect_failure(error_code::proxy_unreachable, phase::proxy, "socks5://proxy");
    EXPECT_EQ(resolver_.asked, "");
}

TEST_F(proxied_dialing, a_name_nobody_knows_is_told_behind_a_proxy_that_is_up) {
    resolver_.failure = error{error_code::host_not_found, phase::resolve, culprit::network, 0, "no such name"};
    begin(through("socks5://proxy"));
    reach();
    EXPECT_EQ(hear(), "\5\1\0"s);
    EXPECT_EQ(who_.calls, 0) << "it may turn out to be down";
    say("\5\0"s);
    expect_failure(error_code::host_not_found, phase::resolve, "no such name");
}

TEST_F(proxied_dialing, a_proxy_that_is_none_is_told_before_a_name_nobody_knows) {
    resolver_.failure = error{error_code::host_not_found, phase::resolve, culprit::network, 0, "no such name"};
    begin(through("socks5://proxy"));
    reach();
    proxy_end_.reset();
    turns();
    expect_failure(error_code::proxy_failed, phase::proxy, "closed the connection");

    who_ = {};
    begin(through("socks5://proxy"));
    reach();
    say("HTTP/1.1 400 Bad Request\r\n\r\n");
    expect_failure(error_code::proxy_failed, phase::proxy, "does not answer in SOCKS");

    who_ = {};
    begin(through("socks5://user:secret@proxy"));
    reach();
    say("\5\2"s);
    EXPECT_EQ(who_.calls, 0) << "who we are is still to be judged";
    say("\1\1"s);
    expect_failure(error_code::proxy_auth_required, phase::proxy, "not accepted");
}

TEST_F(proxied_dialing, a_proxy_that_is_silent_is_told_before_a_name_nobody_knows) {
    resolver_.failure = error{error_code::host_not_found, phase::resolve, culprit::network, 0, "no such name"};
    begin(through("socks5://proxy"), {.connect = 50ms});
    reach();
    EXPECT_EQ(who_.calls, 0);
    for (int turn = 0; turn < 20 && who_.calls == 0; ++turn) reactor_.turn(10ms);
    expect_failure(error_code::timed_out, phase::proxy, "did not make a tunnel");
}

TEST_F(proxied_dialing, socks_4_needs_an_ipv4_address) {
    resolver_.ipv6 = {*address::parse("2001:db8::1")};
    begin(through("socks4://proxy"));
    reach();
    expect_failure(error_code::host_not_found, phase::resolve, "no IPv4");
}

// --- Addresses that are judged -------------------------------------------------------------------------------------------

TEST_F(proxied_dialing, a_guard_judges_what_is_asked_of_the_proxy_but_not_the_proxy) {
    target to = through("socks5://127.0.0.1");
    to.guard = safe_resolver::make().value();
    resolver_.ipv4 = {*address::parse("10.0.0.1"), *address::parse("8.8.8.8")};
    begin(to);
    ASSERT_EQ(dialer_.asked.size(), 1U);
    EXPECT_FALSE(dialer_.asked[0].guard) << "the program chose the proxy";
    reach();
    EXPECT_EQ(hear(), "\5\1\0"s);
    say("\5\0"s);
    EXPECT_EQ(hear(), "\5\1\0\1\x08\x08\x08\x08\0\x50"s) << "the first address that may be reached";

    who_ = {};
    resolver_.ipv4 = {*address::parse("10.0.0.1")};
    resolver_.ipv6 = {*address::parse("fd00::1")};
    begin(to);
    reach();
    say("\5\0"s);
    expect_failure(error_code::address_refused, phase::connect, "example.com");
    EXPECT_EQ(hear(), "\5\1\0"s) << "the proxy hears nothing of it but the greeting";

    for (const char* by : {"http://proxy", "socks5h://proxy"}) {
        who_ = {};
        dialer_.asked.clear();
        target named = through(by);
        named.guard = to.guard;
        begin(named);
        expect_failure(error_code::address_refused, phase::connect, "example.com");
        EXPECT_TRUE(dialer_.asked.empty());
    }
}

TEST_F(proxied_dialing, what_the_caller_got_wrong_is_said_before_anybody_is_asked) {
    struct {
        target to;
        std::string words;
    } const cases[] = {
        {through("socks5h://proxy", std::string(256, 'a')), "255"},  // CVE-2023-38545 in curl
        {through("socks4a://proxy", std::string(256, 'a')), "255"},
        {through("socks4://proxy", "::1"), "IPv4 only"},
        {through("http://proxy", "fe80::1%lo"), "zone"},
        {through("https://proxy"), "trust"},
    };
    for (const auto& expected : cases) {
        who_ = {};
        begin(expected.to);
        expect_failure(error_code::invalid_argument, phase::prepare, expected.words);
        EXPECT_TRUE(dialer_.asked.empty());
        EXPECT_EQ(resolver_.asked, "");
    }
    who_ = {};
    target to = through("http://proxy");
    to.unix_path = "/run/x.sock";
    begin(to);
    expect_failure(error_code::invalid_argument, phase::prepare, "/run/x.sock" == to.unix_path ? "Unix" : "");
    EXPECT_TRUE(dialer_.asked.empty());
}

TEST_F(proxied_dialing, failing_to_reach_the_proxy_is_the_proxys_fault) {
    struct {
        error of_the_proxy;
        error_code code;
        culprit whose;
    } const cases[] = {
        {{error_code::connection_refused, phase::connect, culprit::peer, ECONNREFUSED, "why"},
         error_code::proxy_unreachable,
         culprit::proxy},
        {{error_code::host_not_found, phase::resolve, culprit::network, 0, "why"},
         error_code::proxy_unreachable,
         culprit::proxy},
        {{error_code::certificate_untrusted, phase::tls, culprit::peer, 0, "why"},
         error_code::proxy_tls_failed,
         culprit::proxy},
        {{error_code::timed_out, phase::connect, culprit::network, 0, "why"}, error_code::timed_out, culprit::proxy},
        {{error_code::too_many_open_files, phase::connect, culprit::local, EMFILE, "why"},
         error_code::too_many_open_files,
         culprit::local},
    };
    for (const auto& expected : cases) {
        who_ = {};
        begin(through("http://user:secret@proxy:3128"));
        error failure = expected.of_the_proxy;
        dialer_.waiter->on_dial_failed(std::move(failure));
        ASSERT_TRUE(who_.failure);
        EXPECT_EQ(who_.failure->whose, expected.whose);
        EXPECT_EQ(who_.failure->system_errno, expected.of_the_proxy.system_errno);
        EXPECT_NE(who_.failure->message.find("why"), std::string::npos);
        EXPECT_EQ(who_.failure->code, expected.code);
        EXPECT_EQ(who_.failure->where, phase::proxy);
        EXPECT_NE(who_.failure->message.find("the proxy http://proxy:3128"), std::string::npos);
        EXPECT_EQ(who_.failure->message.find("secret"), std::string::npos);
    }
}

TEST_F(proxied_dialing, a_refusal_closes_the_connection) {
    begin(through("http://user:secret@proxy:3128"));
    reach();
    say("HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 5\r\n\r\nhello");
    expect_failure(error_code::proxy_auth_required, phase::proxy, "407");
    EXPECT_EQ(who_.failure->status, 407);
    hear();
    std::array<char, 16> buffer;
    const auto got = proxy_end_->read(buffer);
    ASSERT_TRUE(got);
    EXPECT_EQ(got->what, transport::io_outcome::kind::end);
}

TEST_F(proxied_dialing, a_proxy_that_closes_or_talks_out_of_turn_has_failed) {
    begin(through("socks5h://proxy"));
    reach();
    say("\5\0"s);
    proxy_end_.reset();
    turns();
    expect_failure(error_code::proxy_failed, phase::proxy, "closed the connection");

    for (const char* by : {"http://proxy", "socks5h://proxy"}) {
        who_ = {};
        begin(through(by));
        reach();
        say(by[0] == 'h' ? "HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"s : "\5\0\5\0\0\1\0\0\0\0\0\0evil"s);
        expect_failure(error_code::proxy_failed, phase::proxy, "nobody asked for");
    }
}

TEST_F(proxied_dialing, the_tunnel_has_a_limit) {
    begin(through("http://proxy:3128"), {.connect = 50ms});
    reach();
    for (int turn = 0; turn < 20 && who_.calls == 0; ++turn) reactor_.turn(10ms);
    expect_failure(error_code::timed_out, phase::proxy, "did not make a tunnel to example.com:80 within 50 ms");
    EXPECT_EQ(who_.failure->whose, culprit::proxy);
}

TEST_F(proxied_dialing, resolving_the_origin_has_a_limit) {
    resolver_.silent = true;
    begin(through("socks5://proxy"), {.resolve = 50ms});
    reach();
    for (int turn = 0; turn < 20 && who_.calls == 0; ++turn) reactor_.turn(10ms);
    expect_failure(error_code::timed_out, phase::resolve, "example.com");
}

TEST_F(proxied_dialing, it_can_be_abandoned_at_any_point) {
    resolver_.silent = true;
    begin(through("socks5://proxy"));
    reach();
    EXPECT_EQ(resolver_.lookups, 1);
    attempt_.reset();
    EXPECT_EQ(resolver_.lookups, 0);
    begin(through("http://proxy"));
    EXPECT_EQ(dialer_.attempts, 1);
    attempt_.reset();
    EXPECT_EQ(dialer_.attempts, 0);
    begin(through("http://proxy"));
    reach();
    attempt_.reset();
    turns();
    EXPECT_EQ(who_.calls, 0);
}

TEST_F(proxied_dialing, its_observer_may_destroy_it) {
    who_.then = [this] { attempt_.reset(); };
    begin(through("http://proxy"));
    reach();
    say("HTTP/1.1 403 Forbidden\r\n\r\n");
    EXPECT_EQ(who_.calls, 1);
    begin(through("http://proxy"));
    reach();
    say("HTTP/1.1 200 OK\r\n\r\n");
    EXPECT_EQ(who_.calls, 2);
    begin(through("http://proxy"));
    dialer_.waiter->on_dial_failed({error_code::connection_refused, phase::connect, culprit::peer, 0, "why"});
    EXPECT_EQ(who_.calls, 3);
    resolver_.silent = true;
    begin(through("socks4://proxy"));
    reach();
    resolver_.answer(*resolver_.waiter);
    turns();
    EXPECT_EQ(who_.calls, 4);
}

/// A client context that trusts `certificate`.
transport::tls_context_ptr trusting(const transport::throw_away_certificate& certificate) {
    const auto path =
        std::filesystem::temp_directory_path() / ("pabal-proxy-ca-" + std::to_string(::getpid()) + ".pem");
    std::ofstream{path} << certificate.certificate;
    tls_options options;
    options.ca_file = path.string();
    auto made = transport::tls_context::make_client(options).value();
    std::filesystem::remove(path);
    return made;
}

TEST_F(proxied_dialing, tls_with_the_origin_goes_through_the_tunnel) {
    const std::string names[] = {"example.com"};
    const auto certificate = transport::self_signed_certificate(names).value();
    tls_server_options options;
    options.certificate = certificate.certificate;
    options.key = certificate.key;
    const auto server_context = transport::tls_context::make_server(options).value();
    for (const bool trusted : {true, false}) {
        who_ = {};
        target to = through("http://proxy:3128", "example.com", 443);
        to.tls =
            trusted ? trusting(certificate) : transport::tls_context::make_client({.use_environment = false}).value();
        begin(to, {.tls = 1s});
        reach();
        EXPECT_EQ(hear().substr(0, 23), "CONNECT example.com:443");
        say("HTTP/1.1 200 OK\r\n\r\n");
        EXPECT_EQ(who_.calls, 0);
        auto origin = transport::tls_transport::accept(std::move(proxy_end_), server_context).value();
        for (int turn = 0; turn < 20 && who_.calls == 0; ++turn) (void)origin->handshake(), turns();
        if (trusted) {
            ASSERT_TRUE(who_.connected) << who_.failure->message;
            EXPECT_EQ(who_.connected->describe().tls_version, "TLSv1.3");
        } else {
            ASSERT_TRUE(who_.failure);
            EXPECT_EQ(who_.failure->where, phase::tls);
            EXPECT_EQ(who_.failure->code, error_code::certificate_untrusted) << who_.failure->message;
            EXPECT_NE(who_.failure->message.find("(through the proxy http://proxy:3128)"), std::string::npos);
        }
    }
}

TEST_F(proxied_dialing, the_proxy_is_trusted_as_its_own_context_says) {
    target to = through("https://proxy", "example.com", 443);
    to.tls = transport::tls_context::make_client({.verify = false}).value();
    to.proxy_tls = transport::tls_context::make_client({.verify = false}).value();
    begin(to);
    ASSERT_EQ(dialer_.asked.size(), 1U);
    EXPECT_EQ(dialer_.asked[0], (target{.host = "proxy", .port = 443, .tls = to.proxy_tls}));
}

}  // namespace

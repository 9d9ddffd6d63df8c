// Whose connections an origin may use: over TLS that is made up, since whom a certificate is for is all that counts here.

#include <filesystem>
#include <fstream>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <unistd.h>

#include "pool/pool_support.hpp"
#include "protocol/http2/http2_server.hpp"
#include "transport/throw_away_certificate.hpp"
#include "transport/tls_context.hpp"

namespace pabal::pool {
namespace {

using namespace pabal::pool::testing;

/// A wire that says what TLS would say of it.
class described final : public transport::transport {
public:
    described(::pabal::transport::transport_ptr wire, ::pabal::transport::transport_description facts)
        : wire_(std::move(wire)), facts_(std::move(facts)) {}
    void observe(::pabal::transport::transport_observer* observer) override { wire_->observe(observer); }
    result<::pabal::transport::io_outcome> read(std::span<char> buffer) override { return wire_->read(buffer); }
    result<::pabal::transport::io_outcome> write(std::span<const std::string_view> pieces) override {
        return wire_->write(pieces);
    }
    void shutdown_write() override { wire_->shutdown_write(); }
    bool maybe_readable() const override { return wire_->maybe_readable(); }
    ::pabal::transport::transport_description describe() const override { return facts_; }

private:
    ::pabal::transport::transport_ptr wire_;
    ::pabal::transport::transport_description facts_;
};

std::string der_of(const std::string& pem) {
    const bssl::UniquePtr<BIO> text{BIO_new_mem_buf(pem.data(), static_cast<ossl_ssize_t>(pem.size()))};
    const bssl::UniquePtr<X509> parsed{PEM_read_bio_X509(text.get(), nullptr, nullptr, nullptr)};
    std::uint8_t* bytes = nullptr;
    const int size = i2d_X509(parsed.get(), &bytes);
    std::string der(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
    OPENSSL_free(bytes);
    return der;
}

class coalescing : public pool_test {
protected:
    struct far_end {
        explicit far_end(std::vector<nghttp2_settings_entry> settings) : machine(std::move(settings)) {}
        http2::testing::http2_server machine;
        std::set<std::int32_t> answered;
        connection::testing::peer wire;
    };

    void SetUp() override {
        const std::string names[] = {"a.example", "b.example", "c.example"};
        const auto made = transport::self_signed_certificate(names).value();
        certificate_ = der_of(made.certificate);
        trusting_ = context(made.certificate, true);
    }
    void TearDown() override {
        pool_->close();
        world_.settle();
        ends_.clear();
        pool_test::TearDown();
    }
    static transport::tls_context_ptr context(const std::string& authority, bool verify) {
        const auto path =
            std::filesystem::temp_directory_path() / ("pabal-pool-" + std::to_string(::getpid()) + ".pem");
        std::ofstream{path} << authority;
        tls_options options;
        options.ca_file = path.string();
        options.verify = verify;
        options.application_protocols = {"h2", "http/1.1"};
        auto made = transport::tls_context::make_client(options).value();
        std::filesystem::remove(path);
        return made;
    }
    dial::target to(const std::string& host) const { return {.host = host, .port = 443, .tls = trusting_}; }
    recording_ptr ask(const dial::target& where) {
        auto made = make_get();
        pool_->submit(made, where);
        return made;
    }
    recording_ptr ask(const std::string& host) { return ask(to(host)); }
    /// What the oldest dial finds; true: it has ended.
    bool resolves_to(const std::string& literal, bool over_quic = false) {
        auto& dialled = *dialer_.pending.front();
        if (!dialled.observer.is_reached(dial::address::parse(literal)->with_port(443), over_quic)) return false;
        dialer_.pending.erase(dialer_.pending.begin());
        dialled.observer.on_reached();
        world_.settle();
        return true;
    }
    /// Lets the oldest dial connect to 192.0.2.1.
    far_end& connect(std::string protocol = "h2", std::vector<nghttp2_settings_entry> settings = {}) {
        auto pair = world_.pair();
        auto& dialled = *dialer_.pending.front();
        dialer_.pending.erase(dialer_.pending.begin());
        ends_.push_back(std::make_unique<far_end>(std::move(settings)));
        far_end& it = *ends_.back();
        if (protocol == "h2") {
            it.wire.on_heard = [&it] {
                it.machine.receive(std::exchange(it.wire.heard, {}));
                it.wire.say(it.machine.output());
            };
        }
        it.wire.connect(std::move(pair.second));
        transport::transport_description facts;
        facts.peer_address = "192.0.2.1:443";
        facts.application_protocol = std::move(protocol);
        facts.tls_version = "TLSv1.3";
        facts.peer_certificate = certificate_;
        dialled.observer.on_dialed(std::make_unique<described>(std::move(pair.first), std::move(facts)), {});
        world_.settle();
        return it;
    }
    void answer(far_end& of, const char* status = "200") {
        for (const auto id : of.machine.ids()) {
            if (of.answered.insert(id).second) of.machine.answer(id, {{":status", status}}, "body");
        }
        of.wire.say(of.machine.output());
        world_.settle();
    }
    /// One exchange with a.example, over.
    far_end& a_connection() {
        const auto first = ask("a.example");
        far_end& end = connect();
        answer(end);
        EXPECT_TRUE(first->succeeded());
        return end;
    }
    std::size_t coalesced() const { return pool_->counters().coalesced; }

    std::string certificate_;
    transport::tls_context_ptr trusting_;
    std::vector<std::unique_ptr<far_end>> ends_;
};

TEST_F(coalescing, another_origin_at_the_same_address_uses_the_connection_if_its_certificate_covers_it) {
    far_end& end = a_connection();
    const auto guest = ask("b.example"), second = ask("b.example");
    ASSERT_TRUE(resolves_to("192.0.2.1"));
    EXPECT_EQ(end.machine.requests.rbegin()->second.field(":authority"), "example.test");
    answer(end);
    EXPECT_TRUE(guest->succeeded() && second->succeeded());
    EXPECT_TRUE(guest->on_coalesced_connection);
    EXPECT_EQ(now(), (counts{.open = 1, .idle = 1}));

    const auto later = ask("b.example");
    EXPECT_TRUE(dialer_.pending.empty()) << "a guest does not look again";
    world_.settle();
    answer(end);
    EXPECT_TRUE(later->succeeded());
    EXPECT_EQ(coalesced(), 1U);
}

TEST_F(coalescing, what_differs_keeps_them_apart) {
    a_connection();
    const auto other_place = ask("b.example");
    EXPECT_FALSE(resolves_to("192.0.2.2"));
    EXPECT_FALSE(resolves_to("192.0.2.1", true)) << "QUIC";
    EXPECT_TRUE(resolves_to("192.0.2.1"));
    const auto other_name = ask("d.example");
    EXPECT_FALSE(resolves_to("192.0.2.1"));
    dialer_.fail();

    dial::target there = to("b.example");
    there.tls = context("", false);
    const auto other_trust = ask(there);
    EXPECT_FALSE(resolves_to("192.0.2.1"));
    dialer_.fail();
    there = to("b.example");
    there.from = dial::address::parse("192.0.2.9");
    const auto from_elsewhere = ask(there);
    EXPECT_FALSE(resolves_to("192.0.2.1"));
    dialer_.fail();
    there = to("b.example");
    there.server_name = "d.example";
    const auto under_another_name = ask(there);
    EXPECT_FALSE(resolves_to("192.0.2.1"));
    dialer_.fail();
    there = to("b.example");
    there.proxy = std::make_shared<proxy>(*proxy::parse("http://proxy.example:3128"));
    const auto through_a_proxy = ask(there);
    EXPECT_FALSE(resolves_to("192.0.2.1"));
    dialer_.fail();
    EXPECT_EQ(coalesced(), 1U);
}

TEST_F(coalescing, only_verified_connections_of_many_exchanges_are_offered) {
    const auto old = ask("a.example");
    connect("http/1.1");
    const auto guest = ask("b.example");
    EXPECT_FALSE(resolves_to("192.0.2.1"));
    dialer_.fail();

    trusting_ = context("", false);
    a_connection();
    const auto unverified = ask("b.example");
    EXPECT_FALSE(resolves_to("192.0.2.1"));
    dialer_.fail();
}

TEST_F(coalescing, can_be_switched_off) {
    make({.coalesce = false});
    a_connection();
    const auto guest = ask("b.example");
    EXPECT_FALSE(resolves_to("192.0.2.1"));
    dialer_.fail();
}

TEST_F(coalescing, whoever_is_sent_away_stays_alone) {
    far_end& end = a_connection();
    const auto guest = ask("b.example");
    ASSERT_TRUE(resolves_to("192.0.2.1"));
    answer(end, "421");
    const auto again = make_get();
    again->wants_own_connection = true;
    pool_->submit(again, to("b.example"));
    EXPECT_FALSE(resolves_to("192.0.2.1"));
    far_end& own = connect();
    answer(own);
    EXPECT_TRUE(again->succeeded());
    EXPECT_FALSE(again->on_coalesced_connection);

    own.wire.hang_up();
    world_.settle();
    const auto later = ask("b.example");
    EXPECT_FALSE(resolves_to("192.0.2.1")) << "not even when its own connection is gone";
    dialer_.fail();
    const auto other = ask("c.example");
    EXPECT_TRUE(resolves_to("192.0.2.1")) << "of others nothing was said";
}

TEST_F(coalescing, a_connection_that_is_full_or_gone_serves_no_guests) {
    const auto first = ask("a.example");
    far_end& end = connect("h2", {{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 2}});
    const auto one = ask("b.example"), two = ask("b.example"), three = ask("b.example");
    ASSERT_TRUE(resolves_to("192.0.2.1"));
    EXPECT_EQ(now(), (counts{.open = 1, .dialling = 1, .waiting = 2})) << "there was room for one of them";
    EXPECT_FALSE(resolves_to("192.0.2.1"));
    answer(connect());
    EXPECT_TRUE(two->succeeded() && three->succeeded());
    answer(end);
    EXPECT_TRUE(first->succeeded() && one->succeeded());

    end.wire.hang_up();
    ends_.back()->wire.hang_up();
    world_.settle();
    const auto late = ask("b.example");
    EXPECT_FALSE(resolves_to("192.0.2.1"));
    dialer_.fail();
    EXPECT_EQ(now(), counts{});
}

TEST_F(coalescing, a_connection_that_closes_before_its_guest_comes_is_dialled_for) {
    far_end& end = a_connection();
    const auto guest = ask("b.example");
    auto& dialled = *dialer_.pending.front();
    ASSERT_TRUE(dialled.observer.is_reached(dial::address::parse("192.0.2.1")->with_port(443), false));
    end.wire.hang_up();
    world_.settle();
    dialer_.pending.clear();
    dialled.observer.on_reached();
    ASSERT_EQ(now(), (counts{.dialling = 1, .waiting = 1}));
    answer(connect());
    EXPECT_TRUE(guest->succeeded());
}

// --- Where a race with QUIC was won by TCP ----------------------------------------------------------------------------

TEST_F(coalescing, a_race_that_tcp_won_leaves_its_connection_where_later_requests_look) {
    for (const bool is_http2 : {true, false}) {
        dial::target plain = to(is_http2 ? "a.example" : "c.example");
        plain.alternatives = std::make_shared<dial::alternative_cache>();
        dial::target raced = plain;
        raced.http3_at = dial::alternative{"edge.example", 443};
        const auto first = ask(raced);
        connect(is_http2 ? "h2" : "http/1.1");
        if (is_http2) answer(*ends_.back());
        else ends_.back()->wire.say("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), world_.settle();
        ASSERT_TRUE(first->succeeded());
        const auto later = ask(plain);
        EXPECT_TRUE(dialer_.pending.empty());
        EXPECT_TRUE(later->on_reused_connection);
        cancel(later);
    }
}

TEST_F(coalescing, whoever_waited_for_the_race_is_served_there_or_dialled_for) {
    dial::target raced = to("a.example");
    raced.alternatives = std::make_shared<dial::alternative_cache>();
    raced.http3_at = dial::alternative{"edge.example", 443};
    std::vector<recording_ptr> all;
    for (int count = 0; count < 3; ++count) all.push_back(ask(raced));
    EXPECT_EQ(now(), (counts{.dialling = 1, .waiting = 3}));
    connect("http/1.1");
    EXPECT_EQ(now(), (counts{.open = 1, .dialling = 2, .waiting = 2})) << "it takes one at a time";
    EXPECT_FALSE(dialer_.pending.front()->to.http3_at);
    for (const auto& each : all) cancel(each);
    EXPECT_EQ(now().dialling, 0U);
}

TEST_F(coalescing, a_race_that_tcp_won_makes_no_more_connections_than_an_origin_may_have) {
    make({.max_connections_per_host = 1});
    dial::target plain = to("a.example");
    plain.alternatives = std::make_shared<dial::alternative_cache>();
    dial::target raced = plain;
    raced.http3_at = dial::alternative{"edge.example", 443};
    const auto first = ask(plain);
    auto& busy = connect("http/1.1").wire;
    const auto late = ask(raced);
    connect("http/1.1");
    EXPECT_EQ(now(), (counts{.open = 1, .waiting = 1}));
    busy.say("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    world_.settle();
    ASSERT_TRUE(first->succeeded());
    EXPECT_TRUE(late->on_reused_connection);
    busy.say("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    world_.settle();
    EXPECT_TRUE(late->succeeded());

    const auto another = ask(raced);  // and the one that rests is used
    connect("http/1.1");
    EXPECT_EQ(now(), (counts{.open = 1}));
    busy.say("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    world_.settle();
    EXPECT_TRUE(another->succeeded());
}

}  // namespace
}  // namespace pabal::pool

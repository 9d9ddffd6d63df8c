#include <random>

#include "transport/tls_session_cache.hpp"
#include "transport/tls_support.hpp"
#include "transport/tls_transport.hpp"

using namespace pabal;
using namespace pabal::transport;
using namespace pabal::transport::testing;

namespace {

std::string text_of_size(std::size_t size) {
    std::mt19937 random{static_cast<unsigned>(size)};
    std::string text(size, '\0');
    for (char& letter : text) letter = static_cast<char>(random());
    return text;
}

/// Over a wide wire, and over one that moves a byte at a time or hesitates at random.
struct wire_case {
    const char* name;
    memory_wire wire;
};
std::ostream& operator<<(std::ostream& out, const wire_case& which) { return out << which.name; }

const wire_case wires[] = {
    {"whole", {}},
    {"byte_by_byte", {.max_per_write = 1, .max_per_read = 1}},
    {"narrow", {.capacity = 100}},
    {"hesitating", {.fragment_seed = 7}},
    {"slow", {.latency = std::chrono::milliseconds(3)}},
};

class tls_over : public ::testing::TestWithParam<wire_case> {
protected:
    void SetUp() override {
        tls_options options;
        options.ca_file = folder_.add("ca.pem", authority_.pem);
        client_ = tls_context::make_client(options).value();
        server_ = server_context(leaf_);
    }
    temporary_folder folder_;
    made_certificate authority_ = make_authority();
    made_certificate leaf_ = make_certificate({}, &authority_);
    tls_context_ptr client_;
    tls_context_ptr server_;
};

INSTANTIATE_TEST_SUITE_P(wires, tls_over, ::testing::ValuesIn(wires),
                         [](const auto& which) { return which.param.name; });

TEST_P(tls_over, describes_what_was_negotiated) {
    tls_link link{client_, server_, {"quotes.example", ""}, GetParam().wire};
    const auto failure = link.shake_hands();
    ASSERT_FALSE(failure) << failure->message;
    const auto description = link.client->describe();
    EXPECT_EQ(description.tls_version, "TLSv1.3");
    EXPECT_EQ(description.application_protocol, "http/1.1");
    EXPECT_EQ(description.cipher.substr(0, 4), "TLS_");
    EXPECT_EQ(description.peer_address, "memory");
    EXPECT_FALSE(description.tls_session_resumed);
    std::uint8_t* der = nullptr;
    const int size = i2d_X509(leaf_.certificate.get(), &der);
    const bssl::UniquePtr<std::uint8_t> owner{der};
    EXPECT_EQ(description.peer_certificate, std::string(reinterpret_cast<char*>(der), static_cast<std::size_t>(size)));
}

TEST_P(tls_over, carries_bytes_both_ways) {
    tls_link link{client_, server_, {"quotes.example", ""}, GetParam().wire};
    ASSERT_FALSE(link.shake_hands());
    for (const std::size_t size : {1U, 300U, 16384U, 20000U}) {
        for (tls_transport* from : {link.client.get(), link.server.get()}) {
            tls_transport& to = from == link.client.get() ? *link.server : *link.client;
            const std::string text = text_of_size(size);
            // In three pieces, the middle one empty.
            std::string_view left{text};
            std::string arrived;
            for (int step = 0; step < 400000 && arrived.size() < size; ++step) {
                const std::string_view pieces[] = {left.substr(0, left.size() / 3), {}, left.substr(left.size() / 3)};
                if (!left.empty()) {
                    const auto sent = from->write(pieces);
                    ASSERT_TRUE(sent) << sent.error().message;
                    left.remove_prefix(sent->size);
                }
                char buffer[1000];
                const auto got = to.read(buffer);
                ASSERT_TRUE(got) << got.error().message;
                arrived.append(buffer, got->size);
                if (got->what != io_outcome::kind::moved) link.reactor.turn(std::chrono::milliseconds(1));
            }
            EXPECT_EQ(arrived, text);
        }
    }
}

TEST_P(tls_over, close_notify_is_the_end) {
    tls_link link{client_, server_, {"quotes.example", ""}, GetParam().wire};
    ASSERT_FALSE(link.shake_hands());
    const std::string_view last = "the last words";
    ASSERT_EQ(link.server->write({&last, 1})->size, last.size());
    link.server->shutdown_write();
    const auto all = link.read_all(*link.client);
    EXPECT_EQ(all.bytes, last);
    EXPECT_TRUE(all.ended);
}

TEST_P(tls_over, can_be_read_after_its_own_writing_ended) {
    tls_link link{client_, server_, {"quotes.example", ""}, GetParam().wire};
    ASSERT_FALSE(link.shake_hands());
    link.client->shutdown_write();
    EXPECT_TRUE(link.read_all(*link.server).ended);
    const std::string_view answer = "still here";
    ASSERT_TRUE(link.server->write({&answer, 1}));
    link.server->shutdown_write();
    const auto all = link.read_all(*link.client);
    EXPECT_EQ(all.bytes, answer);
    EXPECT_TRUE(all.ended);
    const std::string_view late = "too late";
    EXPECT_EQ(link.client->write({&late, 1}).error().code, error_code::write_failed);
}

class tls_connection : public tls_over {};
INSTANTIATE_TEST_SUITE_P(wide, tls_connection, ::testing::Values(wires[0]),
                         [](const auto& which) { return which.param.name; });

TEST_P(tls_connection, an_end_without_close_notify_is_a_truncation) {
    tls_link link{client_, server_, {"quotes.example", ""}};
    ASSERT_FALSE(link.shake_hands());
    const std::string_view last = "the last words";
    ASSERT_EQ(link.server->write({&last, 1})->size, last.size());
    link.server.reset();  // as a crash would: FIN alone
    const auto all = link.read_all(*link.client);
    EXPECT_EQ(all.bytes, last);
    EXPECT_FALSE(all.ended);
    ASSERT_TRUE(all.failure);
    EXPECT_EQ(all.failure->code, error_code::connection_closed) << all.failure->message;
}

TEST_P(tls_connection, reading_and_writing_carry_the_handshake_on) {
    tls_link link{client_, server_, {"quotes.example", ""}};
    const std::string_view question = "question";
    std::size_t sent = 0;
    std::string heard;
    for (int step = 0; step < 100 && heard.empty(); ++step) {
        if (sent == 0) sent = link.client->write({&question, 1}).value().size;
        char buffer[100];
        const auto got = link.server->read(buffer);
        ASSERT_TRUE(got) << got.error().message;
        heard.append(buffer, got->size);
        link.reactor.turn(std::chrono::milliseconds(1));
    }
    EXPECT_EQ(heard, question);
}

TEST_P(tls_connection, several_records_fill_one_read) {
    tls_link link{client_, server_, {"quotes.example", ""}};
    ASSERT_FALSE(link.shake_hands());
    const std::string text = text_of_size(40000);
    std::string_view left = text;
    while (!left.empty()) left.remove_prefix(link.server->write({&left, 1}).value().size);
    std::string buffer(40000, '\0');
    const auto got = link.client->read({buffer.data(), buffer.size()});
    ASSERT_TRUE(got);
    EXPECT_EQ(got->size, text.size()) << "one call returns what three records hold";
    EXPECT_EQ(buffer, text);
}

TEST_P(tls_connection, small_pieces_share_a_record) {
    tls_link link{client_, server_, {"quotes.example", ""}};
    ASSERT_FALSE(link.shake_hands());
    (void)link.read_all(*link.client);
    const std::string_view pieces[] = {"GET / HTTP/1.1\r\n", "Host: x\r\n", "\r\n", "body"};
    ASSERT_EQ(link.client->write(pieces)->size, 31U);
    char buffer[100];
    EXPECT_EQ(link.server->read(buffer)->size, 31U);
}

TEST_P(tls_connection, writing_blocks_when_the_wire_is_full_and_resumes) {
    tls_link link{client_, server_, {"quotes.example", ""}, {.capacity = 50000}};
    ASSERT_FALSE(link.shake_hands());
    listening_observer observer;
    link.client->observe(&observer);
    const std::string text = text_of_size(1 << 20);
    std::string_view left = text;
    for (;;) {
        const auto sent = link.client->write({&left, 1}).value();
        if (sent.what == io_outcome::kind::would_block) break;
        left.remove_prefix(sent.size);
    }
    EXPECT_LT(text.size() - left.size(), 50000 + 2 * tls_buffer::capacity) << "what is taken but not sent is bounded";
    observer.seen = {};
    std::string arrived;
    std::string buffer(30000, '\0');
    for (int step = 0; step < 100000 && arrived.size() < text.size(); ++step) {
        const auto got = link.server->read({buffer.data(), buffer.size()}).value();
        arrived.append(buffer.data(), got.size);
        link.reactor.turn(std::chrono::milliseconds(1));
        if (!std::exchange(observer.seen, {}).writable) continue;
        while (!left.empty()) {
            const auto sent = link.client->write({&left, 1}).value();
            if (sent.what == io_outcome::kind::would_block) break;
            left.remove_prefix(sent.size);
        }
    }
    EXPECT_TRUE(arrived == text);
}

TEST_P(tls_connection, knows_when_reading_is_worth_trying) {
    tls_link link{client_, server_, {"quotes.example", ""}};
    ASSERT_FALSE(link.shake_hands());
    (void)link.read_all(*link.client);
    EXPECT_FALSE(link.client->maybe_readable());
    const std::string text = text_of_size(1000);
    const std::string_view piece = text;
    ASSERT_TRUE(link.server->write({&piece, 1}));
    EXPECT_TRUE(link.client->maybe_readable());
    char buffer[600];
    ASSERT_EQ(link.client->read(buffer)->size, 600U);
    EXPECT_TRUE(link.client->maybe_readable()) << "decrypted bytes are left";
    ASSERT_EQ(link.client->read(buffer)->size, 400U);
    EXPECT_FALSE(link.client->maybe_readable());
}

TEST_P(tls_connection, resumes_sessions_and_uses_each_ticket_once) {
    const tls_peer peer{"quotes.example", "quotes.example:443"};
    {
        tls_link link{client_, server_, peer};
        ASSERT_FALSE(link.shake_hands());
        EXPECT_FALSE(link.client->describe().tls_session_resumed);
        const std::string_view answer = "the tickets travel with the first answer";
        ASSERT_TRUE(link.server->write({&answer, 1}));
        EXPECT_EQ(link.read_all(*link.client).bytes, answer);
    }
    const std::size_t tickets = client_->sessions().size();
    ASSERT_GT(tickets, 0U);
    {
        tls_link link{client_, server_, peer};
        EXPECT_EQ(client_->sessions().size(), tickets - 1);
        ASSERT_FALSE(link.shake_hands());
        EXPECT_TRUE(link.client->describe().tls_session_resumed);
        EXPECT_FALSE(link.client->describe().peer_certificate.empty());
    }
    tls_link link{client_, server_, {"quotes.example", "quotes.example:444"}};
    ASSERT_FALSE(link.shake_hands());
    EXPECT_FALSE(link.client->describe().tls_session_resumed) << "another port is another peer";
}

TEST_P(tls_connection, chooses_the_servers_favourite_protocol) {
    const auto server = server_context(leaf_, {}, {"h2", "http/1.1"});
    tls_options options;
    options.ca_file = folder_.path() + "/ca.pem";
    options.application_protocols = {"http/1.1", "h2"};
    tls_link link{tls_context::make_client(options).value(), server, {"quotes.example", ""}};
    ASSERT_FALSE(link.shake_hands());
    EXPECT_EQ(link.client->describe().application_protocol, "h2");
    EXPECT_EQ(link.server->describe().application_protocol, "h2");
}

TEST_P(tls_connection, says_when_there_is_no_common_protocol) {
    tls_link link{client_, server_context(leaf_, {}, {"h2"}), {"quotes.example", ""}};
    const auto failure = link.shake_hands();
    ASSERT_TRUE(failure);
    EXPECT_EQ(failure->code, error_code::tls_handshake_failed);
    (void)link.read_all(*link.client);
    EXPECT_NE(link.client->handshake().error().message.find("none of the offered protocols"), std::string::npos);
}

TEST_P(tls_connection, presents_a_client_certificate_where_one_is_wanted) {
    const auto server = server_context(leaf_, {}, {"http/1.1"}, authority_.pem);
    const auto own = make_certificate({.dns_names = {}, .common_name = "a client", .for_clients = true}, &authority_);
    tls_options options;
    options.ca_file = folder_.path() + "/ca.pem";
    options.client_certificate = folder_.add("own.pem", own.pem + own.key_pem);
    {
        tls_link link{tls_context::make_client(options).value(), server, {"quotes.example", ""}};
        const auto failure = link.shake_hands();
        ASSERT_FALSE(failure) << failure->message;
        EXPECT_FALSE(link.server->describe().peer_certificate.empty());
    }
    tls_link without{client_, server, {"quotes.example", ""}};
    (void)without.shake_hands();
    const auto all = without.read_all(*without.client);
    ASSERT_TRUE(all.failure);
    EXPECT_EQ(all.failure->code, error_code::tls_handshake_failed);
    EXPECT_NE(all.failure->message.find("certificate required"), std::string::npos) << all.failure->message;
    EXPECT_NE(without.server->handshake().error().message.find("presented no certificate"), std::string::npos);

    const auto stranger = make_authority("Strange Root");
    const auto foreign = make_certificate({.dns_names = {}, .common_name = "a client", .for_clients = true}, &stranger);
    options.client_certificate = folder_.add("foreign.pem", foreign.pem + foreign.key_pem);
    tls_link refused{tls_context::make_client(options).value(), server, {"quotes.example", ""}};
    (void)refused.shake_hands();
    EXPECT_EQ(refused.server->handshake().error().code, error_code::certificate_untrusted);
    const auto heard = refused.read_all(*refused.client);
    ASSERT_TRUE(heard.failure);
    EXPECT_NE(heard.failure->message.find("refused the client certificate"), std::string::npos)
        << heard.failure->message;
}

TEST_P(tls_connection, recognises_plain_http_in_either_role) {
    reactor::reactor reactor{std::make_unique<reactor::simulated_poller>()};
    {
        auto pair = make_memory_pair(reactor);
        auto client = tls_transport::connect(std::move(pair.first), client_, {"quotes.example", ""}).value();
        (void)client->handshake();
        const std::string_view answer = "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n";
        ASSERT_TRUE(pair.second->write({&answer, 1}));
        const auto outcome = client->handshake();
        ASSERT_FALSE(outcome);
        EXPECT_EQ(outcome.error().code, error_code::tls_handshake_failed);
        EXPECT_NE(outcome.error().message.find("plain HTTP"), std::string::npos) << outcome.error().message;
    }
    auto pair = make_memory_pair(reactor);
    auto server = tls_transport::accept(std::move(pair.second), server_).value();
    const std::string_view question = "GET / HTTP/1.1\r\nHost: quotes.example\r\n\r\n";
    ASSERT_TRUE(pair.first->write({&question, 1}));
    const auto outcome = server->handshake();
    ASSERT_FALSE(outcome);
    EXPECT_NE(outcome.error().message.find("plain HTTP request"), std::string::npos) << outcome.error().message;
}

TEST_P(tls_connection, says_when_the_peer_hangs_up_during_the_handshake) {
    reactor::reactor reactor{std::make_unique<reactor::simulated_poller>()};
    auto pair = make_memory_pair(reactor);
    auto client = tls_transport::connect(std::move(pair.first), client_, {"quotes.example", ""}).value();
    (void)client->handshake();
    pair.second->shutdown_write();
    const auto outcome = client->handshake();
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().code, error_code::tls_handshake_failed);
    EXPECT_NE(outcome.error().message.find("closed the connection during"), std::string::npos)
        << outcome.error().message;
}

TEST_P(tls_connection, survives_an_early_end_at_every_byte) {
    for (std::uint64_t cut = 0; cut < 4000; cut += cut < 100 ? 1 : 37) {
        for (const auto fault : {memory_wire::fault::finish, memory_wire::fault::reset}) {
            tls_link link{client_, server_, {"quotes.example", ""}, {.fault_after = cut, .then = fault}};
            const auto failure = link.shake_hands();
            if (failure) {
                EXPECT_EQ(failure->where, phase::tls) << failure->message;
                continue;
            }
            const auto all = link.read_all(*link.client);
            EXPECT_TRUE(all.bytes.empty());
            EXPECT_FALSE(all.ended) << "nobody sent close_notify";
        }
    }
}

TEST_P(tls_connection, a_flipped_bit_breaks_the_connection) {
    tls_link link{client_, server_, {"quotes.example", ""}};
    ASSERT_FALSE(link.shake_hands());
    (void)link.read_all(*link.client);
    // A second pair carries the client's record to the server with one bit changed.
    struct eavesdropper final : pabal::transport::transport {
        transport_ptr inner;
        bool corrupt = false;
        void observe(transport_observer* observer) override { inner->observe(observer); }
        result<io_outcome> read(std::span<char> buffer) override {
            auto got = inner->read(buffer);
            if (corrupt && got && got->size > 10) buffer[got->size - 1] = static_cast<char>(buffer[got->size - 1] ^ 1);
            return got;
        }
        result<io_outcome> write(std::span<const std::string_view> pieces) override { return inner->write(pieces); }
        void shutdown_write() override { inner->shutdown_write(); }
        bool maybe_readable() const override { return inner->maybe_readable(); }
        transport_description describe() const override { return inner->describe(); }
    };
    reactor::reactor reactor{std::make_unique<reactor::simulated_poller>()};
    auto pair = make_memory_pair(reactor);
    auto tapped = std::make_unique<eavesdropper>();
    tapped->inner = std::move(pair.second);
    eavesdropper& tap = *tapped;
    auto client = tls_transport::connect(std::move(pair.first), client_, {"quotes.example", ""}).value();
    auto server = tls_transport::accept(std::move(tapped), server_).value();
    for (int step = 0; step < 10; ++step) {
        ASSERT_TRUE(client->handshake());
        ASSERT_TRUE(server->handshake());
    }
    tap.corrupt = true;
    const std::string_view secret = "a secret";
    ASSERT_TRUE(client->write({&secret, 1}));
    char buffer[100];
    const auto got = server->read(buffer);
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().code, error_code::tls_failed);
}

TEST_P(tls_connection, logs_keys_when_asked_to) {
    const std::string path = folder_.path() + "/keys.log";
    const scoped_variable log{"SSLKEYLOGFILE", path.c_str()};
    tls_options options;
    options.ca_file = folder_.path() + "/ca.pem";
    tls_link link{tls_context::make_client(options).value(), server_, {"quotes.example", ""}};
    ASSERT_FALSE(link.shake_hands());
    std::ifstream file{path};
    const std::string text{std::istreambuf_iterator<char>{file}, {}};
    EXPECT_NE(text.find("CLIENT_TRAFFIC_SECRET_0 "), std::string::npos);
    EXPECT_EQ(std::filesystem::status(path).permissions() & std::filesystem::perms::group_read,
              std::filesystem::perms::none);
}

TEST_P(tls_connection, works_inside_another_tls_connection) {
    reactor::reactor reactor{std::make_unique<reactor::simulated_poller>()};
    auto pair = make_memory_pair(reactor);
    const tls_peer peer{"quotes.example", ""};
    auto outer_client = tls_transport::connect(std::move(pair.first), client_, peer).value();
    auto outer_server = tls_transport::accept(std::move(pair.second), server_).value();
    auto client = tls_transport::connect(std::move(outer_client), client_, peer).value();
    auto server = tls_transport::accept(std::move(outer_server), server_).value();
    const std::string text = text_of_size(100000);
    std::string_view left = text;
    std::string arrived;
    std::string buffer(20000, '\0');
    for (int step = 0; step < 1000 && arrived.size() < text.size(); ++step) {
        if (!left.empty()) left.remove_prefix(client->write({&left, 1}).value().size);
        arrived.append(buffer.data(), server->read({buffer.data(), buffer.size()}).value().size);
        reactor.turn(std::chrono::milliseconds(1));
    }
    EXPECT_TRUE(arrived == text);
}

}  // namespace

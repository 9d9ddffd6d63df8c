#include <atomic>
#include <filesystem>
#include <thread>
#include <vector>

#include <sys/socket.h>

#include <gtest/gtest.h>
#include <unistd.h>

#include <pabal/server.hpp>

#include "reactor/reactor.hpp"
#include "transport/socket_address.hpp"
#include "transport/socket_transport.hpp"
#include "transport/throw_away_certificate.hpp"
#include "transport/tls_transport.hpp"

namespace pabal {
namespace {

using namespace std::chrono_literals;

/// /slow answers after 200 ms, /never not at all, /threads with the thread's id, the rest with its method and target.
class replies final : public application {
public:
    reply answer(const incoming& request) override {
        if (request.path == "/thread") return {.body = text(std::this_thread::get_id())};
        return {.body = request.head.method + " " + request.path + "?" + request.query + " " + request.body};
    }
    std::size_t max_body() const override { return 1000; }
    static std::string text(std::thread::id id) { return std::to_string(std::hash<std::thread::id>{}(id)); }
};

class delaying final : public handler {
public:
    void handle(exchange_ptr asked) override {
        ++asked_;
        if (asked->request.target == "/never") return kept_.push_back(std::move(asked));
        if (asked->request.target != "/slow") return whole_.handle(std::move(asked));
        host->after(200ms, [this, asked] { whole_.handle(asked); });
    }
    server* host = nullptr;
    int asked() const { return asked_; }

private:
    std::vector<exchange_ptr> kept_;
    replies whole_;
    std::atomic<int> asked_ = 0;
};

/// A client that blocks, on a plain socket.
class peer {
public:
    explicit peer(const transport::socket_address& to) : socket_(::socket(to.get()->sa_family, SOCK_STREAM, 0)) {
        const timeval patience{10, 0};
        ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        connected = ::connect(socket_.get(), to.get(), to.size) == 0;
    }
    explicit peer(std::uint16_t port) : peer(transport::ip_address("127.0.0.1", port).value()) {}

    void send(std::string_view bytes) {
        EXPECT_EQ(::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL), std::ssize(bytes));
    }
    void get(std::string_view target) { send("GET " + std::string(target) + " HTTP/1.1\r\nHost: a\r\n\r\n"); }
    /// One response with a short body; what comes before the end of the connection if there is none.
    std::string response() {
        std::string all;
        while (!complete(all)) {
            char byte = 0;
            if (::recv(socket_.get(), &byte, 1, 0) != 1) return all + "<end>";
            all += byte;
        }
        return all.substr(0, all.find("\r\n")) + " " + all.substr(all.find("\r\n\r\n") + 4);
    }
    /// Whether something comes within that time.
    bool hears_within(std::chrono::milliseconds time) {
        const timeval patience{0, static_cast<suseconds_t>(time.count() * 1000)};
        ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        char byte = 0;
        return ::recv(socket_.get(), &byte, 1, MSG_PEEK) >= 0;
    }
    std::string rest() {
        std::string all;
        char buffer[4096];
        for (ssize_t got = 0; (got = ::recv(socket_.get(), buffer, sizeof buffer, 0)) > 0;)
            all.append(buffer, static_cast<std::size_t>(got));
        return all;
    }
    void finish() { ::shutdown(socket_.get(), SHUT_WR); }
    bool connected = false;

private:
    static bool complete(std::string_view all) {
        const std::size_t head = all.find("\r\n\r\n");
        if (head == std::string_view::npos) return false;
        const std::size_t field = all.find("Content-Length: ");
        const std::size_t size = field < head ? std::strtoul(all.data() + field + 16, nullptr, 10) : 0;
        return all.size() >= head + 4 + size;
    }
    reactor::descriptor socket_;
};

class serving : public ::testing::Test {
protected:
    void serve(server_options options = {}) {
        auto made = server::make(handler_, options);
        ASSERT_TRUE(made) << made.error().message;
        server_ = std::move(*made);
        handler_.host = server_.get();
        server_->start();
    }
    std::uint16_t port() const { return server_->port(); }
    void wait_until_asked(int times) {
        for (int turn = 0; turn < 1000 && handler_.asked() < times; ++turn) std::this_thread::sleep_for(5ms);
        ASSERT_EQ(handler_.asked(), times);
    }
    static std::chrono::milliseconds time_of(const std::function<void()>& work) {
        const auto began = std::chrono::steady_clock::now();
        work();
        return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - began);
    }

    const std::thread::id main_ = std::this_thread::get_id();
    delaying handler_;
    std::unique_ptr<server> server_;
};

TEST_F(serving, answers_on_its_own_thread) {
    serve();
    EXPECT_NE(port(), 0);
    EXPECT_EQ(server_->address(), "127.0.0.1:" + std::to_string(port()));
    peer client(port());
    client.get("/path?query");
    EXPECT_EQ(client.response(), "HTTP/1.1 200 OK GET /path?query ");
    client.send("POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody");
    EXPECT_EQ(client.response(), "HTTP/1.1 200 OK POST /p? body");
    client.get("/thread");
    EXPECT_NE(client.response(), "HTTP/1.1 200 OK " + replies::text(std::this_thread::get_id()));
}

TEST_F(serving, connections_wait_until_it_runs) {
    server_ = server::make(handler_).value();
    peer early(port());
    EXPECT_TRUE(early.connected);
    early.get("/early");
    server_->start();
    EXPECT_EQ(early.response(), "HTTP/1.1 200 OK GET /early? ");
}

TEST_F(serving, runs_on_the_callers_thread_until_it_is_stopped) {
    server_ = server::make(handler_).value();
    std::thread client([&] {
        peer asking(port());
        asking.get("/thread");
        EXPECT_EQ(asking.response(), "HTTP/1.1 200 OK " + replies::text(main_));
        server_->stop();
    });
    server_->run();
    client.join();
}

TEST_F(serving, a_body_that_is_too_large_is_answered_413) {
    serve();
    peer client(port());
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\n\r\n" + std::string(1001, 'x'));
    EXPECT_TRUE(client.response().starts_with("HTTP/1.1 413 "));
}

TEST_F(serving, after_calls_in_order_and_is_dropped_with_the_server) {
    serve();
    peer client(port());
    const auto took = time_of([&] {
        client.get("/slow");
        EXPECT_EQ(client.response(), "HTTP/1.1 200 OK GET /slow? ");
    });
    EXPECT_GE(took, 190ms);

    auto alive = std::make_shared<int>();
    const std::weak_ptr<int> watched = alive;
    bool ran = false;
    auto unborn = server::make(handler_).value();
    unborn->after(1ms, [&ran, alive = std::move(alive)] { ran = true; });
    unborn.reset();
    EXPECT_FALSE(ran);
    EXPECT_TRUE(watched.expired());
}

TEST_F(serving, stopping_finishes_what_is_under_way_and_refuses_the_rest) {
    serve();
    peer busy(port());
    peer idle(port());
    idle.get("/");
    EXPECT_TRUE(idle.response().starts_with("HTTP/1.1 200 OK"));
    busy.get("/slow");
    wait_until_asked(2);
    std::thread stopper([&] { server_->stop(); });
    EXPECT_EQ(idle.response(), "<end>") << "an idle connection is closed at once";
    EXPECT_EQ(busy.response(), "HTTP/1.1 200 OK GET /slow? ");
    EXPECT_EQ(busy.response(), "<end>") << "it was the last one";
    { const peer closes = std::move(busy), closes_too = std::move(idle); }
    stopper.join();
    EXPECT_FALSE(peer(port()).connected);
}

TEST_F(serving, the_patience_of_a_graceful_stop_ends) {
    serve({.graceful_stop = 100ms});
    peer client(port());
    client.get("/never");
    wait_until_asked(1);
    const auto took = time_of([&] { server_->stop(); });
    EXPECT_GE(took, 90ms);
    EXPECT_LT(took, 3s);
    EXPECT_EQ(client.response(), "<end>");
}

TEST_F(serving, stops_twice_and_from_its_own_thread) {
    serve();
    peer client(port());
    std::atomic<bool> stopped = false;
    server_->stop();
    server_->stop();

    // A handler that ends the server it runs on must not wait for itself.
    struct ending final : handler {
        void handle(exchange_ptr asked) override {
            host->stop();
            response_head head;
            head.status = 204;
            asked->on_response(std::move(head));
            asked->on_end({});
            *told = true;
        }
        server* host = nullptr;
        std::atomic<bool>* told = nullptr;
    } handler;
    auto ended = server::make(handler).value();
    handler.host = ended.get();
    handler.told = &stopped;
    ended->start();
    peer last(ended->port());
    last.get("/");
    EXPECT_EQ(last.response(), "HTTP/1.1 204 No Content ");
    EXPECT_TRUE(stopped);
    EXPECT_EQ(last.response(), "<end>");
}

TEST_F(serving, is_destroyed_while_it_serves) {
    serve({.graceful_stop = 0ms});
    peer client(port());
    client.get("/never");
    peer late(port());
    late.get("/slow");
    wait_until_asked(2);
    server_.reset();
    EXPECT_EQ(client.response(), "<end>");
}

TEST_F(serving, connections_beyond_the_limit_wait_their_turn) {
    serve({.max_connections = 2});
    auto first = std::make_unique<peer>(port());
    auto second = std::make_unique<peer>(port());
    for (peer* each : {first.get(), second.get()}) {
        each->get("/");
        EXPECT_EQ(each->response(), "HTTP/1.1 200 OK GET /? ");
    }
    peer third(port());
    EXPECT_TRUE(third.connected) << "the system's queue takes it";
    third.get("/third");
    EXPECT_FALSE(third.hears_within(150ms));
    first.reset();
    EXPECT_TRUE(third.hears_within(900ms));
    EXPECT_EQ(third.response(), "HTTP/1.1 200 OK GET /third? ");
    second->get("/still");
    EXPECT_EQ(second->response(), "HTTP/1.1 200 OK GET /still? ");
}

TEST_F(serving, a_response_is_complete_for_a_client_that_has_said_all_it_will) {
    // Half-closed, and more to say than any socket buffer takes.
    struct large final : handler {
        void handle(exchange_ptr asked) override {
            response_head head;
            head.status = 200;
            head.headers.append_valid("Content-Length", "30000000");
            asked->on_response(std::move(head));
            asked->on_data(std::string(30'000'000, 'x'));
            asked->on_end({});
        }
    } handler;
    const auto made = server::make(handler).value();
    made->start();
    for (const auto* connection : {"keep-alive", "close"}) {
        peer client(made->port());
        client.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: " + std::string(connection) + "\r\n\r\n");
        client.finish();
        std::this_thread::sleep_for(1300ms);  // longer than a closing connection lingers
        EXPECT_GE(client.rest().size(), 30'000'000U) << connection;
    }
}

TEST_F(serving, a_unix_socket) {
    const std::string path =
        (std::filesystem::temp_directory_path() / ("pabal-server-" + std::to_string(::getpid()))).string();
    serve({.unix_path = path});
    EXPECT_EQ(server_->address(), path);
    EXPECT_EQ(port(), 0);
    {
        peer client(transport::unix_address(path).value());
        client.get("/unix");
        EXPECT_EQ(client.response(), "HTTP/1.1 200 OK GET /unix? ");
    }
    server_->stop();
    EXPECT_FALSE(std::filesystem::exists(path)) << "the file goes with the server";
}

TEST_F(serving, tls) {
    const std::string names[] = {"localhost"};
    const auto certificate = transport::self_signed_certificate(names).value();
    tls_server_options identity;
    identity.certificate = certificate.certificate;
    identity.key = certificate.key;
    serve({.tls = identity});

    // A plain request is no handshake: the connection ends, the server goes on.
    peer plain(port());
    plain.get("/");
    EXPECT_EQ(plain.rest().find("HTTP/"), std::string::npos);

    reactor::reactor reactor(reactor::make_poller().value());
    const auto context = transport::tls_context::make_client({.verify = false}).value();
    const auto address = transport::ip_address("127.0.0.1", port()).value();
    auto socket = transport::make_stream_socket(AF_INET).value();
    ::connect(socket.get(), address.get(), address.size);
    auto adopted = transport::make_socket_transport(reactor, socket.release(), server_->address());
    auto client = transport::tls_transport::connect(std::move(adopted), context, {.host = "localhost"}).value();
    std::string received;
    bool asked = false;
    const auto until = std::chrono::steady_clock::now() + 10s;
    while (received.find("GET /tls? ") == std::string::npos && std::chrono::steady_clock::now() < until) {
        reactor.turn(10ms);
        ASSERT_TRUE(client->handshake());
        if (!client->is_established()) continue;
        const std::string_view request = "GET /tls HTTP/1.1\r\nHost: a\r\n\r\n";
        if (!std::exchange(asked, true)) {
            ASSERT_TRUE(client->write({&request, 1}));
        }
        char buffer[4096];
        const auto got = client->read(buffer);
        ASSERT_TRUE(got) << got.error().message;
        received.append(buffer, got->size);
    }
    EXPECT_TRUE(received.starts_with("HTTP/1.1 200 OK\r\n"));
    EXPECT_EQ(client->describe().application_protocol, "http/1.1");
}

TEST_F(serving, what_it_cannot_do_is_said_when_it_is_made) {
    serve();
    const auto taken = server::make(handler_, {.port = port()});
    ASSERT_FALSE(taken);
    EXPECT_NE(taken.error().system_errno, 0);
    EXPECT_FALSE(server::make(handler_, {.host = "not an address"}));
    tls_server_options nonsense;
    nonsense.certificate = "no certificate";
    const auto without_identity = server::make(handler_, {.tls = nonsense});
    ASSERT_FALSE(without_identity);
    EXPECT_EQ(without_identity.error().code, error_code::invalid_argument);
    const auto without_folder = server::make(handler_, {.quic = {.qlog_folder = "/there/is/none"}});
    ASSERT_FALSE(without_folder);
    EXPECT_EQ(without_folder.error().code, error_code::invalid_argument);
}

}  // namespace
}  // namespace pabal

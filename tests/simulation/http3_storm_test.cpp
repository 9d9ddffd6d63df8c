// Both halves of the HTTP/3 machine in a storm: requests of every kind, given up, refused, reset or never answered, ends that go away or
// vanish, over a network that loses, repeats and reorders datagrams, under a clock that jumps.
//
//     PABAL_SIMULATION_SEED=42 test_simulation --gtest_filter='an_http3*'     plays that seed alone
//     PABAL_SIMULATION_RUNS=500 test_simulation --gtest_filter='an_http3*'    plays so many instead of the usual number
//
// What the ends do follows from the seed; keys and connection IDs are random all the same, and so is, a little, when packets leave.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "protocol/http/recording_stream.hpp"
#include "protocol/http/served_stream.hpp"
#include "protocol/http3/machine.hpp"
#include "protocol/quic/quic_world.hpp"
#include "simulation/storm.hpp"

namespace pabal::simulation {
namespace {

using http::testing::head_of;
using recording_stream = http::testing::recording_stream<http3::stream>;
using served_stream = http::testing::served_stream<http3::stream>;

constexpr std::uint64_t usual_runs = 60;
constexpr std::size_t requests_per_run = 60;
constexpr std::chrono::milliseconds tick{10};
/// A lost end is found out by QUIC's idle timeout, 30 seconds.
constexpr std::size_t most_ticks = 12'000;

/// Some at once, some in pieces with pauses between them.
pabal::testing::body_parts parts_of(const std::string& body, dice& chance) {
    pabal::testing::body_parts parts;
    for (std::size_t at = 0; at < body.size();) {
        const std::size_t size = chance.percent(50) ? body.size() - at : chance.number(1, body.size() - at);
        if (chance.percent(20)) parts.push_back(std::nullopt);
        parts.emplace_back(body.substr(at, size));
        at += size;
    }
    return parts;
}

class http3_storm : private http3::machine_observer {
public:
    http3_storm(std::uint64_t seed, weather kind) : dice_(seed), weather_(kind) {
        const unsigned loss = static_cast<unsigned>(dice_.number(0, 15));
        const bool jumbled = dice_.percent(50);
        world_.delay = dice_.time(0, 50);
        world_.loses = [this, loss](std::string_view, bool) { return dice_.percent(loss); };
        if (jumbled) {
            world_.repeats = [this] { return dice_.percent(5); };
            world_.straggles = [this] { return dice_.percent(10) ? dice_.time(1, 60) : std::chrono::milliseconds(0); };
        }
        for (std::size_t index = 0; index < requests_per_run; ++index) {
            answers_.push_back(dice_.text(dice_.size(100'000)));
            auto made = std::make_unique<asked>();
            made->head = http::testing::get("/" + std::to_string(index));
            made->begins = dice_.number(0, 200);
            if (dice_.percent(40)) {
                made->head.method = "POST";
                made->body = dice_.text(1 + dice_.size(100'000));
                made->stream.body_parts = parts_of(made->body, dice_);
            }
            if (weather_ == weather::rough && dice_.percent(10)) made->given_up = made->begins + dice_.number(0, 300);
            asked_.push_back(std::move(made));
        }
        if (weather_ == weather::rough && dice_.percent(30)) server_stops_ = dice_.number(0, 400);
        if (weather_ == weather::rough && dice_.percent(15)) client_goes_ = dice_.number(0, 400);
        if (weather_ == weather::rough && dice_.percent(15)) server_vanishes_ = dice_.number(1, 400);
        world_.on_server_made = [this](std::unique_ptr<quic::machine>& made) { server_.ride(*made); };
        world_.begin_client(client_.user());
        client_.ride(*world_.client);
        world_.client_sends = [this](std::span<char> space, quic::time_point at) { return client_.send(space, at); };
        world_.begin_server(server_.user());
    }

    void run() {
        std::size_t now = 0;
        for (; now < most_ticks && !is_over(); ++now) {
            world_.settle(tick);
            if (!world_.client->failure()) act_as_client(now);
            if (world_.server && !world_.server->failure()) act_as_server(now);
        }
        EXPECT_TRUE(is_over()) << "requests that never ended";
        for (std::size_t index = 0; index < asked_.size(); ++index) {
            SCOPED_TRACE("request " + std::to_string(index));
            check(*asked_[index], index);
        }
        if (weather_ == weather::healthy) {
            EXPECT_FALSE(world_.client->failure()) << world_.client->failure()->message;
        }
    }

private:
    struct asked {
        recording_stream stream;
        request_head head;
        std::string body;
        std::size_t begins = 0;
        std::optional<std::size_t> given_up;
        bool begun = false;
        bool released = false;
        std::size_t consumed = 0;
        bool is_over() const { return released || stream.failure; }
    };
    struct served {
        served_stream stream;
        std::optional<std::size_t> index;
        bool decided = false;
        bool released = false;
        std::size_t consumed = 0;
    };

    http3::stream* on_request_begun() override {
        if (weather_ == weather::rough && dice_.percent(3)) return nullptr;
        served_.push_back(std::make_unique<served>());
        return &served_.back()->stream;
    }
    bool is_over() const {
        return world_.client->failure() ||
               std::ranges::all_of(asked_, [](const auto& each) { return each->is_over(); });
    }

    void act_as_client(std::size_t now) {
        if (now == client_goes_) return client_.go_away();
        for (const auto& each : asked_) {
            asked& it = *each;
            if (it.is_over()) continue;
            if (!it.begun && now >= it.begins && client_.accepts_streams()) {
                it.begun = true;
                const bool announced = dice_.percent(50);
                const auto size =
                    announced || it.body.empty() ? std::optional<std::uint64_t>(it.body.size()) : std::nullopt;
                EXPECT_TRUE(client_.request(it.head, size, it.stream));
            }
            if (!it.begun) {
                if (!client_.accepts_streams()) it.released = true;  // the pool would ask elsewhere
                continue;
            }
            if (it.given_up && now >= *it.given_up && !it.stream.ended) {
                client_.release(it.stream);
                it.released = true;
                continue;
            }
            if (dice_.percent(70)) use(client_, it.stream, it.consumed);
            if (dice_.percent(30)) client_.resume_sending(it.stream);
            if (it.stream.ended) {
                client_.release(it.stream);
                it.released = true;
            }
        }
    }

    void act_as_server(std::size_t now) {
        if (now == server_vanishes_) return world_.lose_server();
        if (now == server_stops_) server_.announce_end();
        if (server_stops_ && now == *server_stops_ + 30) server_.finish();
        for (const auto& each : served_) {
            served& it = *each;
            if (it.released || it.stream.failure) continue;
            if (dice_.percent(70)) use(server_, it.stream, it.consumed);
            if (dice_.percent(30)) server_.resume_sending(it.stream);
            if (it.stream.head && !it.decided && dice_.percent(20)) decide(it);
            if (it.decided && it.stream.ended && (it.stream.was_sent || it.stream.sent_all())) {
                check_request(it);
                server_.release(it.stream);
                it.released = true;
            }
        }
    }
    void decide(served& it) {
        it.decided = true;
        it.index = std::stoul(it.stream.head->target.substr(1));
        if (weather_ == weather::rough && dice_.percent(8)) {
            it.released = true;
            return server_.release(it.stream);  // as who fails before he answers
        }
        if (dice_.percent(10)) {
            EXPECT_TRUE(server_.inform(head_of(103, {{"Link", "</a>"}}), it.stream));
        }
        const std::string& body = answers_.at(*it.index);
        it.stream.body_parts = parts_of(body, dice_);
        http::testing::lines head;
        if (dice_.percent(50)) head.emplace_back("Content-Length", std::to_string(body.size()));
        if (dice_.percent(20)) it.stream.trailers_to_send.append_valid("Sum", "1");
        // The client may have gone from it, and the news is on its way.
        (void)server_.respond(head_of(200, head), true, it.stream);
    }
    /// What has come was used: the peer may send as much again.
    template <class Stream>
    static void use(http3::machine& machine, Stream& of, std::size_t& consumed) {
        if (of.body.size() == consumed) return;
        machine.consume(of, of.body.size() - consumed);
        consumed = of.body.size();
    }

    void check_request(const served& it) const {
        EXPECT_TRUE(it.stream.body == asked_[*it.index]->body) << "another body than the client meant";
    }
    void check(const asked& it, std::size_t index) const {
        if (it.stream.failure) {
            EXPECT_EQ(weather_, weather::rough) << it.stream.failure->message;
            EXPECT_FALSE(it.stream.failure->message.empty());
            EXPECT_FALSE(it.stream.ended) << "it ended twice";
            const error_code code = it.stream.failure->code;
            EXPECT_TRUE(code == error_code::connection_closed || code == error_code::stream_reset ||
                        code == error_code::body_incomplete)
                << name_of(code) << ": " << it.stream.failure->message;
        }
        if (!it.stream.ended) return;
        EXPECT_EQ(it.stream.head->status, 200);
        EXPECT_TRUE(it.stream.body == answers_[index]) << "another body than the server meant";
    }

    dice dice_;
    weather weather_;
    quic::testing::quic_world world_;
    std::vector<std::string> answers_;
    std::vector<std::unique_ptr<asked>> asked_;
    std::vector<std::unique_ptr<served>> served_;
    http3::machine client_;
    http3::machine server_{static_cast<http3::machine_observer&>(*this)};
    std::optional<std::size_t> server_stops_, client_goes_, server_vanishes_;
};

void play(std::uint64_t seed) {
    SCOPED_TRACE("PABAL_SIMULATION_SEED=" + std::to_string(seed));
    http3_storm(seed, seed % 4 == 0 ? weather::healthy : weather::rough).run();
}

TEST(an_http3_storm, ends_every_request_once_in_what_the_server_meant_or_in_a_named_error) {
    if (const std::uint64_t seed = number_in_environment("PABAL_SIMULATION_SEED", 0)) return play(seed);
    const std::uint64_t runs = number_in_environment("PABAL_SIMULATION_RUNS", usual_runs);
    for (std::uint64_t seed = 1; seed <= runs && !HasFailure(); ++seed) play(seed);
}

}  // namespace
}  // namespace pabal::simulation

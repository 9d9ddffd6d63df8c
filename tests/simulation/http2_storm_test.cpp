// The client engine over HTTP/2 in a storm: servers that nobody here wrote (nghttp2) answer in any order, reset, refuse, change
// their minds about what they allow, go away, fall silent, talk nonsense or hang up, over wires that fragment, delay and break.
//
//     PABAL_SIMULATION_SEED=42 test_simulation --gtest_filter='an_http2*'     plays that seed alone
//     PABAL_SIMULATION_RUNS=5000 test_simulation --gtest_filter='an_http2*'   plays so many instead of the usual number

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "protocol/http2/http2_server.hpp"
#include "simulation/storm.hpp"

namespace pabal::simulation {
namespace {

using http2::testing::http2_server;
using http2::testing::lines;

constexpr std::uint64_t usual_runs = 40;
constexpr std::size_t requests_per_run = 150;

class http2_storm;

/// A server's end of one connection, which does what the dice say.
class fickle_server final {
public:
    fickle_server(http2_storm& in, transport::transport_ptr end);

private:
    void serve();
    void act();
    void answer(std::int32_t id);
    void misbehave(std::int32_t id);
    void say();

    http2_storm& storm_;
    http2_server session_;
    scripted_peer peer_;
    std::map<std::int32_t, bool> met_;  ///< requests, and whether they were answered
    reactor::member_timer<fickle_server, &fickle_server::act> timer_{*this};
};

/// One request's user.
class user final : public client::call_observer {
public:
    user(http2_storm& in, std::size_t index) : storm_(in), index_(index) {}

    void start();
    void cancel();
    void on_call_head(client::call&) override { read(); }
    void on_call_readable(client::call&) override { read(); }
    void on_call_done(client::call&) override;
    void read();

    client::call_ptr call;
    int dones = 0;
    bool cancelled = false;
    bool streams = false;
    std::string received;
    reactor::member_timer<user, &user::start> start_timer{*this};
    reactor::member_timer<user, &user::cancel> cancel_timer{*this};
    reactor::member_timer<user, &user::read> reader_timer{*this};

private:
    http2_storm& storm_;
    std::size_t index_;
};

class http2_storm {
public:
    http2_storm(std::uint64_t seed, weather kind) : dice_(seed), weather_(kind), world_(limits(dice_)) {
        world_.session->versions = {.http_1_1 = false, .http_2 = true};
        world_.network->accept = [this](const dial::target&, transport::transport_ptr end) {
            servers_.push_back(std::make_unique<fickle_server>(*this, std::move(end)));
        };
        world_.network->route = [this](const dial::target&) { return route(); };
        for (std::size_t index = 0; index < requests_per_run; ++index) {
            bodies_.push_back(dice_.text(dice_.size(300'000)));
            users_.push_back(std::make_unique<user>(*this, index));
        }
    }

    /// Plays it, checks what must hold, and says what came of each request: the same for the same seed.
    std::string run() {
        for (auto& each : users_) world_.reactor().set_timer_in(each->start_timer, dice_.time(0, 3000));
        EXPECT_TRUE(world_.run_until([&] { return ended_ == users_.size(); }))
            << users_.size() - ended_ << " requests never ended; open " << world_.engine->pool().open_connections()
            << ", waiting " << world_.engine->pool().waiting();
        world_.run_for(1s);
        std::string outcomes;
        for (std::size_t index = 0; index < users_.size(); ++index) {
            SCOPED_TRACE("request " + std::to_string(index));
            outcomes += check(index) + "\n";
        }
        pool::pool& pool = world_.engine->pool();
        EXPECT_EQ(pool.waiting(), 0U);
        pool.close();
        world_.run_for(1s);
        EXPECT_EQ(pool.open_connections(), 0U);
        EXPECT_EQ(pool.dialling(), 0U);
        return outcomes;
    }

private:
    friend class fickle_server;
    friend class user;

    static session_limits limits(dice& random) {
        session_limits made;
        made.max_connections = random.number(1, 8);
        made.max_connections_per_host = random.number(1, 4);
        if (random.percent(50)) made.ping_interval = random.time(50, 2000);
        return made;
    }
    simulated_route route() {
        simulated_route made;
        made.to_server = wire();
        made.to_client = wire();
        made.delay = dice_.time(0, 50);
        if (weather_ == weather::rough && dice_.percent(10))
            made.failure = error{error_code::connection_refused, phase::connect, culprit::peer, 0, "refused"};
        return made;
    }
    transport::memory_wire wire() {
        transport::memory_wire made;
        if (dice_.percent(60)) made.fragment_seed = dice_.number(1, 1'000'000);
        if (dice_.percent(60)) made.latency = dice_.time(0, 40);
        made.capacity = dice_.number(2000, 200'000);
        if (weather_ == weather::healthy || !dice_.percent(25)) return made;
        made.fault_after = dice_.number(0, 300'000);
        made.then = dice_.percent(50) ? transport::memory_wire::fault::reset : transport::memory_wire::fault::finish;
        return made;
    }
    std::string check(std::size_t index) {
        const user& asked = *users_[index];
        EXPECT_TRUE(asked.call->is_done());
        EXPECT_EQ(asked.dones, asked.cancelled ? 0 : 1) << "a request ends exactly once";
        if (asked.cancelled) return "cancelled";
        if (const auto& failure = asked.call->failure()) return check_failure(*failure);
        EXPECT_EQ(asked.call->response().status, 200);
        const std::string_view body = asked.streams ? asked.received : asked.call->body().view();
        EXPECT_TRUE(body == bodies_[index]) << "another body than the server meant";
        return "response";
    }
    std::string check_failure(const error& failure) const {
        const std::string text = std::string(name_of(failure.code)) + " in " + std::string(name_of(failure.where));
        EXPECT_EQ(weather_, weather::rough) << text << ": " << failure.message;
        EXPECT_FALSE(failure.message.empty());
        switch (failure.code) {
        case error_code::connection_refused:
        case error_code::connection_closed:
        case error_code::connection_reset:
        case error_code::write_failed:
        case error_code::body_incomplete:
        case error_code::malformed_message:
        case error_code::stream_reset:
        case error_code::timed_out: break;
        default: ADD_FAILURE() << "an error nobody planned: " << text << ": " << failure.message;
        }
        return text;
    }

    dice dice_;
    weather weather_;
    simulated_client world_;
    std::vector<std::unique_ptr<fickle_server>> servers_;  ///< on the world's reactor
    std::vector<std::string> bodies_;
    std::vector<std::unique_ptr<user>> users_;
    std::size_t ended_ = 0;
};

// --- The server ------------------------------------------------------------------------------------------------------

fickle_server::fickle_server(http2_storm& in, transport::transport_ptr end)
    : storm_(in),
      session_({{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, static_cast<std::uint32_t>(in.dice_.number(1, 50))},
                {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, static_cast<std::uint32_t>(in.dice_.number(1000, 100'000))}}),
      peer_(std::move(end)) {
    peer_.on_received = [this](scripted_peer&) { serve(); };
    say();
}

void fickle_server::serve() {
    session_.receive(std::exchange(peer_.received, {}));
    for (const std::int32_t id : session_.ids())
        if (session_.requests[id].ended) met_.try_emplace(id, false);
    say();
    if (!timer_.is_set()) storm_.world_.reactor().set_timer_in(timer_, storm_.dice_.time(0, 100));
}

/// Answers some of those who wait, in any order.
void fickle_server::act() {
    std::vector<std::int32_t> waiting;
    for (const auto& [id, answered] : met_)
        if (!answered) waiting.push_back(id);
    for (std::size_t times = storm_.dice_.number(0, 4); times > 0 && !waiting.empty(); --times) {
        const std::size_t at = storm_.dice_.number(0, waiting.size() - 1);
        const std::int32_t id = waiting[at];
        waiting.erase(waiting.begin() + static_cast<std::ptrdiff_t>(at));
        met_[id] = true;
        if (storm_.weather_ == weather::rough && storm_.dice_.percent(12)) misbehave(id);
        else answer(id);
        if (peer_.is_closed()) return;
    }
    say();
    if (!waiting.empty()) storm_.world_.reactor().set_timer_in(timer_, storm_.dice_.time(0, 200));
}

void fickle_server::answer(std::int32_t id) {
    const std::string path = session_.requests[id].field(":path");
    const std::string& body = storm_.bodies_.at(std::stoul(path.substr(1)));
    if (storm_.dice_.percent(10)) session_.head(id, {{":status", "103"}, {"link", "</a>"}});
    lines head{{":status", "200"}};
    if (storm_.dice_.percent(50)) head.emplace_back("content-length", std::to_string(body.size()));
    lines trailers;
    if (storm_.dice_.percent(20)) trailers.emplace_back("sum", "1");
    session_.answer(id, head, body, trailers);
    if (!storm_.dice_.percent(10)) return;
    session_.settings(
        {{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, static_cast<std::uint32_t>(storm_.dice_.number(1, 100'000))}});
    // It refuses what was on the way to it then, even what it has refused before.
    if (storm_.weather_ == weather::rough)
        session_.settings(
            {{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, static_cast<std::uint32_t>(storm_.dice_.number(1, 50))}});
}

void fickle_server::misbehave(std::int32_t id) {
    dice& chance = storm_.dice_;
    switch (chance.number(0, 7)) {
    case 0: session_.reset(id, static_cast<std::uint32_t>(chance.number(0, 14))); break;
    case 1: session_.reset(id, NGHTTP2_REFUSED_STREAM); break;
    case 2:
        session_.go_away(static_cast<std::int32_t>(chance.number(0, static_cast<std::uint64_t>(id))), NGHTTP2_NO_ERROR);
        break;
    case 3: peer_.send(chance.text(chance.number(1, 100))); break;
    case 4: peer_.close(); break;
    case 5: session_.answer(id, {{"x", "no status"}}, "body"); break;
    case 6: session_.answer(id, {{":status", "200"}, {"content-length", "3"}}, "more than that"); break;
    default: break;  // never a word
    }
}

void fickle_server::say() {
    if (!peer_.is_closed()) peer_.send(session_.output());
}

// --- The user --------------------------------------------------------------------------------------------------------

void user::start() {
    dice& chance = storm_.dice_;
    const char* hosts[] = {"a.example", "b.example"};
    client::call_request asked;
    asked.location = url::parse("http://" + std::string(chance.one_of(hosts)) + "/" + std::to_string(index_)).value();
    if (chance.percent(40)) asked.method = "POST", asked.body = chance.text(1 + chance.size(200'000));
    asked.streams_response = streams = chance.percent(50);
    asked.limits.total = 0ms;
    if (storm_.weather_ == weather::rough) {
        asked.limits.read = chance.time(500, 20'000);
        asked.limits.write = chance.time(500, 20'000);
        asked.limits.pool = chance.time(500, 60'000);
        if (chance.percent(20)) asked.limits.total = chance.time(1, 5000);
    }
    if (chance.percent(8)) storm_.world_.reactor().set_timer_in(cancel_timer, chance.time(0, 1500));
    call = base::make_counted<client::call>(std::move(asked), this);
    call->start(*storm_.world_.session);
}

void user::cancel() {
    if (call->is_done()) return;
    cancelled = true;
    call->cancel();
    reader_timer.cancel();
    ++storm_.ended_;
}

void user::on_call_done(client::call&) {
    ++dones;
    EXPECT_FALSE(cancelled);
    cancel_timer.cancel();
    ++storm_.ended_;
}

/// Some read at once, some take their time.
void user::read() {
    if (!streams || call->is_done()) return;
    std::array<char, 20'000> buffer;
    while (true) {
        if (storm_.dice_.percent(10))
            return storm_.world_.reactor().set_timer_in(reader_timer, storm_.dice_.time(0, 100));
        const auto got = call->read({buffer.data(), storm_.dice_.number(1, buffer.size())});
        if (!got || got->what != read_outcome::kind::data) return;
        received.append(buffer.data(), got->size);
    }
}

std::string play(std::uint64_t seed) {
    SCOPED_TRACE("PABAL_SIMULATION_SEED=" + std::to_string(seed));
    return http2_storm(seed, seed % 4 == 0 ? weather::healthy : weather::rough).run();
}

TEST(an_http2_storm, ends_every_request_once_in_what_the_server_meant_or_in_a_named_error) {
    const std::uint64_t first = number_in_environment("PABAL_SIMULATION_SEED", 1);
    const bool one_alone = std::getenv("PABAL_SIMULATION_SEED") && !std::getenv("PABAL_SIMULATION_RUNS");
    const std::uint64_t runs = one_alone ? 1 : number_in_environment("PABAL_SIMULATION_RUNS", usual_runs);
    std::map<std::string, int> outcomes;
    for (std::uint64_t seed = first; seed < first + runs && !HasFailure(); ++seed) {
        const std::string all = play(seed);
        for (std::size_t at = 0, end = 0; at < all.size(); at = end + 1) {
            end = all.find('\n', at);
            ++outcomes[all.substr(at, end - at)];
        }
    }
    for (const auto& [outcome, count] : outcomes) RecordProperty(outcome, count);
    if (one_alone || HasFailure()) return;
    // A simulation in which nothing goes wrong, or nothing right, shows nothing.
    for (const char* needed : {"response", "cancelled", "malformed_message in read", "stream_reset in read",
                               "body_incomplete in read", "timed_out in read"})
        EXPECT_GT(outcomes[needed], 0) << needed;
}

TEST(an_http2_storm, is_the_same_for_the_same_seed) { EXPECT_EQ(play(7), play(7)); }

}  // namespace
}  // namespace pabal::simulation

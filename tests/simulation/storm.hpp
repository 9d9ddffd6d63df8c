#pragma once
/// \file
/// A storm: a few hundred requests of every kind by one client engine to real server connections, over a network that
/// fragments, delays, resets, ends and refuses, under a clock that jumps. Everything follows from the seed.
///
/// What each request is to meet is decided beforehand (`plan`): the server answers by it, and the outcome is held against it.

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "client/call.hpp"
#include "protocol/http/encoders.hpp"
#include "support/simulated_network.hpp"

namespace pabal::simulation {

using namespace pabal::testing;

inline std::uint64_t number_in_environment(const char* name, std::uint64_t otherwise) {
    const char* text = std::getenv(name);
    return text && *text ? std::strtoull(text, nullptr, 10) : otherwise;
}

class dice {
public:
    explicit dice(std::uint64_t seed) : random_(seed) {}
    std::uint64_t number(std::uint64_t low, std::uint64_t high) { return low + random_() % (high - low + 1); }
    bool percent(unsigned chance) { return random_() % 100 < chance; }
    std::chrono::milliseconds time(std::uint64_t low, std::uint64_t high) {
        return std::chrono::milliseconds(number(low, high));
    }
    template <class T, std::size_t N>
    T one_of(const T (&choices)[N]) {
        return choices[random_() % N];
    }
    /// Mostly small, sometimes large.
    std::size_t size(std::size_t largest) {
        return number(0, percent(10) ? largest : std::min<std::size_t>(largest, 600));
    }
    std::string text(std::size_t size) {
        std::string made(size, '\0');
        for (char& each : made) each = static_cast<char>('a' + random_() % 26);
        return made;
    }

private:
    std::mt19937_64 random_;
};

/// One hop of a request: what arrives at the server, and what it answers.
struct planned_hop {
    std::string host;
    std::string method;
    bool has_body = false;
    int status = 200;
    int arrivals = 0;  ///< at the application
};

struct plan {
    std::vector<planned_hop> hops;  ///< redirects, and the final one
    std::string body;               ///< of the request
    std::string answer;             ///< body of the final response
    bool gzip = false;
    bool chunked = false;
    bool closes = false;  ///< the server says Connection: close
    bool early = false;   ///< the server answers without reading the request's body
    bool never = false;
    std::size_t piece = 1000;
    reactor::duration delay{0};

    bool streams_body = false;
    bool size_known = true;
    bool rewindable = false;
    bool source_fails = false;
    bool streams_response = false;
    bool reads_slowly = false;
    timeouts limits;
    reactor::duration starts{0};
    reactor::duration cancelled_after{-1};  ///< negative: never

    /// For a person who looks for what went wrong.
    std::string text() const {
        std::string made;
        for (const planned_hop& hop : hops)
            made += hop.method + " " + hop.host + " " + std::to_string(hop.status) + ", arrived " +
                    std::to_string(hop.arrivals) + "; ";
        made += std::to_string(body.size()) + " bytes up, " + std::to_string(answer.size()) + " down";
        for (const auto& [name, is] :
             std::initializer_list<std::pair<const char*, bool>>{{"gzip", gzip},
                                                                 {"chunked", chunked},
                                                                 {"closes", closes},
                                                                 {"early", early},
                                                                 {"never", never},
                                                                 {"streams_body", streams_body},
                                                                 {"size_known", size_known},
                                                                 {"rewindable", rewindable},
                                                                 {"source_fails", source_fails},
                                                                 {"streams_response", streams_response},
                                                                 {"reads_slowly", reads_slowly}})
            if (is) made += std::string(", ") + name;
        return made;
    }
    bool needs_rewinding() const { return streams_body && !rewindable && hops.size() > 1 && hops[1].has_body; }
    bool is_safe_to_repeat(std::size_t hop) const {
        const std::string& method = hops[hop].method;
        return method != "POST" && method != "PATCH";
    }
    std::string expected_body() const {
        return hops.back().method == "HEAD" || hops.back().status == 204 ? "" : answer;
    }
};

class storm;

/// One request's user.
class actor final : public client::call_observer {
public:
    actor(storm& in, std::size_t index) : storm_(in), index_(index) {}

    void start();
    void cancel();

    void on_call_head(client::call&) override;
    void on_call_readable(client::call&) override { read(); }
    void on_call_done(client::call&) override;
    result<read_outcome> read_call_body(client::call&, std::span<char> buffer) override;
    bool rewind_call_body(client::call&) override;

    client::call_ptr call;
    int heads = 0;
    int dones = 0;
    bool cancelled = false;
    std::string received;

    void on_start() { start(); }
    void on_cancel() { cancel(); }
    void on_source() { call->body_ready(); }
    void on_reader() { read(); }
    reactor::member_timer<actor, &actor::on_start> start_timer{*this};
    reactor::member_timer<actor, &actor::on_cancel> cancel_timer{*this};

private:
    void read();
    storm& storm_;
    std::size_t index_;
    std::size_t given_ = 0;
    bool source_waits_ = false;
    reactor::member_timer<actor, &actor::on_source> source_timer_{*this};
    reactor::member_timer<actor, &actor::on_reader> reader_timer_{*this};
};

/// How bad it gets.
enum class weather { healthy, rough };

class storm {
public:
    storm(std::uint64_t seed, weather kind, std::size_t requests)
        : dice_(seed),
          weather_(kind),
          world_(limits(dice_)),
          server_(world_.reactor(), world_.handler, server_limits()) {
        world_.network->accept = [this](const dial::target&, transport::transport_ptr end) {
            server_.accept(std::move(end));
        };
        world_.network->route = [this](const dial::target&) { return route(); };
        world_.handler.answer = [this](const seen_request& asked) { return answer(asked); };
        world_.handler.answers_early = [this](const request_head& head) { return arrive(head); };
        for (std::size_t index = 0; index < requests; ++index) {
            plans_.push_back(make_plan());
            actors_.push_back(std::make_unique<actor>(*this, index));
        }
    }

    /// Plays it and checks everything that must hold. Returns a line for each outcome: the same for the same seed.
    std::string run() {
        for (std::size_t index = 0; index < actors_.size(); ++index)
            world_.reactor().set_timer_in(actors_[index]->start_timer, plans_[index].starts);
        if (weather_ == weather::rough) world_.reactor().set_timer_in(chaos_, dice_.time(200, 2000));
        EXPECT_TRUE(world_.run_until([&] { return ended_ == actors_.size(); }))
            << actors_.size() - ended_ << " requests never ended; open " << world_.engine->pool().open_connections()
            << ", waiting " << world_.engine->pool().waiting() << ", dialling " << world_.engine->pool().dialling();
        chaos_.cancel();
        world_.run_for(1s);
        std::string outcomes;
        for (std::size_t index = 0; index < actors_.size(); ++index) {
            SCOPED_TRACE("request " + std::to_string(index) + ": " + plans_[index].text());
            outcomes += check(plans_[index], *actors_[index]) + "\n";
        }
        check_that_a_healthy_request_succeeds();
        check_that_closing_leaves_nothing();
        return outcomes;
    }

private:
    friend class actor;

    static session_limits limits(dice& random) {
        session_limits made;
        made.max_connections = random.number(1, 12);
        made.max_connections_per_host = random.number(1, 6);
        made.max_idle_connections = random.number(0, 8);
        return made;
    }
    connection::server_limits server_limits() {
        connection::server_limits made;
        if (weather_ == weather::rough) made.idle = dice_.time(20, 20'000);
        made.write_buffer = dice_.number(1000, 100'000);
        // A server that does not want the rest of a body closes without a word: whoever comes next may meet that.
        made.drain = weather_ == weather::rough ? dice_.number(1000, 100'000) : 1'000'000;
        return made;
    }

    // --- What is to happen ---

    plan make_plan() {
        const bool rough = weather_ == weather::rough;
        const char* hosts[] = {"a.example", "b.example", "c.example:8080"};
        const char* methods[] = {"GET", "GET", "GET", "HEAD", "POST", "POST", "PUT", "DELETE", "PATCH"};
        plan made;
        std::string method = dice_.one_of(methods);
        bool has_body = method == "POST" || method == "PUT" || method == "PATCH" || dice_.percent(5);
        if (has_body) made.body = dice_.text(1 + dice_.size(60'000));
        for (int redirects = dice_.percent(20) ? static_cast<int>(dice_.number(1, 4)) : 0; redirects >= 0;
             --redirects) {
            planned_hop hop{dice_.one_of(hosts), method, has_body};
            if (redirects == 0) {
                const int statuses[] = {200, 200, 200, 201, 204, 404, 500};
                hop.status = dice_.one_of(statuses);
            } else {
                const int statuses[] = {301, 302, 303, 307, 308};
                hop.status = dice_.one_of(statuses);
                if (hop.status == 303 || (hop.status <= 302 && method == "POST")) {
                    if (method != "HEAD") method = "GET";
                    has_body = false;
                }
            }
            made.hops.push_back(hop);
        }
        made.answer = dice_.text(dice_.size(100'000));
        made.gzip = dice_.percent(15);
        made.chunked = dice_.percent(30);
        made.closes = dice_.percent(10);
        made.early = dice_.percent(10);
        made.piece = dice_.number(1 + made.answer.size() / 50, 20'000);
        if (dice_.percent(40)) made.delay = dice_.time(1, 500);
        made.streams_body = !made.body.empty() && dice_.percent(40);
        made.size_known = dice_.percent(50);
        made.rewindable = dice_.percent(50);
        made.streams_response = dice_.percent(35);
        made.reads_slowly = dice_.percent(40);
        made.starts = dice_.time(0, 5000);
        made.limits.total = 0ms;
        if (rough) {
            made.never = dice_.percent(4);
            made.source_fails = made.streams_body && dice_.percent(5);
            made.limits.read = dice_.time(500, 20'000);
            made.limits.write = dice_.time(500, 20'000);
            made.limits.connect = dice_.time(50, 3000);
            made.limits.pool = dice_.time(500, 60'000);
            if (dice_.percent(30)) made.limits.total = dice_.time(1, 5000);
        }
        if (dice_.percent(8)) made.cancelled_after = dice_.time(0, 1500);
        return made;
    }

    simulated_route route() {
        simulated_route made;
        made.to_server = wire();
        made.to_client = wire();
        made.delay = dice_.time(0, 50);
        if (weather_ == weather::healthy || calm_) return made;
        if (dice_.percent(10)) made.delay = dice_.time(0, 5000);
        if (dice_.percent(10))
            made.failure = error{error_code::connection_refused, phase::connect, culprit::peer, 0, "refused"};
        return made;
    }
    transport::memory_wire wire() {
        transport::memory_wire made;
        if (dice_.percent(60)) made.fragment_seed = dice_.number(1, 1'000'000);
        if (dice_.percent(60)) made.latency = dice_.time(0, 40);
        if (dice_.percent(40)) made.capacity = dice_.number(500, 10'000);
        if (weather_ == weather::healthy || calm_ || !dice_.percent(25)) return made;
        made.fault_after = dice_.size(30'000);
        made.then = dice_.percent(50) ? transport::memory_wire::fault::reset : transport::memory_wire::fault::finish;
        return made;
    }

    // --- The server ---

    std::string path(std::size_t index, std::size_t hop) const {
        return "/" + std::to_string(index) + "/" + std::to_string(hop);
    }
    /// From "/request/hop". The plain request after the storm has another path.
    static std::optional<std::pair<std::size_t, std::size_t>> read_path(std::string_view target) {
        if (target == "/plain") return std::nullopt;
        std::size_t index = 0;
        std::size_t hop = 0;
        const auto [end, failed] = std::from_chars(target.data() + 1, target.data() + target.size(), index);
        std::from_chars(end + 1, target.data() + target.size(), hop);
        return std::pair(index, hop);
    }
    /// A request reached the application; says whether it is answered before its body is read.
    bool arrive(const request_head& head) {
        const auto place = read_path(head.target);
        if (!place) return false;
        plan& planned = plans_.at(place->first);
        planned_hop& hop = planned.hops.at(place->second);
        ++hop.arrivals;
        EXPECT_EQ(head.method, hop.method) << "at " << head.target;
        EXPECT_EQ(head.headers.find("host"), hop.host);
        EXPECT_LE(hop.arrivals, planned.is_safe_to_repeat(place->second) ? 2 : 1)
            << head.method << " " << head.target << " was replayed";
        return planned.early;
    }
    scripted_answer answer(const seen_request& asked) {
        const auto place = read_path(asked.head.target);
        if (!place) return {.body = "plain"};
        const auto [index, at] = *place;
        const plan& planned = plans_.at(index);
        const planned_hop& hop = planned.hops.at(at);
        if (!planned.early) {
            EXPECT_EQ(asked.body.size(), hop.has_body ? planned.body.size() : 0U) << asked.head.target;
            EXPECT_TRUE(asked.body == (hop.has_body ? planned.body : "")) << "another body arrived";
        }
        scripted_answer made{.status = hop.status,
                             .headers = {{"X-Path", asked.head.target}},
                             .chunked = planned.chunked,
                             .delay = planned.delay,
                             .piece = planned.piece};
        if (planned.closes) made.headers.emplace_back("Connection", "close");
        if (at + 1 < planned.hops.size()) {
            made.headers.emplace_back("Location", "http://" + planned.hops[at + 1].host + path(index, at + 1));
            made.body = planned.answer;  // redirects have bodies of every size, too
            return made;
        }
        made.never = planned.never;
        made.body = planned.gzip && hop.status != 204 ? http::testing::gzip(planned.answer) : planned.answer;
        if (planned.gzip) made.headers.emplace_back("Content-Encoding", "gzip");
        return made;
    }
    /// Sometimes the server restarts, gently or not, and sometimes the user closes what is idle.
    void on_chaos() {
        switch (dice_.number(0, 3)) {
        case 0: server_.finish(); break;
        case 1: server_.close(connection::server_close_reason::server_stopped); break;
        case 2: world_.engine->pool().close_idle(connection::close_reason::evicted); break;
        default: break;
        }
        world_.reactor().set_timer_in(chaos_, dice_.time(200, 2000));
    }

    // --- The users ---

    void ended(std::size_t index) {
        ++ended_;
        actors_[index]->cancel_timer.cancel();
        // Out of one request's last word, another is begun or cancelled.
        actor& other = *actors_[dice_.number(0, actors_.size() - 1)];
        if (dice_.percent(10)) other.start();
        if (dice_.percent(2) && other.call && !other.call->is_done()) other.cancel();
    }

    // --- What must hold ---

    std::string check(const plan& planned, const actor& user) {
        if (!user.call) return ADD_FAILURE() << "never started", "?";
        const client::call& call = *user.call;
        EXPECT_TRUE(call.is_done());
        EXPECT_EQ(call.reference_count(), 1U) << "somebody holds a call that is over";
        if (user.cancelled) {
            EXPECT_EQ(user.dones, 0) << "a cancelled request was heard of";
            EXPECT_EQ(call.failure()->code, error_code::cancelled);
            return "cancelled";
        }
        EXPECT_EQ(user.dones, 1) << "a request ends exactly once";
        if (call.failure()) return check_failure(planned, *call.failure());
        return check_response(planned, user);
    }
    std::string check_failure(const plan& planned, const error& failure) {
        const std::string text = std::string(name_of(failure.code)) + " in " + std::string(name_of(failure.where));
        switch (failure.code) {
        case error_code::body_not_replayable:
            EXPECT_TRUE(planned.needs_rewinding() || std::ranges::any_of(planned.hops, [&](const planned_hop& hop) {
                            return planned.streams_body && !planned.rewindable && hop.has_body;
                        }));
            return text;
        case error_code::request_body_failed: EXPECT_TRUE(planned.source_fails); return text;
        case error_code::connection_refused:
        case error_code::connection_closed:
        case error_code::connection_reset:
        case error_code::write_failed:
        case error_code::body_incomplete:
        case error_code::timed_out: EXPECT_EQ(weather_, weather::rough) << text << ": " << failure.message; return text;
        default: ADD_FAILURE() << "an error nobody planned: " << text << ": " << failure.message; return text;
        }
    }
    /// An answer without the application: the server's end of the connection had only part of the request.
    std::string check_servers_own_word(int status) {
        EXPECT_EQ(weather_, weather::rough);
        EXPECT_TRUE(status == 400 || status == 408 || status == 500) << status;
        return std::to_string(status) + " by the server";
    }
    std::string check_response(const plan& planned, const actor& user) {
        client::call& call = *user.call;
        const std::size_t last = planned.hops.size() - 1;
        if (!call.response().headers.contains("x-path")) return check_servers_own_word(call.response().status);
        EXPECT_FALSE(planned.never || (planned.source_fails && !planned.early && last == 0));
        EXPECT_EQ(call.response().status, planned.hops[last].status);
        EXPECT_EQ(call.history().size(), last);
        EXPECT_EQ(call.response().headers.find("x-path"), call.location().path());
        const std::string_view body = planned.streams_response ? user.received : call.body().view();
        const std::string expected = planned.expected_body();
        EXPECT_EQ(body.size(), expected.size());
        EXPECT_TRUE(body == expected) << "another body than the server meant";
        EXPECT_EQ(user.heads, planned.streams_response ? 1 : 0);
        return std::to_string(call.response().status) + " " + std::to_string(body.size());
    }
    void check_that_a_healthy_request_succeeds() {
        calm_ = true;
        // Dials that nobody waits for any more are still made of the storm.
        EXPECT_TRUE(world_.run_until([&] { return world_.engine->pool().dialling() == 0; }));
        world_.engine->pool().close_idle(connection::close_reason::evicted);
        client::call_request asked;
        asked.location = url::parse("http://a.example/plain").value();
        const auto plain = base::make_counted<client::call>(asked, nullptr);
        plain->start(*world_.session);
        EXPECT_TRUE(world_.run_until([&] { return plain->is_done(); }));
        EXPECT_FALSE(plain->failure()) << plain->failure()->message;
        EXPECT_EQ(plain->body().view(), "plain");
    }
    void check_that_closing_leaves_nothing() {
        pool::pool& pool = world_.engine->pool();
        EXPECT_EQ(pool.waiting(), 0U);
        EXPECT_EQ(pool.open_connections(), pool.idle_connections()) << "a connection is busy for nobody";
        pool.close();
        world_.run_for(1s);
        EXPECT_EQ(pool.open_connections(), 0U);
        EXPECT_EQ(pool.idle_connections(), 0U);
        EXPECT_EQ(pool.dialling(), 0U);
        EXPECT_EQ(pool.waiting(), 0U);
        EXPECT_EQ(world_.network->attempts, 0);
        server_.close(connection::server_close_reason::server_stopped);
        world_.run_for(1s);
        EXPECT_EQ(server_.open, 0U);
        EXPECT_FALSE(world_.handler.is_answering()) << "the application works for nobody";
    }

    dice dice_;
    weather weather_;
    bool calm_ = false;
    simulated_client world_;
    simulated_server server_;
    std::vector<plan> plans_;
    std::vector<std::unique_ptr<actor>> actors_;
    std::size_t ended_ = 0;
    reactor::member_timer<storm, &storm::on_chaos> chaos_{*this};
};

inline void actor::start() {
    if (call) return;
    start_timer.cancel();
    const plan& planned = storm_.plans_[index_];
    const planned_hop& first = planned.hops.front();
    client::call_request asked;
    asked.method = first.method;
    asked.location = url::parse("http://" + first.host + storm_.path(index_, 0)).value();
    asked.streams_body = planned.streams_body;
    if (!planned.streams_body) asked.body = planned.body;
    else if (planned.size_known) asked.streamed_size = planned.body.size();
    asked.streams_response = planned.streams_response;
    asked.limits = planned.limits;
    call = base::make_counted<client::call>(std::move(asked), this);
    if (planned.cancelled_after.count() >= 0)
        storm_.world_.reactor().set_timer_in(cancel_timer, planned.cancelled_after);
    call->start(*storm_.world_.session);
}

inline void actor::cancel() {
    if (!call || call->is_done()) return;
    cancelled = true;
    call->cancel();
    source_timer_.cancel();
    reader_timer_.cancel();
    storm_.ended(index_);
}

inline void actor::on_call_head(client::call&) {
    ++heads;
    read();
}

inline void actor::on_call_done(client::call&) {
    ++dones;
    EXPECT_FALSE(cancelled);
    source_timer_.cancel();
    storm_.ended(index_);
}

inline result<read_outcome> actor::read_call_body(client::call&, std::span<char> buffer) {
    const plan& planned = storm_.plans_[index_];
    const std::size_t available = planned.source_fails ? planned.body.size() / 2 : planned.body.size();
    if (planned.source_fails && given_ == available)
        return error{error_code::request_body_failed, phase::write, culprit::caller, 0, "the source failed"};
    if (given_ == planned.body.size()) return read_outcome{read_outcome::kind::end, 0};
    if (!source_waits_ && storm_.dice_.percent(20)) {
        source_waits_ = true;
        storm_.world_.reactor().set_timer_in(source_timer_, storm_.dice_.time(0, 100));
        return read_outcome{};
    }
    source_waits_ = false;
    const std::size_t size = std::min<std::size_t>({buffer.size(), available - given_, storm_.dice_.number(1, 5000)});
    std::copy_n(planned.body.data() + given_, size, buffer.data());
    given_ += size;
    return read_outcome{read_outcome::kind::data, size};
}

inline bool actor::rewind_call_body(client::call&) {
    if (!storm_.plans_[index_].rewindable) return false;
    given_ = 0;
    return true;
}

inline void actor::read() {
    if (!call || call->is_done()) return;
    std::array<char, 8192> buffer;
    const bool slowly = storm_.plans_[index_].reads_slowly;
    while (true) {
        if (slowly && storm_.dice_.percent(30)) {
            storm_.world_.reactor().set_timer_in(reader_timer_, storm_.dice_.time(0, 300));
            return;
        }
        auto got = call->read({buffer.data(), storm_.dice_.number(1, buffer.size())});
        if (!got || got->what != read_outcome::kind::data) return;
        received.append(buffer.data(), got->size);
        if (call->is_done() && call->failure()) return;
    }
}

}  // namespace pabal::simulation

#pragma once
/// \file
/// What the tests of the machine share: heads made in a line, and a listener that writes down what a machine says.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "protocol/http1/machine.hpp"

namespace pabal::http1::testing {

using lines = std::vector<std::pair<std::string, std::string>>;

inline constexpr auto v10 = http_version::http_1_0;
inline constexpr auto v11 = http_version::http_1_1;
inline constexpr role both_roles[] = {role::client, role::server};

inline fields make_fields(const lines& all) {
    fields made;
    for (const auto& [name, value] : all) made.append_valid(name, value);
    return made;
}

inline request_head make_request(std::string method, const lines& headers = {}, http_version version = v11) {
    lines all{{"Host", "h"}};
    all.insert(all.end(), headers.begin(), headers.end());
    return {method, method == "CONNECT" ? "h:443" : "/x", version, make_fields(all)};
}

inline response_head make_response(int status, const lines& headers = {}) {
    return {status, v11, "", make_fields(headers)};
}

inline std::string_view version_of(http_version version) { return version == v10 ? "1.0" : "1.1"; }

using size_or_unknown = std::optional<std::uint64_t>;
inline constexpr size_or_unknown unknown = std::nullopt;

/// The first lines of a message that the rest of a test's message follows.
inline std::string start_for(role as) {
    return as == role::server ? "POST /x HTTP/1.1\r\nHost: h\r\n" : "HTTP/1.1 200 OK\r\n";
}

/// What a machine says, a line for each event; neighbouring pieces of data are one.
using transcript = std::vector<std::string>;

/// Receives for a machine and writes down what it says.
class listener {
public:
    listener(machine& of, role as) : machine_(of), role_(as) {}

    void feed(std::string_view more) {
        pending_ += more;
        listen();
    }
    void close() {
        const step ended = machine_.receive_end();
        EXPECT_EQ(ended.used, 0U);
        note(ended);
    }
    /// The transcript, the input that was not used, and the verdict about the connection.
    transcript summary() const {
        transcript all = said_;
        if (!failed_ && !pending_.empty()) all.push_back("rest " + pending_);
        all.push_back("reuse " + std::string(name_of(machine_.reusable())));
        return all;
    }
    const transcript& said() const { return said_; }
    std::string_view rest() const { return pending_; }

private:
    void listen() {
        for (;;) {
            // What is presented ends where its memory ends, for the address sanitizer.
            const std::vector<char> bytes(pending_.begin(), pending_.end());
            const step now = machine_.receive({bytes.data(), bytes.size()});
            ASSERT_LE(now.used, bytes.size());
            if (now.what == step::kind::data) {
                ASSERT_GE(now.data.data(), bytes.data());
                ASSERT_EQ(now.data.data() + now.data.size(), bytes.data() + now.used);
                ASSERT_FALSE(now.data.empty());
            }
            note(now);
            pending_.erase(0, now.used);
            if (now.what == step::kind::need_more || now.what == step::kind::upgraded || now.what == step::kind::failed)
                return;
        }
    }
    void note(const step& now) {
        switch (now.what) {
        case step::kind::need_more: return;
        case step::kind::head: return role_ == role::server ? note_request() : note_response("");
        case step::kind::informational: return note_response("informational ");
        case step::kind::data:
            if (said_.empty() || !said_.back().starts_with("data ")) said_.emplace_back("data ");
            said_.back() += now.data;
            return;
        case step::kind::end: note_fields("trailer ", machine_.take_trailers()); return say("end");
        case step::kind::upgraded: return say("upgraded");
        case step::kind::failed: break;
        }
        failed_ = true;
        const pabal::error& failure = machine_.failure();
        EXPECT_EQ(failure.whose, culprit::peer);
        EXPECT_EQ(failure.where, phase::read);
        say("failed " + std::string(name_of(failure.code)) + " " + std::to_string(machine_.failure_status()) + ": " +
            failure.message);
    }
    void say(std::string event) {
        // `upgraded` and `failed` are said whenever one asks.
        if (said_.empty() || said_.back() != event) said_.push_back(std::move(event));
    }
    void note_request() {
        const request_head head = machine_.take_request();
        say(head.method + " " + head.target + " " + std::string(version_of(head.version)));
        note_fields("", head.headers);
    }
    void note_response(const std::string& before) {
        const response_head head = machine_.take_response();
        say(before + std::to_string(head.status) + " " + head.reason + " " + std::string(version_of(head.version)));
        note_fields("", head.headers);
    }
    void note_fields(const std::string& before, const fields& all) {
        for (const auto& line : all) say(before + std::string(line.name) + ": " + std::string(line.value));
    }

    machine& machine_;
    role role_;
    std::string pending_;
    transcript said_;
    bool failed_ = false;
};

/// A machine at the point where it receives: a server, or a client that has sent this request.
inline machine awaiting(role as, const request_head& asked = make_request("GET"), const limits& bounds = {}) {
    machine made(as, bounds);
    std::string out;
    if (as == role::client) {
        EXPECT_TRUE(made.send_request(asked, 0, out));
    }
    return made;
}

/// What comes of the input in these pieces; with `then_close` the peer closes after it.
inline transcript converse(role as, const request_head& asked, const std::vector<std::string_view>& pieces,
                           bool then_close) {
    machine receiving = awaiting(as, asked);
    listener hears(receiving, as);
    for (const std::string_view piece : pieces) hears.feed(piece);
    if (then_close) hears.close();
    return hears.summary();
}

/// The same, after checking that nothing depends on how the input arrives: whole, byte by byte, or cut in two anywhere.
inline transcript converse(role as, const request_head& asked, std::string_view input, bool then_close = false) {
    const transcript whole = converse(as, asked, std::vector{input}, then_close);
    std::vector<std::string_view> bytes;
    for (std::size_t at = 0; at < input.size(); ++at) bytes.push_back(input.substr(at, 1));
    EXPECT_EQ(converse(as, asked, bytes, then_close), whole) << "byte by byte:\n" << input;
    for (std::size_t at = 1; at < input.size(); ++at)
        EXPECT_EQ(converse(as, asked, {input.substr(0, at), input.substr(at)}, then_close), whole)
            << "cut at " << at << ":\n"
            << input;
    return whole;
}

inline transcript converse(role as, std::string_view input, bool then_close = false) {
    return converse(as, make_request("GET"), input, then_close);
}

}  // namespace pabal::http1::testing

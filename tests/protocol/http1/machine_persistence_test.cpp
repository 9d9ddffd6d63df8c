#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "protocol/http1/machine.hpp"
#include "protocol/http1/machine_support.hpp"

namespace pabal::http1 {
namespace {

using namespace testing;
using kind = step::kind;

// --- Upgrades and tunnels. ---

TEST(machine, hands_the_rest_over_after_switching_protocols) {
    const request_head asked = make_request("GET", {{"Connection", "Upgrade"}, {"Upgrade", "websocket"}});
    const std::string head = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n";
    EXPECT_EQ(converse(role::client, asked, head + "\x81\x05hello"),
              (transcript{"101 Switching Protocols 1.1", "Upgrade: websocket", "upgraded", "rest \x81\x05hello",
                          "reuse upgraded"}));
    EXPECT_EQ(converse(role::client, make_request("GET"), head)[0],
              "failed malformed_message 400: the peer switched protocols without being asked");
    // A peer that declines answers as usual, and the next exchange is HTTP.
    EXPECT_EQ(converse(role::client, asked, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx"),
              (transcript{"200 OK 1.1", "Content-Length: 1", "data x", "end", "reuse yes"}));
}

TEST(machine, opens_a_tunnel_for_any_2xx_to_connect) {
    for (const std::string framing : {"", "Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n"}) {
        for (const std::string status : {"200", "204", "299"}) {
            const transcript heard = converse(role::client, make_request("CONNECT"),
                                              "HTTP/1.1 " + status + " Yes\r\n" + framing + "\r\n\x16\x03\x01");
            EXPECT_EQ(heard[heard.size() - 3], "upgraded");
            EXPECT_EQ(heard[heard.size() - 2], "rest \x16\x03\x01");
            EXPECT_EQ(heard.back(), "reuse upgraded");
        }
    }
    EXPECT_EQ(converse(role::client, make_request("CONNECT"), "HTTP/1.1 407 No\r\nContent-Length: 2\r\n\r\nno"),
              (transcript{"407 No 1.1", "Content-Length: 2", "data no", "end", "reuse yes"}));
}

TEST(machine, switches_as_a_server_after_the_request) {
    const std::pair<std::string, int> cases[] = {
        {"GET /x HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n", 101},
        {"POST /x HTTP/1.1\r\nHost: h\r\nUpgrade: x\r\nContent-Length: 2\r\n\r\nab", 101},
        {"CONNECT h:443 HTTP/1.1\r\nHost: h\r\n\r\n", 200},
        {"CONNECT h:443 HTTP/1.1\r\nHost: h\r\n\r\n", 204},
    };
    for (const auto& [request, status] : cases) {
        machine server(role::server);
        listener hears(server, role::server);
        std::string out;
        hears.feed(request.substr(0, request.size() - 1));
        if (status == 101) {
            EXPECT_FALSE(server.send_response(make_response(status), 0, false, out));
            EXPECT_EQ(out, "");
        }
        hears.feed(request.substr(request.size() - 1) + "not HTTP");
        EXPECT_TRUE(server.send_response(make_response(status), 0, false, out));
        EXPECT_EQ(out.find("Content-Length"), std::string::npos);
        EXPECT_TRUE(server.sent_all());
        hears.feed("");
        EXPECT_EQ(hears.said().back(), "upgraded");
        EXPECT_EQ(hears.rest(), "not HTTP");
        EXPECT_EQ(server.reusable(), reuse::upgraded);
        EXPECT_EQ(server.receive_end().what, kind::upgraded);
    }
}

TEST(machine, keeps_to_http_after_a_declined_upgrade) {
    // Bytes that follow are requests like others, not what the client hoped to speak.
    machine server(role::server);
    listener hears(server, role::server);
    std::string out;
    hears.feed("GET /1 HTTP/1.1\r\nHost: h\r\nUpgrade: notupgrade\r\n\r\nGET /2 HTTP/1.0\r\n\r\n");
    EXPECT_TRUE(server.send_response(make_response(200), 0, false, out));
    EXPECT_EQ(server.reusable(), reuse::yes);
    server.next_cycle();
    hears.feed("");
    EXPECT_EQ(hears.summary(), (transcript{"GET /1 1.1", "Host: h", "Upgrade: notupgrade", "end", "GET /2 1.0", "end",
                                           "reuse not_finished"}));
}

TEST(machine, closes_after_a_refused_connect) {
    machine server(role::server);
    listener hears(server, role::server);
    hears.feed("CONNECT h:443 HTTP/1.1\r\nHost: h\r\n\r\n\x16\x03\x01");
    std::string out;
    EXPECT_TRUE(server.send_response(make_response(403), 0, false, out));
    EXPECT_EQ(out, "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    EXPECT_EQ(server.reusable(), reuse::we_said_close);
}

TEST(machine, takes_no_body_with_connect) {
    for (const std::string framing : {"Content-Length: 1", "Transfer-Encoding: chunked"}) {
        const transcript heard = converse(role::server, "CONNECT h:1 HTTP/1.1\r\nHost: h\r\n" + framing + "\r\n\r\n");
        EXPECT_TRUE(
            heard[0].starts_with("failed malformed_message 400: the request has a body although it is CONNECT"));
    }
}

// --- 100 (Continue), RFC 9110 section 10.1.1. ---

TEST(machine, expects_continue_only_where_it_makes_sense) {
    const std::pair<std::string, bool> cases[] = {
        {"POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n", true},
        {"POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-Continue\r\nTransfer-Encoding: chunked\r\n\r\n", true},
        {"POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 0\r\n\r\n", false},
        {"POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n\r\n", false},
        {"POST / HTTP/1.0\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n", false},
        {"POST / HTTP/1.1\r\nHost: h\r\nExpect: 200-ok\r\nContent-Length: 1\r\n\r\n", false},
        {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\n", false},
    };
    for (const auto& [request, expected] : cases) {
        machine server(role::server);
        EXPECT_FALSE(server.expects_continue());
        EXPECT_EQ(server.receive(request).what, kind::head);
        EXPECT_EQ(server.expects_continue(), expected) << request;
    }
}

TEST(machine, stops_expecting_when_something_answered_or_came) {
    const std::string sized = "POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n";
    const std::string chunked =
        "POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n";
    std::string out;
    for (const std::string& request : {sized, chunked}) {
        const std::string content = request == sized ? "x" : "9\r\nx";
        const auto expecting = [&] {
            machine server(role::server);
            EXPECT_EQ(server.receive(request).what, kind::head);
            EXPECT_TRUE(server.expects_continue());
            return server;
        };
        machine told = expecting();
        EXPECT_TRUE(told.send_informational(make_response(103), out));
        EXPECT_TRUE(told.expects_continue());
        EXPECT_TRUE(told.send_informational(make_response(100), out = ""));
        EXPECT_EQ(out, "HTTP/1.1 100 Continue\r\n\r\n");
        EXPECT_FALSE(told.expects_continue());

        machine answered = expecting();
        EXPECT_TRUE(answered.send_response(make_response(417), 0, true, out));
        EXPECT_FALSE(answered.expects_continue());

        machine impatient = expecting();
        EXPECT_EQ(impatient.receive(content).what, kind::data);
        EXPECT_FALSE(impatient.expects_continue());

        machine direct = expecting();
        if (request == chunked) {
            EXPECT_EQ(direct.receive("9\r\n").what, kind::need_more);
        }
        EXPECT_TRUE(direct.expects_continue());
        direct.received_directly(1);
        EXPECT_FALSE(direct.expects_continue());

        machine refusing = expecting();
        EXPECT_FALSE(refusing.send_informational(make_response(100, {{"X", "a\nb"}}), out = ""));
        EXPECT_EQ(out, "");
        EXPECT_TRUE(refusing.expects_continue());
    }
}

TEST(machine, sends_nothing_informational_to_http_1_0) {
    machine server(role::server);
    listener hears(server, role::server);
    hears.feed("GET / HTTP/1.0\r\n\r\n");
    std::string out;
    EXPECT_TRUE(server.send_informational(make_response(100), out));
    EXPECT_TRUE(server.send_informational(make_response(103), out));
    EXPECT_EQ(out, "");
}

// --- Keep-alive, RFC 9112 section 9.3. ---

struct persistence_case {
    std::string version, connection;
    bool persists;
};

const persistence_case persistence_cases[] = {
    {"1.1", "", true},
    {"1.1", "Connection: keep-alive\r\n", true},
    {"1.1", "Connection: close\r\n", false},
    {"1.1", "connection: x, CLOSE\r\n", false},
    {"1.1", "Connection: keep-alive\r\nConnection: close\r\n", false},
    {"1.0", "", false},
    {"1.0", "Connection: close\r\n", false},
    {"1.0", "Connection: Keep-Alive\r\n", true},
    {"1.0", "Connection: keep-alive, close\r\n", false},
    {"1.0", "Keep-Alive: timeout=5\r\n", false},
};

TEST(machine, keeps_a_connection_that_both_sides_keep) {
    for (const auto& [version, connection, persists] : persistence_cases) {
        machine client = awaiting(role::client);
        listener(client, role::client)
            .feed("HTTP/" + version + " 200 OK\r\nContent-Length: 0\r\n" + connection + "\r\n");
        EXPECT_EQ(client.reusable(), persists ? reuse::yes : reuse::peer_said_close) << version << connection;

        machine server(role::server);
        listener(server, role::server).feed("GET / HTTP/" + version + "\r\nHost: h\r\n" + connection + "\r\n");
        std::string out;
        EXPECT_TRUE(server.send_response(make_response(200), 0, false, out));
        EXPECT_EQ(server.reusable(), persists ? reuse::yes : reuse::peer_said_close) << version << connection;
        EXPECT_EQ(out.find("Connection: close\r\n") != std::string::npos, !persists);
        // Only HTTP/1.0 must be told (RFC 9112 appendix C.2.2).
        EXPECT_EQ(out.find("Connection: keep-alive\r\n") != std::string::npos, persists && version == "1.0");
    }
}

TEST(machine, closes_when_we_said_so) {
    const std::pair<request_head, reuse> requests[] = {
        {make_request("GET"), reuse::yes},
        {make_request("GET", {{"Connection", "close"}}), reuse::we_said_close},
        {make_request("GET", {}, v10), reuse::we_said_close},
        {make_request("GET", {{"Connection", "keep-alive"}}, v10), reuse::yes},
    };
    for (const auto& [asked, verdict] : requests) {
        machine client = awaiting(role::client, asked);
        listener(client, role::client).feed("HTTP/1.1 204 N\r\n\r\n");
        EXPECT_EQ(client.reusable(), verdict);
    }
    for (const bool close : {false, true}) {
        for (const lines& headers : {lines{}, lines{{"Connection", "close"}}}) {
            machine server(role::server);
            listener(server, role::server).feed("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
            std::string out;
            EXPECT_TRUE(server.send_response(make_response(204, headers), 0, close, out));
            EXPECT_EQ(server.reusable(), close || !headers.empty() ? reuse::we_said_close : reuse::yes);
        }
    }
}

TEST(machine, ends_a_body_of_unknown_size_to_http_1_0_by_closing) {
    machine server(role::server);
    listener(server, role::server).feed("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    std::string out;
    EXPECT_TRUE(server.send_response(make_response(200), unknown, false, out));
    EXPECT_EQ(out, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
    EXPECT_TRUE(server.sends_body());
    EXPECT_TRUE(server.send_data(5, out));
    EXPECT_EQ(server.data_suffix(), "");
    EXPECT_EQ(server.reusable(), reuse::not_finished);
    const fields trailers = make_fields({{"X", "y"}});
    EXPECT_TRUE(server.send_end(&trailers, out));  // dropped: there is no place for them
    EXPECT_EQ(out, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
    EXPECT_EQ(server.reusable(), reuse::body_until_close);
}

TEST(machine, names_every_verdict) {
    std::vector<std::string_view> names;
    for (int verdict = 0; verdict <= static_cast<int>(reuse::upgraded); ++verdict)
        names.push_back(name_of(static_cast<reuse>(verdict)));
    EXPECT_EQ(names,
              (std::vector<std::string_view>{"yes", "not_finished", "peer_said_close", "we_said_close",
                                             "body_until_close", "unexpected_bytes", "protocol_error", "upgraded"}));
}

TEST(machine, forgets_the_last_exchange) {
    machine client = awaiting(role::client, make_request("HEAD", {{"Upgrade", "x"}}));
    listener hears(client, role::client);
    hears.feed("HTTP/1.1 103 E\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
    EXPECT_EQ(client.reusable(), reuse::yes);
    client.next_cycle();
    EXPECT_EQ(client.reusable(), reuse::yes);
    EXPECT_FALSE(client.receive_started());
    EXPECT_EQ(client.announced_body_size(), std::nullopt);
    std::string out;
    EXPECT_TRUE(client.send_request(make_request("GET"), 0, out));
    hears.feed("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx");
    EXPECT_EQ(hears.said().back(), "end");
    EXPECT_EQ(hears.said()[hears.said().size() - 2], "data x");
}

TEST(machine, forgets_trailers_that_nobody_took) {
    machine client = awaiting(role::client);
    const std::string head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    EXPECT_EQ(client.receive(head).what, kind::head);
    EXPECT_EQ(client.receive("0\r\nX: y\r\n\r\n").what, kind::end);
    client.next_cycle();
    std::string out;
    EXPECT_TRUE(client.send_request(make_request("GET"), 0, out));
    EXPECT_EQ(client.receive(head).what, kind::head);
    EXPECT_EQ(client.receive("0\r\n\r\n").what, kind::end);
    EXPECT_TRUE(client.take_trailers().empty());
}

}  // namespace
}  // namespace pabal::http1

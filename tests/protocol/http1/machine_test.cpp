#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "protocol/http1/machine.hpp"
#include "protocol/http1/machine_support.hpp"

namespace pabal::http1 {
namespace {

using namespace std::string_literals;
using namespace testing;
using kind = step::kind;
using size_or_unknown = std::optional<std::uint64_t>;

constexpr size_or_unknown unknown = std::nullopt;

// --- Messages that mean the same in both roles. ---

std::string start_for(role as) {
    return as == role::server ? "POST /x HTTP/1.1\r\nHost: h\r\n" : "HTTP/1.1 200 OK\r\n";
}

transcript events_of_start(role as) {
    return as == role::server ? transcript{"POST /x 1.1", "Host: h"} : transcript{"200 OK 1.1"};
}

/// "the message" in an expectation stands for "the request" or "the response".
transcript for_role(role as, transcript events) {
    const std::string_view placeholder = "the message";
    for (std::string& event : events) {
        if (const auto at = event.find(placeholder); at != std::string::npos)
            event.replace(at, placeholder.size(), as == role::server ? "the request" : "the response");
    }
    return events;
}

transcript operator+(transcript left, const transcript& right) {
    left.insert(left.end(), right.begin(), right.end());
    return left;
}

struct message_case {
    std::string after_start;  ///< field lines, the empty line, the body
    transcript events;        ///< after those of the start
};

const message_case complete_messages[] = {
    {"Content-Length: 0\r\n\r\n", {"Content-Length: 0", "end"}},
    {"Content-Length: 5\r\n\r\nhello", {"Content-Length: 5", "data hello", "end"}},
    {"content-length:0005 \r\nX: \xff\r\n\r\n\r\n\0\r\n"s,
     {"content-length: 0005", "X: \xff", "data \r\n\0\r\n"s, "end"}},
    {"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", {"Transfer-Encoding: chunked", "end"}},
    {"Transfer-Encoding: Chunked\r\n\r\n5\r\nhello\r\n6;a=\"b\"\r\n world\r\n0;z\r\n\r\n",
     {"Transfer-Encoding: Chunked", "data hello world", "end"}},
    {"Transfer-Encoding: chunked\r\n\r\n2\r\n\r\n\r\n00\r\nX: y\r\nX:  z \r\n\r\n",
     {"Transfer-Encoding: chunked", "data \r\n", "trailer X: y", "trailer X: z", "end"}},
};

TEST(machine, receives_messages_of_both_roles_however_they_arrive) {
    for (const role as : both_roles) {
        for (const auto& [after_start, events] : complete_messages) {
            // A server that has not answered yet has not finished; a client has sent its request.
            const transcript verdict{as == role::server ? "reuse not_finished" : "reuse yes"};
            EXPECT_EQ(converse(as, start_for(as) + after_start), events_of_start(as) + events + verdict);
        }
    }
}

TEST(machine, waits_for_the_rest_of_a_message) {
    const message_case cases[] = {
        {"Content-Length: 5\r\n\r\nhell", {"Content-Length: 5", "data hell"}},
        {"Content-Length: 9223372036854775807\r\n\r\nx", {"Content-Length: 9223372036854775807", "data x"}},
        {"Transfer-Encoding: chunked\r\n\r\n7fffffffffffffff\r\nx", {"Transfer-Encoding: chunked", "data x"}},
        {"Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r", {"Transfer-Encoding: chunked", "data x"}},
        {"Transfer-Encoding: chunked\r\n\r\n0\r\nX: y\r", {"Transfer-Encoding: chunked", "rest X: y\r"}},
    };
    for (const role as : both_roles) {
        EXPECT_EQ(converse(as, start_for(as) + "\r"),
                  (transcript{"rest " + start_for(as) + "\r", "reuse not_finished"}));
        for (const auto& [after_start, events] : cases)
            EXPECT_EQ(converse(as, start_for(as) + after_start),
                      events_of_start(as) + events + transcript{"reuse not_finished"});
    }
}

TEST(machine, refuses_malformed_messages_of_both_roles_however_they_arrive) {
    const std::pair<std::string, std::string> cases[] = {
        // Conflicting or malformed framing: request smuggling (RFC 9112 sections 6.1, 6.3, 11.2).
        {"Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
         "malformed_message 400: the message has more than one Content-Length: \"5\""},
        {"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
         "malformed_message 400: the message has more than one Content-Length: \"6\""},
        {"Content-Length: 5, 5\r\n\r\nhello",
         "malformed_message 400: the message has more than one Content-Length: \"5, 5\""},
        {"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
         "malformed_message 400: the message has both Content-Length and Transfer-Encoding: \"chunked\""},
        {"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
         "malformed_message 400: the message has both Content-Length and Transfer-Encoding: \"chunked\""},
        {"Content-Length: +5\r\n\r\nhello",
         "malformed_message 400: the message has a malformed Content-Length: \"+5\""},
        {"Content-Length: -1\r\n\r\n", "malformed_message 400: the message has a malformed Content-Length: \"-1\""},
        {"Content-Length: 1_0\r\n\r\n", "malformed_message 400: the message has a malformed Content-Length: \"1_0\""},
        {"Content-Length: \xd9\xa1\r\n\r\n",
         "malformed_message 400: the message has a malformed Content-Length: \"\\xd9\\xa1\""},
        {"Content-Length:\r\n\r\n", "malformed_message 400: the message has a malformed Content-Length"},
        {"Content-Length: 9223372036854775808\r\n\r\n",
         "malformed_message 413: the message has a Content-Length of more than 2^63 - 1: \"9223372036854775808\""},
        {"Transfer-Encoding: xchunked\r\n\r\n",
         "malformed_message 400: the message has a Transfer-Encoding whose final "
         "coding is not chunked: \"xchunked\""},
        {"Transfer-Encoding: \x0b"
         "chunked\r\n\r\n",
         ""},
        {"Transfer-Encoding: chunked, chunked\r\n\r\n",
         "malformed_message 400: the message is chunked more than once: \"chunked, chunked\""},
        {"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
         "malformed_message 400: the message has more than one Transfer-Encoding line: \"chunked\""},
        {"Transfer-Encoding: gzip, chunked\r\n\r\n",
         "malformed_message 501: the message has a transfer coding other than chunked: \"gzip, chunked\""},
        {"Transfer-Encoding:\r\n\r\n", "malformed_message 400: the message has a malformed Transfer-Encoding"},
        // Lines.
        {"X: y\nZ: a\r\n\r\n", ""},
        {"X: y\rZ: a\r\n\r\n", ""},
        {"X: y\0\r\n\r\n"s, ""},
        {"X\0: y\r\n\r\n"s, ""},
        {"X: \x01y\r\n\r\n", ""},
        {"X: \x7fy\r\n\r\n", ""},
        {"X: y\r\n folded\r\n\r\n", ""},
        {" X: y\r\n\r\n", ""},
        {"X : y\r\n\r\n", ""},
        {"Content-Length : 5\r\n\r\nhello", ""},
        {"Transfer-Encoding\t: chunked\r\n\r\n0\r\n\r\n", ""},
        {"X\r\n\r\n", ""},
        {": y\r\n\r\n", ""},
        {"X y: z\r\n\r\n", ""},
        {"\n", ""},
    };
    for (const role as : both_roles) {
        for (const auto& [after_start, failure] : cases) {
            const transcript heard = converse(as, start_for(as) + after_start);
            ASSERT_EQ(heard.size(), 2U) << after_start;
            if (failure.empty()) {
                EXPECT_TRUE(heard[0].starts_with("failed malformed_message 400: ")) << heard[0];
            } else {
                EXPECT_EQ(heard[0], for_role(as, {"failed " + failure})[0]);
            }
            EXPECT_EQ(heard[1], "reuse protocol_error");
        }
    }
}

TEST(machine, refuses_malformed_chunks_and_trailers_in_both_roles) {
    const message_case cases[] = {
        {"x\r\n", {"failed malformed_message 400: chunk size begins with 'x' after 0 bytes of content"}},
        {"+5\r\nhello", {"failed malformed_message 400: chunk size begins with '+' after 0 bytes of content"}},
        {"2\r\nabc\r\n0\r\n\r\n",
         {"data ab",
          "failed malformed_message 400: chunk data is not followed by CRLF but by 'c' after 2 bytes of content"}},
        {"2;a\nX\r\nab\r\n",
         {"failed malformed_message 400: invalid byte 0x0a in a chunk extension after 0 bytes of content"}},
        {"1\r\na\r\n0\r\nX\r\n\r\n",
         {"data a", "failed malformed_message 400: field line without a colon after \"X\" at byte 0 of the trailers"}},
        {"0\r\nX: y\n\r\n", {"failed malformed_message 400: LF without CR at byte 4 of the trailers"}},
        {"0\r\n\n", {"failed malformed_message 400: LF without CR at byte 0 of the trailers"}},
        {"0\r\nX: \0y\r\n\r\n"s, {"failed malformed_message 400: control character 0x00 at byte 3 of the trailers"}},
        {"0\r\n X: y\r\n\r\n",
         {"failed malformed_message 400: line begins with white space at byte 0 of the trailers"}},
        {"0\r\nX : y\r\n\r\n",
         {"failed malformed_message 400: white space after the field name \"X\" at byte 0 of the trailers"}},
        {"0\r\nGET / HTTP/1.1\r\n\r\n",
         {"failed malformed_message 400: white space after the field name \"GET\" at byte 0 of the trailers"}},
    };
    for (const role as : both_roles) {
        for (const auto& [body, events] : cases)
            EXPECT_EQ(converse(as, start_for(as) + "Transfer-Encoding: chunked\r\n\r\n" + body),
                      events_of_start(as) + transcript{"Transfer-Encoding: chunked"} + events +
                          transcript{"reuse protocol_error"});
    }
}

TEST(machine, receives_nothing_after_a_fault) {
    for (const role as : both_roles) {
        machine failed = awaiting(as);
        EXPECT_EQ(failed.receive("\n").what, kind::failed);
        for (const std::string_view more : {"", "x", "GET / HTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n"}) {
            const step again = failed.receive(more);
            EXPECT_EQ(again.what, kind::failed);
            EXPECT_EQ(again.used, 0U);
        }
        EXPECT_EQ(failed.receive_end().what, kind::failed);
        EXPECT_EQ(failed.reusable(), reuse::protocol_error);
        EXPECT_FALSE(failed.received_all());
        EXPECT_EQ(failed.contiguous_body_remaining(), 0U);
    }
}

// --- Early close. ---

TEST(machine, tells_an_early_close_at_every_byte_of_a_message) {
    for (const role as : both_roles) {
        for (const auto& [after_start, events] : complete_messages) {
            const std::string message = start_for(as) + after_start;
            const std::size_t head_size = message.find("\r\n\r\n") + 4;
            for (std::size_t size = 0; size <= message.size(); ++size) {
                const std::string_view part = std::string_view(message).substr(0, size);
                const transcript heard = converse(as, make_request("GET"), std::vector{part}, true);
                const std::string& last = heard[heard.size() - 2 + (heard.size() == 1)];
                if (size == 0 && as == role::server) {
                    EXPECT_EQ(heard, transcript{"reuse peer_said_close"});  // between requests anybody may leave
                } else if (size < head_size) {
                    EXPECT_TRUE(last.starts_with("failed connection_closed")) << size << ": " << last;
                } else if (size < message.size()) {
                    EXPECT_TRUE(last.starts_with("failed body_incomplete")) << size << ": " << last;
                } else {
                    EXPECT_EQ(last, "end");
                    EXPECT_EQ(heard.back(), as == role::server ? "reuse not_finished" : "reuse peer_said_close");
                }
            }
        }
    }
}

TEST(machine, tells_where_the_peer_closed) {
    const std::string sized = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n";
    const std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    const std::pair<std::string, std::string> cases[] = {
        {"", "connection_closed 400: the peer closed the connection before it answered"},
        {"HTTP/1.1 200", "connection_closed 400: the peer closed the connection in the middle of a head"},
        {sized + "he", "body_incomplete 400: the peer closed the connection 3 bytes before the end of the body"},
        {chunked + "5\r\nhello\r\n",
         "body_incomplete 400: the peer closed the connection in a chunked body, after 5 bytes of content"},
        {chunked + "0\r\nX: y\r\n",
         "body_incomplete 400: the peer closed the connection before the end of the trailers"},
    };
    for (const auto& [input, failure] : cases) {
        const transcript heard = converse(role::client, input, true);
        EXPECT_EQ(heard[heard.size() - 2], "failed " + failure);
    }
}

TEST(machine, ends_a_body_that_is_delimited_by_close) {
    for (const std::string start : {"HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\n"}) {
        for (const std::string body : {"", "hello", "HTTP/1.1 200 OK\r\n\r\n"}) {
            transcript heard = converse(role::client, start + body);
            EXPECT_EQ(heard.back(), "reuse not_finished");
            heard = converse(role::client, start + body, true);
            EXPECT_EQ(heard.back(), "reuse body_until_close");
            EXPECT_EQ(heard[heard.size() - 2], "end");
            if (!body.empty()) {
                EXPECT_EQ(heard[heard.size() - 3], "data " + body);
            }
        }
    }
}

TEST(machine, takes_a_close_after_the_end_for_what_it_is) {
    machine client = awaiting(role::client);
    listener hears(client, role::client);
    hears.feed("HTTP/1.1 204 No Content\r\n\r\n");
    EXPECT_EQ(client.reusable(), reuse::yes);
    hears.close();
    EXPECT_EQ(hears.summary(), (transcript{"204 No Content 1.1", "end", "reuse peer_said_close"}));
    EXPECT_TRUE(client.received_all());
}

// --- Requests. ---

TEST(machine, judges_host) {
    // RFC 9112 section 3.2, RFC 9110 section 7.2.
    const std::pair<std::string, std::string> cases[] = {
        {"GET / HTTP/1.1\r\n\r\n", "the request has no Host"},
        {"GET http://h/ HTTP/1.1\r\n\r\n", "the request has no Host"},
        {"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", "the request has more than one Host"},
        {"GET / HTTP/1.1\r\nHost: a\r\nX: y\r\nHOST: b\r\n\r\n", "the request has more than one Host"},
        {"GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", "the request has more than one Host"},
        {"GET / HTTP/1.1\r\nHost: a/b?c#\r\n\r\n", "the request has an invalid Host: \"a/b?c#\""},
        {"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", "the request has an invalid Host: \"a b\""},
        {"GET / HTTP/1.1\r\nHost: u@h\r\n\r\n", "the request has an invalid Host: \"u@h\""},
        {"GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", "the request has an invalid Host: \"a, b\""},
        {"GET / HTTP/1.1\r\nHost: \xc3\xa9\r\n\r\n", "the request has an invalid Host: \"\\xc3\\xa9\""},
        {"GET / HTTP/1.0\r\nHost: a:b\r\n\r\n", "the request has an invalid Host: \"a:b\""},
    };
    for (const auto& [input, message] : cases)
        EXPECT_EQ(converse(role::server, input)[0], "failed malformed_message 400: " + message);
    for (const std::string input :
         {"GET / HTTP/1.0\r\n\r\n", "GET / HTTP/1.1\r\nHost:\r\n\r\n", "GET / HTTP/1.1\r\nhOsT: [::1]:80\r\n\r\n",
          "GET http://a/ HTTP/1.1\r\nHost: b\r\n\r\n"}) {
        const transcript heard = converse(role::server, input);
        EXPECT_EQ(heard[heard.size() - 2], "end") << input;
    }
}

TEST(machine, refuses_request_lines_with_lenient_separators) {
    for (const std::string line :
         {"GET / HTTP/1.1\n", "GET  / HTTP/1.1\r\n", "GET\t/\tHTTP/1.1\r\n", "GET /\x0bHTTP/1.1\r\n",
          "GET / HTTP/1.1 \r\n", " GET / HTTP/1.1\r\n", "GET /\r\n", "GET / HTTP/1.1\r\r\n", "\nGET / HTTP/1.1\r\n",
          "\rGET / HTTP/1.1\r\n", "\r\n\rGET / HTTP/1.1\r\n", "GET /\xff HTTP/1.1\r\n", "GET / HTTP/1.1X\r\n"}) {
        const transcript heard = converse(role::server, line + "Host: h\r\n\r\nGET /next HTTP/1.1\r\nHost: h\r\n\r\n");
        ASSERT_EQ(heard.size(), 2U) << line;
        EXPECT_TRUE(heard[0].starts_with("failed malformed_message 400: ")) << line;
        EXPECT_EQ(heard[0].find("next"), std::string::npos) << heard[0];
    }
}

TEST(machine, tells_the_status_to_answer_a_fault_with) {
    limits bounds;
    bounds.max_start_line = 100;
    bounds.max_head = 1000;
    const std::pair<std::string, int> cases[] = {
        {"GET / HTTP/1.1\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999999999999\r\n\r\n", 413},
        {"GET /" + std::string(100, 'x') + " HTTP/1.1\r\n", 414},
        {"GET / HTTP/1.1\r\nX: " + std::string(1000, 'x'), 431},
        {"GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501},
        {"GET / HTTP/3.0\r\n\r\n", 505},
    };
    for (const auto& [input, status] : cases) {
        machine server(role::server, bounds);
        EXPECT_EQ(server.receive(input).what, kind::failed);
        EXPECT_EQ(server.failure_status(), status) << input;
        std::string out;
        EXPECT_TRUE(server.send_response(make_response(status), 0, false, out));
        EXPECT_NE(out.find("\r\nConnection: close\r\n"), std::string::npos);
        EXPECT_TRUE(server.sent_all());
        EXPECT_EQ(server.reusable(), reuse::protocol_error);
    }
}

TEST(machine, refuses_a_faulty_head_request_without_a_body) {
    machine server(role::server);
    EXPECT_EQ(server.receive("HEAD / HTTP/1.1\r\nHost : h\r\n\r\n").what, kind::failed);
    std::string out;
    EXPECT_TRUE(server.send_response(make_response(400), 7, false, out));
    EXPECT_FALSE(server.sends_body());
}

TEST(machine, skips_a_few_empty_lines_before_a_request) {
    std::string empty_lines;
    for (unsigned count = 0; count <= max_leading_empty_lines; ++count) {
        EXPECT_EQ(converse(role::server, empty_lines + "GET / HTTP/1.0\r\n\r\n"),
                  (transcript{"GET / 1.0", "end", "reuse not_finished"}));
        EXPECT_EQ(converse(role::server, empty_lines, true), transcript{"reuse peer_said_close"});
        empty_lines += "\r\n";
    }
    EXPECT_EQ(converse(role::server, empty_lines + "GET / HTTP/1.0\r\n\r\n")[0],
              "failed malformed_message 400: too many empty lines before the request line");
    // A client skips none: what comes before an answer is no answer.
    EXPECT_TRUE(converse(role::client, "\r\nHTTP/1.1 200 OK\r\n\r\n")[0].starts_with("failed malformed_message"));
}

TEST(machine, reads_pipelined_requests_one_at_a_time) {
    const std::string first = "POST /1 HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc";
    const std::string second =
        "\r\nPUT /2 HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nd\r\n0\r\nT: u\r\n\r\n";
    const std::string third = "GET /3 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
    machine server(role::server);
    listener hears(server, role::server);
    std::string out;
    hears.feed(first + second + third + "never read");
    EXPECT_EQ(hears.rest(), second + third + "never read");  // reading pauses until the first is answered
    EXPECT_EQ(server.reusable(), reuse::not_finished);
    EXPECT_TRUE(server.send_response(make_response(200), 0, false, out));
    EXPECT_EQ(server.reusable(), reuse::yes);
    server.next_cycle();
    hears.feed("");
    EXPECT_EQ(hears.rest(), third + "never read");
    EXPECT_TRUE(server.send_response(make_response(200), 0, false, out));
    server.next_cycle();
    hears.feed("");
    EXPECT_TRUE(server.send_response(make_response(200), 0, false, out));
    EXPECT_EQ(server.reusable(), reuse::peer_said_close);
    hears.feed("");
    EXPECT_EQ(hears.summary(),
              (transcript{"POST /1 1.1", "Host: h", "Content-Length: 3", "data abc", "end",                        //
                          "PUT /2 1.1", "Host: h", "Transfer-Encoding: chunked", "data d", "trailer T: u", "end",  //
                          "GET /3 1.1", "Host: h", "Connection: close", "end",                                     //
                          "rest never read", "reuse peer_said_close"}));
}

TEST(machine, takes_one_request_however_many_have_come) {
    constexpr std::size_t count = 100'000;
    const std::string request = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
    std::string flood;
    for (std::size_t i = 0; i < count; ++i) flood += request;
    machine server(role::server);
    std::string_view input = flood;
    std::size_t answered = 0;
    for (; !input.empty(); ++answered) {
        const step head = server.receive(input);
        ASSERT_EQ(head.what, kind::head);
        ASSERT_EQ(head.used, request.size());
        input.remove_prefix(head.used);
        ASSERT_EQ(server.receive(input).what, kind::end);
        const step paused = server.receive(input);
        ASSERT_EQ(paused.what, kind::need_more);
        ASSERT_EQ(paused.used, 0U);
        std::string out;
        ASSERT_TRUE(server.send_response(make_response(204), 0, false, out));
        server.next_cycle();
    }
    EXPECT_EQ(answered, count);
}

// --- Responses. ---

TEST(machine, reads_no_body_where_there_is_none) {
    const std::pair<request_head, std::string> cases[] = {
        {make_request("HEAD"), "200 OK"},
        {make_request("HEAD"), "404 Not Found"},
        {make_request("GET"), "204 No Content"},
        {make_request("GET"), "304 Not Modified"},
    };
    for (const auto& [asked, status] : cases) {
        for (const std::string framing : {"", "Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n"}) {
            const std::string head = "HTTP/1.1 " + status + "\r\n" + framing + "\r\n";
            transcript heard = converse(role::client, asked, head);
            EXPECT_EQ(heard[heard.size() - 2], "end");
            EXPECT_EQ(heard.back(), "reuse yes");
            // The body that must not be is not read, and the connection is done with.
            heard = converse(role::client, asked, head + "hello");
            EXPECT_EQ(heard[heard.size() - 3], "end");
            EXPECT_EQ(heard[heard.size() - 2], "rest hello");
            EXPECT_EQ(heard.back(), "reuse unexpected_bytes");
        }
    }
}

TEST(machine, tells_the_announced_size_also_without_a_body) {
    machine client = awaiting(role::client, make_request("HEAD"));
    EXPECT_EQ(client.receive("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n").what, kind::head);
    EXPECT_EQ(client.announced_body_size(), 5U);
    EXPECT_EQ(client.receive("").what, kind::end);
    machine chunked = awaiting(role::client);
    EXPECT_EQ(chunked.receive("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").what, kind::head);
    EXPECT_EQ(chunked.announced_body_size(), std::nullopt);
}

TEST(machine, marks_bytes_after_a_complete_response) {
    for (const auto& [after_start, events] : complete_messages) {
        const transcript heard = converse(role::client, start_for(role::client) + after_start + "HTTP/1.1 200 OK\r\n");
        EXPECT_EQ(heard.back(), "reuse unexpected_bytes");
        EXPECT_EQ(heard[heard.size() - 2], "rest HTTP/1.1 200 OK\r\n");
    }
}

TEST(machine, knows_of_bytes_after_a_response_when_it_tells_the_end) {
    // Whoever hears of the end may put the connection back at once, and will not ask again.
    for (const auto& [after_start, events] : complete_messages) {
        machine client = awaiting(role::client);
        const std::string received = start_for(role::client) + after_start + "x";
        std::string_view input = received;
        for (kind what = kind::head; what != kind::end;) {
            const step now = client.receive(input);
            ASSERT_NE(now.what, kind::need_more);
            input.remove_prefix(now.used);
            what = now.what;
        }
        EXPECT_EQ(input, "x");
        EXPECT_EQ(client.reusable(), reuse::unexpected_bytes);
    }
}

TEST(machine, passes_informational_responses_on) {
    const std::string informational = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
    EXPECT_EQ(converse(role::client, informational + "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx"),
              (transcript{"informational 100 Continue 1.1", "informational 103 Early Hints 1.1", "Link: </a>",
                          "200 OK 1.1", "Content-Length: 1", "data x", "end", "reuse yes"}));
    const transcript heard = converse(role::client, informational, true);
    EXPECT_TRUE(heard[heard.size() - 2].starts_with("failed connection_closed")) << heard[heard.size() - 2];
    // Framing fields mean nothing in them (RFC 9112 section 6.3).
    EXPECT_EQ(converse(role::client, "HTTP/1.1 102 P\r\nContent-Length: 5\r\n\r\nHTTP/1.1 204 N\r\n\r\n"),
              (transcript{"informational 102 P 1.1", "Content-Length: 5", "204 N 1.1", "end", "reuse yes"}));
}

TEST(machine, takes_only_so_many_informational_responses) {
    std::string flood;
    for (unsigned i = 0; i < max_informational_responses; ++i) flood += "HTTP/1.1 100 C\r\n\r\n";
    transcript heard = converse(role::client, flood + "HTTP/1.1 204 N\r\n\r\n");
    EXPECT_EQ(heard[heard.size() - 2], "end");
    heard = converse(role::client, flood + "HTTP/1.1 100 C\r\n\r\n");
    EXPECT_EQ(heard[heard.size() - 2], "failed malformed_message 400: too many informational responses");
}

TEST(machine, takes_nothing_for_an_answer_that_was_not_asked_for) {
    machine client(role::client);
    EXPECT_EQ(client.reusable(), reuse::yes);
    EXPECT_EQ(client.receive("").what, kind::need_more);
    EXPECT_EQ(client.reusable(), reuse::yes);
    const step step = client.receive("HTTP/1.1 408 Request Timeout\r\n\r\n");
    EXPECT_EQ(step.what, kind::need_more);
    EXPECT_EQ(step.used, 0U);
    EXPECT_EQ(client.reusable(), reuse::unexpected_bytes);
}

TEST(machine, lets_an_idle_peer_leave) {
    for (const role as : both_roles) {
        machine idle(as);
        EXPECT_EQ(idle.reusable(), reuse::yes);
        EXPECT_EQ(idle.receive_end().what, kind::need_more);
        EXPECT_EQ(idle.reusable(), reuse::peer_said_close);
    }
}

TEST(machine, may_be_answered_before_the_request_is_sent) {
    machine client(role::client);
    std::string out;
    EXPECT_TRUE(client.send_request(make_request("POST"), 1000, out));
    listener hears(client, role::client);
    hears.feed("HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n");
    EXPECT_EQ(hears.summary().back(), "reuse not_finished");
    EXPECT_TRUE(client.received_all());
    EXPECT_FALSE(client.sent_all());
    EXPECT_TRUE(client.send_data(1000, out));
    EXPECT_EQ(client.reusable(), reuse::yes);
}

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

// --- Bounds and work. ---

TEST(machine, bounds_a_head_however_small_its_pieces) {
    limits bounds;
    bounds.max_head = 4096;
    bounds.max_start_line = 1024;
    bounds.max_fields = 10'000;
    std::string many_lines;
    while (many_lines.size() < 10'000) many_lines += "X: y\r\n";
    for (const role as : both_roles) {
        const std::string endless_start = as == role::server ? "GET /" : "HTTP/1.1 200 ";
        for (const std::string& flood :
             {endless_start + std::string(10'000, 'x'), start_for(as) + many_lines,
              start_for(as) + "X: " + std::string(10'000, 'v'), start_for(as) + std::string(10'000, 'n')}) {
            machine whole = awaiting(as, make_request("GET"), bounds);
            EXPECT_EQ(whole.receive(flood).what, kind::failed);
            EXPECT_EQ(whole.failure().code, error_code::head_too_large);
            machine dribbled = awaiting(as, make_request("GET"), bounds);
            std::size_t size = 1;
            while (dribbled.receive(std::string_view(flood).substr(0, size)).what == kind::need_more) ++size;
            EXPECT_LE(size, bounds.max_head);
            EXPECT_EQ(dribbled.failure().code, error_code::head_too_large);
            EXPECT_EQ(dribbled.failure().message, whole.failure().message);
            EXPECT_EQ(dribbled.failure_status(), whole.failure_status());
        }
    }
}

TEST(machine, bounds_trailers_however_small_their_pieces) {
    limits bounds;
    bounds.max_trailers = 1000;
    bounds.max_fields = 10'000;
    std::string trailers;
    while (trailers.size() < 5000) trailers += "X: y\r\n";
    for (const role as : both_roles) {
        const std::string head = start_for(as) + "Transfer-Encoding: chunked\r\n\r\n";
        for (const std::size_t piece : {std::size_t{1}, trailers.size()}) {
            machine receiving = awaiting(as, make_request("GET"), bounds);
            EXPECT_EQ(receiving.receive(head).what, kind::head);
            EXPECT_EQ(receiving.receive("0\r\n").used, 3U);
            std::size_t size = piece;
            while (receiving.receive(std::string_view(trailers).substr(0, size)).what == kind::need_more) ++size;
            EXPECT_EQ(receiving.failure().code, error_code::head_too_large);
            if (piece == 1) {
                EXPECT_LE(size, bounds.max_trailers);
            }
        }
    }
}

TEST(machine, bounds_the_number_of_fields_by_default) {
    std::string many;
    for (std::size_t i = 0; i <= limits{}.max_fields; ++i) many += "X: y\r\n";
    for (const role as : both_roles) {
        machine receiving = awaiting(as);
        EXPECT_EQ(receiving.receive(start_for(as) + many).what, kind::failed);
        EXPECT_EQ(receiving.failure().code, error_code::head_too_large);
        EXPECT_EQ(receiving.failure_status(), 431);
    }
}

TEST(machine, does_a_step_for_each_of_a_million_tiny_chunks) {
    constexpr std::size_t chunks = 1'000'000;
    std::string body;
    for (std::size_t i = 0; i < chunks; ++i) body += "1\r\nx\r\n";
    body += "0\r\n\r\n";
    for (const role as : both_roles) {
        machine receiving = awaiting(as);
        ASSERT_EQ(receiving.receive(start_for(as) + "Transfer-Encoding: chunked\r\n\r\n").what, kind::head);
        std::string_view input = body;
        std::size_t steps = 0;
        for (kind what = kind::data; what == kind::data; ++steps) {
            const step now = receiving.receive(input);
            ASSERT_GT(now.used, 0U);
            input.remove_prefix(now.used);
            what = now.what;
        }
        EXPECT_TRUE(receiving.received_all());
        EXPECT_EQ(steps, chunks + 1);
        EXPECT_TRUE(input.empty());
    }
}

TEST(machine, uses_every_byte_of_a_body_at_once) {
    // Nothing of a body is kept for later: with byte-by-byte arrival each byte is presented once.
    for (const role as : both_roles) {
        const std::pair<std::string, std::string> cases[] = {
            {"Content-Length: 10000\r\n\r\n", std::string(10'000, 'x')},
            {"Transfer-Encoding: chunked\r\n\r\n", "2710;a=b\r\n" + std::string(10'000, 'x') + "\r\n0\r\n"},
        };
        for (const auto& [head, body] : cases) {
            machine receiving = awaiting(as);
            ASSERT_EQ(receiving.receive(start_for(as) + head).what, kind::head);
            for (const char& byte : body) ASSERT_EQ(receiving.receive({&byte, 1}).used, 1U);
        }
    }
}

TEST(machine, lets_its_owner_receive_content_elsewhere) {
    for (const role as : both_roles) {
        machine sized = awaiting(as);
        EXPECT_EQ(sized.contiguous_body_remaining(), 0U);
        ASSERT_EQ(sized.receive(start_for(as) + "Content-Length: 10\r\n\r\n").what, kind::head);
        EXPECT_EQ(sized.contiguous_body_remaining(), 10U);
        EXPECT_EQ(sized.receive("abc").data, "abc");
        sized.received_directly(6);
        EXPECT_EQ(sized.contiguous_body_remaining(), 1U);
        sized.received_directly(1);
        EXPECT_EQ(sized.contiguous_body_remaining(), 0U);
        EXPECT_EQ(sized.receive("").what, kind::end);

        machine chunked = awaiting(as);
        ASSERT_EQ(chunked.receive(start_for(as) + "Transfer-Encoding: chunked\r\n\r\n").what, kind::head);
        EXPECT_EQ(chunked.receive("a\r\n").what, kind::need_more);
        EXPECT_EQ(chunked.contiguous_body_remaining(), 10U);
        chunked.received_directly(10);
        EXPECT_EQ(chunked.contiguous_body_remaining(), 0U);
        EXPECT_EQ(chunked.receive("\r\n0\r\n\r\n").what, kind::end);
    }
}

// --- Sending: what is refused is the caller's fault, and changes nothing. ---

class refusals {
public:
    explicit refusals(machine& of) : machine_(of), verdict_(of.reusable()) {}
    std::string out = "before";

    void expect(const result<void>& outcome, std::string_view message) {
        ASSERT_FALSE(outcome) << message;
        EXPECT_EQ(outcome.error().message, message);
        EXPECT_EQ(outcome.error().whose, culprit::caller);
        EXPECT_EQ(out, "before");
        EXPECT_EQ(machine_.reusable(), verdict_);
    }

private:
    machine& machine_;
    reuse verdict_;
};

TEST(machine, refuses_to_send_out_of_turn) {
    machine client(role::client);
    refusals of_client(client);
    of_client.expect(client.send_data(1, of_client.out), "body before head");
    of_client.expect(client.send_end(nullptr, of_client.out), "end before head");
    of_client.expect(client.send_response(make_response(200), 0, false, of_client.out),
                     "a response is already under way");
    of_client.expect(client.send_informational(make_response(100), of_client.out),
                     "the final response was already sent");
    machine server(role::server);
    refusals of_server(server);
    of_server.expect(server.send_request(make_request("GET"), 0, of_server.out), "a request is already under way");
    for (const int status : {200, 101, 99, 0})
        of_server.expect(server.send_informational(make_response(status), of_server.out),
                         "not an informational status: " + std::to_string(status));
    for (const int status : {100, 103, 199, 0, -1})
        of_server.expect(server.send_response(make_response(status), 0, false, of_server.out),
                         "not a final status: " + std::to_string(status));
    of_server.expect(server.send_response(make_response(101), 0, false, of_server.out),
                     "the connection cannot be switched before the request is complete");
}

TEST(machine, refuses_101_that_nobody_asked_for) {
    for (const std::string request : {"GET / HTTP/1.1\r\nHost: h\r\n\r\n", "GET / HTTP/1.0\r\nUpgrade: x\r\n\r\n"}) {
        machine server(role::server);
        listener(server, role::server).feed(request);
        refusals refused(server);
        refused.expect(server.send_response(make_response(101), 0, false, refused.out),
                       "101 without a request to upgrade");
    }
}

TEST(machine, refuses_a_second_head) {
    machine client = awaiting(role::client);
    refusals of_client(client);
    of_client.expect(client.send_request(make_request("GET"), 0, of_client.out), "a request is already under way");
    machine server(role::server);
    listener(server, role::server).feed("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    std::string out;
    EXPECT_TRUE(server.send_response(make_response(200), 5, false, out));
    refusals of_server(server);
    of_server.expect(server.send_response(make_response(200), 5, false, of_server.out),
                     "a response is already under way");
    of_server.expect(server.send_informational(make_response(103), of_server.out),
                     "the final response was already sent");
}

TEST(machine, refuses_a_body_other_than_announced) {
    machine client(role::client);
    std::string out;
    EXPECT_TRUE(client.send_request(make_request("POST"), 10, out));
    EXPECT_TRUE(client.sends_body());
    refusals refused(client);
    refused.expect(client.send_data(0, refused.out), "a piece of a body cannot be empty");
    refused.expect(client.send_data(11, refused.out), "the body is longer than its head announced");
    EXPECT_TRUE(client.send_data(7, out));
    refused.expect(client.send_data(4, refused.out), "the body is longer than its head announced");
    refused.expect(client.send_data(UINT64_MAX, refused.out), "the body is longer than its head announced");
    refused.expect(client.send_end(nullptr, refused.out), "the body is 3 bytes shorter than its head announced");
    EXPECT_FALSE(client.sent_all());
    EXPECT_TRUE(client.send_data(3, out));
    EXPECT_TRUE(client.sent_all());
    refused.expect(client.send_data(1, refused.out), "the body is longer than its head announced");
    EXPECT_TRUE(client.send_end(nullptr, out));
    EXPECT_EQ(out, "POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n");
    // The caller's misuse is not the peer's fault.
    listener hears(client, role::client);
    hears.feed("HTTP/1.1 204 N\r\n\r\n");
    EXPECT_EQ(hears.summary().back(), "reuse yes");
}

TEST(machine, refuses_a_body_where_there_can_be_none) {
    const std::pair<std::string, int> cases[] = {{"HEAD", 200}, {"GET", 204}, {"GET", 304}};
    for (const auto& [method, status] : cases) {
        for (const size_or_unknown size : {size_or_unknown{5}, unknown}) {
            machine server(role::server);
            listener(server, role::server).feed(method + " / HTTP/1.1\r\nHost: h\r\n\r\n");
            std::string out;
            EXPECT_TRUE(server.send_response(make_response(status), size, false, out));
            EXPECT_TRUE(out.ends_with("\r\n\r\n"));
            EXPECT_EQ(out.find("chunked"), std::string::npos);
            EXPECT_FALSE(server.sends_body());
            EXPECT_TRUE(server.sent_all());
            refusals refused(server);
            refused.expect(server.send_data(5, refused.out), "the body is longer than its head announced");
            const fields trailers = make_fields({{"X", "y"}});
            EXPECT_TRUE(server.send_end(&trailers, refused.out));
            EXPECT_EQ(refused.out, "before");
        }
    }
}

TEST(machine, refuses_heads_that_would_corrupt_the_stream_and_can_send_better_ones) {
    machine client(role::client);
    refusals of_client(client);
    for (auto bad : {make_request("GET\r\nX:"), make_request("GET", {{"X", "a\r\nb"}}),
                     make_request("GET", {{"Host", "h"}}), make_request("GET", {{"Content-Length", "5"}})}) {
        const auto outcome = client.send_request(bad, 0, of_client.out);
        ASSERT_FALSE(outcome);
        of_client.expect(outcome, outcome.error().message);
        EXPECT_EQ(outcome.error().where, phase::prepare);
    }
    EXPECT_TRUE(client.send_request(make_request("GET"), 0, of_client.out));

    machine server(role::server);
    listener(server, role::server).feed("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    refusals of_server(server);
    response_head split = make_response(200);
    split.reason = "OK\r\n\r\n<html>";
    for (const response_head& bad :
         {split, make_response(200, {{"X", "\n"}}), make_response(200, {{"Content-Length", "5"}}),
          make_response(200, {{"Transfer-Encoding", "gzip"}}), make_response(1000)}) {
        const auto outcome = server.send_response(bad, 0, false, of_server.out);
        ASSERT_FALSE(outcome);
        of_server.expect(outcome, outcome.error().message);
    }
    EXPECT_TRUE(server.send_response(make_response(200), 0, false, of_server.out));
}

TEST(machine, refuses_bad_trailers_and_can_send_better_ones) {
    machine client(role::client);
    std::string out;
    EXPECT_TRUE(client.send_request(make_request("POST"), unknown, out));
    refusals refused(client);
    for (const lines& bad : {lines{{"Content-Length", "5"}}, lines{{"X", "a\r\n\r\nGET / HTTP/1.1"}}}) {
        const fields trailers = make_fields(bad);
        const auto outcome = client.send_end(&trailers, refused.out);
        ASSERT_FALSE(outcome);
        refused.expect(outcome, outcome.error().message);
        EXPECT_FALSE(client.sent_all());
    }
    EXPECT_TRUE(client.send_end(nullptr, refused.out));
    EXPECT_EQ(refused.out, "before0\r\n\r\n");
}

// --- Both sides together: what one sends, the other receives. ---

/// Sends content as three pieces.
std::string send_body(machine& from, std::string_view content, const fields* trailers) {
    std::string out;
    while (!content.empty() && from.sends_body()) {
        const std::string_view piece = content.substr(0, std::max<std::size_t>(1, content.size() / 3));
        EXPECT_TRUE(from.send_data(piece.size(), out));
        out += piece;
        out += from.data_suffix();
        content.remove_prefix(piece.size());
    }
    EXPECT_TRUE(from.send_end(trailers, out));
    EXPECT_TRUE(from.sent_all());
    return out;
}

TEST(machine, understands_its_other_role) {
    const std::string content = "0\r\n\r\nGET / HTTP/1.1\r\n\r\n";
    const fields trailers = make_fields({{"X-Sum", "1"}});
    for (const auto version : {v10, v11}) {
        for (const std::string method : {"GET", "POST", "HEAD"}) {
            for (const bool sized : {true, false}) {
                for (const int status : {200, 204, 304, 500}) {
                    if (version == v10 && !sized && method == "POST") continue;  // refused: see encoder_test
                    const bool asks_with_body = method == "POST";
                    machine client(role::client);
                    std::string request;
                    const size_or_unknown size = sized ? size_or_unknown{content.size()} : unknown;
                    ASSERT_TRUE(client.send_request(make_request(method, {{"Connection", "keep-alive"}}, version),
                                                    asks_with_body ? size : 0, request));
                    request += send_body(client, asks_with_body ? content : "", &trailers);

                    machine server(role::server);
                    listener asked(server, role::server);
                    asked.feed(request);
                    ASSERT_EQ(asked.said().back(), "end");
                    EXPECT_EQ(std::ranges::count(asked.said(), "data " + content), asks_with_body);
                    EXPECT_EQ(std::ranges::count(asked.said(), "trailer X-Sum: 1"), asks_with_body && !sized);

                    std::string response;
                    ASSERT_TRUE(server.send_response(make_response(status), size, false, response));
                    const bool answers_with_body = server.sends_body();
                    EXPECT_EQ(answers_with_body, method != "HEAD" && status != 204 && status != 304);
                    response += send_body(server, content, &trailers);

                    listener answered(client, role::client);
                    answered.feed(response);
                    if (server.reusable() == reuse::body_until_close) answered.close();
                    ASSERT_EQ(answered.said().back(), "end");
                    EXPECT_EQ(std::ranges::count(answered.said(), "data " + content), answers_with_body);
                    EXPECT_EQ(client.reusable(), server.reusable());
                }
            }
        }
    }
}

}  // namespace
}  // namespace pabal::http1

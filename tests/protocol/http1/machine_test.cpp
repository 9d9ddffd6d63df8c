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

// --- Messages that mean the same in both roles. ---

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

}  // namespace
}  // namespace pabal::http1

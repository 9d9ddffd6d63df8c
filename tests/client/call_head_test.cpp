#include "client/call.hpp"
#include "client/call_support.hpp"

namespace pabal::client {
namespace {

using namespace std::chrono_literals;
using testing::body_of;
using testing::failure_of;
using testing::scripted_peer;
using testing::to;

const std::string ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// Uploads to a peer that answers by `says`, and notes what it is sent, request by request.
class uploading : public testing::calling {
protected:
    void answer_by(std::function<std::string(const std::string& received)> says) {
        use_peers();
        on_peer = [this, says = std::move(says)](scripted_peer& peer) {
            peer.on_received = [this, says](scripted_peer& at) {
                const std::string reply = says(at.received);
                if (reply.empty()) return;
                sent.push_back(at.received);
                at.received.clear();
                at.send(reply);
            };
        };
    }
    call_request upload(std::string body, fields trailers = {}) {
        call_request asked = to("http://a.example/", "PUT", std::move(body));
        asked.trailers = std::move(trailers);
        return asked;
    }
    call_request upload_streamed(std::string body) {
        watcher.body = std::move(body);
        watcher.rewindable = true;
        call_request asked = to("http://a.example/", "PUT");
        asked.streams_body = true;
        return asked;
    }
    static fields lines(std::initializer_list<std::pair<const char*, const char*>> given) {
        fields out;
        for (const auto& [name, value] : given) out.append_valid(name, value);
        return out;
    }
    /// The request as it was sent, from its first line that is not one of the defaults.
    static std::string tail(const std::string& request) { return request.substr(request.find("Accept: */*") + 13); }

    std::vector<std::string> sent;
};

bool is_whole(const std::string& received) {
    const std::size_t last = received.find("\r\n0\r\n");
    return last != received.npos && received.find("\r\n\r\n", last) != received.npos;
}

// --- Trailers: RFC 9110 section 6.5, RFC 9112 section 7.1.2 ---------------------------------------------------------------

TEST_F(uploading, trailers_follow_a_chunked_body_and_are_announced) {
    answer_by([](const std::string& received) { return is_whole(received) ? ok : ""; });
    EXPECT_EQ(body_of(*send(upload("hello", lines({{"X-Sum", "5"}, {"X-End", "yes"}})))), "ok");
    EXPECT_EQ(tail(sent.at(0)), "Trailer: X-Sum, X-End\r\nTransfer-Encoding: chunked\r\n\r\n"
                                "5\r\nhello\r\n0\r\nX-Sum: 5\r\nX-End: yes\r\n\r\n");
}

TEST_F(uploading, trailers_may_follow_nothing) {
    answer_by([](const std::string& received) { return is_whole(received) ? ok : ""; });
    EXPECT_EQ(body_of(*send(upload("", lines({{"X-Sum", "0"}})))), "ok");
    EXPECT_EQ(tail(sent.at(0)), "Trailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-Sum: 0\r\n\r\n");
}

TEST_F(uploading, trailers_of_a_streamed_body_are_asked_for_at_its_end) {
    answer_by([](const std::string& received) { return is_whole(received) ? ok : ""; });
    watcher.trailers = lines({{"X-Sum", "made"}});
    EXPECT_EQ(body_of(*send(upload_streamed("hello"))), "ok");
    EXPECT_EQ(tail(sent.at(0)), "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: made\r\n\r\n");
}

TEST_F(uploading, a_redirect_that_keeps_the_body_keeps_its_trailers) {
    answer_by([this](const std::string& received) {
        if (!is_whole(received)) return std::string();
        return sent.empty() ? "HTTP/1.1 307 Go\r\nLocation: /next\r\nContent-Length: 0\r\n\r\n" : ok;
    });
    EXPECT_EQ(body_of(*send(upload("hello", lines({{"X-Sum", "5"}})))), "ok");
    ASSERT_EQ(sent.size(), 2U);
    EXPECT_EQ(tail(sent[0]), tail(sent[1]));
}

TEST_F(uploading, a_redirect_that_drops_the_body_drops_its_trailers) {
    answer_by([this](const std::string& received) {
        if (sent.empty())
            return is_whole(received) ? "HTTP/1.1 303 See\r\nLocation: /next\r\nContent-Length: 0\r\n\r\n" : "";
        return received.ends_with("\r\n\r\n") ? ok.c_str() : "";
    });
    auto asked = upload("hello", lines({{"X-Sum", "5"}}));
    asked.headers.append_valid("Trailer", "X-Sum");
    EXPECT_EQ(body_of(*send(std::move(asked))), "ok");
    ASSERT_EQ(sent.size(), 2U);
    EXPECT_TRUE(sent[1].starts_with("GET /next "));
    EXPECT_EQ(sent[1].find("Trailer"), std::string::npos);
    EXPECT_EQ(sent[1].find("chunked"), std::string::npos);
}

// --- Priority: RFC 9218 section 5 ---------------------------------------------------------------------------------------

TEST_F(uploading, a_priority_is_a_field_unless_the_caller_wrote_one) {
    answer_by([](const std::string& received) { return received.ends_with("\r\n\r\n") ? ok : ""; });
    auto asked = upload("");
    asked.priority = priority{.urgency = 1, .incremental = true};
    EXPECT_EQ(body_of(*send(asked)), "ok");
    EXPECT_NE(sent.at(0).find("\r\nPriority: u=1, i\r\n"), std::string::npos);
    asked.headers.append_valid("priority", "u=6");
    EXPECT_EQ(body_of(*send(std::move(asked))), "ok");
    EXPECT_EQ(sent.at(1).find("u=1"), std::string::npos);
    EXPECT_NE(sent.at(1).find("priority: u=6\r\n"), std::string::npos);
}

// --- Expect: RFC 9110 section 10.1.1 --------------------------------------------------------------------------------------

TEST_F(uploading, the_body_waits_for_100_continue) {
    answer_by([](const std::string& received) -> std::string {
        if (received.ends_with("hello")) return ok;
        return received.ends_with("\r\n\r\n") ? "HTTP/1.1 100 Continue\r\n\r\n" : "";
    });
    auto asked = upload("hello");
    asked.continue_wait = 10s;
    EXPECT_EQ(body_of(*send(std::move(asked))), "ok");
    ASSERT_EQ(sent.size(), 2U);
    EXPECT_EQ(tail(sent[0]), "Expect: 100-continue\r\nContent-Length: 5\r\n\r\n");
    EXPECT_EQ(sent[1], "hello");
}

TEST_F(uploading, the_body_goes_when_the_server_has_said_nothing_for_as_long_as_it_was_given) {
    answer_by([](const std::string& received) { return received.ends_with("hello") ? ok : ""; });
    auto asked = upload("hello");
    asked.continue_wait = 3s;
    const auto began = world.engine->reactor().now();
    EXPECT_EQ(body_of(*send(std::move(asked))), "ok");
    EXPECT_GE(world.engine->reactor().now() - began, 3s);
    EXPECT_LT(world.engine->reactor().now() - began, 4s);
}

TEST_F(uploading, without_a_body_there_is_nothing_to_wait_for) {
    answer_by([](const std::string& received) { return received.ends_with("\r\n\r\n") ? ok : ""; });
    auto asked = upload("");
    asked.continue_wait = 3s;
    EXPECT_EQ(body_of(*send(std::move(asked))), "ok");
    EXPECT_EQ(sent.at(0).find("Expect"), std::string::npos);
}

TEST_F(uploading, a_final_answer_keeps_the_body_back_and_the_connection_serves_nobody_else) {
    answer_by([](const std::string& received) -> std::string {
        return received.ends_with("\r\n\r\n") ? "HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n" : "";
    });
    for (int again = 0; again < 2; ++again) {
        auto asked = upload("hello");
        asked.continue_wait = 3s;
        EXPECT_EQ(send(std::move(asked))->response().status, 413);
    }
    EXPECT_EQ(peers.size(), 2U) << "what follows on the first connection would be taken for the body";
    for (const std::string& each : sent) EXPECT_EQ(each.find("hello"), std::string::npos);
}

TEST_F(uploading, after_417_the_request_is_sent_without_the_expectation) {
    for (const bool streamed : {false, true}) {
        sent.clear();
        answer_by([](const std::string& received) -> std::string {
            if (received.find("Expect: ") != received.npos)
                return received.ends_with("\r\n\r\n") ? "HTTP/1.1 417 No\r\nContent-Length: 0\r\n\r\n" : "";
            return received.find("hello") != received.npos && (received.ends_with("hello") || is_whole(received)) ? ok
                                                                                                                  : "";
        });
        auto asked = streamed ? upload_streamed("hello") : upload("hello");
        asked.continue_wait = 3s;
        EXPECT_EQ(body_of(*send(std::move(asked))), "ok");
        ASSERT_EQ(sent.size(), 2U);
        EXPECT_EQ(sent[1].find("Expect"), std::string::npos);
    }
}

TEST_F(uploading, a_second_417_is_the_answer) {
    answer_by([](const std::string& received) -> std::string {
        return received.ends_with("\r\n\r\n") || received.ends_with("hello")
                   ? "HTTP/1.1 417 No\r\nContent-Length: 0\r\n\r\n"
                   : "";
    });
    auto asked = upload("hello");
    asked.continue_wait = 3s;
    EXPECT_EQ(send(std::move(asked))->response().status, 417);
}

}  // namespace
}  // namespace pabal::client

// The examples of RFC 7541 appendix C, byte for byte: what others compress, the machine reads, in both roles.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "protocol/http/recording_stream.hpp"
#include "protocol/http2/http2_client.hpp"
#include "protocol/http2/machine.hpp"

namespace pabal::http2 {
namespace {

using testing::frame;
using testing::lines;

constexpr std::uint8_t end_stream = 1, end_headers = 4;

std::string bytes_of(std::string_view hexadecimal) {
    const auto digit = [](char letter) { return letter <= '9' ? letter - '0' : letter - 'a' + 10; };
    std::string bytes;
    for (; hexadecimal.size() > 1; hexadecimal.remove_prefix(2))
        bytes += static_cast<char>(digit(hexadecimal[0]) * 16 + digit(hexadecimal[1]));
    return bytes;
}

lines lines_of(const fields& read) {
    lines all;
    for (const fields::field line : read) all.emplace_back(line.name, line.value);
    return all;
}

/// A stream's owner on the server, of whom nothing but the head is asked.
class asked_stream final : public stream {
public:
    std::optional<request_head> head;
    std::optional<error> failure;

    void on_request(request_head&& got, std::optional<std::uint64_t>) override { head = std::move(got); }
    void on_data(std::string_view) override {}
    void on_end(fields&&) override {}
    void on_reset(error&& got, bool) override { failure = std::move(got); }
    result<read_outcome> read_body(std::span<char>) override { return read_outcome{}; }
};

struct example {
    const char* section;
    std::vector<std::string_view> blocks;
};

class responses_of_the_rfc : public ::testing::TestWithParam<example>, public machine_observer {};
class requests_of_the_rfc : public ::testing::TestWithParam<example>, public machine_observer {
protected:
    stream* on_request_begun() override {
        streams_.push_back(std::make_unique<asked_stream>());
        return streams_.back().get();
    }
    std::vector<std::unique_ptr<asked_stream>> streams_;
};

// Their dynamic table has 256 octets there; a larger one, such as ours, reads the same.
INSTANTIATE_TEST_SUITE_P(
    appendix_c, responses_of_the_rfc,
    ::testing::Values(
        example{"C5",
                {"4803333032580770726976617465611d4d6f6e2c203231204f637420323031332032303a31333a323120474d546e176874747"
                 "0733a"
                 "2f2f7777772e6578616d706c652e636f6d",
                 "4803333037c1c0bf",
                 "88c1611d4d6f6e2c203231204f637420323031332032303a31333a323220474d54c05a04677a69707738666f6f3d4153444a4"
                 "b4851"
                 "4b425a584f5157454f50495541585157454f49553b206d61782d6167653d333630303b2076657273696f6e3d31"}},
        example{"C6",
                {"488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c78f0b97c8e9ae8"
                 "2ae43"
                 "d3",
                 "4883640effc1c0bf",
                 "88c16196d07abe941054d444a8200595040b8166e084a62d1bffc05a839bd9ab77ad94e7821dd7f2e6c7b335dfdfcd5b3960d"
                 "5af27"
                 "087f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007"}}),
    [](const auto& given) { return given.param.section; });

INSTANTIATE_TEST_SUITE_P(appendix_c, requests_of_the_rfc,
                         ::testing::Values(example{"C3",
                                                   {"828684410f7777772e6578616d706c652e636f6d",
                                                    "828684be58086e6f2d6361636865",
                                                    "828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565"}},
                                           example{"C4",
                                                   {"828684418cf1e3c2e5f23a6ba0ab90f4ff", "828684be5886a8eb10649cbf",
                                                    "828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf"}}),
                         [](const auto& given) { return given.param.section; });

TEST_P(responses_of_the_rfc, are_read_by_the_client) {
    machine client("https", *this);
    std::vector<http::testing::recording_stream<stream>> asked(3);
    for (auto& each : asked) ASSERT_TRUE(client.request(http::testing::get(), 0, each));
    std::string out;
    ASSERT_TRUE(client.send(out, 1 << 20));
    ASSERT_TRUE(client.receive(frame(NGHTTP2_SETTINGS, 0, 0)));
    std::int32_t id = 1;
    for (const std::string_view block : GetParam().blocks) {
        ASSERT_TRUE(client.receive(frame(NGHTTP2_HEADERS, end_stream | end_headers, id, bytes_of(block))));
        id += 2;
    }
    const std::vector<int> statuses{302, 307, 200};
    const lines moved{{"cache-control", "private"},
                      {"date", "Mon, 21 Oct 2013 20:13:21 GMT"},
                      {"location", "https://www.example.com"}};
    const lines last{{"cache-control", "private"},
                     {"date", "Mon, 21 Oct 2013 20:13:22 GMT"},
                     {"location", "https://www.example.com"},
                     {"content-encoding", "gzip"},
                     {"set-cookie", "foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1"}};
    for (std::size_t at = 0; at < asked.size(); ++at) {
        ASSERT_TRUE(asked[at].head) << at;
        EXPECT_EQ(asked[at].head->status, statuses[at]);
        EXPECT_EQ(lines_of(asked[at].head->headers), at == 2 ? last : moved);
        EXPECT_TRUE(asked[at].ended);
    }
}

TEST_P(requests_of_the_rfc, are_read_by_the_server) {
    machine server(*this, server_limits);
    ASSERT_TRUE(server.receive(testing::preface));
    ASSERT_TRUE(server.receive(frame(NGHTTP2_SETTINGS, 0, 0)));
    std::int32_t id = 1;
    for (const std::string_view block : GetParam().blocks) {
        ASSERT_TRUE(server.receive(frame(NGHTTP2_HEADERS, end_stream | end_headers, id, bytes_of(block))));
        id += 2;
    }
    const std::vector<std::string_view> targets{"/", "/", "/index.html"};
    const std::vector<lines> more{{}, {{"cache-control", "no-cache"}}, {{"custom-key", "custom-value"}}};
    ASSERT_EQ(streams_.size(), 3U);
    for (std::size_t at = 0; at < streams_.size(); ++at) {
        ASSERT_TRUE(streams_[at]->head) << at;
        EXPECT_EQ(streams_[at]->head->method, "GET");
        EXPECT_EQ(streams_[at]->head->target, targets[at]);
        EXPECT_EQ(streams_[at]->head->headers.find("host").value_or(""), "www.example.com");
        for (const auto& [name, value] : more[at])
            EXPECT_EQ(streams_[at]->head->headers.find(name).value_or(""), value);
    }
}

}  // namespace
}  // namespace pabal::http2

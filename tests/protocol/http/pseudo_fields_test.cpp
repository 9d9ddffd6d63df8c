// Requests and responses in pseudo-header fields, as HTTP/2 and HTTP/3 carry them.

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "protocol/http/pseudo_fields.hpp"

namespace pabal::http {
namespace {

request_head request_of(std::vector<std::pair<std::string, std::string>> lines, std::string method = "GET") {
    request_head head;
    head.method = std::move(method);
    head.target = "/path?query";
    for (const auto& [name, value] : lines) head.headers.append_valid(name, value);
    return head;
}

std::string lines_of(const request_head& head, std::optional<std::uint64_t> size) {
    std::string digits;
    std::string all;
    for_each_line(head, "https", size, digits, [&all](std::string_view name, std::string_view value) {
        all.append(name).append("=").append(value).append("\n");
    });
    return all;
}

TEST(pseudo_request, control_data_comes_first_and_what_concerns_one_connection_is_left_out) {
    const request_head head = request_of({{"Host", "example.com"},
                                          {"Connection", "close"},
                                          {"Keep-Alive", "5"},
                                          {"Transfer-Encoding", "chunked"},
                                          {"Upgrade", "h2c"},
                                          {"TE", "gzip"},
                                          {"X-Own", "1"},
                                          {"TE", "trailers"}});
    EXPECT_EQ(lines_of(head, 0), ":method=GET\n:scheme=https\n:authority=example.com\n:path=/path?query\n"
                                 "X-Own=1\nTE=trailers\n");
}

TEST(pseudo_request, an_extended_connect_names_its_protocol) {
    request_head head = request_of({{"Host", "example.com"}}, "CONNECT");
    head.protocol = "websocket";
    EXPECT_EQ(lines_of(head, std::nullopt),
              ":method=CONNECT\n:scheme=https\n:authority=example.com\n:path=/path?query\n"
              ":protocol=websocket\n");
}

TEST(pseudo_request, the_size_is_said_where_it_is_known_and_expected) {
    EXPECT_NE(lines_of(request_of({{"Host", "h"}}, "POST"), 0).find("content-length=0"), std::string::npos);
    EXPECT_EQ(lines_of(request_of({{"Host", "h"}}, "GET"), 0).find("content-length"), std::string::npos);
    EXPECT_NE(lines_of(request_of({{"Host", "h"}}, "PUT"), 12).find("content-length=12"), std::string::npos);
    EXPECT_EQ(lines_of(request_of({{"Host", "h"}}, "PUT"), std::nullopt).find("content-length"), std::string::npos);
    const std::string said = lines_of(request_of({{"Host", "h"}, {"Content-Length", "3"}}, "PUT"), 3);
    EXPECT_EQ(said.find("content-length="), std::string::npos);  // only the caller's own line
    EXPECT_NE(said.find("Content-Length=3"), std::string::npos);
}

TEST(pseudo_request, what_cannot_be_sent_is_the_callers_fault) {
    const auto code_of = [](const request_head& head, std::optional<std::uint64_t> size = 0) {
        const auto checked = check_pseudo_request(head, size);
        EXPECT_FALSE(checked);
        EXPECT_EQ(checked.error().whose, culprit::caller);
        return checked.error().code;
    };
    EXPECT_EQ(code_of(request_of({})), error_code::invalid_header);
    EXPECT_EQ(code_of(request_of({{"Host", "a"}, {"Host", "b"}})), error_code::invalid_header);
    EXPECT_EQ(code_of(request_of({{"Host", "a"}}, "G ET")), error_code::invalid_argument);
    EXPECT_EQ(code_of(request_of({{"Host", "a"}}, "CONNECT")), error_code::unsupported);
    EXPECT_EQ(code_of(request_of({{"Host", "a"}, {"Content-Length", "x"}})), error_code::invalid_header);
    EXPECT_EQ(code_of(request_of({{"Host", "a"}, {"Content-Length", "4"}}), 5), error_code::invalid_header);
    request_head head = request_of({{"Host", "a"}});
    head.protocol = "websocket";
    EXPECT_EQ(code_of(head), error_code::invalid_argument) << "only CONNECT asks for one";
    head.method = "CONNECT";
    EXPECT_TRUE(check_pseudo_request(head, std::nullopt));
    head.protocol = "web socket";
    EXPECT_EQ(code_of(head), error_code::invalid_argument);
    head = request_of({{"Host", "a"}});
    head.target = "no path";
    EXPECT_EQ(code_of(head), error_code::invalid_url);
}

TEST(pseudo_request, a_size_is_taken_from_the_body_or_from_what_is_announced) {
    EXPECT_EQ(check_pseudo_request(request_of({{"Host", "a"}}), 7).value(), 7U);
    EXPECT_EQ(check_pseudo_request(request_of({{"Host", "a"}, {"Content-Length", "4"}}), std::nullopt).value(), 4U);
    EXPECT_EQ(check_pseudo_request(request_of({{"Host", "a"}}), std::nullopt).value(), std::nullopt);
}

TEST(arriving_section, becomes_fields_and_a_status) {
    arriving_section section(100, 3);
    section.begin();
    EXPECT_TRUE(section.add(":status", "204"));
    EXPECT_TRUE(section.add("server", "s"));
    EXPECT_TRUE(section.add("content-type", "text/plain"));
    EXPECT_EQ(section.status(), 204);
    const fields head = section.take();
    EXPECT_EQ(head.size(), 2U);
    EXPECT_EQ(head.find(field_id::content_type), "text/plain");
    section.begin();
    EXPECT_TRUE(section.add("sum", "6"));
    EXPECT_EQ(section.status(), 0);
    EXPECT_EQ(section.take().size(), 1U);
}

TEST(arriving_section, is_bounded_in_bytes_and_in_lines) {
    arriving_section section(10, 2);
    section.begin();
    EXPECT_FALSE(section.add("name", "too long"));
    EXPECT_TRUE(section.add("a", "1"));
    EXPECT_TRUE(section.add("b", "2"));
    EXPECT_FALSE(section.add("c", "3"));
    EXPECT_NE(section.too_large().find("10 bytes"), std::string::npos);
}

}  // namespace
}  // namespace pabal::http

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "protocol/http/arriving_request.hpp"

namespace pabal::http {
namespace {

using lines = std::vector<std::pair<std::string, std::string>>;

class arriving : public ::testing::Test {
protected:
    void add(const lines& fields) {
        request_.begin();
        for (const auto& [name, value] : fields) request_.add(name, value);
    }
    lines headers_of(const request_head& head) {
        lines all;
        for (const fields::field line : head.headers) all.emplace_back(line.name, line.value);
        return all;
    }
    arriving_request request_{1000, 10, http_version::http_2};
};

TEST_F(arriving, becomes_a_head) {
    add({{":method", "PUT"}, {":scheme", "https"}, {":authority", "x.test:1"}, {":path", "/a?b"}, {"accept", "*/*"}});
    EXPECT_EQ(request_.defect(), "");
    const request_head head = request_.take();
    EXPECT_EQ(head.method, "PUT");
    EXPECT_EQ(head.target, "/a?b");
    EXPECT_EQ(head.version, http_version::http_2);
    EXPECT_EQ(headers_of(head), (lines{{"host", "x.test:1"}, {"accept", "*/*"}}));
    EXPECT_EQ(head.headers.find(field_id::host), "x.test:1");
}

TEST_F(arriving, host_may_come_instead_of_authority_or_say_the_same) {
    add({{":method", "GET"}, {":path", "/"}, {"host", "x.test"}});
    EXPECT_EQ(request_.defect(), "");
    EXPECT_EQ(headers_of(request_.take()), (lines{{"host", "x.test"}}));
    add({{":method", "GET"}, {":authority", "x.test"}, {":path", "/"}, {"host", "X.TEST"}});
    EXPECT_EQ(request_.defect(), "");
    EXPECT_EQ(headers_of(request_.take()), (lines{{"host", "x.test"}}));
}

TEST_F(arriving, two_hosts_are_malformed) {
    add({{":method", "GET"}, {":authority", "x.test"}, {":path", "/"}, {"host", "y.test"}});
    EXPECT_EQ(request_.defect(), "Host contradicts :authority");
    add({{":method", "GET"}, {":path", "/"}, {"host", "x.test"}, {"host", "y.test"}});
    EXPECT_EQ(request_.defect(), "Host contradicts :authority");
}

TEST_F(arriving, what_http1_would_refuse_is_refused) {
    for (const std::string authority : {"", "user@x.test", "x.test/", "x.test:http", "x test"}) {
        add({{":method", "GET"}, {":authority", authority}, {":path", "/"}});
        EXPECT_EQ(request_.defect(), "invalid :authority") << authority;
    }
    for (const std::string path : {"", "a", "/a b", "/a#b", "/\xc3\xa4", "*"}) {
        add({{":method", "GET"}, {":authority", "x.test"}, {":path", path}});
        EXPECT_EQ(request_.defect(), "invalid :path") << path;
    }
    add({{":method", "OPTIONS"}, {":authority", "x.test"}, {":path", "*"}});
    EXPECT_EQ(request_.defect(), "");
}

TEST_F(arriving, connect_has_its_authority_as_target) {
    add({{":method", "CONNECT"}, {":authority", "x.test:443"}});
    EXPECT_EQ(request_.defect(), "");
    EXPECT_EQ(request_.take().target, "x.test:443");
    add({{":method", "CONNECT"}, {":authority", "x.test"}});
    EXPECT_NE(request_.defect(), "");
}

TEST_F(arriving, connect_that_asks_for_a_protocol_has_a_path_as_target) {
    const auto defect_of = [this](const std::string& path) {
        add({{":method", "CONNECT"}, {":protocol", "websocket"}, {":authority", "x.test"}, {":path", path}});
        return request_.defect();
    };
    EXPECT_EQ(defect_of("x.test:443"), "invalid :path");
    EXPECT_EQ(defect_of("*"), "invalid :path");
    EXPECT_EQ(defect_of("/chat"), "");
    const request_head head = request_.take();
    EXPECT_EQ(head.target, "/chat");
    EXPECT_EQ(head.protocol, "websocket");
}

TEST_F(arriving, crumbs_of_cookies_are_one_field) {
    add({{":method", "GET"},
         {":authority", "x.test"},
         {":path", "/"},
         {"cookie", "a=1"},
         {"x", "y"},
         {"cookie", "b=2"}});
    EXPECT_EQ(headers_of(request_.take()), (lines{{"host", "x.test"}, {"x", "y"}, {"cookie", "a=1; b=2"}}));
}

TEST_F(arriving, is_bounded_in_bytes_and_in_fields) {
    lines many{{":method", "GET"}, {":authority", "x.test"}, {":path", "/"}};
    for (int count = 0; count < 7; ++count) many.emplace_back("a", "");
    add(many);
    EXPECT_FALSE(request_.is_too_large());
    many.emplace_back("a", "");
    add(many);
    EXPECT_TRUE(request_.is_too_large());
    add({{":method", "GET"}, {":authority", "x.test"}, {":path", "/" + std::string(1000, 'a')}});
    EXPECT_TRUE(request_.is_too_large());
    EXPECT_EQ(request_.size(), 7 + 3 + 32 + 10 + 6 + 32 + 5 + 1001 + 32U) << "what was passed over is counted";
    add({{":method", "GET"}, {":authority", "x.test"}, {":path", "/"}});
    EXPECT_FALSE(request_.is_too_large()) << "the next one begins anew";
}

}  // namespace
}  // namespace pabal::http

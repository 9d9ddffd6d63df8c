#include <gtest/gtest.h>

#include "protocol/http/challenge.hpp"

namespace pabal::http {
namespace {

std::string read(std::initializer_list<std::string_view> lines) {
    fields headers;
    for (const std::string_view line : lines) headers.append_valid("WWW-Authenticate", line);
    std::string out;
    for (const challenge& each : parse_challenges(headers, "www-authenticate")) {
        out += "[" + each.scheme;
        if (!each.token68.empty()) out += " " + each.token68;
        for (const auto& [name, value] : each.parameters) out.append(" ").append(name).append("=").append(value);
        out += "]";
    }
    return out;
}

TEST(challenges, are_read_in_order) {
    const struct {
        const char* line;
        const char* expected;
    } cases[] = {
        {"", ""},
        {"Basic", "[basic]"},
        {"Basic realm=\"simple\"", "[basic realm=simple]"},
        {"Basic Realm=simple", "[basic realm=simple]"},
        {"Basic realm = \"simple\" , charset=\"UTF-8\"", "[basic realm=simple charset=UTF-8]"},
        {"Negotiate, Basic realm=\"x\"", "[negotiate][basic realm=x]"},
        {"Negotiate YWJj==, Basic realm=\"x\"", "[negotiate YWJj==][basic realm=x]"},
        {"Negotiate YWJj", "[negotiate YWJj]"},
        {"Negotiate YWJj=", "[negotiate YWJj=]"},
        {"Newauth realm=\"apps\", type=1, title=\"Login to \\\"apps\\\"\", Basic realm=\"simple\"",
         "[newauth realm=apps type=1 title=Login to \"apps\"][basic realm=simple]"},
        {",, Basic realm=\"a\",,\tDigest nonce=\"b\", ,", "[basic realm=a][digest nonce=b]"},
        {"Digest realm=\"a, b=\\\\c\", nonce=n", "[digest realm=a, b=\\c nonce=n]"},
        {"Basic, Bearer", "[basic][bearer]"},
        {"Digest realm=\"\"", "[digest realm=]"},
    };
    for (const auto& each : cases) EXPECT_EQ(read({each.line}), each.expected) << each.line;
}

TEST(challenges, of_several_lines) {
    EXPECT_EQ(read({"Negotiate", "Basic realm=\"x\""}), "[negotiate][basic realm=x]");
}

TEST(challenges, end_where_a_line_is_malformed) {
    for (const auto* line : {"\"quoted\"", "=x", "Basic realm=\"open", "Basic realm=\"open\\", "Basic realm=\"x\" y",
                             "Basic a b", "Basic realm=\"x\", =y", "Basic/realm=x", "Digest @"}) {
        const std::string fault = read({line});
        EXPECT_TRUE(fault.empty() || fault == "[basic realm=x]") << line << " " << fault;
    }
    EXPECT_EQ(read({"Negotiate, Basic realm=\"open", "Bearer"}), "[negotiate][bearer]");
}

TEST(challenges, are_bounded) {
    std::string many;
    for (int index = 0; index < 1000; ++index) many += "Basic realm=x, ";
    fields headers;
    headers.append_valid("WWW-Authenticate", many);
    headers.append_valid("WWW-Authenticate", many);
    EXPECT_EQ(parse_challenges(headers, "WWW-Authenticate").size(), 32U);
}

TEST(challenges, parameters_are_found_by_name) {
    fields headers;
    headers.append_valid("Proxy-Authenticate", "Digest NONCE=a, nonce=b");
    const auto read = parse_challenges(headers, "Proxy-Authenticate");
    ASSERT_EQ(read.size(), 1U);
    ASSERT_TRUE(read[0].find("nonce"));
    EXPECT_EQ(*read[0].find("nonce"), "a");
    EXPECT_FALSE(read[0].find("realm"));
}

TEST(auth_parameters, of_authentication_info) {
    const auto read = parse_auth_parameters("nextnonce=\"a\\\"b\", qop=auth,rspauth=\"\" , nc=00000001");
    ASSERT_EQ(read.size(), 4U);
    EXPECT_EQ(read[0].second, "a\"b");
    EXPECT_EQ(read[3].first, "nc");
    EXPECT_TRUE(parse_auth_parameters("=").empty());
    EXPECT_EQ(parse_auth_parameters("a=1, \"").size(), 1U);
}

}  // namespace
}  // namespace pabal::http

#include <gtest/gtest.h>

#include "protocol/http/digest_auth.hpp"

namespace pabal::http {
namespace {

std::optional<digest_challenge> choose(std::initializer_list<std::string_view> lines) {
    fields headers;
    for (const std::string_view line : lines) headers.append_valid("WWW-Authenticate", line);
    return strongest_digest(parse_challenges(headers, "WWW-Authenticate"));
}

/// What a parameter of the answer says, quotes included; "" when it is not there.
std::string said(const std::string& answer, const std::string& name) {
    const auto at = answer.find(" " + name + "=");
    if (at == std::string::npos) return "";
    const auto from = at + name.size() + 2;
    if (answer[from] != '"') return answer.substr(from, answer.find(',', from) - from);
    std::size_t end = from + 1;
    while (answer[end] != '"') end += answer[end] == '\\' ? 2 : 1;
    return answer.substr(from, end + 1 - from);
}

const digest_request mufasa{.user = "Mufasa",
                            .password = "Circle of Life",
                            .method = "GET",
                            .target = "/dir/index.html",
                            .body = "",
                            .client_nonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
                            .count = 1};
const std::string rfc_challenge =
    "realm=\"http-auth@example.org\", qop=\"auth, auth-int\", "
    "nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\"";

// --- Vectors of RFC 7616 section 3.9.1 and of RFC 2617 section 3.5 -------------------------------------------------------

TEST(digest, vectors_of_rfc_7616) {
    EXPECT_EQ(said(*answer_digest(*choose({"Digest algorithm=MD5, " + rfc_challenge}), mufasa), "response"),
              "\"8ca523f5e9506fed4657c9700eebdbec\"");
    EXPECT_EQ(said(*answer_digest(*choose({"Digest algorithm=SHA-256, " + rfc_challenge}), mufasa), "response"),
              "\"753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1\"");
}

TEST(digest, vector_of_rfc_2617) {
    auto asked = mufasa;
    asked.password = "Circle Of Life";
    asked.client_nonce = "0a4f113b";
    const auto answer = answer_digest(*choose({"Digest realm=\"testrealm@host.com\", qop=\"auth,auth-int\", "
                                               "nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", "
                                               "opaque=\"5ccc069c403ebaf9f0171e9517f40e41\""}),
                                      asked);
    EXPECT_EQ(*answer,
              "Digest username=\"Mufasa\", realm=\"testrealm@host.com\", nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", "
              "uri=\"/dir/index.html\", response=\"6629fae49393a05397450978507c4ef1\", "
              "opaque=\"5ccc069c403ebaf9f0171e9517f40e41\", qop=auth, nc=00000001, cnonce=\"0a4f113b\"");
}

TEST(digest, user_hash_and_sha_512_256) {
    digest_request asked = mufasa;
    asked.user = "J\xC3\xA4s\xC3\xB8n Doe";
    asked.password = "Secret, or not?";
    asked.target = "/doe.json";
    asked.client_nonce = "NTg6RKcb9boFIAS3KrFK9BGeh+niz/sm";
    const auto answer = answer_digest(
        *choose({"Digest realm=\"api@example.org\", qop=\"auth\", algorithm=SHA-512-256, "
                 "nonce=\"5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK\", "
                 "opaque=\"HRPCssKJSGjCrkzDg8OhwpzCiGPChXYjwrI2QmXDnsOS\", charset=UTF-8, userhash=true"}),
        asked);
    EXPECT_EQ(said(*answer, "userhash"), "true");
    // As Python's hashlib computes them by section 3.4, not the numbers printed there.
    EXPECT_EQ(said(*answer, "username"), "\"793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b\"");
    EXPECT_EQ(said(*answer, "response"), "\"7a4e1192babbba02e91182d2895bfdbf7adafc6e48d4e517ca301974843d840c\"");
}

// --- Forms ---------------------------------------------------------------------------------------------------------------

TEST(digest, without_qop_as_in_rfc_2069) {
    const auto answer = answer_digest(*choose({"Digest realm=\"r\", nonce=\"n\""}), mufasa);
    EXPECT_EQ(said(*answer, "qop"), "");
    EXPECT_EQ(said(*answer, "nc"), "");
    EXPECT_EQ(said(*answer, "cnonce"), "");
    EXPECT_EQ(said(*answer, "algorithm"), "");
    EXPECT_EQ(said(*answer, "response").size(), 34U);
}

TEST(digest, session_variants_tell_the_client_nonce) {
    const auto plain = answer_digest(*choose({"Digest realm=r, nonce=n, algorithm=MD5"}), mufasa);
    const auto session = answer_digest(*choose({"Digest realm=r, nonce=n, algorithm=MD5-sess"}), mufasa);
    EXPECT_NE(said(*plain, "response"), said(*session, "response"));
    EXPECT_EQ(said(*session, "algorithm"), "MD5-sess");
    EXPECT_NE(said(*session, "cnonce"), "");
    EXPECT_TRUE(choose({"Digest realm=r, nonce=n, algorithm=sha-256-SESS"})->is_session);
}

TEST(digest, auth_int_only_when_nothing_else_is_offered) {
    const auto offered = choose({"Digest realm=r, nonce=n, qop=\"auth-int,auth\""});
    EXPECT_EQ(said(*answer_digest(*offered, mufasa), "qop"), "auth");
    const auto forced = choose({"Digest realm=r, nonce=n, qop=auth-int"});
    auto asked = mufasa;
    asked.body = "one";
    const auto one = answer_digest(*forced, asked);
    EXPECT_EQ(said(*one, "qop"), "auth-int");
    asked.body = "two";
    EXPECT_NE(said(*one, "response"), said(*answer_digest(*forced, asked), "response"));
    asked.body = std::nullopt;
    EXPECT_FALSE(answer_digest(*forced, asked)) << "a body that is not known cannot be vouched for";
}

TEST(digest, counts_in_eight_digits) {
    const auto to = choose({"Digest realm=r, nonce=n, qop=auth"});
    auto asked = mufasa;
    asked.count = 0xABC;
    EXPECT_EQ(said(*answer_digest(*to, asked), "nc"), "00000abc");
}

TEST(digest, quotes_and_backslashes_are_escaped) {
    // aiohttp #13054, #12984: they are part of the value, whose escapes are the header's.
    auto asked = mufasa;
    asked.user = "a\"b\\c";
    const auto to = choose({R"(Digest realm="one \"two\" \\three", nonce="n\"1", opaque="o\\p", qop="auth")"});
    EXPECT_EQ(to->realm, R"(one "two" \three)");
    const auto answer = answer_digest(*to, asked);
    EXPECT_EQ(said(*answer, "username"), R"("a\"b\\c")");
    EXPECT_EQ(said(*answer, "realm"), R"("one \"two\" \\three")");
    EXPECT_EQ(said(*answer, "nonce"), R"("n\"1")");
    EXPECT_EQ(said(*answer, "opaque"), R"("o\\p")");
}

// --- Which challenge -----------------------------------------------------------------------------------------------------

TEST(digest, the_strongest_challenge_is_taken) {
    const struct {
        std::initializer_list<std::string_view> lines;
        const char* nonce;
    } cases[] = {
        {{"Digest realm=r, nonce=1, algorithm=MD5, Digest realm=r, nonce=2, algorithm=SHA-256"}, "2"},
        {{"Digest realm=r, nonce=1, algorithm=SHA-256", "Digest realm=r, nonce=2, algorithm=MD5"}, "1"},
        {{"Basic realm=r", "Digest realm=r, nonce=1"}, "1"},
        {{"Digest realm=r, nonce=1, algorithm=SHA-256", "Digest realm=r, nonce=2, algorithm=SHA-512-256"}, "1"},
        {{"Digest realm=r, nonce=1, algorithm=TEA", "Digest realm=r, nonce=2"}, "2"},
        {{"Digest realm=r, nonce=1, algorithm=SHA-256, qop=other", "Digest realm=r, nonce=2"}, "2"},
    };
    for (const auto& each : cases) EXPECT_EQ(choose(each.lines)->nonce, each.nonce);
}

TEST(digest, what_cannot_be_answered_is_not) {
    for (const auto* line : {"Basic realm=r", "Digest realm=r", "Digest nonce=n",
                             "Digest realm=r, nonce=n, algorithm=X", "Digest realm=r, nonce=n, algorithm=-sess",
                             "Digest realm=r, nonce=n, qop=\"\"", "Digest realm=r, nonce=n, qop=\"conf\"", "Negotiate"})
        EXPECT_FALSE(choose({line})) << line;
}

TEST(digest, reads_stale_and_domain) {
    const auto read = choose({"Digest realm=r, nonce=n, stale=TRUE, domain=\"/a http://b/\""});
    EXPECT_TRUE(read->is_stale);
    EXPECT_EQ(read->domain, "/a http://b/");
    EXPECT_FALSE(choose({"Digest realm=r, nonce=n, stale=false"})->is_stale);
}

}  // namespace
}  // namespace pabal::http

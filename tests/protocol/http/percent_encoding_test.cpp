#include <string>

#include <gtest/gtest.h>

#include "protocol/http/percent_encoding.hpp"

namespace pabal::http {
namespace {

TEST(percent_encoding, keeps_the_unreserved_and_encodes_the_rest) {
    std::string out;
    append_percent_encoded(out, "aZ09-._~ /?%\xed\x8c\x8c\r\n");
    EXPECT_EQ(out, "aZ09-._~%20%2F%3F%25%ED%8C%8C%0D%0A");
}

TEST(percent_encoding, decoding_undoes_it_for_every_byte) {
    for (int byte = 0; byte < 256; ++byte) {
        const std::string text{static_cast<char>(byte)};
        std::string encoded;
        append_percent_encoded(encoded, text);
        EXPECT_EQ(percent_decode(encoded), text);
    }
}

TEST(percent_encoding, leaves_broken_sequences_as_they_are) {
    EXPECT_EQ(percent_decode("%"), "%");
    EXPECT_EQ(percent_decode("%4"), "%4");
    EXPECT_EQ(percent_decode("%zz%4g%41"), "%zz%4gA");
    EXPECT_EQ(percent_decode("%e3%81%82"), "\xe3\x81\x82");
    EXPECT_EQ(percent_decode("a+b"), "a+b");
}

TEST(form_urlencoded, joins_pairs) {
    std::string out;
    append_form_pair(out, "a b", "c&d=e+f");
    append_form_pair(out, "\xc3\xa9", "");
    append_form_pair(out, "", "1-._~*");
    EXPECT_EQ(out, "a+b=c%26d%3De%2Bf&%C3%A9=&=1-._~%2A");
}

}  // namespace
}  // namespace pabal::http

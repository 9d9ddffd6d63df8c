#include <gtest/gtest.h>

#include "protocol/http/idna.hpp"

namespace pabal::http {
namespace {

TEST(idna, turns_names_into_a_labels) {
    EXPECT_EQ(host_to_ascii("b\xc3\xbc\x63her.example"), "xn--bcher-kva.example");
    EXPECT_EQ(host_to_ascii("\xed\x8c\x8c\xeb\xb0\x9c.kr"), "xn--ih3bl33b.kr");
    EXPECT_EQ(host_to_ascii("fa\xc3\x9f.de"), "xn--fa-hia.de");
}

TEST(idna, refuses_what_is_no_name) {
    for (const char* bad : {"\xff", "a\xc3", "\xc2\xad", "xn--\xc3\xbc",
                            "\xe2\x80\xae"
                            "abc",
                            "\xed\xa0\x80"})
        EXPECT_EQ(host_to_ascii(bad), std::nullopt) << bad;
}

}  // namespace
}  // namespace pabal::http

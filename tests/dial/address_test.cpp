#include <gtest/gtest.h>

#include "dial/address.hpp"
using namespace pabal;
using namespace pabal::dial;

namespace {

TEST(addresses, are_read_from_and_written_as_literals) {
    EXPECT_EQ(address::parse("192.0.2.1")->with_port(80).to_string(), "192.0.2.1:80");
    EXPECT_EQ(address::parse("2001:DB8:0::1")->with_port(443).to_string(), "[2001:db8::1]:443");
    EXPECT_EQ(address::parse("::1")->to_socket_address().get()->sa_family, AF_INET6);
    EXPECT_NE(address::parse("fe80::1%lo")->scope, 0U);
    EXPECT_EQ(address::parse("fe80::1%7")->scope, 7U);
}

TEST(addresses, are_read_strictly) {
    for (const char* text : {"", "127.1", "2130706433", "0x7f.0.0.1", "0177.0.0.1", "1.2.3.4.5", "1.2.3.256", "[::1]",
                             "::1%", "::1%nowhere", "1.2.3.4%1", " 1.2.3.4", "example.com"})
        EXPECT_FALSE(address::parse(text)) << text;
}

TEST(addresses, a_local_one_is_an_address_and_no_more) {
    EXPECT_EQ(local_address("127.0.0.2").value(), *address::parse("127.0.0.2"));
    EXPECT_TRUE(local_address("::")->is_unspecified());
    EXPECT_FALSE(local_address("::1")->is_unspecified());
    for (const char* text : {"", "localhost", "127.0.0.1:80", "[::1]"}) {
        const auto refused = local_address(text);
        ASSERT_FALSE(refused) << text;
        EXPECT_EQ(refused.error().whose, culprit::caller);
    }
}

}  // namespace

#include <gtest/gtest.h>

#include "dial/resolver.hpp"

using namespace pabal;
using namespace pabal::dial;

namespace {

TEST(names, that_need_no_query) {
    EXPECT_EQ(answer_without_asking("192.0.2.1")->ipv4.addresses.size(), 1U);
    EXPECT_TRUE(answer_without_asking("192.0.2.1")->ipv6.addresses.empty());
    EXPECT_EQ(answer_without_asking("::1")->ipv6.addresses.size(), 1U);
    for (const char* name : {"localhost", "LocalHost.", "a.localhost"}) {
        ASSERT_TRUE(answer_without_asking(name)) << name;
        EXPECT_EQ(answer_without_asking(name)->ipv4.addresses.front(), *address::parse("127.0.0.1"));
        EXPECT_EQ(answer_without_asking(name)->ipv6.addresses.front(), *address::parse("::1"));
    }
    EXPECT_FALSE(answer_without_asking("notlocalhost"));
    EXPECT_FALSE(answer_without_asking("example.com"));
    EXPECT_FALSE(answer_without_asking("example.com."));
    EXPECT_FALSE(answer_without_asking("my_host"));
}

TEST(names, that_cannot_be_are_refused_without_a_query) {
    // Among them what inet_aton would take for an address: a name that one side reads as a number is a way round a filter.
    for (const std::string& name :
         {std::string{}, std::string{"127.1"}, std::string{"2130706433"}, std::string{"0x7f.1"}, std::string{"a..b"},
          std::string{".a"}, std::string{"a b"}, std::string{"a\nb"}, std::string(64, 'a') + ".example",
          std::string(300, 'a'), std::string{"a\0b", 3}}) {
        const auto known = answer_without_asking(name);
        ASSERT_TRUE(known) << name;
        ASSERT_TRUE(known->ipv4.failure) << name;
        EXPECT_EQ(known->ipv4.failure->code, error_code::host_not_found);
        EXPECT_EQ(known->ipv4.failure->message.find('\n'), std::string::npos);
    }
}

}  // namespace

#include <gtest/gtest.h>

#include "dial/address_cache.hpp"

using namespace pabal::dial;
using namespace std::chrono_literals;

namespace {

const address_cache::time_point start{1h};
const family_answer one{{*address::parse("192.0.2.1")}, std::nullopt};

TEST(address_cache, remembers_until_the_time_to_live_ends) {
    address_cache cache;
    cache.put("a.example", address_family::ipv4, one, start + 10s);
    ASSERT_TRUE(cache.find("a.example", address_family::ipv4, start + 9s));
    EXPECT_EQ(cache.find("a.example", address_family::ipv4, start)->addresses, one.addresses);
    EXPECT_FALSE(cache.find("a.example", address_family::ipv6, start)) << "families are remembered separately";
    EXPECT_FALSE(cache.find("a.example", address_family::ipv4, start + 10s));
    EXPECT_FALSE(cache.find("a.example", address_family::ipv4, start)) << "what has expired is gone";
}

TEST(address_cache, forgets_the_host_unused_for_the_longest_time) {
    address_cache cache{3};
    for (const char* host : {"a", "b", "c"}) cache.put(host, address_family::ipv4, one, start + 1h);
    EXPECT_TRUE(cache.find("a", address_family::ipv4, start));
    cache.put("d", address_family::ipv4, one, start + 1h);
    EXPECT_EQ(cache.size(), 3U);
    EXPECT_TRUE(cache.find("a", address_family::ipv4, start));
    EXPECT_FALSE(cache.find("b", address_family::ipv4, start));
}

TEST(address_cache, stays_bounded_in_a_flood_of_names) {
    address_cache cache;
    for (int index = 0; index < 100000; ++index)
        cache.put("h" + std::to_string(index), address_family::ipv6, one, start + 1h);
    EXPECT_EQ(cache.size(), address_cache::default_max_hosts);
}

}  // namespace

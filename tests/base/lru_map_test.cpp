#include <string>

#include <gtest/gtest.h>

#include "base/lru_map.hpp"

namespace pabal::base {
namespace {

std::string names(const lru_map<int>& of) {
    std::string all;
    for (const auto& each : of) all += each.name;
    return all;
}

TEST(lru_map, what_was_used_last_comes_first) {
    lru_map<int> map;
    map["a"] = 1;
    map["b"] = 2;
    map["c"] = 3;
    EXPECT_EQ(names(map), "cba");
    ASSERT_NE(map.find("a"), nullptr);
    EXPECT_EQ(*map.find("a"), 1);
    EXPECT_EQ(names(map), "acb");
    map["b"] = 5;
    EXPECT_EQ(names(map), "bac");
    EXPECT_EQ(map.oldest().name, "c");
    EXPECT_EQ(map.size(), 3U);
}

TEST(lru_map, forgets_by_name) {
    lru_map<int> map;
    map["a"] = 1;
    map["b"] = 2;
    map.erase(map.oldest().name);
    EXPECT_EQ(map.find("a"), nullptr);
    map.erase("never there");
    EXPECT_EQ(names(map), "b");
    map.clear();
    EXPECT_TRUE(map.empty());
    EXPECT_EQ(map["b"], 0) << "a new value";
}

}  // namespace
}  // namespace pabal::base

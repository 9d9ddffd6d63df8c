#include <algorithm>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "base/block_pool.hpp"

namespace pabal::base {
namespace {

bool is_aligned(const void* block) { return reinterpret_cast<std::uintptr_t>(block) % alignof(std::max_align_t) == 0; }

TEST(block_pool, gives_blocks_of_every_size_that_do_not_overlap) {
    std::vector<std::pair<char*, std::size_t>> blocks;
    for (int round = 0; round < 3; ++round) {
        for (std::size_t size = 0; size <= largest_pooled_block + 64; ++size) {
            auto* const block = static_cast<char*>(take_block(size));
            ASSERT_TRUE(is_aligned(block)) << size;
            std::memset(block, static_cast<int>(size % 251), size);
            blocks.emplace_back(block, size);
        }
        for (const auto& [block, size] : blocks) {
            const auto expected = static_cast<char>(size % 251);
            ASSERT_TRUE(std::all_of(block, block + size, [&](char byte) { return byte == expected; })) << size;
        }
        for (const auto& [block, size] : blocks) give_block_back(block, size);
        blocks.clear();
    }
    give_block_back(nullptr, 100);
}

TEST(block_pool, takes_blocks_that_another_thread_asked_for) {
    std::vector<void*> blocks;
    for (int count = 0; count < 100; ++count) blocks.push_back(take_block(200));
    std::thread([&] {
        for (void* const block : blocks) give_block_back(block, 200);
        for (void*& block : blocks) block = take_block(200);
    }).join();  // what that thread kept is freed with it; LeakSanitizer judges
    for (void* const block : blocks) give_block_back(block, 200);
}

TEST(block_pool, keeps_no_more_than_it_says) {
    std::vector<void*> blocks(2 * most_kept_bytes / largest_pooled_block);
    for (void*& block : blocks) block = take_block(largest_pooled_block);
    for (void* const block : blocks) give_block_back(block, largest_pooled_block);
    for (void*& block : blocks) block = take_block(largest_pooled_block);
    std::sort(blocks.begin(), blocks.end());
    EXPECT_EQ(std::adjacent_find(blocks.begin(), blocks.end()), blocks.end());
    for (void* const block : blocks) give_block_back(block, largest_pooled_block);
}

TEST(block_pool, is_an_allocator_for_c) {
    auto* text = static_cast<char*>(pooled_malloc(6, nullptr));
    ASSERT_TRUE(text);
    EXPECT_TRUE(is_aligned(text));
    std::memcpy(text, "papers", 6);
    for (const std::size_t size : {40U, 4'000U, 400U, 6U}) {
        text = static_cast<char*>(pooled_realloc(text, size, nullptr));
        ASSERT_TRUE(text);
        EXPECT_EQ(std::string_view(text, 6), "papers");
    }
    pooled_free(text, nullptr);
    pooled_free(nullptr, nullptr);
    auto* const zeros = static_cast<char*>(pooled_calloc(10, 30, nullptr));
    EXPECT_TRUE(std::all_of(zeros, zeros + 300, [](char byte) { return byte == 0; }));
    pooled_free(zeros, nullptr);
    pooled_free(pooled_realloc(nullptr, 10, nullptr), nullptr);
    EXPECT_FALSE(pooled_malloc(std::numeric_limits<std::size_t>::max(), nullptr));
    EXPECT_FALSE(pooled_calloc(std::numeric_limits<std::size_t>::max() / 2, 3, nullptr));
}

struct animal : recycled {
    animal() = default;
    animal(const animal&) = delete;
    animal& operator=(const animal&) = delete;
    virtual ~animal() = default;
};
struct horse final : animal {
    char load[300] = {};
};

TEST(block_pool, deletes_what_was_made_as_something_larger) {
    for (int round = 0; round < 100; ++round) {
        const animal* const made = new horse;
        const animal* const other = new animal;
        delete made;
        delete other;
    }
}

}  // namespace
}  // namespace pabal::base

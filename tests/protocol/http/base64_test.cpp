#include <gtest/gtest.h>

#include "protocol/http/base64.hpp"

namespace pabal::http {
namespace {

TEST(base64, follows_the_vectors_of_rfc_4648) {
    const char* const cases[][2] = {{"", ""},
                                    {"f", "Zg=="},
                                    {"fo", "Zm8="},
                                    {"foo", "Zm9v"},
                                    {"foob", "Zm9vYg=="},
                                    {"fooba", "Zm9vYmE="},
                                    {"foobar", "Zm9vYmFy"}};
    for (const auto& [plain, coded] : cases) {
        EXPECT_EQ(base64_encode(plain), coded);
        EXPECT_EQ(base64_decode(coded), plain);
    }
    EXPECT_EQ(base64_encode("\xfb\xff\xfe"), "+//+");
}

TEST(base64, decoding_undoes_it_for_every_byte) {
    for (int byte = 0; byte < 256; ++byte) {
        for (std::size_t size = 1; size <= 4; ++size) {
            const std::string bytes(size, static_cast<char>(byte));
            EXPECT_EQ(base64_decode(base64_encode(bytes)), bytes);
        }
    }
}

TEST(base64, is_strict) {
    for (const char* bad :
         {"Z", "Zg", "Zg=", "Zg===", "=Zg=", "Zh==", "Zm9=", "Zm 8", "Zm8=Zm8=", "Zm_8", "====", "Z==="})
        EXPECT_EQ(base64_decode(bad), std::nullopt) << bad;
}

}  // namespace
}  // namespace pabal::http

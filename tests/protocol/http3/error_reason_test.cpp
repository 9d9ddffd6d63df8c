#include <gtest/gtest.h>

#include "protocol/http3/error_reason.hpp"

namespace pabal::http3 {
namespace {

TEST(error_reason, has_the_rfcs_name) {
    EXPECT_EQ(name_of(error_reason::no_error), "H3_NO_ERROR");
    EXPECT_EQ(name_of(error_reason::version_fallback), "H3_VERSION_FALLBACK");
    EXPECT_EQ(name_of(error_reason::qpack_decompression_failed), "QPACK_DECOMPRESSION_FAILED");
    EXPECT_EQ(name_of(error_reason::qpack_decoder_stream_error), "QPACK_DECODER_STREAM_ERROR");
}

TEST(error_reason, that_nobody_knows_is_shown_as_a_number) {
    EXPECT_EQ(name_of(error_reason{0x111}), "0x111");
    EXPECT_EQ(name_of(error_reason{0}), "0x0");
    EXPECT_EQ(name_of(error_reason{0x203}), "0x203");
}

}  // namespace
}  // namespace pabal::http3

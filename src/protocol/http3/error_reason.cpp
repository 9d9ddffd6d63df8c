#include "protocol/http3/error_reason.hpp"

#include <array>
#include <string_view>

#include "base/hexadecimal.hpp"

namespace pabal::http3 {

std::string name_of(error_reason reason) {
    static constexpr std::array<std::string_view, 17> names{"H3_NO_ERROR",
                                                            "H3_GENERAL_PROTOCOL_ERROR",
                                                            "H3_INTERNAL_ERROR",
                                                            "H3_STREAM_CREATION_ERROR",
                                                            "H3_CLOSED_CRITICAL_STREAM",
                                                            "H3_FRAME_UNEXPECTED",
                                                            "H3_FRAME_ERROR",
                                                            "H3_EXCESSIVE_LOAD",
                                                            "H3_ID_ERROR",
                                                            "H3_SETTINGS_ERROR",
                                                            "H3_MISSING_SETTINGS",
                                                            "H3_REQUEST_REJECTED",
                                                            "H3_REQUEST_CANCELLED",
                                                            "H3_REQUEST_INCOMPLETE",
                                                            "H3_MESSAGE_ERROR",
                                                            "H3_CONNECT_ERROR",
                                                            "H3_VERSION_FALLBACK"};
    static constexpr std::array<std::string_view, 3> qpack_names{
        "QPACK_DECOMPRESSION_FAILED", "QPACK_ENCODER_STREAM_ERROR", "QPACK_DECODER_STREAM_ERROR"};
    const auto number = static_cast<std::uint64_t>(reason);
    const std::uint64_t at = number - static_cast<std::uint64_t>(error_reason::no_error);
    const std::uint64_t qpack_at = number - static_cast<std::uint64_t>(error_reason::qpack_decompression_failed);
    if (at < names.size()) return std::string(names[at]);
    if (qpack_at < qpack_names.size()) return std::string(qpack_names[qpack_at]);
    return base::hexadecimal(number);
}

}  // namespace pabal::http3

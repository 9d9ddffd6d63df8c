/// \file
/// zstd, by Facebook's decoder.

#include <zstd.h>

#include "protocol/http/coding_stage.hpp"
#include "protocol/http/thread_cache.hpp"

namespace pabal::http {

namespace {

constexpr int max_window_log = 23;  // 8 MiB, RFC 9659 section 3

void destroy_context(ZSTD_DCtx* context) { ZSTD_freeDCtx(context); }

// A context keeps the window of the largest frame it has seen, so few are kept.
using context_cache = thread_cache<ZSTD_DCtx, destroy_context, 2>;

class zstd_stage final : public coding_stage {
public:
    zstd_stage() noexcept = default;
    zstd_stage(const zstd_stage&) = delete;
    zstd_stage& operator=(const zstd_stage&) = delete;
    ~zstd_stage() override {
        if (context_ != nullptr) context_cache::give_back(context_);
    }

protected:
    /// RFC 8878 sections 3.1.1 (frame) and 3.1.2 (skippable frame).
    prefix recognise(std::string_view bytes, bool first) override {
        if (first) return prefix::begins;
        constexpr std::string_view frame{"\x28\xB5\x2F\xFD"};
        constexpr std::string_view skippable{"\x50\x2A\x4D\x18"};
        const bool may_skip = bytes.empty() || ((static_cast<unsigned char>(bytes[0]) & 0xF0U) == 0x50 &&
                                                skippable.substr(1).starts_with(bytes.substr(1)));
        if (!may_skip && !frame.starts_with(bytes)) return prefix::foreign;
        return bytes.size() == frame.size() ? prefix::begins : prefix::undecided;
    }

    bool begin_stream() override {
        if (context_ == nullptr && (context_ = context_cache::take()) == nullptr) context_ = ZSTD_createDCtx();
        if (context_ == nullptr) return false;
        return !ZSTD_isError(ZSTD_DCtx_reset(context_, ZSTD_reset_session_only)) &&
               !ZSTD_isError(ZSTD_DCtx_setParameter(context_, ZSTD_d_windowLogMax, max_window_log));
    }

    stream_progress decode_stream(std::string_view input, std::span<char> output) override {
        ZSTD_inBuffer in{input.data(), input.size(), 0};
        ZSTD_outBuffer out{output.data(), output.size(), 0};
        const std::size_t status = ZSTD_decompressStream(context_, &out, &in);
        const char* const fault = ZSTD_isError(status) ? ZSTD_getErrorName(status) : nullptr;
        return {in.pos, out.pos, status == 0, fault};
    }

private:
    ZSTD_DCtx* context_ = nullptr;
};

}  // namespace

std::unique_ptr<coding_stage> make_zstd_stage() { return std::make_unique<zstd_stage>(); }

}  // namespace pabal::http

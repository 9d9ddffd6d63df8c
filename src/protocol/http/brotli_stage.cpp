/// \file
/// br, by Google's decoder.

#include <brotli/decode.h>

#include "protocol/http/coding_stage.hpp"

namespace pabal::http {

namespace {

struct destroy_decoder {
    void operator()(BrotliDecoderState* decoder) const noexcept { BrotliDecoderDestroyInstance(decoder); }
};

class brotli_stage final : public coding_stage {
protected:
    prefix recognise(std::string_view, bool first) override { return first ? prefix::begins : prefix::foreign; }

    bool begin_stream() override {
        decoder_.reset(BrotliDecoderCreateInstance(nullptr, nullptr, nullptr));
        return decoder_ != nullptr;
    }

    stream_progress decode_stream(std::string_view input, std::span<char> output) override {
        std::size_t offered = input.size();
        std::size_t space = output.size();
        const auto* next_in = reinterpret_cast<const std::uint8_t*>(input.data());
        auto* next_out = reinterpret_cast<std::uint8_t*>(output.data());
        const auto status =
            BrotliDecoderDecompressStream(decoder_.get(), &offered, &next_in, &space, &next_out, nullptr);
        return {input.size() - offered, output.size() - space, status == BROTLI_DECODER_RESULT_SUCCESS,
                status == BROTLI_DECODER_RESULT_ERROR ? "the data is corrupt" : nullptr};
    }

private:
    std::unique_ptr<BrotliDecoderState, destroy_decoder> decoder_;
};

}  // namespace

std::unique_ptr<coding_stage> make_brotli_stage() { return std::make_unique<brotli_stage>(); }

}  // namespace pabal::http

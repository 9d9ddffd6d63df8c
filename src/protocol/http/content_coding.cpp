#include "protocol/http/content_coding.hpp"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

#include <pabal/fields.hpp>

#include "protocol/http/coding_stage.hpp"

namespace pabal {

std::string_view name_of(content_coding coding) noexcept {
    switch (coding) {
    case content_coding::gzip: return "gzip";
    case content_coding::deflate: return "deflate";
    case content_coding::br: return "br";
    case content_coding::zstd: return "zstd";
    }
    return "unknown";
}

namespace http {

namespace {

/// Bytes between two codings.
constexpr std::size_t between_size = std::size_t{16} * 1024;

/// How many bytes may pass between the codings of a stack: what is coded is hardly larger than the content, so several
/// times the content and a generous allowance are enough for every honest stack. Without this bound a stack could turn a
/// few bytes from the network into gigabytes of, say, empty deflate blocks, which never reach the reader but cost time.
constexpr std::uint64_t free_between_bytes = std::uint64_t{16} * 1024 * 1024;
constexpr std::uint64_t between_bytes_per_content_byte = 8;

std::unique_ptr<coding_stage> make_stage(content_coding coding) {
    switch (coding) {
    case content_coding::gzip:
    case content_coding::deflate: return make_inflate_stage(coding);
    case content_coding::br: return make_brotli_stage();
    case content_coding::zstd: return make_zstd_stage();
    }
    return nullptr;
}

error failed(std::string message) {
    return {error_code::content_coding_failed, phase::read, culprit::peer, 0, std::move(message)};
}

error failed(content_coding coding, std::string_view fault) {
    return failed("the response's " + std::string{name_of(coding)} + " coding is broken: " + std::string{fault});
}

/// Takes the next element of a comma-separated list; false at its end.
bool next_element(std::string_view& list, std::string_view& element) noexcept {
    constexpr std::string_view white_space{" \t"};
    while (!list.empty()) {
        const auto comma = std::min(list.find(','), list.size());
        element = list.substr(0, comma);
        list.remove_prefix(std::min(comma + 1, list.size()));
        const auto first = element.find_first_not_of(white_space);
        if (first == std::string_view::npos) continue;  // empty elements mean nothing, RFC 9110 section 5.6.1.2
        element = element.substr(first, element.find_last_not_of(white_space) - first + 1);
        return true;
    }
    return false;
}

}  // namespace

std::optional<content_coding> find_content_coding(std::string_view name) noexcept {
    if (equals_ignoring_case(name, "x-gzip")) return content_coding::gzip;
    for (const auto each : {content_coding::gzip, content_coding::deflate, content_coding::br, content_coding::zstd}) {
        if (equals_ignoring_case(name, name_of(each))) return each;
    }
    return std::nullopt;
}

/// The stages, outermost first, and the buffers between them: `between[i]` holds what stage i made for stage i + 1.
struct content_decoder::machinery {
    struct buffer {
        std::unique_ptr<char[]> bytes;
        std::size_t begin = 0;
        std::size_t end = 0;

        std::string_view content() const noexcept { return {bytes.get() + begin, end - begin}; }
    };

    std::array<std::unique_ptr<coding_stage>, max_codings> stages;
    std::array<buffer, max_codings - 1> between;
    std::size_t last;
    std::uint64_t between_bytes = 0;
    std::uint64_t content_bytes = 0;
    std::size_t faulty = 0;  ///< the stage that failed
    const char* fault = nullptr;

    machinery(const std::array<content_coding, max_codings>& codings, std::size_t count) : last(count - 1) {
        for (std::size_t at = 0; at < count; ++at) {
            stages[at] = make_stage(codings[at]);
            if (at + 1 < count) between[at].bytes = std::make_unique_for_overwrite<char[]>(between_size);
        }
    }

    /// Lets stage `at` fill `output`, by pulling from the stages outside it as long as they yield something.
    ///
    /// A fault further out does not stop a stage from decoding what came before it, and is forgotten when that turns out to
    /// be all the stage wanted: the verdict must not depend on the pieces in which the input arrived.
    std::size_t pull(std::size_t at, std::string_view& input, std::span<char> output) {
        if (failed_at(at)) return 0;
        coding_stage& stage = *stages[at];
        if (at == 0) {
            const auto step = stage.decode(input, output);
            input.remove_prefix(step.used);
            note(step.fault, at);
            return step.produced;
        }
        buffer& source = between[at - 1];
        std::size_t produced = 0;
        for (;;) {
            const auto step = stage.decode(source.content(), output.subspan(produced));
            source.begin += step.used;
            produced += step.produced;
            if (at == last) content_bytes += step.produced;
            note(step.fault, at);
            if (stage.discards()) {
                // What is outside can add nothing any more, so it need not be decoded.
                if (fault != nullptr && faulty < at) fault = nullptr;
                input = {};
                return produced;
            }
            if (failed_at(at) || produced == output.size()) return produced;
            source.begin = 0;
            source.end = pull(at - 1, input, {source.bytes.get(), between_size});
            between_bytes += source.end;
            if (between_bytes > free_between_bytes + between_bytes_per_content_byte * content_bytes)
                note("it grows without content", at);
            if (failed_at(at) || source.end == 0) return produced;
        }
    }

    bool failed_at(std::size_t at) const noexcept { return fault != nullptr && faulty == at; }

    void note(const char* found, std::size_t at) noexcept {
        if (found == nullptr || fault != nullptr) return;
        fault = found;
        faulty = at;
    }

    bool is_complete() const noexcept {
        for (std::size_t at = last + 1; at-- > 0;) {
            if (!stages[at]->may_end()) return false;
            if (at > 0 && stages[at]->discards()) return true;
        }
        return true;
    }
};

content_decoder::content_decoder() noexcept = default;
content_decoder::content_decoder(content_decoder&&) noexcept = default;
content_decoder& content_decoder::operator=(content_decoder&&) noexcept = default;
content_decoder::~content_decoder() = default;

result<std::optional<content_decoder>> content_decoder::for_codings(std::string_view content_encoding) {
    content_decoder decoder;
    std::string_view element;
    bool all_known = true;
    std::size_t count = 0;
    while (next_element(content_encoding, element)) {
        if (equals_ignoring_case(element, "identity")) continue;
        if (++count > max_codings) return failed("the response has more than five content codings");
        if (const auto coding = find_content_coding(element)) {
            decoder.codings_[decoder.count_++] = *coding;
        } else {
            all_known = false;
        }
    }
    if (!all_known) return std::optional<content_decoder>{};
    // The last coding that was applied is the first to be removed.
    std::reverse(decoder.codings_.begin(), decoder.codings_.begin() + static_cast<std::ptrdiff_t>(decoder.count_));
    return std::optional<content_decoder>{std::move(decoder)};
}

result<content_decoder::progress> content_decoder::decode(std::string_view input, std::span<char> output) {
    if (is_identity()) {
        const std::size_t size = std::min(input.size(), output.size());
        if (size > 0) std::memcpy(output.data(), input.data(), size);
        return progress{size, size, true};
    }
    if (output.empty()) return progress{};
    if (!machinery_) {
        if (input.empty()) return progress{0, 0, true};
        machinery_ = std::make_unique<machinery>(codings_, count_);
    }
    machinery& run = *machinery_;
    const std::size_t offered = input.size();
    const std::size_t produced = run.pull(count_ - 1, input, output);
    // What was decoded before the fault is still good; the fault is told by the next call.
    if (run.fault != nullptr && produced == 0) return failed(codings_[run.faulty], run.fault);
    return progress{offered - input.size(), produced, run.fault == nullptr && run.is_complete()};
}

result<void> content_decoder::finish() {
    if (!machinery_) return {};
    const machinery& run = *machinery_;
    if (run.fault != nullptr) return failed(codings_[run.faulty], run.fault);
    if (run.is_complete()) return {};
    for (std::size_t at = 0; at < count_; ++at) {
        if (!run.stages[at]->may_end()) return failed(codings_[at], "it ends too early");
    }
    return {};
}

}  // namespace http

}  // namespace pabal

#pragma once
/// \file
/// Content codings of responses, RFC 9110 section 8.4: gzip (RFC 1952), deflate (RFC 1950, and raw RFC 1951 as many servers
/// mean it), br (RFC 7932), zstd (RFC 8878 with the window of RFC 9659), stacked at most five deep.
///
/// `content_decoder` is pulled: nothing is ever expanded further than the buffer it is given, so a bomb costs its reader no
/// memory it did not offer. Memory of its own: per coding at most its window (32 KiB gzip and deflate, 16 MiB br, 8 MiB
/// zstd), and 16 KiB between two codings; none before the first byte.
///
///     while (!input.empty()) {
///         auto step = decoder.decode(input, output);       // error: content_coding_failed, the peer's fault
///         input.remove_prefix(step->used);
///         consume(output.first(step->produced));
///     }                                                     // when output was filled there may be more: decode again, even
///     decoder.finish();                                     // without input; after the last byte: was it all?
///
/// What is accepted beyond the letter: an empty body whatever its coding; several gzip members or zstd frames one after the
/// other (at most `max_members`). Bytes after a complete stream that begin no further one are discarded, as browsers do.

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include <pabal/content_coding.hpp>
#include <pabal/result.hpp>

namespace pabal::http {

/// The coding of that name (any case; x-gzip is gzip), or none.
std::optional<content_coding> find_content_coding(std::string_view name) noexcept;

class content_decoder {
public:
    /// More codings than this in one response are an attack or a mistake.
    static constexpr std::size_t max_codings = 5;
    /// gzip members or zstd frames in one stream: block-gzip files have hundreds; thousands of empty ones are an attack.
    static constexpr std::size_t max_members = 1024;

    /// What `decode` did. When `produced` filled the output, there may be more without further input; otherwise all of the
    /// input that could be used has been used.
    struct progress {
        std::size_t used = 0;
        std::size_t produced = 0;
        bool finished = false;  ///< all streams are complete: `finish` would succeed if this was the last byte
    };

    /// The decoder for a Content-Encoding value (several field lines joined by ", "; any case; identity is nothing;
    /// x-gzip is gzip). Empty optional: it names a coding nobody here knows, and the body should be handed on as it came.
    /// Error: more than `max_codings`.
    static result<std::optional<content_decoder>> for_codings(std::string_view content_encoding);

    /// A decoder that changes nothing.
    content_decoder() noexcept;
    content_decoder(content_decoder&&) noexcept;
    content_decoder& operator=(content_decoder&&) noexcept;
    ~content_decoder();

    /// True when there is nothing to decode: the caller may hand on the bytes as they are.
    bool is_identity() const noexcept { return count_ == 0; }

    result<progress> decode(std::string_view input, std::span<char> output);

    /// The body ended: fails when a coding's stream is not complete.
    result<void> finish();

private:
    struct machinery;

    std::array<content_coding, max_codings> codings_{};  ///< in the order in which they are removed
    std::size_t count_ = 0;
    std::unique_ptr<machinery> machinery_;  ///< made with the first byte
};

}  // namespace pabal::http

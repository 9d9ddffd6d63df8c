#include "protocol/http1/head_parser.hpp"

#include <algorithm>
#include <cstring>
#include <limits>

#include "protocol/http/scan.hpp"
#include "protocol/http/target.hpp"

namespace pabal::http1 {

namespace {

constexpr std::string_view protocol_name = "HTTP/";
constexpr std::size_t version_size = 8;  // HTTP/1.1

unsigned char byte_at(const char* at) noexcept { return static_cast<unsigned char>(*at); }

/// "HTTP/1.1" or "HTTP/1.0" in `text`, which has at least eight bytes.
bool read_version(const char* text, http_version& version) noexcept {
    if (std::memcmp(text, "HTTP/1.", version_size - 1) != 0) return false;
    const char minor = text[version_size - 1];
    version = minor == '1' ? http_version::http_1_1 : http_version::http_1_0;
    return minor == '1' || minor == '0';
}

}  // namespace

void head_parser::begin(section parsed) noexcept {
    scanned_ = line_start_ = block_at_ = method_size_ = second_at_ = second_size_ = 0;
    status_ = 0;
    section_ = parsed;
    in_first_line_ = parsed != section::trailers;
    records_.clear();
}

head_parser::outcome head_parser::parse(std::string_view input, const limits& limits) {
    if (section_ == section::response && in_first_line_) {
        const std::string_view known = input.substr(0, protocol_name.size());
        if (!protocol_name.starts_with(known)) return not_a_response(known);
    }
    const char* const begin = input.data();
    const char* const end = begin + input.size();
    for (;;) {
        const std::size_t window = end_of_window(limits);
        if (scanned_ >= window) return too_large(limits);
        const char* const window_end = begin + std::min(window, input.size());
        const char* const at = http::scan::find_control(begin + scanned_, window_end);
        scanned_ = static_cast<std::size_t>(at - begin);
        if (at == window_end) return scanned_ == window ? too_large(limits) : outcome::need_more;
        if (*at != '\r') return wrong_line_end(begin, at);
        if (at + 1 == end) return outcome::need_more;
        if (at[1] != '\n') return wrong_line_end(begin, at);

        const char* const line = begin + line_start_;
        if (in_first_line_) {
            const std::string_view text(line, static_cast<std::size_t>(at - line));
            const outcome judged =
                section_ == section::request ? parse_request_line(text, end) : parse_status_line(text);
            if (judged == outcome::failed) return judged;
            in_first_line_ = false;
            block_at_ = scanned_ + 2;
        } else if (line == at) {
            line_start_ = scanned_ + 2;
            return outcome::complete;
        } else if (parse_field_line(line, at, end, limits) == outcome::failed) {
            return outcome::failed;
        }
        line_start_ = scanned_ += 2;
    }
}

/// The offset at which, if no line has ended before it, the peer has sent too much.
std::size_t head_parser::end_of_window(const limits& limits) const noexcept {
    const std::size_t whole = section_ == section::trailers ? limits.max_trailers : limits.max_head;
    const std::size_t last_line_end = whole > 1 ? whole - 1 : 0;
    return in_first_line_ ? std::min(limits.max_start_line + 1, last_line_end) : last_line_end;
}

head_parser::outcome head_parser::parse_request_line(std::string_view line, const char* readable_end) {
    // Each scan stops at the CR at the latest, so it may look as far as there is input.
    const char* const begin = line.data();
    const char* const end = begin + line.size();
    const char* const method_end = http::scan::find_not_token(begin, readable_end);
    const auto method_size = static_cast<std::size_t>(method_end - begin);
    const char* const target = method_end + (method_end != end);
    const char* const target_end = http::scan::find_not_target(target, readable_end);
    const bool spaced = method_size > 0 && *method_end == ' ' && target_end != target && *target_end == ' ';
    if (!spaced) return wrong_request_line(line, method_size, static_cast<std::size_t>(target_end - begin));

    const std::string_view version(target_end + 1, static_cast<std::size_t>(end - target_end - 1));
    if (version.size() != version_size || !read_version(version.data(), version_)) return wrong_version(version);
    method_size_ = method_size;
    second_at_ = method_size + 1;
    second_size_ = static_cast<std::size_t>(target_end - target);
    const std::string_view defect = http::target_defect({begin, method_size_}, {target, second_size_});
    if (!defect.empty()) return malformed("the request target " + std::string(defect));
    return outcome::complete;
}

head_parser::outcome head_parser::parse_status_line(std::string_view line) {
    // HTTP-version SP 3DIGIT SP [reason]; servers that leave out the second space with the reason are common enough,
    // and nothing can be smuggled by it.
    constexpr std::size_t status_at = version_size + 1;
    constexpr std::size_t shortest = status_at + 3;
    if (line.size() < version_size || !read_version(line.data(), version_))
        return wrong_version(line.substr(0, line.find(' ')));
    const auto digit = [&](std::size_t at) { return line[status_at + at] - '0'; };
    const bool valid = line.size() >= shortest && line[version_size] == ' ' && digit(0) >= 1 && digit(0) <= 9 &&
                       digit(1) >= 0 && digit(1) <= 9 && digit(2) >= 0 && digit(2) <= 9 &&
                       (line.size() == shortest || line[shortest] == ' ');
    if (!valid) return malformed("the status line has no valid status: " + excerpt(line));
    status_ = digit(0) * 100 + digit(1) * 10 + digit(2);
    second_at_ = std::min(shortest + 1, line.size());
    second_size_ = line.size() - second_at_;
    return outcome::complete;
}

head_parser::outcome head_parser::parse_field_line(const char* begin, const char* end, const char* readable_end,
                                                   const limits& limits) {
    const char* const name_end = http::scan::find_not_token(begin, readable_end);
    const auto name_size = static_cast<std::size_t>(name_end - begin);
    if (*name_end != ':' || name_size == 0 || name_size > std::numeric_limits<std::uint16_t>::max())
        return wrong_field_line({begin, static_cast<std::size_t>(end - begin)}, name_size);
    if (records_.size() == limits.max_fields)
        return fail(error_code::head_too_large, 431,
                    "more than " + std::to_string(limits.max_fields) + " field lines in the " +
                        std::string(name_of_section()));

    const char* value = name_end + 1;
    const char* value_end = end;
    while (value != value_end && http::scan::is_blank(byte_at(value))) ++value;
    while (value_end != value && http::scan::is_blank(byte_at(value_end - 1))) --value_end;

    const auto name_offset = static_cast<std::uint32_t>(line_start_ - block_at_);
    records_.push_back({name_offset, name_offset + static_cast<std::uint32_t>(value - begin),
                        static_cast<std::uint32_t>(value_end - value), static_cast<std::uint16_t>(name_size),
                        id_of({begin, name_size})});
    return outcome::complete;
}

// --- Faults. Nothing below runs for a well-formed head. ---

head_parser::outcome head_parser::fail(error_code code, int status, std::string message) {
    failure_ = {code, status, std::move(message)};
    return outcome::failed;
}

std::string_view head_parser::name_of_section() const noexcept {
    switch (section_) {
    case section::request: return "request head";
    case section::response: return "response head";
    case section::trailers: break;
    }
    return "trailers";
}

std::string head_parser::at_byte(std::size_t offset) const {
    return " at byte " + std::to_string(offset) + " of the " + std::string(name_of_section());
}

head_parser::outcome head_parser::too_large(const limits& limits) {
    const bool in_start_line = in_first_line_ && end_of_window(limits) == limits.max_start_line + 1;
    const std::size_t bound = in_start_line                   ? limits.max_start_line
                              : section_ == section::trailers ? limits.max_trailers
                                                              : limits.max_head;
    const std::string_view what =
        in_start_line ? section_ == section::request ? "request line" : "status line" : name_of_section();
    const int status = in_start_line && section_ == section::request ? 414 : 431;
    return fail(error_code::head_too_large, status,
                "the " + std::string(what) + " is larger than " + std::to_string(bound) + " bytes");
}

head_parser::outcome head_parser::wrong_line_end(const char* input, const char* at) {
    const std::string where = at_byte(static_cast<std::size_t>(at - input));
    if (*at == '\r') return malformed("CR without LF" + where);
    if (*at == '\n') return malformed("LF without CR" + where);
    return malformed("control character " + name_of_byte(byte_at(at)) + where);
}

head_parser::outcome head_parser::not_a_response(std::string_view known) {
    const auto differing = std::mismatch(known.begin(), known.end(), protocol_name.begin()).first;
    const auto seen = static_cast<std::size_t>(differing - known.begin()) + 1;
    return malformed("the answer is not HTTP/1: it begins with " + excerpt(known.substr(0, seen)));
}

head_parser::outcome head_parser::wrong_request_line(std::string_view line, std::size_t method_size,
                                                     std::size_t target_end) {
    if (method_size == 0) return malformed("the request line does not begin with a method");
    const std::string method = excerpt(line.substr(0, method_size));
    if (method_size == line.size()) return malformed("the request line ends after " + method);
    const auto after_method = byte_at(line.data() + method_size);
    if (after_method != ' ')
        return malformed("invalid byte " + name_of_byte(after_method) + " after " + method + " in the request line");
    if (target_end == method_size + 1) return malformed("the request line has no target after " + method);
    if (target_end == line.size()) return malformed("the request line has no HTTP version");
    return malformed("invalid byte " + name_of_byte(byte_at(line.data() + target_end)) + " in the request target" +
                     at_byte(target_end));
}

head_parser::outcome head_parser::wrong_version(std::string_view text) {
    const auto is_digit = [&](std::size_t at) { return http::scan::is_digit(static_cast<unsigned char>(text[at])); };
    const bool is_version =
        text.size() == version_size && text.starts_with(protocol_name) && is_digit(5) && text[6] == '.' && is_digit(7);
    if (is_version) return fail(error_code::malformed_message, 505, "unsupported version " + std::string(text));
    return malformed("the " + std::string(section_ == section::request ? "request line" : "status line") +
                     " has no valid HTTP version: " + excerpt(text));
}

head_parser::outcome head_parser::wrong_field_line(std::string_view line, std::size_t name_size) {
    const std::string where = at_byte(line_start_);
    if (http::scan::is_blank(byte_at(line.data()))) return malformed("line begins with white space" + where);
    if (name_size == 0 && line.front() == ':') return malformed("field line without a name" + where);
    const std::string name = excerpt(line.substr(0, name_size));
    if (name_size >= line.size()) return malformed("field line without a colon after " + name + where);
    const auto offending = byte_at(line.data() + name_size);
    if (offending == ':') return malformed("field name is too long" + where);
    if (http::scan::is_blank(offending)) return malformed("white space after the field name " + name + where);
    return malformed("invalid byte " + name_of_byte(offending) + " in the field name after " + name + where);
}

}  // namespace pabal::http1

#pragma once
/// \file
/// Heads as HTTP/2 and HTTP/3 carry them: control data in pseudo-header fields, then fields whose names are in lower case
/// (RFC 9113 section 8.3, RFC 9114 section 4.3; RFC 8441 for :protocol). How lines are compressed and framed is the versions' own.

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <pabal/message.hpp>
#include <pabal/result.hpp>

namespace pabal::http {

/// Whether the request can be sent so; an error is the caller's. Returns the size of its content, if that is known: from
/// `body_size` (0 none, nullopt unknown) or what Content-Length announces. A contradiction of the two is an error.
result<std::optional<std::uint64_t>> check_pseudo_request(const request_head& head,
                                                          std::optional<std::uint64_t> body_size);

/// What a request for a protocol meets where the peer has not said SETTINGS_ENABLE_CONNECT_PROTOCOL (RFC 8441 section 3, RFC 9220
/// section 3).
error no_extended_connect(std::string_view protocol);

/// Three digits, as :status has them.
std::array<char, 3> digits_of(int status) noexcept;

/// Whether a server may send the head so: of a 1xx response other than 101 (which neither version knows), or a final one, whose
/// announced size is returned. Errors are the caller's.
result<void> check_informational(const response_head& head);
result<std::optional<std::uint64_t>> check_final(const response_head& head);

/// The value of Content-Length, if there is one. Invalid, or several that differ: an error, the caller's.
result<std::optional<std::uint64_t>> announced_size(const fields& headers);

/// False for what the two versions keep from the wire, and for what they say in another way (Host as :authority): RFC 9113
/// section 8.2.2, RFC 9114 section 4.2.
bool is_carried(const fields::field& line) noexcept;

/// Whether a request of that method says Content-Length: 0 when it has no content: where servers expect some (RFC 9110 section
/// 8.6).
bool anticipates_content(std::string_view method) noexcept;

/// Calls `line(name, value)` for everything that goes on the wire of a request that was checked, in order. Names are as they
/// were given, not in lower case. `size`: what the check returned. The views are valid as long as `head` and `digits` are.
template <class Line>
void for_each_line(const request_head& head, std::string_view scheme, std::optional<std::uint64_t> size,
                   std::string& digits, Line&& line) {
    line(std::string_view(":method"), std::string_view(head.method));
    line(std::string_view(":scheme"), scheme);
    line(std::string_view(":authority"), *head.headers.find(field_id::host));
    line(std::string_view(":path"), std::string_view(head.target));
    if (!head.protocol.empty()) line(std::string_view(":protocol"), std::string_view(head.protocol));
    for (const fields::field field : head.headers) {
        if (is_carried(field)) line(field.name, field.value);
    }
    if (!size || head.headers.contains(field_id::content_length)) return;
    if (*size == 0 && !anticipates_content(head.method)) return;
    digits = std::to_string(*size);
    line(std::string_view("content-length"), std::string_view(digits));
}

/// The same of a response. `digits`: of its status.
template <class Line>
void for_each_line(const response_head& head, const std::array<char, 3>& digits, Line&& line) {
    line(std::string_view(":status"), std::string_view(digits.data(), digits.size()));
    for (const fields::field field : head.headers) {
        if (is_carried(field)) line(field.name, field.value);
    }
}

/// The header or trailer section that is arriving.
class arriving_section {
public:
    arriving_section(std::size_t max_size, std::size_t max_fields) noexcept
        : max_size_(max_size), max_fields_(max_fields) {}

    void begin() noexcept;
    /// False: it would be more than the limits allow. The name is in lower case and, if it is that of a pseudo-header field,
    /// :status with three digits: the versions' libraries see to that.
    bool add(std::string_view name, std::string_view value);
    /// 0: there was none, so it is a trailer section.
    int status() const noexcept { return status_; }
    fields take() const;
    /// "… larger than 65536 bytes or has more than 256 fields", of the head of a response.
    std::string too_large() const;

private:
    std::size_t max_size_;
    std::size_t max_fields_;
    std::string block_;
    std::vector<fields::record> records_;
    int status_ = 0;
};

}  // namespace pabal::http

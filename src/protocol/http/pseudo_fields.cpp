#include "protocol/http/pseudo_fields.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace pabal::http {

namespace {

error callers(error_code code, std::string message) {
    return {code, phase::prepare, culprit::caller, 0, std::move(message)};
}

bool is_visible(std::string_view text) noexcept {
    return std::ranges::all_of(text, [](char byte) { return byte > ' ' && byte != '\x7f'; });
}

}  // namespace

std::array<char, 3> digits_of(int status) noexcept {
    return {static_cast<char>('0' + status / 100), static_cast<char>('0' + status / 10 % 10),
            static_cast<char>('0' + status % 10)};
}

result<void> check_informational(const response_head& head) {
    if (head.status >= 100 && head.status <= 199 && head.status != 101) return {};
    return error{error_code::invalid_argument, phase::prepare, culprit::caller, 0,
                 "not an informational status: " + std::to_string(head.status)};
}

result<std::optional<std::uint64_t>> check_final(const response_head& head) {
    if (head.status < 200 || head.status > 999)
        return error{error_code::invalid_argument, phase::prepare, culprit::caller, 0,
                     "not a final status: " + std::to_string(head.status)};
    return announced_size(head.headers);
}

result<std::optional<std::uint64_t>> announced_size(const fields& headers) {
    std::optional<std::uint64_t> size;
    for (const fields::field line : headers) {
        if (line.id != field_id::content_length) continue;
        std::uint64_t value = 0;
        const char* const end = line.value.data() + line.value.size();
        const auto [stopped, failed] = std::from_chars(line.value.data(), end, value);
        if (failed != std::errc{} || stopped != end || (size && *size != value))
            return callers(error_code::invalid_header, "invalid Content-Length");
        size = value;
    }
    return size;
}

result<std::optional<std::uint64_t>> check_pseudo_request(const request_head& head,
                                                          std::optional<std::uint64_t> body_size) {
    const auto host = head.headers.find(field_id::host);
    if (!host || host->empty() || head.headers.count(field_id::host) != 1)
        return callers(error_code::invalid_header, "a request has exactly one Host");
    if (!is_field_name(head.method)) return callers(error_code::invalid_argument, "invalid method");
    if (!head.protocol.empty() && (head.method != "CONNECT" || !is_field_name(head.protocol)))
        return callers(error_code::invalid_argument, "only CONNECT asks for a protocol, which is a token");
    if (head.method == "CONNECT" && head.protocol.empty())
        return callers(error_code::unsupported, "CONNECT is for proxies, which are spoken to in HTTP/1.1");
    if (head.target.empty() || !is_visible(head.target) || (head.target.front() != '/' && head.target != "*"))
        return callers(error_code::invalid_url, "invalid request target");
    auto announced = announced_size(head.headers);
    if (!announced || !body_size) return announced;
    if (*announced && **announced != *body_size)
        return callers(error_code::invalid_header, "Content-Length: " + std::to_string(**announced) +
                                                       " contradicts the body, which has " +
                                                       std::to_string(*body_size) + " bytes");
    return body_size;
}

error no_extended_connect(std::string_view protocol) {
    return {error_code::unsupported, phase::write, culprit::peer, 0,
            "the server takes no extended CONNECT (RFC 8441), as \"" + std::string(protocol) + "\" needs it"};
}

bool is_carried(const fields::field& line) noexcept {
    switch (line.id) {
    case field_id::host:
    case field_id::connection:
    case field_id::keep_alive:
    case field_id::proxy_connection:
    case field_id::transfer_encoding:
    case field_id::upgrade: return false;
    case field_id::te: return equals_ignoring_case(line.value, "trailers");
    default: return true;
    }
}

bool anticipates_content(std::string_view method) noexcept {
    return method == "POST" || method == "PUT" || method == "PATCH";
}

void arriving_section::begin() noexcept {
    block_.clear();
    records_.clear();
    status_ = 0;
}

bool arriving_section::add(std::string_view name, std::string_view value) {
    if (name.front() == ':') {
        status_ = (value[0] - '0') * 100 + (value[1] - '0') * 10 + (value[2] - '0');
        return true;
    }
    if (block_.size() + name.size() + value.size() > max_size_ || records_.size() >= max_fields_) return false;
    fields::record added;
    added.name_offset = static_cast<std::uint32_t>(block_.size());
    added.name_size = static_cast<std::uint16_t>(name.size());
    block_.append(name);
    added.value_offset = static_cast<std::uint32_t>(block_.size());
    added.value_size = static_cast<std::uint32_t>(value.size());
    block_.append(value);
    added.id = id_of(name);
    records_.push_back(added);
    return true;
}

fields arriving_section::take() const {
    fields arrived;
    arrived.assign_block(block_, records_.data(), records_.size());
    return arrived;
}

std::string arriving_section::too_large() const {
    return "the response head is larger than " + std::to_string(max_size_) + " bytes or has more than " +
           std::to_string(max_fields_) + " fields";
}

}  // namespace pabal::http

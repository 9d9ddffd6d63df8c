// Challenges of servers and other structured fields: whatever they say, it is read without fault, and an answer is a valid field value.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "client/netrc.hpp"
#include "client/retry.hpp"
#include "protocol/http/alternative_services.hpp"
#include "protocol/http/digest_auth.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    pabal::client::netrc::parse(text);
    pabal::client::parse_retry_after(text, {});
    pabal::http::parse_auth_parameters(text);
    pabal::http::parse_alternative_services(text);
    pabal::fields headers;
    if (!headers.append("WWW-Authenticate", text)) return 0;
    const auto challenges = pabal::http::parse_challenges(headers, "www-authenticate");
    const auto chosen = pabal::http::strongest_digest(challenges);
    if (!chosen) return 0;
    const auto answer = pabal::http::answer_digest(*chosen, {.user = "u\"\\",
                                                             .password = "p",
                                                             .method = "GET",
                                                             .target = "/",
                                                             .body = std::nullopt,
                                                             .client_nonce = "c",
                                                             .count = 1});
    if (answer && !pabal::is_field_value(*answer)) std::abort();
    return 0;
}

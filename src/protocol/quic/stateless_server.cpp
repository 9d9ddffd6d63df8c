#include "protocol/quic/stateless_server.hpp"

#include <utility>

#include <ngtcp2/ngtcp2.h>
#include <ngtcp2/ngtcp2_crypto.h>

#include "base/fork.hpp"
#include "protocol/quic/wire.hpp"

namespace pabal::quic {

namespace {

/// Smaller ones get no answer: it might be larger than they are, or go on for ever between two servers (RFC 9000 sections 6.1
/// and 10.3.3).
constexpr std::size_t smallest_initial = 1200;
constexpr std::size_t smallest_disowned = 43;
constexpr std::size_t largest_answer = 1200;

using answer_space = std::array<std::uint8_t, largest_answer>;

std::string answer_of(const answer_space& space, ngtcp2_ssize size) {
    return size > 0 ? std::string(text_of(space.data(), static_cast<std::size_t>(size))) : std::string();
}

bool has_magic(std::string_view token, std::uint8_t magic) noexcept {
    return !token.empty() && static_cast<std::uint8_t>(token.front()) == magic;
}

}  // namespace

stateless_server::stateless_server() { fill_randomly(secret_); }

std::optional<std::string_view> stateless_server::destination_of(std::string_view datagram) noexcept {
    ngtcp2_version_cid found{};
    const int known = ngtcp2_pkt_decode_version_cid(&found, bytes_of(datagram), datagram.size(), server_id_size);
    if (known != 0 && known != NGTCP2_ERR_VERSION_NEGOTIATION) return std::nullopt;
    return text_of(found.dcid, found.dcidlen);
}

stateless_server::judgement stateless_server::judge(std::string_view datagram, std::string_view remote, bool must_prove,
                                                    time_point now) const {
    const base::no_fork whole;  // BoringSSL has locks of its own
    ngtcp2_version_cid found{};
    switch (ngtcp2_pkt_decode_version_cid(&found, bytes_of(datagram), datagram.size(), server_id_size)) {
    case 0: break;
    case NGTCP2_ERR_VERSION_NEGOTIATION: return {std::nullopt, version_negotiation(datagram)};
    default: return {};
    }
    if (found.version == 0) return {std::nullopt, disown(datagram)};
    ngtcp2_pkt_hd header{};
    if (datagram.size() < smallest_initial || ngtcp2_accept(&header, bytes_of(datagram), datagram.size()) != 0)
        return {};
    initial first{header.version, std::string(text_of(header.scid)), std::string(text_of(header.dcid)), {}, {}};
    const std::string_view token = text_of(header.token, header.tokenlen);
    const ngtcp2_addr from = address_of(remote);
    if (has_magic(token, NGTCP2_CRYPTO_TOKEN_MAGIC_RETRY2)) {
        ngtcp2_cid original{};
        if (ngtcp2_crypto_verify_retry_token2(&original, header.token, header.tokenlen, secret_.data(), secret_.size(),
                                              header.version, from.addr, from.addrlen, &header.dcid,
                                              duration_of(retry_holds), stamp_of(now)) != 0) {
            answer_space space;
            return {std::nullopt, answer_of(space, ngtcp2_crypto_write_connection_close(
                                                       space.data(), space.size(), header.version, &header.scid,
                                                       &header.dcid, NGTCP2_INVALID_TOKEN, nullptr, 0))};
        }
        first.retried = text_of(original);
        first.token = token;
    } else if (has_magic(token, NGTCP2_CRYPTO_TOKEN_MAGIC_REGULAR) &&
               ngtcp2_crypto_verify_regular_token(header.token, header.tokenlen, secret_.data(), secret_.size(),
                                                  from.addr, from.addrlen, duration_of(token_holds),
                                                  stamp_of(now)) == 0) {
        first.token = token;
    }
    if (must_prove && first.token.empty()) return {std::nullopt, retry(first, remote, now)};
    return {std::move(first), {}};
}

std::string stateless_server::version_negotiation(std::string_view datagram) const {
    if (datagram.size() < smallest_initial) return {};
    ngtcp2_version_cid found{};
    (void)ngtcp2_pkt_decode_version_cid(&found, bytes_of(datagram), datagram.size(), server_id_size);
    std::array<std::uint8_t, 4> noise;
    fill_randomly(noise);
    // One that nobody knows, to be of use to clients that expect surprises (RFC 9000 section 6.3).
    const std::array<std::uint32_t, 2> versions{NGTCP2_PROTO_VER_V1,
                                                0x0a0a0a0aU | (static_cast<std::uint32_t>(noise[1] & 0xf0U) << 8U)};
    answer_space space;
    return answer_of(space, ngtcp2_pkt_write_version_negotiation(space.data(), space.size(), noise[0], found.scid,
                                                                 found.scidlen, found.dcid, found.dcidlen,
                                                                 versions.data(), versions.size()));
}

/// Shorter than what it answers, so that it cannot go on between two who do not know each other.
std::string stateless_server::disown(std::string_view datagram) const {
    const bool is_quic = (static_cast<std::uint8_t>(datagram.front()) & 0x40U) != 0;  // RFC 9000 section 17.3.1
    if (datagram.size() < smallest_disowned || !is_quic) return {};
    const auto destination = destination_of(datagram);
    if (!destination) return {};
    ngtcp2_stateless_reset_token token{};
    const auto own = reset_token(*destination);
    std::ranges::copy(own, token.data);
    std::array<std::uint8_t, smallest_disowned - 1 - 16> noise;
    fill_randomly(noise);
    answer_space space;
    return answer_of(space,
                     ngtcp2_pkt_write_stateless_reset2(space.data(), space.size(), &token, noise.data(), noise.size()));
}

std::string stateless_server::retry(const initial& first, std::string_view remote, time_point now) const {
    const ngtcp2_cid fresh = random_id(server_id_size);
    const ngtcp2_cid source = id_of(first.source);
    const ngtcp2_cid destination = id_of(first.destination);
    const ngtcp2_addr from = address_of(remote);
    std::array<std::uint8_t, NGTCP2_CRYPTO_MAX_RETRY_TOKENLEN2> token;
    const ngtcp2_ssize size =
        ngtcp2_crypto_generate_retry_token2(token.data(), secret_.data(), secret_.size(), first.version, from.addr,
                                            from.addrlen, &fresh, &destination, stamp_of(now));
    if (size <= 0) return {};
    answer_space space;
    return answer_of(space, ngtcp2_crypto_write_retry(space.data(), space.size(), first.version, &source, &fresh,
                                                      &destination, token.data(), static_cast<std::size_t>(size)));
}

std::array<std::uint8_t, 16> stateless_server::reset_token(std::string_view id) const {
    const base::no_fork whole;
    const ngtcp2_cid of = id_of(id);
    std::array<std::uint8_t, 16> token{};
    ngtcp2_crypto_generate_stateless_reset_token(token.data(), secret_.data(), secret_.size(), &of);
    return token;
}

std::string stateless_server::address_token(std::string_view remote, time_point now) const {
    const base::no_fork whole;
    const ngtcp2_addr from = address_of(remote);
    std::array<std::uint8_t, NGTCP2_CRYPTO_MAX_REGULAR_TOKENLEN> token;
    const ngtcp2_ssize size = ngtcp2_crypto_generate_regular_token(token.data(), secret_.data(), secret_.size(),
                                                                   from.addr, from.addrlen, stamp_of(now));
    return size > 0 ? std::string(text_of(token.data(), static_cast<std::size_t>(size))) : std::string();
}

}  // namespace pabal::quic

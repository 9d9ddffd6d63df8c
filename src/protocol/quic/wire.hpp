#pragma once
/// \file
/// Between pabal's shapes and ngtcp2's.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include <ngtcp2/ngtcp2.h>

#include "protocol/quic/machine.hpp"

namespace pabal::quic {

inline ngtcp2_tstamp stamp_of(time_point time) noexcept {
    return static_cast<ngtcp2_tstamp>(
        std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count());
}

inline ngtcp2_duration duration_of(std::chrono::nanoseconds span) noexcept {
    return static_cast<ngtcp2_duration>(span.count());
}

inline std::string_view text_of(const std::uint8_t* bytes, std::size_t size) noexcept {
    return {reinterpret_cast<const char*>(bytes), size};
}

inline std::uint8_t* bytes_of(std::span<char> space) noexcept { return reinterpret_cast<std::uint8_t*>(space.data()); }

inline const std::uint8_t* bytes_of(std::string_view text) noexcept {
    return reinterpret_cast<const std::uint8_t*>(text.data());
}

/// ngtcp2 does not write to what it points to.
inline ngtcp2_addr address_of(std::string_view address) noexcept {
    return {reinterpret_cast<ngtcp2_sockaddr*>(const_cast<char*>(address.data())),
            static_cast<ngtcp2_socklen>(address.size())};
}

inline ngtcp2_path path_of(const path& both) noexcept {
    return {address_of(both.local), address_of(both.remote), nullptr};
}

/// Not more than an ID may have.
inline ngtcp2_cid id_of(std::string_view bytes) noexcept {
    ngtcp2_cid made{};
    ngtcp2_cid_init(&made, bytes_of(bytes), std::min<std::size_t>(bytes.size(), NGTCP2_MAX_CIDLEN));
    return made;
}

inline std::string_view text_of(const ngtcp2_cid& id) noexcept { return text_of(id.data, id.datalen); }

void fill_randomly(std::span<std::uint8_t> space) noexcept;
ngtcp2_cid random_id(std::size_t size) noexcept;

}  // namespace pabal::quic

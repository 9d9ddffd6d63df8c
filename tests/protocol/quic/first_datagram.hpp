#pragma once
/// \file
/// A server's machine for a client's first datagram, for tests of one connection: whatever ID it bears, it is for that one.

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "protocol/quic/machine.hpp"
#include "protocol/quic/stateless_server.hpp"

namespace pabal::quic::testing {

struct single_server final : id_observer {
    stateless_server stateless;
    /// Null: the datagram begins no connection.
    std::unique_ptr<machine> greet(ssl_st* tls, path over, std::string_view datagram, stream_user& user,
                                   const limits& limits, time_point now, const conduct& conduct = {}) {
        const auto judged = stateless.judge(datagram, over.remote, false, now);
        if (!judged.begins) return nullptr;
        return std::move(
            *machine::server(tls, std::move(over), *judged.begins, stateless, *this, user, limits, now, conduct));
    }
    void on_new_id(std::string_view) override {}
    void on_retired_id(std::string_view) override {}
};

}  // namespace pabal::quic::testing

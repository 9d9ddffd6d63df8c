#pragma once
/// \file
/// Sends what an HTTP/3 machine has to say, as far as the system takes it, and says when to come again.

#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "protocol/http3/machine.hpp"
#include "protocol/quic/machine.hpp"
#include "transport/datagrams.hpp"

namespace pabal::connection {

/// As QUIC's machine takes addresses.
inline void assign_bytes(std::string& into, const transport::socket_address& address) {
    into.assign(reinterpret_cast<const char*>(address.get()), address.size);
}

class datagram_sender {
public:
    /// `send(bytes, segment, mark)` gives an io_outcome: what would block is kept for the next time.
    template <class Send>
    void flush(http3::machine& http, quic::time_point now, Send&& send) {
        if (!unsent_.empty()) {
            const std::string again = std::exchange(unsent_, {});
            if (!pass_on(again, form_, send)) return;
        }
        const std::span<char> space = sending_space();
        for (;;) {
            const auto made = http.send(space, now);
            if (!made || made->size == 0) return;
            if (!pass_on({space.data(), made->size}, *made, send)) return;
        }
    }
    /// When to flush again if nothing else happens. nullopt: then there is nothing to send.
    std::optional<quic::time_point> due(const quic::machine& quic, quic::time_point now) const noexcept {
        if (!unsent_.empty()) return now + until_system_takes_more;
        return quic.deadline();
    }

private:
    /// A socket does not say when it takes more; it is asked again.
    static constexpr std::chrono::milliseconds until_system_takes_more{1};

    /// Datagrams are made here, one connection at a time: one for each thread.
    static std::span<char> sending_space() {
        thread_local const std::unique_ptr<char[]> space = std::make_unique_for_overwrite<char[]>(transport::max_piece);
        return {space.get(), transport::max_piece};
    }
    /// False: the system takes no more now.
    template <class Send>
    bool pass_on(std::string_view bytes, const quic::machine::datagrams& form, Send& send) {
        while (!bytes.empty()) {
            const transport::io_outcome sent = send(bytes, form.segment, form.ecn);
            if (sent.what != transport::io_outcome::kind::moved) {
                unsent_ = bytes;
                form_ = form;
                return false;
            }
            bytes.remove_prefix(sent.size);
        }
        return true;
    }

    std::string unsent_;  ///< datagrams that the system did not take yet
    quic::machine::datagrams form_;
};

}  // namespace pabal::connection

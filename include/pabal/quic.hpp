#pragma once
/// \file
/// How connections over QUIC (HTTP/3) behave, a session's and a server's alike: which congestion control decides how fast they send,
/// and whether they write down what happens on them.
///
///     pabal::session_options options;
///     options.versions = {.http_1_1 = false, .http_2 = false};
///     options.quic.congestion_control = pabal::congestion_control::bbr;
///     options.quic.qlog_folder = "logs";

#include <cstdint>
#include <string>

namespace pabal {

/// What decides how much may be on its way. It concerns what we send: the peer has its own.
enum class congestion_control : std::uint8_t {
    cubic,  ///< RFC 9438: takes loss for congestion
    bbr,  ///< draft-cardwell-iccrg-bbr-congestion-control: measures what the path carries; bears loss that is no congestion
    reno,  ///< RFC 9002 section 7
};

struct quic_options {
    pabal::congestion_control congestion_control = pabal::congestion_control::cubic;
    /// An existing folder in which each connection leaves a file of its own in qlog 0.3, as JSON text sequences (RFC 7464):
    /// `<original destination connection ID in hexadecimal>_client.sqlog`, or `…_server.sqlog`, for its owner only. Empty: none.
    /// What cannot be written is given up without a word, and the connection goes on. A folder that cannot be written to
    /// from the beginning is `invalid_argument` of whoever makes the session or the server. At most 10,000 connections of one
    /// session or server are logged. No key and no content is in it; but when which packet came and went, how large it was,
    /// and the tokens of RFC 9000 by which clients prove their address (section 8.1) and connections are reset (section 10.3).
    std::string qlog_folder;
    /// Of one connection's log: it ends with the last whole record within.
    std::uint64_t max_qlog_bytes = std::uint64_t{64} << 20U;
};

}  // namespace pabal

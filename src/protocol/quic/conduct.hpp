#pragma once
/// \file
/// How a machine goes about its work, apart from its bounds (limits.hpp): congestion control, and who keeps its log.

#include <cstdint>
#include <memory>
#include <string_view>

#include <pabal/quic.hpp>

namespace pabal::quic {

/// The log of one connection. Destroyed with its machine.
class event_log {
public:
    event_log() = default;
    virtual ~event_log() = default;
    event_log(const event_log&) = delete;
    event_log& operator=(const event_log&) = delete;

    /// A record of qlog as ngtcp2 makes it, whole: RS, a JSON object, LF (RFC 7464).
    virtual void write(std::string_view record) = 0;
};

enum class vantage_point : std::uint8_t { client, server };

/// Makes the logs of many connections.
class event_logs {
public:
    event_logs() = default;
    virtual ~event_logs() = default;
    event_logs(const event_logs&) = delete;
    event_logs& operator=(const event_logs&) = delete;

    /// That of a connection whose client called its server `original_id` at first. Null: there is none.
    virtual std::unique_ptr<event_log> begin(std::string_view original_id, vantage_point whose) = 0;
};

struct conduct {
    pabal::congestion_control congestion_control = pabal::congestion_control::cubic;
    std::shared_ptr<event_logs> logs;  ///< null: none, which costs nothing

    bool operator==(const conduct&) const = default;
};

}  // namespace pabal::quic

#pragma once
/// \file
/// What rides on a QUIC machine in its tests.

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "protocol/quic/machine.hpp"

namespace pabal::quic::testing {

/// Sends what it is told to, and writes down what comes.
class recording_user final : public stream_user {
public:
    struct stream {
        std::string to_send;
        std::size_t sent = 0;
        std::size_t acknowledged = 0;
        bool ends = false;
        bool end_sent = false;
        bool blocked = false;
        std::string received;
        bool ended = false;
        std::optional<std::uint64_t> reset;
        bool closed = false;
    };

    void say(stream_id id, std::string text, bool ends) {
        streams[id].to_send += text;
        streams[id].ends = ends;
    }

    void on_established() override { established = true; }
    void on_early_data_rejected() override {
        streams.clear();
        ++rejections;
    }
    void on_stream_data(stream_id id, std::string_view data, bool ends) override {
        streams[id].received += data;
        streams[id].ended = ends;
        if (!reply.empty()) say(id, std::exchange(reply, {}), true);
        if (consumes) {
            connection->extend(id, data.size());
            connection->extend_connection(data.size());
        }
    }
    void on_stream_reset(stream_id id, std::uint64_t code) override { streams[id].reset = code; }
    void on_stream_closed(stream_id id, std::optional<std::uint64_t>, std::optional<std::uint64_t>) override {
        streams[id].closed = true;
    }
    void on_acknowledged(stream_id id, std::uint64_t size) override { streams[id].acknowledged += size; }
    void on_streams_allowed() override { ++streams_allowed; }
    void on_window_open(stream_id id) override { streams[id].blocked = false; }
    outgoing next(std::span<std::string_view> pieces) override {
        for (auto& [id, it] : streams) {
            if (it.blocked || (it.sent == it.to_send.size() && (!it.ends || it.end_sent))) continue;
            pieces[0] = std::string_view(it.to_send).substr(it.sent);
            return {id, it.ends, pieces[0].empty() ? 0U : 1U};
        }
        return {};
    }
    void on_taken(stream_id id, std::size_t size) override {
        stream& it = streams[id];
        it.sent += size;
        it.end_sent = it.ends && it.sent == it.to_send.size();
    }
    void on_blocked(stream_id id) override { streams[id].blocked = true; }
    void on_unwritable(stream_id id) override { streams[id].blocked = true; }

    machine* connection = nullptr;
    std::map<stream_id, stream> streams;
    std::string reply;  ///< to what comes first
    bool established = false;
    int rejections = 0;
    bool consumes = true;
    int streams_allowed = 0;
};

}  // namespace pabal::quic::testing

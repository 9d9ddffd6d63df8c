#pragma once
/// \file
/// What every server connection of many exchanges does (HTTP/2, HTTP/3): it keeps them, brings handlers their news, and watches
/// clients that keep it waiting. How bytes move is the versions' own.
///
/// Request content waits in its stream's window until the handler reads it. A handler that writes faster than the peer reads
/// is told to pause. The responses of one turn leave together.

#include <cstdint>

#include "base/intrusive_list.hpp"
#include "connection/multiplexed_server_stream.hpp"
#include "connection/server_protocol_connection.hpp"
#include "reactor/reactor.hpp"

namespace pabal::connection {

/// `Machine`: http2::machine or http3::machine. Whoever derives from this owns one.
template <class Machine>
class multiplexed_server_connection : public server_protocol_connection, protected reactor::deferred {
public:
    using stream = multiplexed_server_stream<Machine>;

    multiplexed_server_connection(const server_environment& environment, server_protocol_observer& observer)
        : environment_(environment), observer_(observer) {}
    ~multiplexed_server_connection() override;

    bool is_answering() const noexcept override { return open_streams_ > 0; }

    // For its streams.
    virtual Machine& machine() noexcept = 0;
    const server_environment& environment() const noexcept { return environment_; }
    /// What the machine has to say leaves at the end of the turn.
    void schedule_flush() {
        if (state_ == state::open) environment_.reactor.defer(*this);
    }
    /// `with_news.tell()` is called after the bytes at hand are processed.
    void note_news(stream& with_news);
    /// `done` is over. It stays until the end of the turn; saying so again changes nothing.
    void forget(stream& done);

protected:
    enum class state : std::uint8_t { open, lingering, closed };

    /// The peer opens a stream. Null: no more are taken.
    stream* begin_stream();
    void tell_news();
    void abandon_streams();
    /// Sets the timer for what the client owes now: the rest of a head that has begun, else the next request.
    void watch();
    /// It did not come.
    virtual void waited_too_long(server_close_reason reason) = 0;

    const server_environment& environment_;
    server_protocol_observer& observer_;
    state state_ = state::open;
    std::size_t open_streams_ = 0;

private:
    enum class waiting : std::uint8_t { nothing, request, head };

    void on_timer_expired() {
        waited_too_long(watched_ == waiting::head ? server_close_reason::request_timed_out
                                                  : server_close_reason::idle_timeout);
    }

    bool telling_ = false;
    std::uint64_t begun_ = 0;      ///< requests
    waiting watched_{};            ///< what the timer counts for …
    std::uint64_t watched_for_{};  ///< … and which of them: the oldest head that is awaited, or the next request
    base::intrusive_list<stream> streams_;
    base::intrusive_list<stream, stream_with_news> news_;

protected:
    reactor::member_timer<multiplexed_server_connection, &multiplexed_server_connection::on_timer_expired> timer_{
        *this};
};

}  // namespace pabal::connection

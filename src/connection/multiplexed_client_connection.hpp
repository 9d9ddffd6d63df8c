#pragma once
/// \file
/// What every client connection of many exchanges does (HTTP/2, HTTP/3): it keeps them, ends them, and tells the pool of room.
/// How bytes move is the versions' own.
///
///   open ──▶ going away (GOAWAY, or no identifiers left: takes no more exchanges, finishes what it has) ──▶ closed
///     │ transport or protocol failed
///     ▼
///   lost: what has arrived can still be pulled; everything else ends with that failure ──▶ closed

#include <cstdint>

#include "connection/client_connection.hpp"
#include "connection/multiplexed_client_stream.hpp"

namespace pabal::connection {

/// `Machine`: http2::machine or http3::machine. Whoever derives from this owns one.
template <class Machine>
class multiplexed_client_connection : public client_connection {
public:
    using stream = multiplexed_client_stream<Machine>;

    multiplexed_client_connection(environment& environment, client_connection_observer& observer)
        : environment_(environment), observer_(observer) {}
    ~multiplexed_client_connection() override;

    void start(exchange_ptr started) override;
    std::size_t exchanges() const noexcept override { return exchanges_; }
    void close(close_reason reason) override;

    // For its streams.
    virtual Machine& machine() noexcept = 0;
    reactor::reactor& reactor() const noexcept { return environment_.reactor; }
    /// What the machine has to say leaves at the end of the turn.
    virtual void schedule_flush() = 0;
    /// A reader has taken all there was: receives what may have come since, if it can only be his.
    virtual void receive_more() {}
    /// An exchange waited for the peer in vain.
    virtual void doubt_peer() = 0;
    /// An answer has come: what `facts` say of the handshake is made true, if exchanges began before it was done.
    virtual void confirm_facts() {}
    /// Tells the requester of `ready` after the bytes at hand are processed.
    void invite_later(stream& ready);
    /// A stream is no longer open between us and the peer.
    void stream_left() noexcept { --on_wire_; }
    /// The exchange of `done` is over.
    void forget(stream& done);

protected:
    enum class state : std::uint8_t { open, lost, closed };

    /// Sends what the machine has to say, now.
    virtual void flush() = 0;
    /// Tells the peer that this is the end, if it still takes anything.
    virtual void say_farewell() = 0;
    /// Frames of the transport may be below us on the stack: it is closed now and freed when the turn is over.
    virtual void close_transport() = 0;

    void note_written();
    /// True: there were some, who have taken what they wanted of it.
    bool tell_invited();
    void tell_room();
    /// Whatever happens to a connection that nobody uses, its peer has closed it.
    close_reason idle_or(close_reason reason) const noexcept;
    /// `unprocessed`: the peer has acted on nothing, or on nothing that must not be done twice.
    void lose(const error& failure, close_reason reason, bool unprocessed = false);
    void close_now(close_reason reason);

    environment& environment_;
    client_connection_observer& observer_;
    state state_ = state::open;
    bool going_away_ = false;
    bool in_machine_ = false;  ///< which must not be entered again; what became possible is told afterwards
    std::size_t exchanges_ = 0;
    std::size_t on_wire_ = 0;  ///< of them, those that count against the peer's limit

private:
    void open(stream& ready);
    void leave_with_company();

    bool served_before_ = false;
    bool expects_company_ = false;    ///< of the first request of several
    reactor::time_point left_alone_;  ///< the turn in which one left at once
    bool room_to_tell_ = false;
    close_reason lost_for_{};
    base::intrusive_list<stream> streams_;
    base::intrusive_list<stream, fresh_stream> fresh_;
    base::intrusive_list<stream, fresh_stream> unsettled_;  ///< not opened yet: they need to know the peer's SETTINGS
    base::intrusive_list<stream, invited_stream> invited_;
};

}  // namespace pabal::connection

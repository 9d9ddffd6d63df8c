#include "transport/socket_transport.hpp"

#include <array>
#include <cerrno>
#include <utility>

#include <sys/uio.h>

#include "transport/socket_address.hpp"

namespace pabal::transport {

namespace {

/// The most pieces one write may have; transport.hpp promises it.
constexpr std::size_t max_pieces = 16;

#ifdef MSG_NOSIGNAL
constexpr int send_flags = MSG_NOSIGNAL;
#else
constexpr int send_flags = 0;  // SO_NOSIGPIPE is set instead
#endif

bool is_would_block(int system_errno) noexcept { return system_errno == EAGAIN || system_errno == EWOULDBLOCK; }

class socket_transport final : public transport, private reactor::io_watcher {
public:
    socket_transport(reactor::reactor& reactor, int connected, std::string peer_address)
        : reactor_(reactor),
          socket_(connected),
          peer_address_(std::move(peer_address)),
          is_tcp_(disable_nagle(connected)) {
        if (!reactor::make_non_blocking(connected)) {
            unusable_ = error_from_errno(errno, phase::connect, "configure a socket");
        }
#ifdef SO_NOSIGPIPE
        const int on = 1;
        ::setsockopt(connected, SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof on);
#endif
        if (auto watched = reactor_.watch(connected, *this); !watched) unusable_ = std::move(watched).error();
        readable_ = unusable_.has_value();
    }

    ~socket_transport() override { reactor_.unwatch(socket_.get(), *this); }

    void observe(transport_observer* observer) override { observer_ = observer; }

    result<io_outcome> read(std::span<char> buffer) override {
        if (!readable_ || buffer.empty()) return io_outcome::would_block();
        if (unusable_) return *unusable_;
        for (;;) {
            const auto size = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
            if (size > 0) {
                const auto received = static_cast<std::size_t>(size);
                if (received < buffer.size() && is_tcp_ && !hung_up_) exhausted_reading();
                return io_outcome::moved(received);
            }
            if (size == 0) return io_outcome::end();
            if (errno == EINTR) continue;
            if (is_would_block(errno)) return exhausted_reading(), io_outcome::would_block();
            return error_from_errno(errno, phase::read, "receive from " + peer_address_);
        }
    }

    result<io_outcome> write(std::span<const std::string_view> pieces) override {
        if (unusable_) return *unusable_;
        if (!writable_) return io_outcome::would_block();
        std::size_t offered = 0;
        for (const auto piece : pieces) offered += piece.size();
        for (;;) {
            const auto size = pieces.size() == 1 ? ::send(socket_.get(), pieces[0].data(), pieces[0].size(), send_flags)
                                                 : send_pieces(pieces);
            if (size >= 0) {
                const auto sent = static_cast<std::size_t>(size);
                if (sent < offered) exhausted_writing();
                return sent > 0 ? io_outcome::moved(sent) : io_outcome::would_block();
            }
            if (errno == EINTR) continue;
            if (is_would_block(errno)) return exhausted_writing(), io_outcome::would_block();
            const int failure = errno;
            readable_ = true;  // what the peer said before it was gone may be there, unreported yet
            return error_from_errno(failure, phase::write, "send to " + peer_address_);
        }
    }

    void shutdown_write() override { ::shutdown(socket_.get(), SHUT_WR); }

    bool maybe_readable() const override { return readable_; }

    /// SO_RCVLOWAT. What is there already is reported (anew) when the mark falls below it. A mark that is high for the receive
    /// buffer would keep the peer's window small: it is lowered, until the system has made the buffer larger.
    void set_low_water_mark(std::size_t size) override {
        if (size == low_water_mark_ || !is_tcp_) return;
        if (size > 1) size = std::clamp<std::size_t>(receive_buffer_size() / 8 * 3, 1, size);
        if (size == std::exchange(low_water_mark_, size)) return;
        const int mark = static_cast<int>(size);
        ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVLOWAT, &mark, sizeof mark);
    }

    transport_description describe() const override {
        transport_description described;
        described.peer_address = peer_address_;
        socket_address local;
        local.size = sizeof local.storage;
        if (::getsockname(socket_.get(), local.get(), &local.size) == 0) {
            described.local_address = text_of(local.get(), local.size);
        }
        return described;
    }

private:
    void on_io(reactor::readiness now) override {
        readable_ |= now.readable;
        hung_up_ |= now.hung_up;
        // Writable is news only to an owner who was refused; epoll reports it along with everything else.
        const bool writable_again = now.writable && !writable_;
        writable_ |= now.writable;
        if (observer_ && (now.readable || writable_again)) {
            observer_->on_transport_ready({.readable = now.readable, .writable = writable_again});
        }
    }

    std::size_t receive_buffer_size() const noexcept {
        int size = 0;
        socklen_t length = sizeof size;
        ::getsockopt(socket_.get(), SOL_SOCKET, SO_RCVBUF, &size, &length);
        return static_cast<std::size_t>(std::max(size, 0));
    }

    ssize_t send_pieces(std::span<const std::string_view> pieces) const noexcept {
        std::array<iovec, max_pieces> vectors;
        std::size_t count = 0;
        for (const auto piece : pieces.first(std::min(pieces.size(), max_pieces))) {
            vectors[count++] = {const_cast<char*>(piece.data()), piece.size()};
        }
        msghdr message{};
        message.msg_iov = vectors.data();
        message.msg_iovlen = static_cast<decltype(message.msg_iovlen)>(count);
        return ::sendmsg(socket_.get(), &message, send_flags);
    }

    void exhausted_reading() {
        readable_ = false;
        reactor_.rearm(socket_.get(), true, false);
    }
    void exhausted_writing() {
        writable_ = false;
        reactor_.rearm(socket_.get(), false, true);
    }

    reactor::reactor& reactor_;
    reactor::descriptor socket_;
    transport_observer* observer_ = nullptr;
    std::string peer_address_;
    std::optional<error> unusable_;
    std::size_t low_water_mark_ = 1;
    bool is_tcp_;
    bool readable_ = false;  ///< the first report, right after registration, tells
    bool writable_ = true;
    bool hung_up_ = false;
};

class connecting_stream_socket final : public connecting_socket,
                                       private reactor::io_watcher,
                                       private reactor::deferred {
public:
    connecting_stream_socket(reactor::reactor& reactor, reactor::descriptor socket, std::string peer,
                             connect_observer& observer)
        : reactor_(reactor), socket_(std::move(socket)), peer_(std::move(peer)), observer_(observer) {}

    ~connecting_stream_socket() override {
        if (watched_) reactor_.unwatch(socket_.get(), *this);
    }

    result<void> begin(const sockaddr* address, socklen_t address_size) {
        if (::connect(socket_.get(), address, address_size) == 0) {
            reactor_.defer(*this);  // nobody is called back from inside start_connect
            return {};
        }
        if (errno != EINPROGRESS && errno != EINTR)
            return error_from_errno(errno, phase::connect, "connect to " + peer_);
        auto watched = reactor_.watch(socket_.get(), *this);
        watched_ = watched.has_value();
        return watched;
    }

private:
    void on_io(reactor::readiness) override {
        int failure = 0;
        socklen_t size = sizeof failure;
        if (::getsockopt(socket_.get(), SOL_SOCKET, SO_ERROR, &failure, &size) != 0) failure = errno;
        if (failure != 0) {
            stop_watching();
            return observer_.on_connect_failed(error_from_errno(failure, phase::connect, "connect to " + peer_));
        }
        // The report may be spurious (a socket that is not connected yet is "hung up" to some systems).
        socket_address peer;
        peer.size = sizeof peer.storage;
        if (::getpeername(socket_.get(), peer.get(), &peer.size) != 0 && errno == ENOTCONN) {
            return reactor_.rearm(socket_.get(), false, true);
        }
        stop_watching();
        observer_.on_connected(socket_.release());
    }

    void run_deferred() override { observer_.on_connected(socket_.release()); }

    void stop_watching() {
        watched_ = false;
        reactor_.unwatch(socket_.get(), *this);
    }

    reactor::reactor& reactor_;
    reactor::descriptor socket_;
    std::string peer_;
    connect_observer& observer_;
    bool watched_ = false;
};

}  // namespace

std::unique_ptr<transport> make_socket_transport(reactor::reactor& reactor, int connected_descriptor,
                                                 std::string peer_address) {
    return std::make_unique<socket_transport>(reactor, connected_descriptor, std::move(peer_address));
}

result<std::unique_ptr<connecting_socket>> start_connect(reactor::reactor& reactor, const sockaddr* address,
                                                         socklen_t address_size, connect_observer& observer,
                                                         const socket_address* from) {
    auto socket = make_stream_socket(address->sa_family);
    if (!socket) return std::move(socket).error();
    if (from) {
        if (auto bound = leave_from(socket->get(), *from); !bound) return std::move(bound).error();
    }
    auto connecting = std::make_unique<connecting_stream_socket>(reactor, std::move(socket).value(),
                                                                 text_of(address, address_size), observer);
    if (auto begun = connecting->begin(address, address_size); !begun) return std::move(begun).error();
    return std::unique_ptr<connecting_socket>(std::move(connecting));
}

}  // namespace pabal::transport

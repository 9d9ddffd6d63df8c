#include "transport/udp_socket.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/uio.h>

namespace pabal::transport {

namespace {

#ifdef MSG_NOSIGNAL
constexpr int send_flags = MSG_NOSIGNAL;
#else
constexpr int send_flags = 0;
#endif

/// For what arrives while nobody reads; the system caps it.
constexpr int receive_buffer = 2 * 1024 * 1024;
/// The largest piece the system may give: 64 KiB are a datagram's limit, and that of a joined run.
constexpr std::size_t slot_size = 64 * 1024;
constexpr std::size_t max_slots = 8;

constexpr std::size_t control_size = 2 * CMSG_SPACE(sizeof(int));

/// Room for what one call gives: one for each thread, of which only the pages that are written to cost memory. Whoever finds it
/// taken, inside a callback, gets one of his own.
class leased_slots {
public:
    leased_slots() : bytes_(std::move(stock())) {
        if (!bytes_) bytes_ = std::make_unique_for_overwrite<char[]>(max_slots * slot_size);
    }
    ~leased_slots() { stock() = std::move(bytes_); }
    leased_slots(const leased_slots&) = delete;
    leased_slots& operator=(const leased_slots&) = delete;
    char* slot(std::size_t index) const noexcept { return bytes_.get() + index * slot_size; }

private:
    static std::unique_ptr<char[]>& stock() noexcept {
        thread_local std::unique_ptr<char[]> kept;
        return kept;
    }
    std::unique_ptr<char[]> bytes_;
};

bool is_would_block(int system_errno) noexcept {
    return system_errno == EAGAIN || system_errno == EWOULDBLOCK || system_errno == ENOBUFS;
}

bool set_option(int descriptor, int level, int name, int value) noexcept {
    return ::setsockopt(descriptor, level, name, &value, sizeof value) == 0;
}

/// Control data of a message that is to be sent.
class sent_control {
public:
    explicit sent_control(msghdr& message) noexcept : message_(message) {
        message_.msg_control = bytes_.data();
        message_.msg_controllen = 0;
    }
    template <class T>
    void add(int level, int type, T value) noexcept {
        cmsghdr header{};
        header.cmsg_level = level;
        header.cmsg_type = type;
        header.cmsg_len = CMSG_LEN(sizeof value);
        char* const place = bytes_.data() + message_.msg_controllen;
        std::memcpy(place, &header, sizeof header);
        std::memcpy(place + CMSG_LEN(0), &value, sizeof value);
        message_.msg_controllen += CMSG_SPACE(sizeof value);
    }
    void add_mark(int family, ecn_mark mark) noexcept {
        if (mark == 0) return;
        if (family == AF_INET6) add(IPPROTO_IPV6, IPV6_TCLASS, int{mark});
        else add(IPPROTO_IP, IP_TOS, int{mark});
    }

private:
    msghdr& message_;
    alignas(cmsghdr) std::array<char, control_size> bytes_{};
};

/// What the system says beside a piece that it gives.
struct arrived {
    ecn_mark mark = 0;
    std::size_t segment = 0;  ///< of a joined run; 0: it is one datagram
};

arrived read_control(msghdr& message) noexcept {
    arrived found;
    for (cmsghdr* at = CMSG_FIRSTHDR(&message); at; at = CMSG_NXTHDR(&message, at)) {
        if (at->cmsg_level == IPPROTO_IP && at->cmsg_type == IP_TOS) {
            found.mark = *reinterpret_cast<const std::uint8_t*>(CMSG_DATA(at)) & 3U;
        } else if (at->cmsg_level == IPPROTO_IPV6 && at->cmsg_type == IPV6_TCLASS) {
            int value = 0;
            std::memcpy(&value, CMSG_DATA(at), sizeof value);
            found.mark = static_cast<ecn_mark>(value & 3);
        }
#ifdef UDP_GRO
        else if (at->cmsg_level == SOL_UDP && at->cmsg_type == UDP_GRO) {
            int value = 0;
            std::memcpy(&value, CMSG_DATA(at), sizeof value);
            found.segment = static_cast<std::size_t>(value);
        }
#endif
    }
    return found;
}

void give(std::string_view piece, const arrived& about, const udp_socket::taker& take) {
    const std::size_t segment = about.segment == 0 ? piece.size() : about.segment;
    do {
        take(piece.substr(0, segment), about.mark);
        piece.remove_prefix(std::min(segment, piece.size()));
    } while (!piece.empty());
}

}  // namespace

result<std::unique_ptr<udp_socket>> udp_socket::connect(reactor::reactor& reactor, const sockaddr* peer,
                                                        socklen_t peer_size, udp_observer* observer,
                                                        const socket_address* from) {
    const int family = peer->sa_family;
#if defined(SOCK_NONBLOCK) && defined(SOCK_CLOEXEC)
    reactor::descriptor made(::socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
#else
    reactor::descriptor made(::socket(family, SOCK_DGRAM, 0));
    if (made.is_open() && !reactor::make_non_blocking(made.get())) made.reset();
#endif
    if (!made.is_open()) return error_from_errno(errno, phase::connect, "create a socket");
    const int number = made.get();
    std::unique_ptr<udp_socket> socket(new udp_socket(reactor, std::move(made), observer));
    socket->configure(family);
    if (from) {
        if (auto bound = leave_from(number, *from); !bound) return std::move(bound).error();
    }
    if (::connect(number, peer, peer_size) != 0)
        return error_from_errno(errno, phase::connect, "connect to " + text_of(peer, peer_size));
    std::memcpy(&socket->peer_.storage, peer, peer_size);
    socket->peer_.size = peer_size;
    socket->local_.size = sizeof socket->local_.storage;
    if (::getsockname(number, socket->local_.get(), &socket->local_.size) != 0)
        return error_from_errno(errno, phase::connect, "name a socket");
    if (auto watched = reactor.watch(number, *socket, reactor::interest::reading); !watched)
        return std::move(watched).error();
    return socket;
}

udp_socket::~udp_socket() { reactor_.unwatch(socket_.get(), *this); }

/// None of this is needed to work; a system that lacks something does without.
void udp_socket::configure(int family) {
    const int number = socket_.get();
    set_option(number, SOL_SOCKET, SO_RCVBUF, receive_buffer);
    if (family == AF_INET6) {
        set_option(number, IPPROTO_IPV6, IPV6_RECVTCLASS, 1);
#ifdef IPV6_MTU_DISCOVER
        set_option(number, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_PROBE);
#endif
    } else {
        set_option(number, IPPROTO_IP, IP_RECVTOS, 1);
#ifdef IP_MTU_DISCOVER
        set_option(number, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE);
#endif
    }
#ifdef UDP_GRO
    joins_ = set_option(number, SOL_UDP, UDP_GRO, 1);
#endif
#ifdef UDP_SEGMENT
    segments_ = set_option(number, SOL_UDP, UDP_SEGMENT, 0);
#endif
}

void udp_socket::on_io(reactor::readiness now) {
    if (!now.readable) return;
    readable_ = true;
    if (observer_) observer_->on_datagrams();
}

#ifdef __linux__

result<io_outcome> udp_socket::receive(const taker& take) {
    const leased_slots space;
    std::array<mmsghdr, max_slots> messages{};
    std::array<iovec, max_slots> vectors;
    alignas(cmsghdr) std::array<char, max_slots * control_size> control;
    for (std::size_t at = 0; at < max_slots; ++at) {
        vectors[at] = {space.slot(at), slot_size};
        messages[at].msg_hdr.msg_iov = &vectors[at];
        messages[at].msg_hdr.msg_iovlen = 1;
        messages[at].msg_hdr.msg_control = control.data() + at * control_size;
        messages[at].msg_hdr.msg_controllen = control_size;
    }
    int count = 0;
    do count = ::recvmmsg(socket_.get(), messages.data(), max_slots, MSG_DONTWAIT, nullptr);
    while (count < 0 && errno == EINTR);
    if (count < 0 && is_would_block(errno)) {
        readable_ = false;
        reactor_.rearm(socket_.get(), true, false);
        return io_outcome::would_block();
    }
    if (count < 0) return error_from_errno(errno, phase::read, "receive from " + text_of(peer_.get(), peer_.size));
    std::size_t moved = 0;
    for (std::size_t at = 0; at < static_cast<std::size_t>(count); ++at) {
        const std::string_view piece(space.slot(at), messages[at].msg_len);
        moved += piece.size();
        give(piece, read_control(messages[at].msg_hdr), take);
    }
    return io_outcome::moved(std::max<std::size_t>(moved, 1));
}

#else

result<io_outcome> udp_socket::receive(const taker& take) {
    const leased_slots space;
    msghdr message{};
    iovec vector{space.slot(0), slot_size};
    alignas(cmsghdr) std::array<char, control_size> control;
    message.msg_iov = &vector;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control_size;
    ssize_t size = 0;
    do size = ::recvmsg(socket_.get(), &message, 0);
    while (size < 0 && errno == EINTR);
    if (size < 0 && is_would_block(errno)) {
        readable_ = false;
        reactor_.rearm(socket_.get(), true, false);
        return io_outcome::would_block();
    }
    if (size < 0) return error_from_errno(errno, phase::read, "receive from " + text_of(peer_.get(), peer_.size));
    give({space.slot(0), static_cast<std::size_t>(size)}, read_control(message), take);
    return io_outcome::moved(std::max<std::size_t>(static_cast<std::size_t>(size), 1));
}

#endif

result<io_outcome> udp_socket::send(std::string_view bytes, std::size_t segment, ecn_mark mark) {
    if (segments_ && bytes.size() > segment) {
        auto sent = send_as_one(bytes, segment, mark);
        if (segments_) return sent;
    }
    return send_several(bytes, segment, mark);
}

result<io_outcome> udp_socket::send_as_one(std::string_view bytes, std::size_t segment, ecn_mark mark) {
    msghdr message{};
    iovec vector{const_cast<char*>(bytes.data()), bytes.size()};
    message.msg_iov = &vector;
    message.msg_iovlen = 1;
    sent_control control(message);
    control.add_mark(peer_.storage.ss_family, mark);
#ifdef UDP_SEGMENT
    control.add(SOL_UDP, UDP_SEGMENT, static_cast<std::uint16_t>(segment));
#else
    (void)segment;
#endif
    ssize_t size = 0;
    do size = ::sendmsg(socket_.get(), &message, send_flags);
    while (size < 0 && errno == EINTR);
    if (size >= 0) return io_outcome::moved(bytes.size());
    if (is_would_block(errno)) return io_outcome::would_block();
    if (errno == EMSGSIZE) return io_outcome::moved(bytes.size());
    // A device that cannot compute checksums of pieces says so now.
    if (errno == EIO || errno == EINVAL) segments_ = false;
    return failed_to_send();
}

result<io_outcome> udp_socket::send_several(std::string_view bytes, std::size_t segment, ecn_mark mark) {
    std::size_t sent = 0;
    while (sent < bytes.size()) {
        const std::string_view datagram = bytes.substr(sent, segment);
        msghdr message{};
        iovec vector{const_cast<char*>(datagram.data()), datagram.size()};
        message.msg_iov = &vector;
        message.msg_iovlen = 1;
        sent_control control(message);
        control.add_mark(peer_.storage.ss_family, mark);
        const ssize_t size = ::sendmsg(socket_.get(), &message, send_flags);
        if (size < 0 && errno == EINTR) continue;
        if (size < 0 && errno != EMSGSIZE) {
            if (sent > 0) break;  // what is wrong is told when nothing goes any more
            if (is_would_block(errno)) return io_outcome::would_block();
            return failed_to_send();
        }
        sent += datagram.size();
    }
    return io_outcome::moved(sent);
}

error udp_socket::failed_to_send() const {
    return error_from_errno(errno, phase::write, "send to " + text_of(peer_.get(), peer_.size));
}

}  // namespace pabal::transport

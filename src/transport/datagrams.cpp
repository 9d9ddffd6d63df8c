#include "transport/datagrams.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>
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

constexpr std::size_t control_size = 2 * CMSG_SPACE(sizeof(int)) + CMSG_SPACE(sizeof(in6_pktinfo));

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
    void leave_from(const socket_address& address) noexcept {
        if (address.storage.ss_family == AF_INET6) {
            in6_pktinfo info{};
            info.ipi6_addr = reinterpret_cast<const sockaddr_in6*>(address.get())->sin6_addr;
            add(IPPROTO_IPV6, IPV6_PKTINFO, info);
        }
#ifdef IP_PKTINFO
        else {
            in_pktinfo info{};
            info.ipi_spec_dst = reinterpret_cast<const sockaddr_in*>(address.get())->sin_addr;
            add(IPPROTO_IP, IP_PKTINFO, info);
        }
#endif
    }

private:
    msghdr& message_;
    alignas(cmsghdr) std::array<char, control_size> bytes_{};
};

/// What the system says beside a piece that it gives.
struct arrived {
    ecn_mark mark = 0;
    std::size_t segment = 0;  ///< of a joined run; 0: it is one datagram
    std::optional<socket_address> to;
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
#ifdef IP_PKTINFO
        else if (at->cmsg_level == IPPROTO_IP && at->cmsg_type == IP_PKTINFO) {
            in_pktinfo info{};
            std::memcpy(&info, CMSG_DATA(at), sizeof info);
            auto& address = reinterpret_cast<sockaddr_in&>(found.to.emplace().storage);
            address.sin_family = AF_INET;
            address.sin_addr = info.ipi_addr;
            found.to->size = sizeof address;
        }
#endif
        else if (at->cmsg_level == IPPROTO_IPV6 && at->cmsg_type == IPV6_PKTINFO) {
            in6_pktinfo info{};
            std::memcpy(&info, CMSG_DATA(at), sizeof info);
            auto& address = reinterpret_cast<sockaddr_in6&>(found.to.emplace().storage);
            address.sin6_family = AF_INET6;
            address.sin6_addr = info.ipi6_addr;
            found.to->size = sizeof address;
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

void give(std::string_view piece, const arrived& about, const socket_address& from,
          const datagram_socket::taker& take) {
    const std::size_t segment = about.segment == 0 ? piece.size() : about.segment;
    do {
        take({piece.substr(0, segment), about.mark, &from, about.to ? &*about.to : nullptr});
        piece.remove_prefix(std::min(segment, piece.size()));
    } while (!piece.empty());
}

void set_route(msghdr& message, sent_control& control, const datagram_route& route) noexcept {
    if (route.to) {
        message.msg_name = const_cast<sockaddr*>(route.to->get());
        message.msg_namelen = route.to->size;
    }
    if (route.from) control.leave_from(*route.from);
}

datagram_socket::received would_block() { return {io_outcome::would_block(), 0}; }

}  // namespace

datagram_socket::datagram_socket(int descriptor, int family, bool tells_address) noexcept
    : descriptor_(descriptor), family_(family) {
    set_option(descriptor, SOL_SOCKET, SO_RCVBUF, receive_buffer);
    if (family == AF_INET6) {
        set_option(descriptor, IPPROTO_IPV6, IPV6_RECVTCLASS, 1);
        if (tells_address) set_option(descriptor, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
#ifdef IPV6_MTU_DISCOVER
        set_option(descriptor, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_PROBE);
#endif
    } else {
        set_option(descriptor, IPPROTO_IP, IP_RECVTOS, 1);
#ifdef IP_PKTINFO
        if (tells_address) set_option(descriptor, IPPROTO_IP, IP_PKTINFO, 1);
#endif
#ifdef IP_MTU_DISCOVER
        set_option(descriptor, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE);
#endif
    }
#ifdef UDP_GRO
    set_option(descriptor, SOL_UDP, UDP_GRO, 1);
#endif
#ifdef UDP_SEGMENT
    segments_ = set_option(descriptor, SOL_UDP, UDP_SEGMENT, 0);
#endif
}

#ifdef __linux__

datagram_socket::received datagram_socket::receive(const taker& take) const {
    const leased_slots space;
    std::array<mmsghdr, max_slots> messages{};
    std::array<iovec, max_slots> vectors;
    std::array<socket_address, max_slots> peers;
    alignas(cmsghdr) std::array<char, max_slots * control_size> control;
    for (std::size_t at = 0; at < max_slots; ++at) {
        vectors[at] = {space.slot(at), slot_size};
        msghdr& message = messages[at].msg_hdr;
        message.msg_iov = &vectors[at];
        message.msg_iovlen = 1;
        message.msg_name = peers[at].get();
        message.msg_namelen = sizeof peers[at].storage;
        message.msg_control = control.data() + at * control_size;
        message.msg_controllen = control_size;
    }
    int count = 0;
    do count = ::recvmmsg(descriptor_, messages.data(), max_slots, MSG_DONTWAIT, nullptr);
    while (count < 0 && errno == EINTR);
    if (count < 0 && is_would_block(errno)) return would_block();
    if (count < 0) return {io_outcome::would_block(), errno};
    std::size_t moved = 0;
    for (std::size_t at = 0; at < static_cast<std::size_t>(count); ++at) {
        const std::string_view piece(space.slot(at), messages[at].msg_len);
        moved += piece.size();
        peers[at].size = messages[at].msg_hdr.msg_namelen;
        give(piece, read_control(messages[at].msg_hdr), peers[at], take);
    }
    return {io_outcome::moved(std::max<std::size_t>(moved, 1)), 0};
}

#else

datagram_socket::received datagram_socket::receive(const taker& take) const {
    const leased_slots space;
    msghdr message{};
    iovec vector{space.slot(0), slot_size};
    socket_address peer;
    alignas(cmsghdr) std::array<char, control_size> control;
    message.msg_iov = &vector;
    message.msg_iovlen = 1;
    message.msg_name = peer.get();
    message.msg_namelen = sizeof peer.storage;
    message.msg_control = control.data();
    message.msg_controllen = control_size;
    ssize_t size = 0;
    do size = ::recvmsg(descriptor_, &message, 0);
    while (size < 0 && errno == EINTR);
    if (size < 0 && is_would_block(errno)) return would_block();
    if (size < 0) return {io_outcome::would_block(), errno};
    peer.size = message.msg_namelen;
    give({space.slot(0), static_cast<std::size_t>(size)}, read_control(message), peer, take);
    return {io_outcome::moved(std::max<std::size_t>(static_cast<std::size_t>(size), 1)), 0};
}

#endif

datagram_socket::received datagram_socket::send(std::string_view bytes, std::size_t segment, ecn_mark mark,
                                                const datagram_route& route) {
    if (segments_ && bytes.size() > segment) {
        const received sent = send_as_one(bytes, segment, mark, route);
        if (segments_) return sent;
    }
    return send_several(bytes, segment, mark, route);
}

datagram_socket::received datagram_socket::send_as_one(std::string_view bytes, std::size_t segment, ecn_mark mark,
                                                       const datagram_route& route) {
    msghdr message{};
    iovec vector{const_cast<char*>(bytes.data()), bytes.size()};
    message.msg_iov = &vector;
    message.msg_iovlen = 1;
    sent_control control(message);
    control.add_mark(family_, mark);
    set_route(message, control, route);
#ifdef UDP_SEGMENT
    control.add(SOL_UDP, UDP_SEGMENT, static_cast<std::uint16_t>(segment));
#else
    (void)segment;
#endif
    ssize_t size = 0;
    do size = ::sendmsg(descriptor_, &message, send_flags);
    while (size < 0 && errno == EINTR);
    if (size >= 0) return {io_outcome::moved(bytes.size()), 0};
    if (is_would_block(errno)) return would_block();
    if (errno == EMSGSIZE) return {io_outcome::moved(bytes.size()), 0};
    // A device that cannot compute checksums of pieces says so now. What else is wrong, a peer's port 0 for instance, is no reason to
    // do without for all others.
    if (errno == EIO) segments_ = false;
    return {io_outcome::would_block(), errno};
}

datagram_socket::received datagram_socket::send_several(std::string_view bytes, std::size_t segment, ecn_mark mark,
                                                        const datagram_route& route) const {
    std::size_t sent = 0;
    while (sent < bytes.size()) {
        const std::string_view datagram = bytes.substr(sent, segment);
        msghdr message{};
        iovec vector{const_cast<char*>(datagram.data()), datagram.size()};
        message.msg_iov = &vector;
        message.msg_iovlen = 1;
        sent_control control(message);
        control.add_mark(family_, mark);
        set_route(message, control, route);
        const ssize_t size = ::sendmsg(descriptor_, &message, send_flags);
        if (size < 0 && errno == EINTR) continue;
        if (size < 0 && errno != EMSGSIZE) {
            if (sent > 0) break;  // what is wrong is told when nothing goes any more
            if (is_would_block(errno)) return would_block();
            return {io_outcome::would_block(), errno};
        }
        sent += datagram.size();
    }
    return {io_outcome::moved(sent), 0};
}

}  // namespace pabal::transport

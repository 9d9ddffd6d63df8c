#include "transport/listener.hpp"

#include <cerrno>
#include <utility>

#include <netinet/in.h>
#include <sys/stat.h>

#include "transport/socket_transport.hpp"

namespace pabal::transport {

namespace {

/// Connections taken in one go; the sockets that are already open get their turn in between.
constexpr int max_accepted_at_once = 64;
/// How long to wait for descriptors or memory to become free again.
constexpr std::chrono::milliseconds rest_when_exhausted{100};

int accept_one(int listening, socket_address& peer) noexcept {
    peer.size = sizeof peer.storage;
#ifdef __linux__
    return ::accept4(listening, peer.get(), &peer.size, SOCK_NONBLOCK | SOCK_CLOEXEC);
#else
    return ::accept(listening, peer.get(), &peer.size);
#endif
}

bool is_exhaustion(int system_errno) noexcept {
    return system_errno == EMFILE || system_errno == ENFILE || system_errno == ENOBUFS || system_errno == ENOMEM;
}

/// True if `path` is a socket file on which nobody listens: what a server that was killed leaves behind.
bool is_stale_socket(const std::string& path, const socket_address& address) {
    struct stat status{};
    if (::lstat(path.c_str(), &status) != 0 || !S_ISSOCK(status.st_mode)) return false;
    const auto probe = make_stream_socket(AF_UNIX);
    return probe && ::connect(probe->get(), address.get(), address.size) != 0 && errno == ECONNREFUSED;
}

}  // namespace

result<std::unique_ptr<listener>> listener::tcp(reactor::reactor& reactor, std::string_view host, std::uint16_t port,
                                                accept_observer& observer, const listen_options& options) {
    const auto address = ip_address(host, port);
    if (!address) return address.error();
    return listen_on(reactor, *address, observer, options);
}

result<std::unique_ptr<listener>> listener::unix_socket(reactor::reactor& reactor, std::string_view path,
                                                        accept_observer& observer, const listen_options& options) {
    const auto address = unix_address(path);
    if (!address) return address.error();
    const std::string file = path.front() == '@' ? "" : std::string(path);
    if (!file.empty() && is_stale_socket(file, *address)) ::unlink(file.c_str());
    auto made = listen_on(reactor, *address, observer, options);
    if (made) (*made)->file_ = file;
    return made;
}

result<std::unique_ptr<listener>> listener::listen_on(reactor::reactor& reactor, const socket_address& address,
                                                      accept_observer& observer, const listen_options& options) {
    auto socket = make_stream_socket(address.get()->sa_family);
    if (!socket) return std::move(socket).error();
    std::unique_ptr<listener> made(new listener(reactor, std::move(socket).value(), observer));
    if (auto begun = made->begin(address, options); !begun) return std::move(begun).error();
    return made;
}

result<void> listener::begin(const socket_address& address, const listen_options& options) {
    const int on = 1;
    const int family = address.get()->sa_family;
    if (family != AF_UNIX) {
        ::setsockopt(socket_.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
#ifdef SO_REUSEPORT
        if (options.reuse_port) ::setsockopt(socket_.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
#endif
    }
    if (family == AF_INET6) ::setsockopt(socket_.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    const std::string wanted = text_of(address.get(), address.size);
    if (::bind(socket_.get(), address.get(), address.size) != 0 || ::listen(socket_.get(), options.backlog) != 0) {
        return error_from_errno(errno, phase::prepare, "listen on " + wanted);
    }
    socket_address bound;
    bound.size = sizeof bound.storage;
    if (::getsockname(socket_.get(), bound.get(), &bound.size) != 0) bound = address;
    address_ = text_of(bound.get(), bound.size);
    if (family == AF_INET) port_ = ntohs(reinterpret_cast<const sockaddr_in*>(bound.get())->sin_port);
    if (family == AF_INET6) port_ = ntohs(reinterpret_cast<const sockaddr_in6*>(bound.get())->sin6_port);
    auto watched = reactor_.watch(socket_.get(), *this);
    watched_ = watched.has_value();
    return watched;
}

listener::~listener() {
    if (destroyed_) *destroyed_ = true;
    if (watched_) reactor_.unwatch(socket_.get(), *this);
    if (!file_.empty()) ::unlink(file_.c_str());
}

void listener::resume() {
    if (!std::exchange(paused_, false)) return;
    reactor_.defer(*this);  // the edges that came meanwhile were not answered
}

void listener::on_io(reactor::readiness now) {
    if (now.readable) accept_waiting();
}

void listener::accept_waiting() {
    bool destroyed = false;
    destroyed_ = &destroyed;
    for (int accepted = 0; !paused_; ++accepted) {
        if (accepted == max_accepted_at_once) {
            reactor_.defer(*this);
            break;
        }
        socket_address peer;
        const int connected = accept_one(socket_.get(), peer);
        if (connected >= 0) {
            observer_.on_accepted(make_socket_transport(reactor_, connected, text_of(peer.get(), peer.size)));
            if (destroyed) return;
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            reactor_.rearm(socket_.get(), true, false);
            break;
        } else if (is_exhaustion(errno)) {
            rest();
            break;
        } else if (errno == EBADF || errno == EINVAL || errno == ENOTSOCK || errno == EOPNOTSUPP || errno == EFAULT) {
            break;  // this socket will never accept again
        }
        // Anything else (ECONNABORTED, EPERM, a network error) befell one connection, which is gone: take the next.
    }
    destroyed_ = nullptr;
}

void listener::rest() { reactor_.set_timer_in(retry_, rest_when_exhausted); }

}  // namespace pabal::transport

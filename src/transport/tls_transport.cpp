#include "transport/tls_transport.hpp"

#include <algorithm>
#include <array>
#include <climits>
#include <cstring>
#include <utility>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "base/fork.hpp"
#include "transport/tls_callbacks.hpp"
#include "transport/tls_failure.hpp"
#include "transport/tls_pem.hpp"
#include "transport/tls_session.hpp"

namespace pabal::transport {

namespace {

constexpr std::size_t max_plaintext = 16384;  // RFC 8446 section 5.1
/// What a record needs at the most, and a little for a key update's acknowledgement that may precede it.
constexpr std::size_t room_for_record = max_plaintext + 256 + 5 + 256;

static_assert(tls_buffer::capacity >= 2 * room_for_record);

}  // namespace

/// The BIO through which BoringSSL reaches a tls_transport.
struct tls_bio {
    static tls_transport& owner(BIO* bio) { return *static_cast<tls_transport*>(BIO_get_data(bio)); }
    static int read(BIO* bio, char* into, int size) {
        BIO_clear_retry_flags(bio);
        const int got = owner(bio).receive_ciphertext({into, static_cast<std::size_t>(size)});
        if (got < 0 && !owner(bio).failure_) BIO_set_retry_read(bio);
        return got;
    }
    static int write(BIO* bio, const char* from, int size) {
        BIO_clear_retry_flags(bio);
        const int sent = owner(bio).send_ciphertext({from, static_cast<std::size_t>(size)});
        if (sent < 0) BIO_set_retry_write(bio);
        return sent;
    }
    static long control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH; }
    static const BIO_METHOD* method() {
        static const BIO_METHOD* const made = [] {
            BIO_METHOD* fresh = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "pabal transport");
            BIO_meth_set_read(fresh, read);
            BIO_meth_set_write(fresh, write);
            BIO_meth_set_ctrl(fresh, control);
            return fresh;
        }();
        return made;
    }
};

tls_transport::tls_transport(transport_ptr inner, tls_context_ptr context)
    : inner_(std::move(inner)), context_(std::move(context)), facts_(std::make_unique<tls_connection_facts>()) {}

tls_transport::~tls_transport() { inner_->observe(nullptr); }

result<std::unique_ptr<tls_transport>> tls_transport::make(transport_ptr inner, tls_context_ptr context,
                                                           tls_peer peer) {
    ERR_clear_error();
    std::unique_ptr<tls_transport> made{new tls_transport{std::move(inner), std::move(context)}};
    take_facts(*made->facts_, *made->context_, std::move(peer));
    made->connection_ = make_ssl(*made->facts_);
    SSL* connection = made->connection_.get();
    BIO* bio = connection ? BIO_new(tls_bio::method()) : nullptr;
    if (!bio) return error{error_code::tls_failed, phase::tls, culprit::local, 0, "out of memory"};
    BIO_set_data(bio, made.get());
    BIO_set_init(bio, 1);
    SSL_set_bio(connection, bio, bio);
    made->inner_->observe(made.get());
    return made;
}

result<std::unique_ptr<tls_transport>> tls_transport::connect(transport_ptr inner, tls_context_ptr context,
                                                              tls_peer peer) {
    const base::no_fork whole;
    result<std::unique_ptr<tls_transport>> made = make(std::move(inner), std::move(context), std::move(peer));
    if (!made) return made;
    if (auto ready = set_up_client((*made)->connection_.get(), *(*made)->facts_); !ready)
        return std::move(ready).error();
    return made;
}

result<std::unique_ptr<tls_transport>> tls_transport::accept(transport_ptr inner, tls_context_ptr context) {
    const base::no_fork whole;
    result<std::unique_ptr<tls_transport>> made = make(std::move(inner), std::move(context), {});
    if (made) SSL_set_accept_state((*made)->connection_.get());
    return made;
}

result<io_outcome> tls_transport::handshake() {
    if (failure_) return *failure_;
    if (established_) return io_outcome::moved(1);
    const base::no_fork whole;
    ERR_clear_error();
    may_fill_ = true;
    const int outcome = SSL_do_handshake(connection_.get());
    const int why = SSL_get_error(connection_.get(), outcome);
    if (outcome == 1) {
        established_ = true;
    } else if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE) {
        fail(outcome);
    }
    end_call();  // also sends the alert of a failure
    if (failure_) return *failure_;
    if (write_failure_) return *write_failure_;
    return established_ ? io_outcome::moved(1) : io_outcome::would_block();
}

std::optional<std::string> tls_transport::keys_to_retry_with() const {
    return retry_keys_of(connection_.get(), *facts_);
}

result<io_outcome> tls_transport::read(std::span<char> buffer) {
    if (!established_) {
        result<io_outcome> step = handshake();
        if (!step || !established_) return step;
    }
    if (failure_) return *failure_;
    if (peer_closed_) return io_outcome::end();
    const base::no_fork whole;
    const std::size_t size = read_records(buffer);
    end_call();
    if (size > 0) return io_outcome::moved(size);
    if (failure_) return *failure_;
    return peer_closed_ ? io_outcome::end() : io_outcome::would_block();
}

/// Decrypts record after record while ciphertext is at hand. The inner transport is asked again only if nothing could be
/// returned so far or its last answer filled the whole buffer: a system call that would only say "nothing more" is saved.
std::size_t tls_transport::read_records(std::span<char> buffer) {
    ERR_clear_error();
    filled_fully_ = false;
    std::size_t size = 0;
    while (size < buffer.size()) {
        may_fill_ = size == 0 || filled_fully_;
        if (!may_fill_ && received_.empty() && SSL_pending(connection_.get()) == 0) break;
        const int wanted = static_cast<int>(std::min<std::size_t>(buffer.size() - size, INT_MAX));
        const int outcome = SSL_read(connection_.get(), buffer.data() + size, wanted);
        if (outcome > 0) {
            size += static_cast<std::size_t>(outcome);
            continue;
        }
        const int why = SSL_get_error(connection_.get(), outcome);
        if (why == SSL_ERROR_ZERO_RETURN) {
            peer_closed_ = true;
        } else if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE) {
            fail(outcome);
        }
        break;
    }
    return size;
}

result<io_outcome> tls_transport::write(std::span<const std::string_view> pieces) {
    if (!established_) {
        result<io_outcome> step = handshake();
        if (!step) return step;
        if (!established_) {
            write_blocked_ = true;
            return io_outcome::would_block();
        }
    }
    if (failure_) return *failure_;
    if (write_failure_) return *write_failure_;
    if (shut_down_)
        return error{error_code::write_failed, phase::write, culprit::caller, 0, "written after shutdown_write"};
    const base::no_fork whole;
    const std::size_t size = write_records(pieces);
    end_call();
    if (failure_) return *failure_;
    if (write_failure_) return *write_failure_;
    if (size > 0) return io_outcome::moved(size);
    write_blocked_ = true;
    return io_outcome::would_block();
}

/// Small pieces (a head and the beginning of its body) are gathered into one record; large ones are sealed where they lie.
std::size_t tls_transport::write_records(std::span<const std::string_view> pieces) {
    ERR_clear_error();
    std::array<char, max_plaintext> gathered;  // not initialised: it is written before it is read
    std::size_t size = 0;
    std::size_t index = 0;
    std::string_view rest;
    for (;;) {
        while (rest.empty() && index < pieces.size()) rest = pieces[index++];
        if (rest.empty()) break;
        if (rest.size() >= max_plaintext || index == pieces.size()) {
            const std::string_view record = rest.substr(0, max_plaintext);
            if (!write_record(record)) break;
            size += record.size();
            rest.remove_prefix(record.size());
            continue;
        }
        std::size_t filled = 0;
        while (filled < max_plaintext && !rest.empty()) {
            const std::size_t part = rest.copy(gathered.data() + filled, max_plaintext - filled);
            filled += part;
            rest.remove_prefix(part);
            while (rest.empty() && index < pieces.size()) rest = pieces[index++];
        }
        if (!write_record({gathered.data(), filled})) break;
        size += filled;
    }
    return size;
}

bool tls_transport::write_record(std::string_view plaintext) {
    if (pending_.space().size() < room_for_record) flush();
    if (write_failure_ || pending_.space().size() < room_for_record) return false;
    const int outcome = SSL_write(connection_.get(), plaintext.data(), static_cast<int>(plaintext.size()));
    if (outcome == static_cast<int>(plaintext.size())) return true;
    fail(outcome);  // the record had room, so nothing but a failure can stop it
    return false;
}

void tls_transport::shutdown_write() {
    if (shut_down_) return;
    shut_down_ = true;
    const base::no_fork whole;
    if (established_ && !failure_) {
        ERR_clear_error();
        SSL_shutdown(connection_.get());
    }
    end_call();
}

bool tls_transport::maybe_readable() const {
    return !received_.empty() || SSL_pending(connection_.get()) > 0 || inner_->maybe_readable();
}

void tls_transport::on_transport_ready(readiness now) {
    if (!pending_.empty() && now.writable) end_call();
    if (write_blocked_ && pending_.empty()) now.writable = true;
    if (write_failure_) now.writable = now.readable = true;
    if (established_ && !write_blocked_ && !now.readable) return;  // nobody waits to write
    if (now.writable) write_blocked_ = false;
    if (observer_ && (now.readable || now.writable)) observer_->on_transport_ready(now);
}

int tls_transport::receive_ciphertext(std::span<char> into) {
    if (received_.empty() && !fill()) return inner_ended_ && !failure_ ? 0 : -1;
    const std::size_t size = received_.data().copy(into.data(), into.size());
    if (first_bytes_size_ < sizeof first_bytes_) {
        const std::size_t kept = std::min(size, sizeof first_bytes_ - first_bytes_size_);
        std::memcpy(first_bytes_ + first_bytes_size_, into.data(), kept);
        first_bytes_size_ = static_cast<std::uint8_t>(first_bytes_size_ + kept);
    }
    received_.consume(size);
    return static_cast<int>(size);
}

bool tls_transport::fill() {
    if (!may_fill_ || inner_ended_ || failure_) return false;
    const std::span<char> space = received_.space();
    result<io_outcome> outcome = inner_->read(space);
    if (!outcome) {
        failure_ = std::make_unique<error>(std::move(outcome).error());
        if (!established_) failure_->where = phase::tls;
        return false;
    }
    filled_fully_ = false;
    if (outcome->what == io_outcome::kind::end) inner_ended_ = true;
    if (outcome->what != io_outcome::kind::moved) return false;
    received_.added(outcome->size);
    filled_fully_ = outcome->size == space.size();
    return true;
}

int tls_transport::send_ciphertext(std::string_view from) {
    if (write_failure_) return static_cast<int>(from.size());  // it goes nowhere; reading may still go on
    if (pending_.space().size() < from.size()) flush();
    const std::span<char> space = pending_.space();
    const std::size_t size = from.copy(space.data(), space.size());
    pending_.added(size);
    return size == 0 ? -1 : static_cast<int>(size);
}

void tls_transport::flush() {
    while (!pending_.empty()) {
        const std::string_view piece = pending_.data();
        result<io_outcome> outcome = inner_->write({&piece, 1});
        if (!outcome) {
            write_failure_ = std::make_unique<error>(std::move(outcome).error());
            if (!established_) write_failure_->where = phase::tls;
            pending_.consume(piece.size());
            return;
        }
        if (outcome->what != io_outcome::kind::moved) return;
        pending_.consume(outcome->size);
    }
}

/// After every call into BoringSSL: sends what it produced, gives unused memory back.
void tls_transport::end_call() {
    flush();
    received_.release_if_empty();
    pending_.release_if_empty();
    if (shut_down_ && !inner_shut_down_ && pending_.empty()) {
        inner_shut_down_ = true;
        inner_->shutdown_write();
    }
}

transport_description tls_transport::describe() const {
    transport_description description = inner_->describe();
    if (!established_) return description;
    describe_session(connection_.get(), description);
    return description;
}

}  // namespace pabal::transport

#include "transport/memory_transport.hpp"

#include <algorithm>
#include <cerrno>
#include <deque>
#include <random>
#include <string>
#include <utility>

namespace pabal::transport {

namespace {

class memory_transport;

/// Bytes that were written and have not arrived yet, or (empty) the end of the stream.
struct segment {
    reactor::time_point arrives;
    std::string bytes;
};

/// One direction. Shared by both ends; outlives either.
class wire {
public:
    wire(reactor::reactor& owner, const memory_wire& behaviour)
        : reactor(owner), behaves(behaviour), random_(behaviour.fragment_seed) {}

    std::size_t free_space() const noexcept {
        const std::size_t held = under_way_bytes + unread();
        return held < behaves.capacity ? behaves.capacity - held : 0;
    }
    std::size_t unread() const noexcept { return arrived.size() - consumed; }
    bool readable() const noexcept { return unread() > 0 || finished || reset; }
    bool worth_reporting() const noexcept { return unread() >= low_water_mark || finished || reset; }

    /// How much of `possible` (> 0) this operation moves; 0 for "would block, this time".
    std::size_t fragment(std::size_t possible, std::size_t at_most) {
        possible = std::min(possible, at_most);
        if (behaves.fragment_seed == 0) return possible;
        constexpr unsigned hesitations = 8;  // one operation in so many
        if (random_() % hesitations == 0) return 0;
        return 1 + random_() % possible;
    }

    void carry(std::string_view bytes);
    void send_end();
    void arrive(segment&& arriving);
    void on_arrival();
    void break_both();

    reactor::reactor& reactor;
    memory_wire behaves;
    memory_transport* writer = nullptr;
    memory_transport* reader = nullptr;
    wire* opposite = nullptr;
    std::deque<segment> under_way;
    std::size_t under_way_bytes = 0;
    std::string arrived;
    std::size_t consumed = 0;
    std::size_t low_water_mark = 1;
    std::uint64_t carried = 0;
    bool end_sent = false;
    bool finished = false;  ///< the end has arrived
    bool reset = false;
    bool cut = false;  ///< further bytes are lost
    reactor::member_timer<wire, &wire::on_arrival> arrival{*this};

private:
    void send(std::string bytes);
    void fail_as_planned();

    std::mt19937_64 random_;
};

struct wires {
    wires(reactor::reactor& reactor, const memory_wire& there_behaves, const memory_wire& back_behaves)
        : there(reactor, there_behaves), back(reactor, back_behaves) {
        there.opposite = &back;
        back.opposite = &there;
    }
    wire there;
    wire back;
};

class memory_transport final : public transport, private reactor::deferred {
public:
    memory_transport(std::shared_ptr<wires> both, wire& in, wire& out) : wires_(std::move(both)), in_(in), out_(out) {
        in_.reader = this;
        out_.writer = this;
    }
    ~memory_transport() override {
        in_.reader = nullptr;
        out_.writer = nullptr;
        out_.send_end();
        if (in_.writer) in_.writer->notify({.readable = false, .writable = true});
    }

    void observe(transport_observer* observer) override { observer_ = observer; }

    result<io_outcome> read(std::span<char> buffer) override {
        if (buffer.empty()) return io_outcome::would_block();
        if (in_.unread() > 0) {
            const std::size_t size = in_.fragment(std::min(in_.unread(), buffer.size()), in_.behaves.max_per_read);
            if (size == 0) return notify({.readable = true, .writable = false}), io_outcome::would_block();
            std::copy_n(in_.arrived.data() + in_.consumed, size, buffer.data());
            in_.consumed += size;
            if (in_.unread() == 0) in_.arrived.clear(), in_.consumed = 0;
            if (in_.writer && std::exchange(in_.writer->write_refused_, false)) {
                in_.writer->notify({.readable = false, .writable = true});
            }
            return io_outcome::moved(size);
        }
        if (in_.reset) return error_from_errno(ECONNRESET, phase::read, "receive from memory");
        if (in_.finished) return io_outcome::end();
        return io_outcome::would_block();
    }

    result<io_outcome> write(std::span<const std::string_view> pieces) override {
        if (out_.reset) return error_from_errno(ECONNRESET, phase::write, "send to memory");
        if (!out_.reader) return error_from_errno(EPIPE, phase::write, "send to memory");
        const std::size_t space = out_.free_space();
        if (space == 0) return write_refused_ = true, io_outcome::would_block();
        std::string joined;
        for (const auto piece : pieces) joined.append(piece.substr(0, space - std::min(space, joined.size())));
        if (joined.empty()) return io_outcome::would_block();
        const std::size_t size = out_.fragment(joined.size(), out_.behaves.max_per_write);
        if (size == 0) return notify({.readable = false, .writable = true}), io_outcome::would_block();
        out_.carry(std::string_view(joined).substr(0, size));
        return io_outcome::moved(size);
    }

    void shutdown_write() override { out_.send_end(); }
    bool maybe_readable() const override { return in_.readable(); }
    void set_low_water_mark(std::size_t size) override {
        in_.low_water_mark = std::min(size, in_.behaves.capacity);
        if (in_.worth_reporting()) notify({.readable = true, .writable = false});
    }
    transport_description describe() const override {
        transport_description described;
        described.peer_address = described.local_address = "memory";
        return described;
    }

    void notify(readiness news) {
        pending_.readable |= news.readable;
        pending_.writable |= news.writable;
        in_.reactor.defer(*this);
    }

private:
    void run_deferred() override {
        const readiness news = std::exchange(pending_, {});
        if (observer_) observer_->on_transport_ready(news);
    }

    std::shared_ptr<wires> wires_;
    wire& in_;
    wire& out_;
    transport_observer* observer_ = nullptr;
    readiness pending_;
    bool write_refused_ = false;
};

void wire::carry(std::string_view bytes) {
    if (behaves.then != memory_wire::fault::none) {
        const std::uint64_t until_fault = behaves.fault_after - std::min(behaves.fault_after, carried);
        carried += bytes.size();
        const auto survives = static_cast<std::size_t>(std::min<std::uint64_t>(until_fault, bytes.size()));
        if (!cut && survives > 0) send(std::string(bytes.substr(0, survives)));
        if (!cut && carried >= behaves.fault_after) fail_as_planned();
        return;
    }
    if (!cut) send(std::string(bytes));
}

void wire::fail_as_planned() {
    cut = true;
    send_end();
}

void wire::send(std::string bytes) {
    under_way_bytes += bytes.size();
    segment sent{reactor.now() + behaves.latency, std::move(bytes)};
    if (behaves.latency == reactor::duration::zero()) return arrive(std::move(sent));
    under_way.push_back(std::move(sent));
    if (!arrival.is_set()) reactor.set_timer(arrival, under_way.front().arrives);
}

void wire::send_end() {
    if (std::exchange(end_sent, true)) return;
    send({});
}

void wire::arrive(segment&& arriving) {
    under_way_bytes -= arriving.bytes.size();
    if (!arriving.bytes.empty()) {
        arrived.append(arriving.bytes);
    } else if (cut && behaves.then == memory_wire::fault::reset) {
        return break_both();
    } else {
        finished = true;
    }
    if (reader && worth_reporting()) reader->notify({.readable = true, .writable = false});
}

void wire::on_arrival() {
    while (!under_way.empty() && under_way.front().arrives <= reactor.now()) {
        segment first = std::move(under_way.front());
        under_way.pop_front();
        arrive(std::move(first));
    }
    if (!under_way.empty()) reactor.set_timer(arrival, under_way.front().arrives);
}

void wire::break_both() {
    reset = opposite->reset = true;
    for (memory_transport* end : {reader, writer}) {
        if (end) end->notify({.readable = true, .writable = true});
    }
}

}  // namespace

memory_pair make_memory_pair(reactor::reactor& reactor, const memory_wire& first_to_second,
                             const memory_wire& second_to_first) {
    auto both = std::make_shared<wires>(reactor, first_to_second, second_to_first);
    return {std::make_unique<memory_transport>(both, both->back, both->there),
            std::make_unique<memory_transport>(both, both->there, both->back)};
}

}  // namespace pabal::transport

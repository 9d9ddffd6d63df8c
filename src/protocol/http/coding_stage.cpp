#include "protocol/http/coding_stage.hpp"

namespace pabal::http {

/// Takes bytes until they decide. Returns a fault.
const char* coding_stage::look_for_stream(std::string_view input, std::size_t& used) {
    const bool first = at_ == place::start;
    for (;;) {
        const prefix verdict = recognise({held_.data(), held_size_}, first);
        if (verdict == prefix::foreign) {
            at_ = place::trailing;
            return nullptr;
        }
        if (verdict == prefix::begins) break;
        if (used == input.size()) return nullptr;
        held_[held_size_++] = input[used++];
    }
    if (++members_ > content_decoder::max_members) return "it has too many members";
    if (!begin_stream()) return "there is not enough memory";
    held_given_ = 0;
    at_ = place::in_stream;
    return nullptr;
}

coding_stage::progress coding_stage::decode(std::string_view input, std::span<char> output) {
    progress done;
    for (;;) {
        switch (at_) {
        case place::trailing: done.used = input.size(); return done;
        case place::start:
        case place::between:
            if (done.used == input.size()) return done;
            if ((done.fault = look_for_stream(input, done.used)) != nullptr || at_ == place::start ||
                at_ == place::between)
                return done;
            continue;
        case place::in_stream: break;
        }

        const bool from_held = held_given_ < held_size_;
        const std::string_view piece =
            from_held ? std::string_view{held_.data() + held_given_, std::size_t{held_size_} - held_given_}
                      : input.substr(done.used);
        const stream_progress step = decode_stream(piece, output.subspan(done.produced));
        done.produced += step.produced;
        if (from_held) {
            held_given_ = static_cast<std::uint8_t>(held_given_ + step.used);
        } else {
            done.used += step.used;
        }
        if ((done.fault = step.fault) != nullptr) return done;
        if (step.ended) {
            at_ = place::between;
            held_size_ = 0;
        } else if (from_held && step.used > 0) {
            continue;
        } else if (done.used == input.size() || done.produced == output.size()) {
            return done;
        } else if (step.used == 0 && step.produced == 0) {
            done.fault = "it makes no progress";
            return done;
        }
    }
}

}  // namespace pabal::http

#include "connection/qlog_folder.hpp"

#include <cerrno>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include "base/hexadecimal.hpp"

namespace pabal::connection {

namespace {

/// Bytes of records that are written together.
constexpr std::size_t gathered = 32 * 1024;

std::string name_of_file(std::string_view id, quic::vantage_point whose) {
    return base::hexadecimal_bytes(id) + (whose == quic::vantage_point::client ? "_client.sqlog" : "_server.sqlog");
}

/// One connection's. Whatever fails ends it, and nobody hears of that: a log must not disturb what it tells of.
class qlog_file final : public quic::event_log {
public:
    qlog_file(std::shared_ptr<const reactor::descriptor> folder, std::string name, std::uint64_t max_bytes)
        : folder_(std::move(folder)), name_(std::move(name)), left_(max_bytes) {}
    ~qlog_file() override { flush(); }

    void write(std::string_view record) override {
        if (ended_) return;
        if (record.size() > left_) {
            ended_ = true;
        } else {
            left_ -= record.size();
            waiting_ += record;
        }
        if (ended_ || waiting_.size() >= gathered) flush();
    }

private:
    void flush() {
        if (!waiting_.empty() && !append()) ended_ = true;
        waiting_.clear();
        if (ended_) waiting_.shrink_to_fit();
    }

    bool append() {
        // Nobody else's file, nor what a link points to.
        const int how = O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW | (size_ == 0 ? O_CREAT | O_EXCL : 0);
        const reactor::descriptor file(::openat(folder_->get(), name_.c_str(), how, 0600));
        if (!file.is_open()) return false;
        for (std::string_view left = waiting_; !left.empty();) {
            const ssize_t written = ::write(file.get(), left.data(), left.size());
            if (written < 0 && errno == EINTR) continue;
            if (written <= 0) {
                // Half a record is of no use to anybody.
                (void)!::ftruncate(file.get(), static_cast<off_t>(size_));
                return false;
            }
            left.remove_prefix(static_cast<std::size_t>(written));
        }
        size_ += waiting_.size();
        return true;
    }

    std::shared_ptr<const reactor::descriptor> folder_;
    std::string name_;
    std::uint64_t left_;      ///< bytes that it may still grow by
    std::uint64_t size_ = 0;  ///< of what is in the file
    std::string waiting_;
    bool ended_ = false;
};

}  // namespace

qlog_folder::qlog_folder(reactor::descriptor folder, std::uint64_t max_bytes)
    : folder_(std::make_shared<const reactor::descriptor>(std::move(folder))), max_bytes_(max_bytes) {}

result<std::shared_ptr<qlog_folder>> qlog_folder::open(const std::string& path, std::uint64_t max_bytes) {
    reactor::descriptor folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!folder.is_open() || ::faccessat(folder.get(), ".", W_OK | X_OK, AT_EACCESS) != 0) {
        const int why = errno;
        return error{error_code::invalid_argument, phase::prepare, culprit::caller, why,
                     "no qlog can be written to the folder '" + path + "': " + std::generic_category().message(why) +
                         "; give one that exists and may be written to"};
    }
    folder.keep_in_children();  // it says no more than a path: sessions of a forked child log there, too
    return std::shared_ptr<qlog_folder>(new qlog_folder(std::move(folder), max_bytes));
}

std::unique_ptr<quic::event_log> qlog_folder::begin(std::string_view original_id, quic::vantage_point whose) {
    if (files_.fetch_add(1, std::memory_order_relaxed) >= max_files) return nullptr;
    return std::make_unique<qlog_file>(folder_, name_of_file(original_id, whose), max_bytes_);
}

result<quic::conduct> conduct_of(const quic_options& options) {
    quic::conduct made;
    made.congestion_control = options.congestion_control;
    if (options.qlog_folder.empty()) return made;
    auto folder = qlog_folder::open(options.qlog_folder, options.max_qlog_bytes);
    if (!folder) return std::move(folder).error();
    made.logs = std::move(*folder);
    return made;
}

}  // namespace pabal::connection

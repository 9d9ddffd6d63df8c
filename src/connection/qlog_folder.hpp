#pragma once
/// \file
/// The folder of `quic_options::qlog_folder`: a file for each connection, named as qvis and QUIC's interoperability tests name
/// them.
///
/// Records gather in memory, and are appended some dozens of kilobytes at a time, on the thread of the connection. A file is open only
/// meanwhile: ten thousand connections must not cost ten thousand descriptors.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <pabal/quic.hpp>
#include <pabal/result.hpp>

#include "protocol/quic/conduct.hpp"
#include "reactor/descriptor.hpp"

namespace pabal::connection {

class qlog_folder final : public quic::event_logs {
public:
    /// Files that one folder object makes; later connections are not logged.
    static constexpr std::size_t max_files = 10'000;

    /// `max_bytes`: of each file. invalid_argument, the caller's fault: no folder, or none that may be written to.
    static result<std::shared_ptr<qlog_folder>> open(const std::string& path, std::uint64_t max_bytes);

    /// Any thread. What is begun may outlive the folder object.
    std::unique_ptr<quic::event_log> begin(std::string_view original_id, quic::vantage_point whose) override;

private:
    qlog_folder(reactor::descriptor folder, std::uint64_t max_bytes);

    std::shared_ptr<const reactor::descriptor> folder_;
    std::uint64_t max_bytes_;
    std::atomic<std::size_t> files_ = 0;
};

/// What a session's or a server's options mean to its connections. Errors: as `qlog_folder::open`.
result<quic::conduct> conduct_of(const quic_options& options);

}  // namespace pabal::connection

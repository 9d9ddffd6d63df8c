#pragma once
/// \file
/// SSLKEYLOGFILE: the secrets of sessions, written for Wireshark (draft-ietf-tls-keylogfile). Off unless the environment
/// variable names a file when a context is made.

#include <cstdio>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

namespace pabal::transport {

class key_log {
public:
    /// The log named by $SSLKEYLOGFILE, shared by all contexts that write to the same path; null when there is none or it
    /// cannot be opened for appending (debugging aids never make requests fail).
    static std::shared_ptr<key_log> from_environment();

    ~key_log();
    key_log(const key_log&) = delete;
    key_log& operator=(const key_log&) = delete;

    /// Appends one line and flushes it. Any thread.
    void write(std::string_view line);
    const std::string& path() const noexcept { return path_; }

private:
    key_log(std::string path, std::FILE* file) noexcept : path_(std::move(path)), file_(file) {}
    std::string path_;
    std::FILE* file_;
    std::mutex mutex_;
};

}  // namespace pabal::transport

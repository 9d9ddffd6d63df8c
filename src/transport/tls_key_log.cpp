#include "transport/tls_key_log.hpp"

#include <cstdlib>

#include <fcntl.h>
#include <unistd.h>

namespace pabal::transport {

std::shared_ptr<key_log> key_log::from_environment() {
    static std::mutex mutex;
    static auto& current = *new std::weak_ptr<key_log>;
    const char* path = std::getenv("SSLKEYLOGFILE");
    if (!path || !*path) return nullptr;
    const std::lock_guard lock{mutex};
    if (std::shared_ptr<key_log> open = current.lock(); open && open->path() == path) return open;
    // The secrets are for their owner only.
    const int descriptor = ::open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (descriptor < 0) return nullptr;
    std::FILE* file = ::fdopen(descriptor, "a");
    if (!file) return ::close(descriptor), nullptr;
    std::shared_ptr<key_log> made{new key_log{path, file}};
    current = made;
    return made;
}

key_log::~key_log() { std::fclose(file_); }

void key_log::write(std::string_view line) {
    const std::lock_guard lock{mutex_};
    std::fwrite(line.data(), 1, line.size(), file_);
    std::fputc('\n', file_);
    std::fflush(file_);
}

}  // namespace pabal::transport

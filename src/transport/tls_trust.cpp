#include "transport/tls_trust.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <list>
#include <memory>
#include <mutex>
#include <set>
#include <system_error>
#include <utility>

#include <sys/stat.h>

#include <dirent.h>
#include <openssl/err.h>
#include <openssl/x509.h>

#include "transport/tls_pem.hpp"

namespace pabal::transport {

namespace {

// In the order of how common the systems are.
constexpr std::array well_known_bundles{
    "/etc/ssl/certs/ca-certificates.crt",                 // Debian, Ubuntu, Arch, Gentoo, Alpine
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",  // Fedora, RHEL
    "/etc/pki/tls/certs/ca-bundle.crt",                   // older Fedora, RHEL
    "/etc/ssl/ca-bundle.pem",                             // openSUSE
    "/etc/ssl/cert.pem",                                  // Alpine, macOS, OpenBSD
    "/usr/local/etc/ssl/cert.pem",                        // FreeBSD
    "/usr/local/share/certs/ca-root-nss.crt",             // older FreeBSD
    "/etc/certs/ca-certificates.crt",                     // Solaris
    "/data/data/com.termux/files/usr/etc/tls/cert.pem",   // Termux
};
constexpr std::array well_known_directories{
    "/etc/ssl/certs",                // most systems
    "/etc/pki/tls/certs",            // RHEL
    "/system/etc/security/cacerts",  // Android
};

std::mutex fallback_mutex;
std::string fallback_bundle;  // NOLINT: set once by the bindings, guarded by the mutex above

std::atomic<std::size_t> parsed_count{0};

error unreadable(std::string message, int number = 0) {
    return {error_code::trust_store_unreadable, phase::prepare, culprit::caller, number, std::move(message)};
}

bool exists_as(const std::string& path, mode_t kind) {
    struct stat facts{};
    return ::stat(path.c_str(), &facts) == 0 && (facts.st_mode & S_IFMT) == kind;
}

std::string environment(const char* name) {
    const char* value = std::getenv(name);
    return value ? value : "";
}

void add_path(trust_source& source, std::string path) {
    (exists_as(path, S_IFDIR) ? source.directories : source.files).push_back(std::move(path));
}

/// SSL_CERT_DIR is a list, as PATH is.
void add_directories(trust_source& source, const std::string& list) {
    for (std::size_t begin = 0; begin <= list.size();) {
        const std::size_t end = std::min(list.find(':', begin), list.size());
        if (end > begin) source.directories.push_back(list.substr(begin, end - begin));
        begin = end + 1;
    }
}

bool choose_from_environment(trust_source& source) {
    for (const char* name : {"REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"}) {
        if (std::string path = environment(name); !path.empty()) {
            add_path(source, std::move(path));
            source.named_by = name;
            return true;
        }
    }
    if (std::string file = environment("SSL_CERT_FILE"); !file.empty()) {
        source.files.push_back(std::move(file));
        source.named_by = "SSL_CERT_FILE";
    }
    if (const std::string list = environment("SSL_CERT_DIR"); !list.empty()) {
        add_directories(source, list);
        source.named_by += source.named_by.empty() ? "SSL_CERT_DIR" : " and SSL_CERT_DIR";
    }
    return !source.named_by.empty();
}

bool choose_from_system(trust_source& source) {
    source.named_by = "the system";
    for (const char* path : well_known_bundles) {
        if (exists_as(path, S_IFREG)) return source.files.emplace_back(path), true;
    }
    for (const char* path : well_known_directories) {
        if (exists_as(path, S_IFDIR)) return source.directories.emplace_back(path), true;
    }
    return false;
}

/// Adds what can be used of one text. Certificates BoringSSL refuses to parse are passed over: one odd root in a
/// system's bundle must not cut a user off from all others.
std::size_t add_certificates(X509_STORE* store, const std::string& pem) {
    std::size_t added = 0;
    for (const std::string& der : certificates_in_pem(pem)) {
        const auto* at = reinterpret_cast<const std::uint8_t*>(der.data());
        const bssl::UniquePtr<X509> certificate{d2i_X509(nullptr, &at, static_cast<long>(der.size()))};
        if (certificate && X509_STORE_add_cert(store, certificate.get())) ++added;
    }
    ERR_clear_error();
    return added;
}

struct directory_closer {
    void operator()(DIR* directory) const { ::closedir(directory); }
};

/// Every file of the directory; links to the same file (as in a hashed directory) are read once.
result<std::size_t> add_directory(X509_STORE* store, const std::string& path) {
    const std::unique_ptr<DIR, directory_closer> directory{::opendir(path.c_str())};
    if (!directory)
        return unreadable("cannot read directory " + path + ": " + std::generic_category().message(errno), errno);
    std::set<std::pair<dev_t, ino_t>> seen;
    std::size_t added = 0;
    while (const dirent* entry = ::readdir(directory.get())) {
        const std::string file = path + "/" + entry->d_name;
        struct stat facts{};
        if (::stat(file.c_str(), &facts) != 0 || !S_ISREG(facts.st_mode)) continue;
        if (!seen.emplace(facts.st_dev, facts.st_ino).second) continue;
        const result<std::string> pem = read_pem_file(file, error_code::trust_store_unreadable);
        if (pem) added += add_certificates(store, *pem);
    }
    return added;
}

std::string from_whom(const trust_source& source) {
    return source.named_by == "ca_file" ? std::string{} : " (named by " + source.named_by + ")";
}

result<bssl::UniquePtr<X509_STORE>> parse(const trust_source& source) {
    bssl::UniquePtr<X509_STORE> store{X509_STORE_new()};
    if (!store) return unreadable("out of memory");
    std::size_t added = 0;
    for (const std::string& file : source.files) {
        ++parsed_count;
        result<std::string> pem = read_pem_file(file, error_code::trust_store_unreadable);
        if (!pem) {
            pem.error().message += from_whom(source);
            return std::move(pem).error();
        }
        const std::size_t of_this = add_certificates(store.get(), *pem);
        if (of_this == 0) return unreadable(file + from_whom(source) + " holds no certificate in PEM form");
        added += of_this;
    }
    for (const std::string& directory : source.directories) {
        ++parsed_count;
        result<std::size_t> of_this = add_directory(store.get(), directory);
        if (!of_this) {
            of_this.error().message += from_whom(source);
            return std::move(of_this).error();
        }
        added += *of_this;
    }
    if (added == 0) return unreadable("no certificates found in " + source.directories.front() + from_whom(source));
    return store;
}

struct parsed_store {
    std::string fingerprint;
    bssl::UniquePtr<X509_STORE> store;
};

}  // namespace

result<trust_source> choose_trust_source(const tls_options& options) {
    trust_source source;
    if (!options.ca_file.empty()) {
        source.named_by = "ca_file";
        add_path(source, options.ca_file);
        return source;
    }
    if (options.use_environment && choose_from_environment(source)) return source;
    if (choose_from_system(source)) return source;
    const std::lock_guard lock{fallback_mutex};
    if (fallback_bundle.empty())
        return unreadable(
            "this system has no CA certificates in any of the usual places; install them (ca-certificates), "
            "or name a bundle by ca_file or SSL_CERT_FILE");
    source.named_by = "the fallback bundle";
    source.files.push_back(fallback_bundle);
    return source;
}

std::string fingerprint_of(const trust_source& source) {
    std::string text = source.named_by;
    const auto add = [&text](const std::string& path) {
        struct stat facts{};
        text += '\0' + path + '\0';
        if (::stat(path.c_str(), &facts) != 0) return;
        text += std::to_string(facts.st_dev) + ':' + std::to_string(facts.st_ino) + ':' +
                std::to_string(facts.st_size) + ':' + std::to_string(facts.st_mtim.tv_sec) + '.' +
                std::to_string(facts.st_mtim.tv_nsec);
    };
    std::ranges::for_each(source.files, add);
    std::ranges::for_each(source.directories, add);
    return text;
}

result<bssl::UniquePtr<X509_STORE>> load_trust(const trust_source& source) {
    // Parsing happens under the lock on purpose: threads that start together wait for one parse instead of each making one.
    static std::mutex mutex;
    static auto& stores = *new std::list<parsed_store>;  // outlives static destruction, like the contexts that use it
    const std::lock_guard lock{mutex};
    std::string fingerprint = fingerprint_of(source);
    const auto found = std::ranges::find(stores, fingerprint, &parsed_store::fingerprint);
    if (found != stores.end()) {
        stores.splice(stores.begin(), stores, found);
        return bssl::UpRef(found->store);
    }
    result<bssl::UniquePtr<X509_STORE>> made = parse(source);
    if (!made) return made;
    if (stores.size() >= max_trust_stores) stores.pop_back();
    stores.push_front({std::move(fingerprint), bssl::UpRef(*made)});
    return made;
}

result<bssl::UniquePtr<X509_STORE>> trust_from_pem(const std::string& pem) {
    bssl::UniquePtr<X509_STORE> store{X509_STORE_new()};
    if (!store || add_certificates(store.get(), pem) == 0)
        return unreadable("the given text holds no certificate in PEM form");
    return store;
}

std::size_t trust_sources_parsed() { return parsed_count; }

}  // namespace pabal::transport

namespace pabal {

void set_fallback_trust_bundle(std::string path) {
    const std::lock_guard lock{transport::fallback_mutex};
    transport::fallback_bundle = std::move(path);
}

}  // namespace pabal

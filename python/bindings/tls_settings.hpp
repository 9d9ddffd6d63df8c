#pragma once
/// \file
/// verify= and cert=, of a session or of one call, and the TLS contexts they stand for.

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <pabal/options.hpp>

#include "support.hpp"
#include "transport/tls_context.hpp"

namespace pabal::python {

/// Whether verify= and cert= (null: not given) are what they may be; files are not looked at. False: an exception is set.
bool read_tls_settings(PyObject* verify, PyObject* cert);

/// A session's own, and the contexts made of them and of what calls ask for instead. What cannot be set or made is a false or
/// null result with an exception set; a context that cannot be made now is tried again by the next call.
class tls_settings {
public:
    PyObject* verify() const noexcept { return verify_ ? verify_.get() : Py_None; }
    PyObject* cert() const noexcept { return cert_ ? cert_.get() : Py_None; }
    bool set_verify(PyObject* value);
    bool set_cert(PyObject* value);
    /// Whether the environment has a say in what is trusted.
    void trust_environment(bool trusted);
    /// What is offered by ALPN. Said once, before the first context is made.
    void speak(http_versions versions) { versions_ = versions; }
    /// Whether the ClientHello is encrypted, likewise.
    void encrypt_hello(encrypted_client_hello when) { encrypted_hello_ = when; }

    /// Whether early data are sent, likewise.
    void send_early_data(bool wanted) { early_data_ = wanted; }

    /// The session's context.
    std::shared_ptr<const transport::tls_context> context();
    /// The context for one call's own verify and cert (null or None: the session's).
    std::shared_ptr<const transport::tls_context> context_for(PyObject* verify_given, PyObject* cert_given);
    /// The same for a proxy, which is never shown a client certificate, and spoken to in HTTP/1.1.
    std::shared_ptr<const transport::tls_context> proxy_context_for(PyObject* verify_given);
    /// Whether the engine's default context would not do.
    bool is_special(PyObject* verify_given, PyObject* cert_given) const;

    int traverse(visitproc visit, void* arg) const;
    void clear();

private:
    std::shared_ptr<const transport::tls_context> context_of(PyObject* trusted, PyObject* identity,
                                                             http_versions spoken, encrypted_client_hello hello);

    owned verify_;  ///< bool or path
    owned cert_;    ///< None, path or tuple
    bool trusts_environment_ = true;
    http_versions versions_;
    encrypted_client_hello encrypted_hello_ = encrypted_client_hello::never;
    bool early_data_ = true;
    bool changed_ = true;
    std::shared_ptr<const transport::tls_context> context_;
    /// Contexts other than the session's own, by what was asked for: one context, one set of connections.
    std::vector<std::pair<std::string, std::shared_ptr<const transport::tls_context>>> others_;
};

}  // namespace pabal::python

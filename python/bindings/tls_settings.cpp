#include "tls_settings.hpp"

#include "client/session.hpp"
#include "errors.hpp"
#include "options.hpp"

namespace pabal::python {

namespace {

/// Whom to trust, as verify= says it.
bool read_verify(PyObject* verify, tls_options& out) {
    if (verify == Py_False) out.verify = false;
    if (!verify || verify == Py_False || verify == Py_True || verify == Py_None) return true;
    return read_path(verify, "verify",
                     "True, False or the path of a CA bundle (an object of the ssl module cannot be used)",
                     out.ca_file);
}

/// Who we are, as cert= says it.
bool read_cert(PyObject* cert, tls_options& out) {
    if (!cert || cert == Py_None) return true;
    if (!PyTuple_Check(cert) && !PyList_Check(cert))
        return read_path(cert, "cert", "a path, (certificate, key) or (certificate, key, password)",
                         out.client_certificate);
    const owned parts(PySequence_Tuple(cert));
    const Py_ssize_t size = parts ? PyTuple_GET_SIZE(parts.get()) : 0;
    if (size != 2 && size != 3) {
        PyErr_SetString(PyExc_ValueError, "cert as a tuple is (certificate, key) or (certificate, key, password)");
        return false;
    }
    const auto part = [&](Py_ssize_t index, const char* name, const char* wanted, std::string& into) {
        PyObject* value = PyTuple_GET_ITEM(parts.get(), index);
        return (index > 0 && value == Py_None) || read_path(value, name, wanted, into);
    };
    return part(0, "the certificate in cert", "a path", out.client_certificate) &&
           part(1, "the key in cert", "a path or None", out.client_key) &&
           (size == 2 || part(2, "the password in cert", "text, bytes or None", out.client_key_password));
}

/// verify= and cert= to a context. False: exception set.
bool make_tls(PyObject* verify, PyObject* cert, bool trust_environment, http_versions versions,
              encrypted_client_hello hello, bool early_data, std::shared_ptr<const transport::tls_context>& out) {
    tls_options options;
    options.use_environment = trust_environment;
    options.encrypted_hello = hello;
    options.early_data = early_data;
    options.application_protocols = client::application_protocols_of(versions);
    if (!read_verify(verify, options) || !read_cert(cert, options)) return false;
    auto made = transport::tls_context::make_client(options);
    if (!made) return raise(made.error()) != nullptr;
    out = std::move(*made);
    return true;
}

}  // namespace

bool read_tls_settings(PyObject* verify, PyObject* cert) {
    tls_options unused;
    return read_verify(verify, unused) && read_cert(cert, unused);
}

bool tls_settings::set_verify(PyObject* value) {
    if (!read_tls_settings(value, nullptr)) return false;
    verify_ = owned::borrow(value);
    changed_ = true;
    return true;
}

bool tls_settings::set_cert(PyObject* value) {
    if (!read_tls_settings(nullptr, value)) return false;
    cert_ = owned::borrow(value);
    changed_ = true;
    return true;
}

void tls_settings::trust_environment(bool trusted) {
    trusts_environment_ = trusted;
    changed_ = true;
}

std::shared_ptr<const transport::tls_context> tls_settings::context() {
    if (!changed_) return context_;
    if (!make_tls(verify_.get(), cert_.get(), trusts_environment_, versions_, encrypted_hello_, early_data_, context_))
        return nullptr;
    changed_ = false;
    return context_;
}

std::shared_ptr<const transport::tls_context>
tls_settings::context_of(PyObject* trusted, PyObject* identity, http_versions spoken, encrypted_client_hello hello) {
    if (trusted == verify_.get() && identity == cert_.get() && spoken == versions_ && hello == encrypted_hello_)
        return context();
    const owned pair(PyTuple_Pack(2, trusted, identity));
    const owned written(pair ? PyObject_Repr(pair.get()) : nullptr);
    const char* wanted = written ? PyUnicode_AsUTF8(written.get()) : nullptr;
    if (!wanted) return nullptr;
    const std::string key = std::string(trusts_environment_ ? "+" : "-") + (spoken.http_1_1 ? "1" : "") +
                            (spoken.http_2 ? "2" : "") + (spoken.http_3 ? "3" : "") +
                            std::to_string(static_cast<int>(hello)) + wanted;
    for (const auto& [asked, context] : others_) {
        if (asked == key) return context;
    }
    std::shared_ptr<const transport::tls_context> made;
    if (!make_tls(trusted, identity, trusts_environment_, spoken, hello, early_data_, made)) return nullptr;
    constexpr std::size_t kept = 16;
    if (others_.size() == kept) others_.erase(others_.begin());
    others_.emplace_back(key, made);
    return made;
}

std::shared_ptr<const transport::tls_context> tls_settings::context_for(PyObject* verify_given, PyObject* cert_given) {
    return context_of(given(verify_given) ? verify_given : verify_.get(), given(cert_given) ? cert_given : cert_.get(),
                      versions_, encrypted_hello_);
}

std::shared_ptr<const transport::tls_context> tls_settings::proxy_context_for(PyObject* verify_given) {
    constexpr http_versions with_proxies{.http_2 = false};
    return context_of(given(verify_given) ? verify_given : verify_.get(), Py_None, with_proxies,
                      encrypted_client_hello::never);
}

bool tls_settings::is_special(PyObject* verify_given, PyObject* cert_given) const {
    return given(verify_given) || given(cert_given) || verify_.get() != Py_True || given(cert_.get()) ||
           !trusts_environment_ || versions_ != http_versions{} || encrypted_hello_ != encrypted_client_hello::never ||
           !early_data_;
}

int tls_settings::traverse(visitproc visit, void* arg) const {
    Py_VISIT(verify_.get());
    Py_VISIT(cert_.get());
    return 0;
}

void tls_settings::clear() {
    verify_.reset();
    cert_.reset();
}

}  // namespace pabal::python

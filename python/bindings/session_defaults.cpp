#include "session_defaults.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "auth.hpp"
#include "client/netrc.hpp"
#include "errors.hpp"
#include "options.hpp"
#include "proxies.hpp"
#include "rate_limits.hpp"
#include "resolvers.hpp"

namespace pabal::python {

namespace {

using std::chrono::milliseconds;

/// The keyword arguments that are translated here; the rest is `pabal._prepare`'s.
enum class option : unsigned char {
    url,
    headers,
    timeout,
    allow_redirects,
    stream,
    verify,
    cert,
    hooks,  ///< and everything else that has Python code look at the call on its way
    max_redirects,
    prepared,  ///< what pabal._prepare.prepare returned, from pabal._hooks
    proxy,
    proxies,
    retries,
    max_body,
    expect_continue,
    other
};

option option_named(PyObject* name) {
    struct entry {
        const char* text;
        option what;
        PyObject* interned;
    };
    static std::array<entry, 17> table{{{"url", option::url, nullptr},
                                        {"headers", option::headers, nullptr},
                                        {"timeout", option::timeout, nullptr},
                                        {"allow_redirects", option::allow_redirects, nullptr},
                                        {"stream", option::stream, nullptr},
                                        {"verify", option::verify, nullptr},
                                        {"cert", option::cert, nullptr},
                                        {"proxy", option::proxy, nullptr},
                                        {"proxies", option::proxies, nullptr},
                                        {"retries", option::retries, nullptr},
                                        {"max_body", option::max_body, nullptr},
                                        {"expect_continue", option::expect_continue, nullptr},
                                        {"hooks", option::hooks, nullptr},
                                        {"progress", option::hooks, nullptr},
                                        {"upload_progress", option::hooks, nullptr},
                                        {"max_redirects", option::max_redirects, nullptr},
                                        {"_prepared", option::prepared, nullptr}}};
    for (entry& each : table) {
        if (!each.interned) each.interned = PyUnicode_InternFromString(each.text);
        if (name == each.interned) return each.what;
    }
    for (const entry& each : table) {  // a name that was not interned
        if (PyUnicode_CompareWithASCIIString(name, each.text) == 0) return each.what;
    }
    return option::other;
}

/// The names that exist besides, so that a misspelt one is a TypeError as everywhere in Python.
bool is_known_option(PyObject* name) {
    for (const char* known :
         {"params", "cookies", "data", "json", "content", "files", "auth", "compress", "trailers"}) {
        if (PyUnicode_CompareWithASCIIString(name, known) == 0) return true;
    }
    return false;
}

milliseconds from_seconds(double seconds) {
    return milliseconds(std::max<long long>(1, std::llround(std::min(seconds, 4.0e6) * 1000)));
}

/// Timeout.parts: seven numbers of seconds or None.
bool parse_parts(PyObject* timeout, timeouts& out) {
    const owned parts(PyObject_GetAttrString(timeout, "parts"));
    if (!parts) return false;
    milliseconds* const places[] = {&out.total, &out.resolve, &out.connect, &out.tls, &out.pool, &out.write, &out.read};
    for (Py_ssize_t index = 0; index < 7; ++index) {
        PyObject* part = PyTuple_GetItem(parts.get(), index);
        if (!part) return false;
        if (part == Py_None) {
            *places[index] = milliseconds{0};
            continue;
        }
        const double seconds = PyFloat_AsDouble(part);
        if (seconds == -1.0 && PyErr_Occurred()) return false;
        *places[index] = from_seconds(seconds);
    }
    return true;
}

}  // namespace

bool parse_timeout(PyObject* value, timeouts& out) {
    if (PyFloat_CheckExact(value)) {  // a plain number is the total; see pabal.Timeout
        const double seconds = PyFloat_AS_DOUBLE(value);
        if (seconds > 0 && std::isfinite(seconds)) {
            const timeouts defaults;
            out = defaults;
            out.total = from_seconds(seconds);
            out.pool = std::max(defaults.pool, out.total);
            out.write = std::max(defaults.write, out.total);
            out.read = std::max(defaults.read, out.total);
            return true;
        }
    }
    static lazy_import timeout_of("pabal.config", "timeout_of");
    if (!timeout_of.get()) return false;
    const owned timeout(PyObject_CallOneArg(timeout_of.get(), value));
    return timeout && parse_parts(timeout.get(), out);
}

namespace {

/// max_body=: a number of bytes, or None for the session's limits. False: exception set.
bool parse_max_body(PyObject* value, std::optional<std::uint64_t>& out) {
    if (value == Py_None) return true;
    long long bytes = 0;
    if (!read_count(value, "max_body", 0, std::numeric_limits<long long>::max(), bytes)) return false;
    out = static_cast<std::uint64_t>(bytes);
    return true;
}

/// expect_continue=: whether to wait for 100 (Continue), or how many seconds at most. False: exception set.
bool parse_continue_wait(PyObject* value, std::optional<milliseconds>& out) {
    if (value == Py_None || value == Py_False) return true;
    if (value == Py_True) {
        out = milliseconds{1000};
        return true;
    }
    if (!PyFloat_Check(value) && !PyLong_Check(value)) {
        PyErr_Format(PyExc_TypeError, "expect_continue must be a bool or a number of seconds, not %s",
                     Py_TYPE(value)->tp_name);
        return false;
    }
    const double seconds = PyFloat_AsDouble(value);
    if (seconds == -1.0) PyErr_Clear();  // a number beyond all floats is none that will do either
    if (!(seconds > 0) || !std::isfinite(seconds)) {
        PyErr_Format(PyExc_ValueError, "expect_continue as a number of seconds must be positive and finite, not %R",
                     value);
        return false;
    }
    out = from_seconds(seconds);
    return true;
}

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
              std::shared_ptr<const transport::tls_context>& out) {
    tls_options options;
    options.use_environment = trust_environment;
    options.application_protocols = client::application_protocols_of(versions);
    if (!read_verify(verify, options) || !read_cert(cert, options)) return false;
    auto made = transport::tls_context::make_client(options);
    if (!made) return raise(made.error()) != nullptr;
    out = std::move(*made);
    return true;
}

/// One attribute of a line `prepare` returned.
std::string_view bytes_view(PyObject* object) {
    return {PyBytes_AS_STRING(object), static_cast<std::size_t>(PyBytes_GET_SIZE(object))};
}

bool take_lines(PyObject* lines, fields& out) {
    const Py_ssize_t count = PyList_GET_SIZE(lines);
    for (Py_ssize_t index = 0; index < count; ++index) {
        PyObject* line = PyList_GET_ITEM(lines, index);
        auto added = out.append(bytes_view(PyTuple_GET_ITEM(line, 0)), bytes_view(PyTuple_GET_ITEM(line, 1)));
        if (!added) return raise(added.error()) != nullptr;
    }
    return true;
}

/// An absolute URL as it is given, any other against the session's base.
bool parse_location(const session_defaults& defaults, std::string_view given, url& out) {
    auto parsed = url::parse(given);
    if (!parsed && defaults.parsed_base) parsed = resolve(*defaults.parsed_base, given);
    if (!parsed) return raise(parsed.error()) != nullptr;
    out = std::move(*parsed);
    return true;
}

/// What pabal._prepare.prepare answered.
bool take_prepared(const session_defaults& defaults, PyObject* answer, prepared_call& out);

/// The long way: pabal._prepare.
bool prepare_in_python(PyObject* session, const session_defaults& defaults, PyObject* url, PyObject* options,
                       bool is_async, prepared_call& out) {
    static lazy_import prepare("pabal._prepare", "prepare");
    if (!prepare.get()) return false;
    const owned method(text(out.request.method));
    const owned answer(PyObject_CallFunctionObjArgs(prepare.get(), session, method.get(), url, options,
                                                    is_async ? Py_True : Py_False, nullptr));
    if (!answer) return false;
    if (!PyTuple_Check(answer.get())) {
        out.instead = owned::borrow(answer.get());
        return true;
    }
    return take_prepared(defaults, answer.get(), out);
}

bool take_prepared(const session_defaults& defaults, PyObject* answer, prepared_call& out) {
    PyObject *text_url = nullptr, *lines = nullptr, *body = nullptr, *size = nullptr, *cookies = nullptr,
             *auth = nullptr;
    if (!PyArg_ParseTuple(answer, "UO!OOOO", &text_url, &PyList_Type, &lines, &body, &size, &cookies, &auth))
        return false;
    out.request.auth = credentials_of(auth);
    std::string_view location;
    if (!read_utf8(text_url, "the URL", location, error_code::invalid_url)) return false;
    if (!parse_location(defaults, location, out.request.location)) return false;
    out.request.headers_are_complete = true;
    if (!take_lines(lines, out.request.headers)) return false;
    if (PyBytes_Check(body)) {
        out.request.body = bytes_view(body);
    } else if (body != Py_None) {
        out.request.streams_body = true;
        out.body = owned::borrow(body);
        out.body_is_async = PyObject_HasAttrString(body, "pull");
        if (size != Py_None) {
            const unsigned long long known = PyLong_AsUnsignedLongLong(size);
            if (known == static_cast<unsigned long long>(-1) && PyErr_Occurred()) return false;
            out.request.streamed_size = known;
        }
    }
    if (cookies != Py_None) {
        for (Py_ssize_t index = 0; index < PyList_GET_SIZE(cookies); ++index) {
            PyObject* pair = PyList_GET_ITEM(cookies, index);
            if (index > 0) out.request.cookies += "; ";
            const std::string_view name = bytes_view(PyTuple_GET_ITEM(pair, 0));
            if (!name.empty()) out.request.cookies.append(name).append("=");
            out.request.cookies += bytes_view(PyTuple_GET_ITEM(pair, 1));
        }
        if (!is_field_value(out.request.cookies)) {
            raise(
                {error_code::invalid_header, phase::prepare, culprit::caller, 0, "cookies= holds a control character"});
            return false;
        }
    }
    return true;
}

bool given(PyObject* value) { return value && value != Py_None; }

/// The rules for one call: its own, and behind them the session's. False: an exception is set.
bool take_proxies(session_defaults& defaults, PyObject* proxy, PyObject* proxies,
                  std::shared_ptr<const proxy_rules>& out) {
    if (!defaults.proxy_rules_now(out)) return false;
    if (!given(proxy) && !given(proxies)) return true;
    const auto own = rules_from(proxy, proxies);
    if (!own) return false;
    own->fall_back_on(std::move(out));
    out = own->empty() ? nullptr : own;
    return true;
}

}  // namespace

std::shared_ptr<const transport::tls_context> session_defaults::tls_context() {
    if (!tls_changed) return tls;
    if (!make_tls(verify.get(), cert.get(), trust_env, versions, tls)) return nullptr;
    tls_changed = false;
    return tls;
}

std::shared_ptr<const transport::tls_context> session_defaults::tls_context_of(PyObject* trusted, PyObject* identity,
                                                                               http_versions spoken) {
    if (trusted == verify.get() && identity == cert.get() && spoken == versions) return tls_context();
    const owned pair(PyTuple_Pack(2, trusted, identity));
    const owned written(pair ? PyObject_Repr(pair.get()) : nullptr);
    const char* wanted = written ? PyUnicode_AsUTF8(written.get()) : nullptr;
    if (!wanted) return nullptr;
    const std::string key = std::string(trust_env ? "+" : "-") + (spoken.http_2 ? "2" : "1") + wanted;
    for (const auto& [asked, context] : other_tls) {
        if (asked == key) return context;
    }
    std::shared_ptr<const transport::tls_context> made;
    if (!make_tls(trusted, identity, trust_env, spoken, made)) return nullptr;
    constexpr std::size_t kept = 16;
    if (other_tls.size() == kept) other_tls.erase(other_tls.begin());
    other_tls.emplace_back(key, made);
    return made;
}

std::shared_ptr<const transport::tls_context> session_defaults::tls_context_for(PyObject* verify_given,
                                                                                PyObject* cert_given) {
    return tls_context_of(given(verify_given) ? verify_given : verify.get(),
                          given(cert_given) ? cert_given : cert.get(), versions);
}

std::shared_ptr<const transport::tls_context> session_defaults::proxy_tls_context_for(PyObject* verify_given) {
    constexpr http_versions with_proxies;
    return tls_context_of(given(verify_given) ? verify_given : verify.get(), Py_None, with_proxies);
}

bool session_defaults::tls_is_special(PyObject* verify_given, PyObject* cert_given) const {
    return given(verify_given) || given(cert_given) || verify.get() != Py_True || given(cert.get()) || !trust_env ||
           versions != http_versions{};
}

bool session_defaults::proxy_rules_now(std::shared_ptr<const proxy_rules>& out) {
    std::shared_ptr<const proxy_rules> environment;
    if (trust_env && !environment_rules(environment)) return false;
    if (PyDict_GET_SIZE(proxies.get()) == 0) return out = std::move(environment), true;
    if (proxies_seen_ && environment == environment_seen_) {
        // The dict is its user's to change, as in requests.
        const int same = PyObject_RichCompareBool(proxies.get(), proxies_seen_.get(), Py_EQ);
        if (same < 0) return false;
        if (same == 1) return out = rules_, true;
    }
    owned seen(PyDict_Copy(proxies.get()));
    const auto made = seen ? rules_from(nullptr, seen.get()) : nullptr;
    if (!made) return false;
    made->fall_back_on(environment);
    proxies_seen_ = std::move(seen);
    environment_seen_ = std::move(environment);
    rules_ = made;
    return out = rules_, true;
}

bool session_defaults::set_timeout(PyObject* value) {
    static lazy_import timeout_of("pabal.config", "timeout_of");
    if (!timeout_of.get()) return false;
    owned made(PyObject_CallOneArg(timeout_of.get(), value));
    timeouts parsed;
    if (!made || !parse_parts(made.get(), parsed)) return false;
    timeout = std::move(made);
    parsed_timeouts = parsed;
    return true;
}

void session_defaults::set_trust_env(bool trusted) {
    trust_env = trusted;
    tls_changed = true;
    netrc = trusted ? client::netrc_of_environment() : nullptr;
}

void session_defaults::apply_to(client::session& session) const {
    session.netrc = netrc;
    session.rate_limits = parsed_rate_limits;
    session.resolver = parsed_resolver;
    session.versions = versions;
}

bool session_defaults::timeouts_for(PyObject* given, timeouts& out) {
    if (given == timeout.get()) {
        out = parsed_timeouts;
        return true;
    }
    if (given == last_timeout.get()) {
        out = parsed_last;
        return true;
    }
    if (!parse_timeout(given, out)) return false;
    if (PyObject_HasAttrString(given, "parts")) {  // one that cannot be changed
        last_timeout = owned::borrow(given);
        parsed_last = out;
    }
    return true;
}

bool session_defaults::set_hooks(PyObject* value) {
    if (value == Py_None) {
        hooks = owned::borrow(Py_None);
        return true;
    }
    static lazy_import hooks_of("pabal._hooks", "hooks_of");
    if (!hooks_of.get()) return false;
    owned made(PyObject_CallOneArg(hooks_of.get(), value));
    if (!made) return false;
    hooks = std::move(made);
    return true;
}

bool session_defaults::set_base_url(PyObject* value) {
    if (value == Py_None) {
        base_url = owned::borrow(Py_None);
        parsed_base.reset();
        return true;
    }
    static lazy_import url_text("pabal._prepare", "url_text");
    if (!url_text.get()) return false;
    owned given(PyObject_CallFunction(url_text.get(), "Os", value, "base_url"));
    std::string_view written;
    if (!given || !read_utf8(given.get(), "base_url", written, error_code::invalid_url)) return false;
    auto parsed = url::parse(written);
    if (!parsed) {
        error failure = std::move(parsed).error();
        failure.message.insert(0, "base_url: ");
        return raise(failure) != nullptr;
    }
    base_url = std::move(given);
    parsed_base = std::move(*parsed);
    return true;
}

bool read_max_redirects(PyObject* value, int& out) {
    long long count = 0;
    if (!read_count(value, "max_redirects", 0, 1'000'000, count)) return false;
    out = static_cast<int>(count);
    return true;
}

bool read_tls_settings(PyObject* verify, PyObject* cert) {
    tls_options unused;
    return read_verify(verify, unused) && read_cert(cert, unused);
}

void initialise(session_defaults& defaults, nb::kwargs arguments) {
    const auto argument = [&](const char* name) {
        return arguments.contains(name) ? nb::object(arguments[name]) : nb::none();
    };
    fields lines = client::default_fields();
    const nb::object headers_given = argument("headers");
    if (!headers_given.is_none()) {
        fields own;
        if (!append_headers(own, headers_given.ptr())) throw_python();
        for (const fields::field line : own) lines.remove(line.name);
        for (const fields::field line : own) lines.append_valid(line.name, line.value);
    }
    defaults.headers = owned(checked(make_headers(std::move(lines))));
    defaults.cookies = owned(checked(make_cookie_jar_from(argument("cookies").ptr())));
    defaults.params = owned::borrow(argument("params").ptr());
    defaults.auth = owned::borrow(argument("auth").ptr());
    defaults.verify = owned::borrow(arguments.contains("verify") ? nb::object(arguments["verify"]).ptr() : Py_True);
    defaults.cert = owned::borrow(argument("cert").ptr());
    if (!read_tls_settings(defaults.verify.get(), defaults.cert.get())) throw_python();
    defaults.proxies = owned(checked(make_proxies(argument("proxy").ptr(), argument("proxies").ptr())));
    if (!parse_retries(argument("retries").ptr(), defaults.parsed_retries, &defaults.retries)) throw_python();
    if (arguments.contains("max_redirects") &&
        !read_max_redirects(nb::object(arguments["max_redirects"]).ptr(), defaults.max_redirects))
        throw_python();
    bool trusted = true;
    if (arguments.contains("trust_env") && !read_flag(nb::object(arguments["trust_env"]).ptr(), "trust_env", trusted))
        throw_python();
    defaults.set_trust_env(trusted);
    defaults.rate_limit = owned::borrow(argument("rate_limit").ptr());
    defaults.parsed_rate_limits = rate_limits_of(argument("rate_limit"));
    defaults.resolver = owned::borrow(argument("resolver").ptr());
    defaults.parsed_resolver = resolver_of(argument("resolver"));
    const nb::object config = nb::module_::import_("pabal.config");
    const nb::object http = config.attr("versions_of")(argument("http"));
    defaults.http = owned::borrow(http.ptr());
    defaults.versions.http_1_1 = nb::cast<bool>(http.attr("__contains__")("1.1"));
    defaults.versions.http_2 = nb::cast<bool>(http.attr("__contains__")("2"));
    const nb::object timeout =
        arguments.contains("timeout") ? nb::object(arguments["timeout"]) : nb::object(config.attr("DEFAULT_TIMEOUT"));
    if (!defaults.set_timeout(timeout.ptr())) throw_python();
    if (!defaults.set_hooks(argument("hooks").ptr()) || !defaults.set_base_url(argument("base_url").ptr()))
        throw_python();
    const nb::object limits =
        argument("limits").is_none() ? nb::object(config.attr("DEFAULT_LIMITS")) : argument("limits");
    if (!nb::isinstance(limits, config.attr("Limits"))) {
        PyErr_Format(PyExc_TypeError, "limits must be a pabal.Limits, not %s", Py_TYPE(limits.ptr())->tp_name);
        throw_python();
    }
    const nb::tuple parts(limits.attr("parts"));
    defaults.limits = owned::borrow(limits.ptr());
    defaults.parsed_limits.max_connections = nb::cast<std::size_t>(parts[0]);
    defaults.parsed_limits.max_connections_per_host = nb::cast<std::size_t>(parts[1]);
    defaults.parsed_limits.max_idle_connections = nb::cast<std::size_t>(parts[2]);
    defaults.parsed_limits.idle_timeout = from_seconds(nb::cast<double>(parts[3]));
    defaults.parsed_limits.max_body = nb::cast<std::uint64_t>(parts[4]);
    if (!parts[5].is_none()) defaults.parsed_limits.max_streamed_body = nb::cast<std::uint64_t>(parts[5]);
}

std::optional<fields> changed_headers(session_defaults& defaults) {
    PyObject* object = defaults.headers.get();
    const auto* lines = nb::inst_ptr<headers>(object);
    if (defaults.headers_seen == object && defaults.headers_version == lines->version) return std::nullopt;
    defaults.headers_seen = object;
    defaults.headers_version = lines->version;
    return lines->lines;
}

void refresh_headers(session_defaults& defaults, client::session& session) {
    if (auto changed = changed_headers(defaults)) session.headers = std::move(*changed);
}

int session_defaults::traverse(visitproc visit, void* arg) const {
    for (const owned* held : {&headers, &cookies, &params, &auth, &verify, &cert, &timeout, &limits, &proxies,
                              &proxies_seen_, &retries, &rate_limit, &resolver, &http, &hooks})
        Py_VISIT(held->get());
    return 0;
}

void session_defaults::clear() {
    for (owned* held : {&params, &auth, &verify, &cert, &hooks}) held->reset();
}

bool read_method(PyObject* method, bool keep_case, std::string& out) {
    owned keep;
    std::string_view given;
    if (!header_text(method, "method", keep, given)) return false;
    out.clear();
    for (const char letter : given)
        out.push_back(!keep_case && letter >= 'a' && letter <= 'z' ? static_cast<char>(letter - 32) : letter);
    if (is_field_name(out)) return true;  // a method is a token, as field names are
    PyErr_Format(PyExc_ValueError, "%R is not an HTTP method: it may hold letters, digits and !#$%%&'*+-.^_`|~",
                 method);
    return false;
}

std::optional<prepared_call> prepare_call(PyObject* session, session_defaults& defaults, std::string_view method,
                                          PyObject* const* arguments, Py_ssize_t count, PyObject* names, bool streams,
                                          bool is_async) {
    prepared_call out;
    client::call_request& request = out.request;
    request.method = method;
    request.streams_response = streams;
    request.follow_redirects = method != "HEAD";
    request.limits = defaults.parsed_timeouts;
    request.max_redirects = defaults.max_redirects;
    request.retries = defaults.parsed_retries;

    PyObject* url_object = count > 0 ? arguments[0] : nullptr;
    PyObject *headers_given = nullptr, *verify = nullptr, *cert = nullptr, *proxy = nullptr, *proxies = nullptr;
    PyObject* prepared = nullptr;
    bool hooked = given(defaults.hooks.get());
    if (count > 1) {
        PyErr_SetString(PyExc_TypeError, "only the URL is given by position; give the other options by name");
        return std::nullopt;
    }
    if (given(defaults.auth.get())) request.auth = credentials_of(defaults.auth.get());
    bool plain = (request.auth || !given(defaults.auth.get())) &&
                 (!given(defaults.params.get()) || PyObject_Not(defaults.params.get()) == 1);
    const Py_ssize_t named = names ? PyTuple_GET_SIZE(names) : 0;
    for (Py_ssize_t index = 0; index < named; ++index) {
        PyObject* name = PyTuple_GET_ITEM(names, index);
        PyObject* value = arguments[count + index];
        switch (option_named(name)) {
        case option::url: url_object = value; break;
        case option::headers: headers_given = value; break;
        case option::verify: verify = value; break;
        case option::cert: cert = value; break;
        case option::proxy: proxy = value; break;
        case option::proxies: proxies = value; break;
        case option::timeout:
            if (!parse_timeout(value, request.limits)) return std::nullopt;
            break;
        case option::allow_redirects:
            if (!read_flag(value, "allow_redirects", request.follow_redirects)) return std::nullopt;
            break;
        case option::max_redirects:
            if (value != Py_None && !read_max_redirects(value, request.max_redirects)) return std::nullopt;
            break;
        case option::retries:
            if (value != Py_None && !parse_retries(value, request.retries)) return std::nullopt;
            break;
        case option::max_body:
            if (!parse_max_body(value, request.max_body)) return std::nullopt;
            break;
        case option::expect_continue:
            if (!parse_continue_wait(value, request.continue_wait)) return std::nullopt;
            break;
        case option::stream:
            if (!read_flag(value, "stream", request.streams_response)) return std::nullopt;
            break;
        case option::hooks: hooked = hooked || value != Py_None; break;
        case option::prepared:
            prepared = value;
            plain = false;
            break;
        case option::other:
            if (!is_known_option(name)) {
                PyErr_Format(PyExc_TypeError, "a request has no option %R", name);
                return std::nullopt;
            }
            if (value != Py_None) plain = false;
        }
    }
    if (!url_object) {
        PyErr_SetString(PyExc_TypeError, "a request needs a URL");
        return std::nullopt;
    }
    if (hooked && !prepared) {
        out.hooked = true;
        return out;
    }
    if (given(headers_given) && !PyDict_Check(headers_given)) plain = false;
    plain = plain && PyUnicode_Check(url_object);

    if (plain) {
        std::string_view location;
        if (!read_utf8(url_object, "the URL", location, error_code::invalid_url)) return std::nullopt;
        if (!parse_location(defaults, location, request.location)) return std::nullopt;
        if (given(headers_given)) {
            // None takes a default away: that needs the merging of the long way.
            PyObject *name = nullptr, *value = nullptr;
            for (Py_ssize_t position = 0; PyDict_Next(headers_given, &position, &name, &value);)
                plain = plain && value != Py_None;
            if (plain && !append_headers(request.headers, headers_given)) return std::nullopt;
        }
    }
    if (prepared) {
        if (!take_prepared(defaults, prepared, out)) return std::nullopt;
    } else if (!plain) {
        request.headers.clear();
        const owned options(PyDict_New());
        if (!options) return std::nullopt;
        for (Py_ssize_t index = 0; index < named; ++index) {
            if (PyDict_SetItem(options.get(), PyTuple_GET_ITEM(names, index), arguments[count + index]) < 0)
                return std::nullopt;
        }
        if (streams && PyDict_SetItemString(options.get(), "stream", Py_True) < 0) return std::nullopt;
        if (!prepare_in_python(session, defaults, url_object, options.get(), is_async, out)) return std::nullopt;
    }
    if (out.instead) return out;
    if (!take_proxies(defaults, proxy, proxies, request.proxies)) return std::nullopt;
    // What is never used here is looked at all the same.
    if (!read_tls_settings(verify, cert)) return std::nullopt;
    // A redirect may lead from http to https: then, too, the trust asked for counts.
    if (request.location.is_secure() || (request.follow_redirects && defaults.tls_is_special(verify, cert))) {
        request.tls = defaults.tls_context_for(verify, cert);
        if (!request.tls) return std::nullopt;
    }
    if (request.proxies && request.proxies->has_tls()) {
        request.proxy_tls = defaults.proxy_tls_context_for(verify);
        if (!request.proxy_tls) return std::nullopt;
    }
    return out;
}

}  // namespace pabal::python

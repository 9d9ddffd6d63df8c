#include "session_defaults.hpp"

#include "alternatives.hpp"
#include "client/netrc.hpp"
#include "connection/qlog_folder.hpp"
#include "cookies.hpp"
#include "errors.hpp"
#include "headers.hpp"
#include "options.hpp"
#include "proxies.hpp"
#include "quic.hpp"
#include "rate_limits.hpp"
#include "resolvers.hpp"
#include "retries.hpp"
#include "timeouts.hpp"

namespace pabal::python {

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
    if (!made || !parse_timeout_parts(made.get(), parsed)) return false;
    timeout = std::move(made);
    parsed_timeouts = parsed;
    return true;
}

void session_defaults::set_trust_env(bool trusted) {
    trust_env = trusted;
    tls.trust_environment(trusted);
    netrc = trusted ? client::netrc_of_environment() : nullptr;
}

void session_defaults::apply_to(client::session& session) const {
    session.netrc = netrc;
    session.rate_limits = parsed_rate_limits;
    session.resolver = parsed_resolver;
    session.local_address = parsed_local_address;
    session.conduct = conduct;
    session.versions = versions;
    if (alternatives_file) session.keep_alternatives_in(alternatives_file);
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
    const nb::object verify = arguments.contains("verify") ? nb::object(arguments["verify"]) : nb::borrow(Py_True);
    if (!defaults.tls.set_verify(verify.ptr()) || !defaults.tls.set_cert(argument("cert").ptr())) throw_python();
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
    const nb::object local = config.attr("local_address_of")(argument("local_address"));
    defaults.local_address = owned::borrow(local.ptr());
    if (!local.is_none()) {
        std::string_view written;
        if (!read_utf8(local.ptr(), "local_address", written)) throw_python();
        auto parsed = dial::local_address(written);
        if (!parsed) throw_error(parsed.error());
        defaults.parsed_local_address = *parsed;
    }
    defaults.alternatives_file = alternative_file_of(argument("alternatives_file"));
    const nb::object http = config.attr("versions_of")(argument("http"));
    defaults.http = owned::borrow(http.ptr());
    defaults.versions.http_1_1 = nb::cast<bool>(http.attr("__contains__")("1.1"));
    defaults.versions.http_2 = nb::cast<bool>(http.attr("__contains__")("2"));
    defaults.versions.http_3 = nb::cast<bool>(http.attr("__contains__")("3"));
    defaults.tls.speak(defaults.versions);
    const nb::object hello = config.attr("encrypted_client_hello_of")(argument("encrypted_client_hello"));
    defaults.encrypted_hello = owned::borrow(hello.ptr());
    defaults.tls.encrypt_hello(
        static_cast<encrypted_client_hello>(nb::cast<int>(config.attr("ENCRYPTED_CLIENT_HELLO").attr("index")(hello))));
    const nb::object early = config.attr("early_data_of")(argument("early_data"));
    defaults.early_data = owned::borrow(early.ptr());
    defaults.tls.send_early_data(nb::cast<bool>(early));
    const nb::object quic = argument("quic");
    auto conduct = connection::conduct_of(quic_options_of(quic));
    if (!conduct) throw_error(conduct.error());
    defaults.quic = owned::borrow(quic.ptr());
    defaults.conduct = std::move(*conduct);
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
    if (!parts[6].is_none()) defaults.parsed_limits.ping_interval = from_seconds(nb::cast<double>(parts[6]));
    defaults.parsed_limits.coalesce = nb::cast<bool>(parts[7]);
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
    for (const owned* held :
         {&headers, &cookies, &params, &auth, &timeout, &limits, &proxies, &proxies_seen_, &retries, &rate_limit,
          &resolver, &local_address, &http, &encrypted_hello, &early_data, &quic, &hooks})
        Py_VISIT(held->get());
    return tls.traverse(visit, arg);
}

void session_defaults::clear() {
    for (owned* held : {&params, &auth, &hooks}) held->reset();
    tls.clear();
}

}  // namespace pabal::python

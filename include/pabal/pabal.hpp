#pragma once
/// \file
/// Everything: start reading here.
///
///   session.hpp      the blocking client
///   coroutine.hpp    the same for C++20 coroutines
///   server.hpp       a server
///   handler.hpp      what client and server have in common
///   trace.hpp        when what happened to a request
///   fields.hpp, message.hpp, url.hpp, cookies.hpp, tls.hpp, options.hpp, priority.hpp, proxy.hpp, quic.hpp,
///   retry.hpp, auth.hpp, rate_limit.hpp    the nouns
///   result.hpp, error.hpp    how failures are told

#include <pabal/auth.hpp>
#include <pabal/cookies.hpp>
#include <pabal/coroutine.hpp>
#include <pabal/error.hpp>
#include <pabal/fields.hpp>
#include <pabal/handler.hpp>
#include <pabal/message.hpp>
#include <pabal/options.hpp>
#include <pabal/priority.hpp>
#include <pabal/proxy.hpp>
#include <pabal/quic.hpp>
#include <pabal/rate_limit.hpp>
#include <pabal/result.hpp>
#include <pabal/retry.hpp>
#include <pabal/safe_resolver.hpp>
#include <pabal/server.hpp>
#include <pabal/session.hpp>
#include <pabal/tls.hpp>
#include <pabal/trace.hpp>
#include <pabal/url.hpp>
#include <pabal/version.hpp>

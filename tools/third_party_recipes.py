"""The third-party libraries and data: what tools/third_party.py builds, and how.

Adding one: name its crate in third_party/Cargo.toml, run `cargo generate-lockfile` there, add a recipe below and an
imported target to cmake/ThirdParty.cmake, run `tools/third_party.py licences`, and give it a line in NOTICE.
"""

from __future__ import annotations

from dataclasses import dataclass, field

# What every library is compiled with. Hidden visibility keeps the archives' symbols out of what libpabal.so and the
# Python extension export; sections let the linker drop what is not used; no -march: they dispatch at run time.
C_FLAGS = "-O3 -DNDEBUG -fPIC -fvisibility=hidden -ffunction-sections -fdata-sections"
CXX_FLAGS = C_FLAGS + " -fvisibility-inlines-hidden"


@dataclass(frozen=True)
class Recipe:
    """How one library is built. `libraries` are below the build folder, `licences` and `patches` below the crate."""

    name: str
    version: str
    crate: str
    source: str  # folder of the library's source inside the crate
    libraries: tuple[str, ...]
    headers: tuple[tuple[str, str, str], ...]  # ("source" | "build", glob, folder below include/)
    licence: str  # SPDX expression
    licences: tuple[str, ...]
    cmake: str | None = ""  # folder of the CMakeLists.txt below `source`; None: third_party/archive builds `sources`
    options: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    patches: tuple[str, ...] = ()  # below the crate, applied in this order with patch -p1
    sources: tuple[str, ...] = ()
    includes: tuple[str, ...] = ()
    definitions: tuple[str, ...] = ()
    # (crate, path in it, name below share/): only copied, nothing is built. Not part of the repr, of which the keys in
    # the cache are made: those of what is built do not depend on it.
    data: tuple[tuple[str, str, str], ...] = field(default=(), repr=False)
    # Libraries above it in RECIPES that it is built against; `{name}` in an option is the folder of that one.
    needs: tuple[str, ...] = field(default=(), repr=False)

    @property
    def crates(self) -> tuple[str, ...]:
        """Every crate something is taken from."""
        return tuple(dict.fromkeys((self.crate, *(crate for crate, _, _ in self.data))))


RECIPES = (
    Recipe(
        name="boringssl",
        version="37",  # BORINGSSL_API_VERSION; BoringSSL has no releases
        crate="btls-sys",
        source="deps/boringssl",
        # The patches add what browser fingerprints need: extension order, delegated credentials, record size limit, …
        patches=(
            "patches/boring-pq.patch",
            "patches/boringssl.patch",
            "patches/boringssl-loongarch.patch",
            "patches/boringssl-windows.patch",
        ),
        options=("-DBUILD_TESTING=OFF",),
        targets=("ssl", "crypto", "pki"),
        libraries=("libssl.a", "libcrypto.a", "libpki.a"),
        headers=(("source", "include/openssl/*.h", "openssl"), ("source", "include/openssl/pki/*.h", "openssl/pki")),
        licence="Apache-2.0",
        licences=("deps/boringssl/LICENSE", "LICENSE-MIT"),
    ),
    Recipe(
        name="zlib",
        version="ng-2.3.3",
        crate="libz-ng-sys",
        source="src/zlib-ng",
        # zlib-ng's own API (<zlib-ng.h>, zng_inflate, …), so that it never meets the system's zlib in one process.
        options=(
            "-DZLIB_COMPAT=OFF",
            "-DBUILD_TESTING=OFF",
            "-DBUILD_SHARED_LIBS=OFF",
            "-DWITH_GZFILEOP=OFF",
            "-DWITH_GTEST=OFF",
        ),
        libraries=("libz-ng.a",),
        headers=(("build", "zlib-ng.h", ""), ("build", "zconf-ng.h", ""), ("build", "zlib_name_mangling-ng.h", "")),
        licence="Zlib",
        licences=("src/zlib-ng/LICENSE.md",),
    ),
    Recipe(
        name="brotli",
        version="1.0.9",
        crate="brotlic-sys",
        source="brotli/c",
        cmake=None,
        sources=("common/*.c", "dec/*.c", "enc/*.c"),
        includes=("include",),
        libraries=("libbrotli.a",),
        headers=(("source", "include/brotli/*.h", "brotli"),),
        licence="MIT",
        licences=(),  # the crate carries the sources without it: third_party/licenses/brotli.txt is kept by hand
    ),
    Recipe(
        name="zstd",
        version="1.5.7",
        crate="zstd-sys",
        source="zstd/lib",
        cmake=None,
        sources=("common/*.c", "compress/*.c", "decompress/*.c", "decompress/*.S"),
        includes=(".",),
        definitions=("ZSTD_LEGACY_SUPPORT=0", "ZSTDLIB_VISIBLE=", "ZSTDERRORLIB_VISIBLE="),
        libraries=("libzstd.a",),
        headers=(("source", "zstd.h", ""), ("source", "zstd_errors.h", "")),
        licence="BSD-3-Clause",
        licences=("zstd/LICENSE",),
    ),
    Recipe(
        name="cares",
        version="1.34.9",
        crate="c-ares-sys",
        source="c-ares",
        options=(
            "-DCARES_STATIC=ON",
            "-DCARES_STATIC_PIC=ON",
            "-DCARES_SHARED=OFF",
            "-DCARES_INSTALL=OFF",
            "-DCARES_BUILD_TOOLS=OFF",
            "-DCARES_BUILD_TESTS=OFF",
        ),
        libraries=("lib/libcares.a",),
        headers=(("source", "include/*.h", ""), ("build", "ares_build.h", "")),
        licence="MIT",
        licences=("c-ares/LICENSE.md",),
    ),
    Recipe(
        name="nghttp2",
        version="1.68.1",
        crate="libnghttp2-sys",
        source="nghttp2",
        options=(
            "-DENABLE_LIB_ONLY=ON",
            "-DBUILD_STATIC_LIBS=ON",
            "-DBUILD_SHARED_LIBS=OFF",
            "-DBUILD_TESTING=OFF",
            "-DENABLE_DOC=OFF",
        ),
        libraries=("lib/libnghttp2.a",),
        headers=(
            ("source", "lib/includes/nghttp2/nghttp2.h", "nghttp2"),
            ("build", "lib/includes/nghttp2/nghttp2ver.h", "nghttp2"),
        ),
        licence="MIT",
        licences=("nghttp2/COPYING",),
    ),
    Recipe(
        name="nghttp3",
        version="1.18.0",
        crate="nghttp3-sys",
        source="deps/nghttp3",
        options=(
            "-DENABLE_LIB_ONLY=ON",
            "-DENABLE_STATIC_LIB=ON",
            "-DENABLE_SHARED_LIB=OFF",
            "-DBUILD_TESTING=OFF",
        ),
        libraries=("lib/libnghttp3.a",),
        headers=(
            ("source", "lib/includes/nghttp3/nghttp3.h", "nghttp3"),
            ("build", "lib/includes/nghttp3/version.h", "nghttp3"),
        ),
        licence="MIT",
        licences=("deps/nghttp3/COPYING", "deps/nghttp3/lib/sfparse/COPYING"),
    ),
    Recipe(
        name="ngtcp2",
        version="1.25.0",
        crate="ngtcp2-sys",
        source="deps/ngtcp2",
        options=(
            "-DENABLE_LIB_ONLY=ON",
            "-DENABLE_STATIC_LIB=ON",
            "-DENABLE_SHARED_LIB=OFF",
            "-DBUILD_TESTING=OFF",
            "-DENABLE_OPENSSL=OFF",
            "-DENABLE_BORINGSSL=ON",
            "-DBORINGSSL_INCLUDE_DIR={boringssl}/include",
            "-DBORINGSSL_LIBRARIES={boringssl}/lib/libssl.a;{boringssl}/lib/libcrypto.a;stdc++;pthread",
        ),
        needs=("boringssl",),
        libraries=("lib/libngtcp2.a", "crypto/boringssl/libngtcp2_crypto_boringssl.a"),
        headers=(
            ("source", "lib/includes/ngtcp2/ngtcp2.h", "ngtcp2"),
            ("build", "lib/includes/ngtcp2/version.h", "ngtcp2"),
            ("source", "crypto/includes/ngtcp2/ngtcp2_crypto.h", "ngtcp2"),
            ("source", "crypto/includes/ngtcp2/ngtcp2_crypto_boringssl.h", "ngtcp2"),
        ),
        licence="MIT",
        licences=("deps/ngtcp2/COPYING",),
    ),
    Recipe(
        name="ada",
        version="4.0.0",
        crate="ada-url",
        source="deps",
        cmake=None,
        sources=("ada.cpp",),
        includes=(".",),
        libraries=("libada.a",),
        headers=(("source", "ada.h", ""),),
        licence="Apache-2.0 OR MIT",
        licences=("LICENSE-APACHE", "LICENSE-MIT"),
    ),
    Recipe(
        name="simdjson",
        version="4.6.4",
        crate="simdjson-sys",
        source="vendor/simdjson",
        cmake=None,
        sources=("simdjson.cpp",),
        includes=(".",),
        definitions=("SIMDJSON_DEVELOPMENT_CHECKS=0",),
        libraries=("libsimdjson.a",),
        headers=(("source", "simdjson.h", ""),),
        licence="Apache-2.0",
        licences=("vendor/simdjson/LICENSE",),
    ),
    Recipe(
        name="publicsuffix",
        version="2.1.247",  # of the crate, which follows the list
        crate="psl",
        source="data",
        # tools/public_suffix_table.py makes a table of the rules; the vectors are the list's own tests.
        data=(("psl", "data/rules.txt", "rules.txt"), ("publicsuffix", "tests/tests.txt", "tests.txt")),
        libraries=(),
        headers=(),
        licence="MPL-2.0",
        licences=(),  # the crate has only its own code's: third_party/licenses/publicsuffix.txt is kept by hand
    ),
)

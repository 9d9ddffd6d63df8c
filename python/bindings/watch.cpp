#include "watch.hpp"

#include <vector>

#include <unistd.h>

namespace pabal::python {

namespace {

#if PY_VERSION_HEX >= 0x030C0000
std::uint64_t dict_changes = 0;  ///< of all dicts that are watched: they hardly ever change

int on_change(PyDict_WatchEvent, PyObject*, PyObject*, PyObject*) {
    ++dict_changes;
    return 0;
}
#endif

class watch {
public:
    explicit watch(const nb::args& what) {
        for (const nb::handle each : what) {
            if (PyType_Check(each.ptr())) types_.push_back({owned::borrow(each.ptr()), 0});
            else if (PyDict_CheckExact(each.ptr())) watch_dict(each.ptr());
            else throw nb::type_error("Watch() takes classes and dicts");
        }
    }

    /// What `conclude` was last told; null: nothing yet, or there has been a change.
    PyObject* verdict() const noexcept {
        if (!verdict_) return nullptr;
        for (const auto& [type, seen] : types_) {
            if (seen == 0 || version_of(type.get()) != seen) return nullptr;
        }
        for (const auto& [dict, seen] : dicts_) {
            if (changes_of(dict.get()) != seen) return nullptr;
        }
        return verdict_.get();
    }

    /// From here on changes count against what is concluded under the number returned.
    std::uint64_t renew() {
        verdict_.reset();
        for (auto& [type, seen] : types_) {
            const owned looked_up(PyObject_GetAttrString(type.get(), "__init__"));  // gives the class its number
            PyErr_Clear();
            seen = version_of(type.get());
        }
        for (auto& [dict, seen] : dicts_) seen = changes_of(dict.get());
        return ++renewals_;
    }

    void conclude(std::uint64_t renewal, nb::handle verdict) {
        if (renewal == renewals_ && !is_blind_) verdict_ = owned::borrow(verdict.ptr());
    }

private:
    template <class Version>
    struct watched {
        owned object;
        Version seen;
    };

    static unsigned version_of(PyObject* type) noexcept {
        return reinterpret_cast<PyTypeObject*>(type)->tp_version_tag;  // 0: changed, and not looked at since
    }

    static std::uint64_t changes_of([[maybe_unused]] PyObject* dict) noexcept {
#if PY_VERSION_HEX >= 0x030C0000
        return dict_changes;
#else
        return reinterpret_cast<PyDictObject*>(dict)->ma_version_tag;
#endif
    }

    void watch_dict(PyObject* dict) {
#if PY_VERSION_HEX >= 0x030C0000
        static const int watcher = PyDict_AddWatcher(on_change);
        if (watcher < 0 || PyDict_Watch(watcher, dict) < 0) {
            PyErr_Clear();
            is_blind_ = true;
        }
#endif
        dicts_.push_back({owned::borrow(dict), 0});
    }

    std::vector<watched<unsigned>> types_;
    std::vector<watched<std::uint64_t>> dicts_;
    owned verdict_;
    std::uint64_t renewals_ = 0;
    bool is_blind_ = false;  ///< some change would not be noticed
};

bool any_exists(const nb::tuple& paths) {
    for (const nb::handle path : paths) {
        if (!PyBytes_Check(path.ptr())) throw nb::type_error("any_exists() takes paths as bytes");
    }
    const nb::gil_scoped_release released;  // the tuple is the caller's
    for (Py_ssize_t index = 0; index < PyTuple_GET_SIZE(paths.ptr()); ++index) {
        if (::access(PyBytes_AS_STRING(PyTuple_GET_ITEM(paths.ptr(), index)), F_OK) == 0) return true;
    }
    return false;
}

}  // namespace

void add_watch(nb::module_& module) {
    nb::class_<watch>(module, "Watch", "A conclusion about classes and dicts that holds until one of them changes.")
        .def(nb::init<const nb::args&>())
        .def_prop_ro("verdict",
                     [](const watch& self) {
                         PyObject* verdict = self.verdict();
                         return nb::borrow(verdict ? verdict : Py_None);
                     })
        .def("renew", &watch::renew)
        .def("conclude", &watch::conclude, nb::arg("renewal"), nb::arg("verdict"));
    module.def("any_exists", &any_exists, nb::arg("paths"),
               "Whether there is a file at any of some paths, given as bytes.");
}

}  // namespace pabal::python

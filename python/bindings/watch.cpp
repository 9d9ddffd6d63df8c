#include "watch.hpp"

#include <vector>

namespace pabal::python {

namespace {

#if PY_VERSION_HEX >= 0x030C0000
std::uint64_t dict_changes = 0;  ///< of all dicts that are watched: they hardly ever change

int on_change(PyDict_WatchEvent, PyObject*, PyObject*, PyObject*) {
    ++dict_changes;
    return 0;
}
#endif

bool is_dict(PyObject* object) noexcept { return PyDict_CheckExact(object) || PyODict_CheckExact(object); }

class watch {
public:
    explicit watch(const nb::args& what) {
        for (const nb::handle each : what) {
            if (PyType_Check(each.ptr())) types_.push_back({owned::borrow(each.ptr()), 0});
            else if (is_dict(each.ptr())) watch_dict(each.ptr());
            else if (PyList_CheckExact(each.ptr())) lists_.push_back(owned::borrow(each.ptr()));
            else if (PySet_CheckExact(each.ptr())) sets_.push_back(owned::borrow(each.ptr()));
            else throw nb::type_error("Watch() takes classes, dicts, and lists and sets that are empty");
        }
    }

    /// What `conclude` was last told; null: nothing yet, or there has been a change.
    PyObject* verdict() const noexcept {
        if (!verdict_) return nullptr;
        for (const owned& list : lists_) {
            if (PyList_GET_SIZE(list.get()) != 0) return nullptr;
        }
        for (const owned& set : sets_) {
            if (PySet_GET_SIZE(set.get()) != 0) return nullptr;
        }
        for (const auto& [type, seen] : types_) {
            if (seen == 0 || version_of(type.get()) != seen) return nullptr;
        }
        for (const auto& [dict, seen] : dicts_) {
            if (changes_of(dict.get()) != seen) return nullptr;
        }
        return verdict_.get();
    }

    /// The same of a watch that is kept in a dict, `bearer`, and holds no reference to it; null for any other dict.
    PyObject* verdict_of(PyObject* bearer) const noexcept {
        return bearer == bearer_ && changes_of(bearer) == bearer_seen_ ? verdict() : nullptr;
    }

    /// From here on changes count against what is concluded under the number returned.
    std::uint64_t renew(PyObject* bearer) {
        verdict_.reset();
        bearer_ = bearer == Py_None ? nullptr : bearer;
        if (bearer_) {
            if (!PyDict_CheckExact(bearer_)) throw nb::type_error("renew() takes the dict that the watch is kept in");
            report_changes_of(bearer_);
            bearer_seen_ = changes_of(bearer_);
        }
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

    /// For the garbage collector: what is watched may lead back to whoever keeps the watch.
    int traverse(visitproc visit, void* arg) const noexcept {
        for (const auto& each : types_) Py_VISIT(each.object.get());
        for (const auto& each : dicts_) Py_VISIT(each.object.get());
        for (const owned& each : lists_) Py_VISIT(each.get());
        for (const owned& each : sets_) Py_VISIT(each.get());
        Py_VISIT(verdict_.get());
        return 0;
    }

    void clear() {
        verdict_.reset();
        std::exchange(types_, {}).clear();
        std::exchange(dicts_, {}).clear();
        std::exchange(lists_, {}).clear();
        std::exchange(sets_, {}).clear();
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
        report_changes_of(dict);
        dicts_.push_back({owned::borrow(dict), 0});
    }

    void report_changes_of([[maybe_unused]] PyObject* dict) {
#if PY_VERSION_HEX >= 0x030C0000
        static const int watcher = PyDict_AddWatcher(on_change);
        if (watcher < 0 || PyDict_Watch(watcher, dict) < 0) {
            PyErr_Clear();
            is_blind_ = true;
        }
#endif
    }

    std::vector<watched<unsigned>> types_;
    std::vector<watched<std::uint64_t>> dicts_;
    std::vector<owned> lists_;
    std::vector<owned> sets_;
    PyObject* bearer_ = nullptr;  ///< only compared: who asks brings it along
    std::uint64_t bearer_seen_ = 0;
    owned verdict_;
    std::uint64_t renewals_ = 0;
    bool is_blind_ = false;  ///< some change would not be noticed
};

int traverse(PyObject* self, visitproc visit, void* arg) {
    Py_VISIT(Py_TYPE(self));
    return nb::inst_ready(self) ? nb::inst_ptr<watch>(self)->traverse(visit, arg) : 0;
}

int clear(PyObject* self) {
    if (nb::inst_ready(self)) nb::inst_ptr<watch>(self)->clear();
    return 0;
}

nb::object or_none(PyObject* verdict) { return nb::borrow(verdict ? verdict : Py_None); }

}  // namespace

void add_watch(nb::module_& module) {
    static PyType_Slot slots[] = {{Py_tp_traverse, reinterpret_cast<void*>(traverse)},
                                  {Py_tp_clear, reinterpret_cast<void*>(clear)},
                                  {0, nullptr}};
    nb::class_<watch>(module, "Watch", nb::type_slots(slots),
                      "A conclusion about classes and dicts that holds until one of them changes.")
        .def(nb::init<const nb::args&>())
        .def_prop_ro("verdict", [](const watch& self) { return or_none(self.verdict()); })
        .def(
            "verdict_of", [](const watch& self, nb::handle bearer) { return or_none(self.verdict_of(bearer.ptr())); },
            nb::arg("bearer"))
        .def(
            "renew", [](watch& self, nb::handle bearer) { return self.renew(bearer.ptr()); },
            nb::arg("bearer").none() = nb::none())
        // Whoever keeps one may be pickled and copied; what was concluded is not.
        .def("__reduce__", [](nb::handle self) { return nb::make_tuple(self.type(), nb::tuple()); })
        .def("conclude", &watch::conclude, nb::arg("renewal"), nb::arg("verdict"));
}

}  // namespace pabal::python

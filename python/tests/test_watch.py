"""`Watch`: a conclusion holds as long as nothing it was drawn from has changed."""

from __future__ import annotations

import copy
import gc
import pickle
import weakref
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import pytest
from pabal._engine import Watch


class Base:
    attribute = 1


class Derived(Base):
    pass


def delete_method() -> None:
    Base.method = None  # type: ignore[attr-defined]
    del Base.method  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "change",
    [
        lambda table: setattr(Base, "attribute", 2),
        lambda table: setattr(Derived, "attribute", 3),
        lambda table: delete_method(),
        lambda table: table.update(a=2),
        lambda table: table.update(b=1),
        lambda table: table.pop("a"),
        lambda table: table.clear(),
    ],
)
def test_a_change_ends_a_conclusion(change: Callable[[dict[str, int]], Any]) -> None:
    table = {"a": 1}
    watch = Watch(Derived, table)
    assert watch.verdict is None
    watch.conclude(watch.renew(), "seen")
    assert Derived.attribute and table["a"]
    assert [watch.verdict, watch.verdict] == ["seen", "seen"]
    change(table)
    assert watch.verdict is None
    watch.conclude(watch.renew(), "again")
    assert watch.verdict == "again"


def test_a_change_while_looking_counts() -> None:
    table: dict[str, int] = {}
    watch = Watch(table)
    renewal = watch.renew()
    table["a"] = 1
    watch.conclude(renewal, "too late")
    assert watch.verdict is None


def test_only_the_last_to_look_concludes() -> None:
    watch = Watch({})
    first, second = watch.renew(), watch.renew()
    watch.conclude(first, "old")
    assert watch.verdict is None
    watch.conclude(second, "new")
    assert watch.verdict == "new"


@pytest.mark.parametrize("bend", [lambda: [1], lambda: {1}])
def test_what_must_be_empty(bend: Callable[[], Any]) -> None:
    held = bend()
    what = held.pop()
    watch = Watch(held)
    watch.conclude(watch.renew(), "empty")
    assert watch.verdict == "empty"
    held.append(what) if isinstance(held, list) else held.add(what)
    assert watch.verdict is None


def test_an_ordered_dict_is_a_dict() -> None:
    table: OrderedDict[str, int] = OrderedDict(a=1)
    watch = Watch(table)
    watch.conclude(watch.renew(), "seen")
    assert watch.verdict == "seen"
    table["b"] = 1
    assert watch.verdict is None


def test_a_watch_of_the_dict_that_it_is_kept_in() -> None:
    class Kept:
        pass

    kept, other = Kept(), Kept()
    vars(kept)["watch"] = watch = Watch()
    watch.conclude(watch.renew(vars(kept)), "seen")
    assert watch.verdict_of(vars(kept)) == "seen"
    assert watch.verdict_of(vars(other)) is None
    kept.attribute = 1  # type: ignore[attr-defined]
    assert watch.verdict_of(vars(kept)) is None
    gone = weakref.ref(kept)
    del kept
    assert gone() is None


def test_pickles_and_copies_know_nothing() -> None:
    table: dict[str, Any] = {}
    watch = Watch(table)
    table["watch"] = watch
    watch.conclude(watch.renew(table), "seen")
    assert watch.verdict_of(table) == "seen"
    for again in (pickle.loads(pickle.dumps(table)), copy.deepcopy(table), copy.copy(table)):
        assert again["watch"].verdict_of(again) is None


def test_what_leads_back_to_the_watch_is_collected() -> None:
    class Kept:
        pass

    kept = Kept()
    table: dict[str, Any] = {}
    kept.watch = Watch(table)  # type: ignore[attr-defined]
    table["back"] = kept
    gone = weakref.ref(kept)
    del kept, table
    gc.collect()
    assert gone() is None


@pytest.mark.parametrize("what", [1, (), "text", None])
def test_what_cannot_be_watched_is_refused(what: object) -> None:
    with pytest.raises(TypeError):
        Watch(what)

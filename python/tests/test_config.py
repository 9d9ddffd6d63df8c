"""Timeout and Limits: what they mean, what they refuse."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
from pabal import Limits, Timeout
from pabal.config import timeout_of


def test_every_limit_is_finite_by_default() -> None:
    assert all(part is not None and 0 < part < 1000 for part in Timeout().parts)
    assert all(0 < part < 1000 for part in Limits().parts[:4])
    assert Limits().max_body == 2**30


def test_a_plain_number_is_the_total() -> None:
    assert timeout_of(5).total == 5
    assert timeout_of(2.5).total == 2.5


def test_a_long_total_lengthens_the_silence_that_is_allowed() -> None:
    assert Timeout(3600).read == 3600
    assert Timeout(3600).pool == 3600
    assert Timeout(3600, read=5).read == 5
    assert Timeout(1).read == 60  # never reached: the total is shorter


def test_a_pair_is_connect_and_read_as_in_requests() -> None:
    timeout = timeout_of((3, 7))
    assert (timeout.connect, timeout.read) == (3, 7)
    assert timeout.total == Timeout().total


def test_none_switches_every_limit_off() -> None:
    assert timeout_of(None).parts == (None,) * 7


def test_a_timeout_is_taken_as_it_is() -> None:
    timeout = Timeout(9)
    assert timeout_of(timeout) is timeout


@pytest.mark.parametrize("bad", [0, -1, float("nan"), float("inf")])
def test_nonsense_is_a_value_error_that_names_the_field(bad: float) -> None:
    with pytest.raises(ValueError, match="read"):
        Timeout(read=bad)
    with pytest.raises(ValueError, match="total"):
        timeout_of(bad)


@pytest.mark.parametrize("bad", ["5", True, [1]])
def test_other_types_are_a_type_error(bad: Any) -> None:
    with pytest.raises(TypeError):
        timeout_of(bad)


def test_a_tuple_must_be_a_pair() -> None:
    with pytest.raises(ValueError, match="connect, read"):
        timeout_of((1, 2, 3))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "value", [Timeout(5, connect=None), Limits(7, 3, idle_timeout=2, ping_interval=30, coalesce=False)]
)
def test_values_compare_hash_pickle_and_do_not_change(value: Any) -> None:
    copy = pickle.loads(pickle.dumps(value))
    assert copy == value
    assert hash(copy) == hash(value)
    assert repr(copy) == repr(value)
    with pytest.raises(AttributeError):
        value.total = 1
    with pytest.raises(AttributeError):
        value.idle_timeout = 1


def test_many_connections_per_host_raise_the_total() -> None:
    assert Limits(max_connections_per_host=10_000).max_connections == 10_000
    assert Limits(max_connections=50).max_connections_per_host == 50
    assert Limits(max_connections=50).max_idle_connections == 50
    assert Limits(max_idle_connections=0).max_idle_connections == 0


@pytest.mark.parametrize("bad", [0, -5])
def test_limits_are_at_least_one(bad: int) -> None:
    with pytest.raises(ValueError, match="max_connections_per_host"):
        Limits(max_connections_per_host=bad)


def test_limits_are_whole_numbers() -> None:
    with pytest.raises(TypeError):
        Limits(2.5)  # type: ignore[arg-type]

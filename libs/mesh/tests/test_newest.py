"""Facts come late, twice and out of order."""

import itertools

from koppel_mesh.ids import new_id
from koppel_mesh.messages import ConnectionChanged, ConnectionState, newest

DOSSIER, ONE, OTHER = new_id(), new_id(), new_id()


def fact(connection_id: object, state: ConnectionState, version: int) -> ConnectionChanged:
    given = {"connection_id": connection_id, "dossier_id": DOSSIER, "connector": "connector-paper", "state": state}
    return ConnectionChanged.model_validate({**given, "version": version})


def test_the_highest_version_counts_in_whatever_order_they_come() -> None:
    facts = [
        fact(ONE, ConnectionState.AUTHORISING, 1),
        fact(ONE, ConnectionState.CONNECTED, 2),
        fact(OTHER, ConnectionState.DEGRADED, 5),
        fact(OTHER, ConnectionState.CONNECTED, 4),
    ]
    for order in itertools.permutations(facts):
        assert list(newest(order).items()) == [(ONE, facts[1]), (OTHER, facts[2])]


def test_of_equal_versions_the_last_one_counts() -> None:
    facts = [fact(ONE, ConnectionState.CONNECTED, 0), fact(ONE, ConnectionState.DISCONNECTED, 0)]
    assert newest(facts) == {ONE: facts[1]}
    assert newest(reversed(facts)) == {ONE: facts[0]}

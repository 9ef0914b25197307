"""The promises a connector keeps by itself, as tests. Inherit, and give two fixtures: ``service`` and ``harness``.

* P1, booked once: repeated messages, answers that are lost, a late index, a worker killed between any two durable writes; and
  what somebody else booked.
* P2, its half: a message that was taken and a delivery that was claimed survive the death of the worker. No broker or database
  stops here; that is ``tests/test_promises_process.py``.
* P3, its half: what the books hold is the document to the cent, with its sign, relation and files; a booking that was changed
  or removed is not called booked. The clock over ``exported`` is tried in ``tests/test_promises_mesh.py``.
* The right company's books: nothing goes to a company other than the dossier's until a person confirms it.
* P4, one owner of a token pair: twenty tasks refresh once.
* P6, its half: a missing right speaks three languages and names who can fix it; the sync log holds no secret.

P5 and P7 need a second dossier and the whole mesh: ``tests/test_promises_mesh.py``, ``tests/test_openapi_isolation.py``.

Each scenario ends in the same invariants: every ready document ends in a terminal state, the vendor holds one booking per
delivery, it saw no call without a row, no spent token came back, no limit was exceeded.
"""

from .booked_by_others import BookedByOthers
from .booked_once import BookedOnce
from .booked_right import BookedRight
from .killed import WHOLE_MATRIX, Killed
from .refusals import Refusals
from .right_company import RightCompany
from .secrets_kept import Secrets
from .settings_needed import SettingsNeeded


class ConnectorConformance(
    BookedByOthers, BookedOnce, BookedRight, Killed, Refusals, RightCompany, Secrets, SettingsNeeded
):
    """What one connector promises; see the module."""


__all__ = ["WHOLE_MATRIX", "ConnectorConformance"]

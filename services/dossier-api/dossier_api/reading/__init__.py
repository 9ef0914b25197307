"""From bytes in a format to values free of it. What cannot be filed is refused here, with the place that is wrong."""

from collections.abc import Sequence

from koppel_mesh.http.problems import FieldError


class Unreadable(Exception):
    """The bytes are no document that can be filed."""

    def __init__(self, errors: Sequence[FieldError]) -> None:
        super().__init__("; ".join(error.message for error in errors))
        self.errors = tuple(errors)

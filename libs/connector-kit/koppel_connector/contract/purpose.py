"""What the settings of a connection are needed for."""

from typing import Literal

Purpose = Literal["login", "import", "check", "send"]
"""To be let in (a session, or a consent), to import master data, to check the connection, to send documents.

Whatever is done at the vendor begins with being let in: what ``login`` needs, the others need as well.
"""

"""Documents without a booking: their files go to the Document Import Viewer, for the accountant to book (octopus §2.8, R100).

The viewer tells nothing of what it holds, so a call without an answer is a person's to judge. Whether it takes a token of the
REST API is not proven: where it does not, the password logs in at the File Import API itself, and so at once for a day.
"""

from dataclasses import dataclass
from typing import Final

from koppel_bookkeeping import SIDES
from koppel_connector import DeliveryContext, Sent
from koppel_connector.ledger.documents import File, files_to_attach, read_document

from .answers import ImportTokenRefused
from .api import FILE_IMPORT, Octopus
from .bookings import FILE_LIMITS
from .settings import OctopusSettings

_OWN_LOGIN: Final = "the File Import API wants a login of its own"
_BELIEVED_S: Final = 86_400.0


@dataclass(frozen=True)
class PreparedUpload:
    """Files for one folder of the viewer."""

    folder: str
    files: tuple[File, ...]


async def prepare(context: DeliveryContext[OctopusSettings]) -> PreparedUpload:
    """Read the document and choose its files; a document that does not add up is refused here, too."""
    files = await files_to_attach(context, await read_document(context), FILE_LIMITS)
    return PreparedUpload(context.vendor.settings.import_folders.of(SIDES[context.delivery.kind]), files)


async def send(context: DeliveryContext[OctopusSettings], prepared: PreparedUpload) -> Sent:
    """Upload file by file; those that are there already are not sent again."""
    octopus, memory = Octopus(context.vendor), context.vendor.memory
    token = await _token(octopus) if await memory.recall(_OWN_LOGIN, _BELIEVED_S) else None
    for file in prepared.files:
        uploaded = context.progress.get("uploaded", [])
        if file.name in uploaded:
            continue
        try:
            await octopus.import_file(prepared.folder, file, token)
        except ImportTokenRefused:
            if token is not None or context.vendor.settings.password is None:
                raise
            token = await _token(octopus)
            await octopus.import_file(prepared.folder, file, token)
            await memory.remember(_OWN_LOGIN, True)
        await context.save(uploaded=[*uploaded, file.name])
    return Sent(f"{prepared.folder}/{prepared.files[0].name}")


async def _token(octopus: Octopus) -> str | None:
    """Log in at the File Import API with the password; None where the connection has a consent instead."""
    settings = octopus.vendor.settings
    if settings.user is None or settings.password is None:
        return None
    login = await octopus.log_in(settings.user, settings.password.get_secret_value(), FILE_IMPORT)
    return await octopus.connect_for_files(login)

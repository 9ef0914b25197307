"""Documents without a booking: their files go to the Document Import Viewer, for the accountant to book (octopus §2.8, R100).

The viewer tells nothing of what it holds, so a call without an answer is a person's to judge. A UBL with its picture inside, or
beside it, travels as the files of an entry do.
"""

from dataclasses import dataclass

from koppel_bookkeeping import SIDES
from koppel_connector import DeliveryContext, Sent
from koppel_connector.ledger.documents import File, files_to_attach, read_document

from .api import Octopus
from .bookings import FILE_LIMITS
from .settings import OctopusSettings


@dataclass(frozen=True)
class PreparedUpload:
    """Files for one folder of the viewer."""

    folder: str
    files: tuple[File, ...]


async def prepare(context: DeliveryContext[OctopusSettings]) -> PreparedUpload:
    """Read the document and choose its files; a document that does not add up is refused here, too."""
    read = await read_document(context)
    side = SIDES[context.delivery.kind]
    files = await files_to_attach(context, read, FILE_LIMITS)
    return PreparedUpload(context.vendor.settings.import_folders.of(side), files)


async def send(context: DeliveryContext[OctopusSettings], prepared: PreparedUpload) -> Sent:
    """Upload file by file; those that are there already are not sent again."""
    octopus = Octopus(context.vendor)
    for file in prepared.files:
        uploaded = context.progress.get("uploaded", [])
        if file.name not in uploaded:
            await octopus.import_file(prepared.folder, file)
            await context.save(uploaded=[*uploaded, file.name])
    return Sent(f"{prepared.folder}/{prepared.files[0].name}")

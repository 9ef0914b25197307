"""Documents without a booking: their files go to the Document Import Viewer, for the accountant to book (octopus §2.8, R100).

The viewer tells nothing of what it holds, so a call without an answer is a person's to judge. Whether it takes a token of the
REST API is not proven: where it does not, the password logs in at the File Import API itself, and so at once for a day. That
login is a guess as well, so its refusal stops nothing but the uploads, and is remembered of the login, which Octopus may lock
out (octopus §4), not of the connection. Where that API is refused, the files go to the dossier's mailbox, whose attachments the
viewer shows, too.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from koppel_bookkeeping import SIDES
from koppel_connector import ActionRequired, ConnectorError, DeliveryContext, Problem, Sent
from koppel_connector.contract import ReauthorisationRequired, Rejected
from koppel_connector.ledger.documents import File, files_to_attach, read_document
from koppel_connector.mail.bounces import RECIPIENT
from koppel_connector.mail.settings import MailApplication

from .answers import ImportRefused, ImportSessionOver, ImportTokenRefused
from .api import Octopus
from .bookings import FILE_LIMITS
from .settings import OctopusSettings

_OWN_LOGIN: Final = "the File Import API wants a login of its own"
_API_REFUSED: Final = "the File Import API is refused"
MAIL_CALL: Final = "mail to the Import Viewer"
_BELIEVED_S: Final = 86_400.0


@dataclass(frozen=True)
class PreparedUpload:
    """Files for one folder of the viewer."""

    folder: str
    mailbox: str | None
    """Where they go when the File Import API is refused."""
    subject: str
    files: tuple[File, ...]
    mailed: tuple[File, ...]
    """Without those inside the UBL: beside it they would be further documents (octopus §2.8; billmail §5, §7)."""


async def prepare(context: DeliveryContext[OctopusSettings]) -> PreparedUpload:
    """Read the document and choose its files; a document that does not add up is refused here, too."""
    settings, side = context.vendor.settings, SIDES[context.delivery.kind]
    read = await read_document(context)
    files = await files_to_attach(context, read, FILE_LIMITS)
    subject = f"{read.booking.number} {read.booking.party.name}".strip()
    mailbox = settings.import_mailbox.of(side) if context.vendor.application.mail is not None else None
    inside = {each.content for each in read.booking.embedded if any(file.content == read.ubl for file in files)}
    mailed = tuple(file for file in files if file.content not in inside)
    return PreparedUpload(settings.import_folders.of(side), mailbox, subject, files, mailed)


async def send(context: DeliveryContext[OctopusSettings], prepared: PreparedUpload) -> Sent:
    """Upload the files; where the API is refused and has none of them, mail them (R100).

    A refusal is believed for a day. What the API may have taken is never mailed.
    """
    memory, uploaded = context.vendor.memory, context.progress.get("uploaded")
    if prepared.mailbox and not uploaded and await memory.recall(_API_REFUSED, _BELIEVED_S):
        return await _mail(context, prepared, prepared.mailbox)
    try:
        return await _upload(context, prepared)
    except ImportRefused:
        if prepared.mailbox is None or context.progress.get("uploaded"):
            raise
    await memory.remember(_API_REFUSED, True)
    return await _mail(context, prepared, prepared.mailbox)


async def _upload(context: DeliveryContext[OctopusSettings], prepared: PreparedUpload) -> Sent:
    """Upload file by file; those that are there already are not sent again."""
    octopus = Octopus(context.vendor)
    for file in prepared.files:
        uploaded = context.progress.get("uploaded", [])
        if file.name in uploaded:
            continue
        await _import(octopus, prepared.folder, file)
        await context.save(uploaded=[*uploaded, file.name])
    return Sent(f"{prepared.folder}/{prepared.files[0].name}")


async def _import(octopus: Octopus, folder: str, file: File) -> None:
    """Upload a file with the token that this API takes: the REST API's, else one of its own login (octopus §2.8).

    Raises:
        ImportTokenRefused: it takes neither, the second of which is a guess: so whatever it refuses of that login says nothing
            of the connection's.
    """
    memory, has_password = octopus.vendor.memory, octopus.vendor.settings.login == "password"
    if not (has_password and await memory.recall(_OWN_LOGIN, _BELIEVED_S)):
        try:
            await octopus.import_file(folder, file, own_login=False)
        except (ImportTokenRefused, ImportSessionOver) as refused:
            if not has_password:
                raise _token_refused(refused) from refused
        else:
            return
    try:
        await octopus.import_file(folder, file, own_login=True)
    except ReauthorisationRequired as refused:
        raise _token_refused(refused) from refused
    await memory.remember(_OWN_LOGIN, True)


async def log_in(octopus: Octopus, api: str) -> Mapping[str, str]:
    """Log in at the File Import API with the user and password of the connection.

    Raises:
        ReauthorisationRequired: any definite no; no source proves that there is such a login.
    """
    settings = octopus.vendor.settings
    assert settings.user is not None and settings.password is not None, "nobody logs in while they are missing"
    with _any_no_is_a_refusal_of_the_login():
        token = await octopus.log_in(settings.user, settings.password.get_secret_value(), api)
    return {"authenticationToken": token}


async def open_dossier(octopus: Octopus) -> Mapping[str, str]:
    """Open the dossier at the File Import API; raises as ``log_in`` does."""
    with _any_no_is_a_refusal_of_the_login():
        return {"dossierToken": await octopus.connect_for_files()}


@contextmanager
def _any_no_is_a_refusal_of_the_login() -> Iterator[None]:
    try:
        yield
    except (ActionRequired, Rejected) as refused:
        raise ReauthorisationRequired(refused.problem) from refused


def _token_refused(refused: ConnectorError) -> ImportTokenRefused:
    problem = refused.problem
    return ImportTokenRefused(Problem("import_viewer_refused", problem.detail if problem else None))


async def _mail(context: DeliveryContext[OctopusSettings], prepared: PreparedUpload, mailbox: str) -> Sent:
    """Mail the document to the dossier's mailbox."""
    application, name = context.vendor.application, str(context.dossier["name"])
    assert isinstance(application, MailApplication), "the connector's own"
    await context.save(**{RECIPIENT: mailbox})
    connection_id = context.vendor.connection.id
    call = application.call(
        MAIL_CALL, connection_id, context.remote_ref, mailbox, name, prepared.subject, prepared.mailed
    )
    await context.vendor.send_mail(call)
    return Sent(str(call.message["Message-ID"]))

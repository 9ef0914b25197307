"""Making, reading, changing and removing connections. Secrets go in and never come out."""

import json
from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, ValidationError
from sqlalchemy import bindparam, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from koppel_connector.connection.comparing import forget_company
from koppel_connector.connection.events import SettingsChanged
from koppel_connector.connection.importing import want_import
from koppel_connector.connection.missing_settings import missing_settings
from koppel_connector.connection.removing import forget, remove
from koppel_connector.connection.store import ConnectionRow, secret_names, split_secrets
from koppel_connector.contract import Connector, OAuthProfile
from koppel_connector.kit import Kit
from koppel_connector.tables import connection, dossier, oauth_token
from koppel_mesh import outbox
from koppel_mesh.auth import Caller, require
from koppel_mesh.http.idempotency import IdempotencyKey
from koppel_mesh.http.internal_client import InternalCallError
from koppel_mesh.http.paging import Page, PageParams, cursor_id
from koppel_mesh.http.problems import FieldError, HttpProblem, not_found
from koppel_mesh.http.server import CurrentContext
from koppel_mesh.ids import new_id
from koppel_mesh.messages import ConnectionChanged, ConnectionState
from koppel_mesh.prepared_sql import Statement
from koppel_mesh.visibility import visible

from .settings_schema import settings_schema
from .shared_login import insist_on_readable, lock_logins, share_login, shared_secrets
from .views import ConnectionView, owned_connection, refusal_of, view_connection, warnings_of

Reader = Annotated[Caller, Depends(require("connections:read"))]
Writer = Annotated[Caller, Depends(require("connections:write"))]
_GRANT_KEY_ID = (
    select(oauth_token.c.key_id)
    .where(oauth_token.c.connection_id == connection.c.id)
    .scalar_subquery()
    .label("grant_key_id")
)
_OF_DOSSIER = tuple(
    select(column).where(dossier.c.id == connection.c.dossier_id).scalar_subquery().label(label)
    for column, label in ((dossier.c.name, "dossier_name"), (dossier.c.enterprise_number, "dossier_number"))
)
_CHANGEABLE = ("settings", "limit_scope", "books_scope", "login_key", "secrets", "key_id")
_NEW = ("id", "dossier_id", "firm_id", "state", "max_inflight", *_CHANGEABLE)
_INSERT = Statement(insert(connection).values({name: bindparam(name) for name in _NEW}))
_CHANGE = Statement("""
    UPDATE connection SET settings = CAST(:settings AS jsonb), limit_scope = :limit_scope, books_scope = :books_scope,
        login_key = :login_key, secrets = :secrets, key_id = :key_id
    WHERE id = :id
""")
_FIRM = Statement("SELECT firm_id FROM dossier WHERE id = :id")
_KEEP_DOSSIER = Statement("""
    INSERT INTO dossier (id, firm_id, name, enterprise_number, language)
    VALUES (:id, :firm_id, :name, :enterprise_number, :language) ON CONFLICT DO NOTHING
""")


class NewConnection(BaseModel):
    """What a connection is made from."""

    dossier_id: UUID
    settings: dict[str, Any] = {}


class Changes(BaseModel):
    """Settings to change; those not named stay as they are."""

    settings: dict[str, Any]


def router(connector: Connector) -> APIRouter:
    """Return the routes, described with the settings of ``connector``."""
    routes = APIRouter(prefix="/v1", tags=["connections"])
    settings_are = {"properties": {"settings": settings_schema(connector.settings_model)}}
    described = {"requestBody": {"content": {"application/json": {"schema": settings_are}}}}

    @routes.post("/connections", status_code=201, response_model=ConnectionView, openapi_extra=described)
    async def create_connection(
        context: CurrentContext, caller: Writer, new: NewConnection, idempotency: IdempotencyKey
    ) -> Any:
        kit: Kit = context.resources
        settings = _checked(kit, new.settings)
        owner = await _owner_of(kit, caller, new.dossier_id)
        async with context.database.transaction() as tx:
            if (earlier := await idempotency.claim(tx)) is not None:
                return earlier
            view = await _insert(tx, kit, new.dossier_id, owner, settings)
            return await idempotency.remember(tx, status=201, body=view)

    routes.get("/connections", response_model=Page[ConnectionView])(list_connections)
    routes.get("/connections/{connection_id}", response_model=ConnectionView)(read_one_connection)
    routes.patch("/connections/{connection_id}", response_model=ConnectionView)(change_connection)
    routes.delete("/connections/{connection_id}", status_code=204)(remove_connection)
    return routes


async def list_connections(
    context: CurrentContext, caller: Reader, page: PageParams, dossier_id: UUID | None = None
) -> Page[ConnectionView]:
    """List connections, oldest first."""
    kit: Kit = context.resources
    statement = (
        select(connection, _GRANT_KEY_ID, *_OF_DOSSIER)
        .where(visible(connection, caller))
        .order_by(connection.c.id)
        .limit(page.rows)
    )
    if dossier_id is not None:
        statement = statement.where(connection.c.dossier_id == dossier_id)
    if page.after:
        statement = statement.where(connection.c.id > cursor_id(page.after[0]))
    async with context.database.reading() as reading:
        rows = (await reading.execute(statement)).all()
        found = {row.id: kit.connections.open_row(row) for row in rows}
        warnings = await warnings_of(reading, kit, list(found.values()))
    return page.of(
        rows,
        lambda row: view_connection(kit, found[row.id], with_address=False, warnings=warnings.get(row.id, ())),
    )


async def read_one_connection(context: CurrentContext, caller: Reader, connection_id: UUID) -> ConnectionView:
    """Read one connection; while it waits for a consent, with the address where that is given."""
    kit: Kit = context.resources
    async with context.database.reading() as reading:
        row = await owned_connection(reading, kit, caller, connection_id)
        warnings = await warnings_of(reading, kit, [row])
    return view_connection(kit, row, warnings=warnings.get(row.id, ()))


async def change_connection(
    context: CurrentContext, caller: Writer, connection_id: UUID, changes: Changes
) -> ConnectionView:
    """Change some settings. Documents that waited for them go on."""
    kit: Kit = context.resources
    login_key = kit.connector.login_key
    async with context.database.transaction() as tx:
        row = await owned_connection(tx, kit, caller, connection_id)
        _insist_on_all_secrets(kit, row, changes)
        sharing = await lock_logins(
            tx, kit, row.firm_id, (row.login_key, login_key(_changed(kit, row, changes))), row.id
        )
        row = await owned_connection(tx, kit, caller, connection_id, lock=True)
        if row.state is ConnectionState.DISCONNECTED:
            raise HttpProblem(409, "disconnected", "The connection was removed.")
        settings = _changed(kit, row, changes)
        given = any(name in changes.settings for name in secret_names(type(settings)))
        shown, secrets = split_secrets(settings)
        if (kept := shared_secrets(login_key(settings), sharing)) and not given:
            settings, secrets = _checked(kit, {**shown, **kept}), dict(kept)
        may_try = await share_login(tx, kit, row.firm_id, login_key(settings), secrets, sharing, given=given)
        changed_columns = {
            "settings": json.dumps(shown),
            **_scopes(kit, row.id, settings),
            "login_key": login_key(settings),
            **kit.connections.sealed(row.id, secrets),
        }
        await _CHANGE.run(tx, {"id": row.id, **changed_columns})
        # A password that was refused is repaired here; a grant only by a new consent.
        renews_login = may_try and not isinstance(kit.connector.auth(settings), OAuthProfile)
        await kit.connections.apply(tx, row.id, SettingsChanged(renews_login))
        changed = await kit.connections.read(tx, row.id)
        assert changed is not None
        lacked = missing_settings(kit, row.settings, "import")
        leads_elsewhere = (changed.limit_scope, changed.books_scope) != (row.limit_scope, row.books_scope)
        if leads_elsewhere or given or changed.books_scope == str(row.id):
            # Where no setting names the books, any of them may lead elsewhere.
            await forget_company(tx, row.id)
        if lacked or changed.imported_at is None or leads_elsewhere:
            await want_import(tx, kit, changed)
        changed = await kit.connections.read(tx, row.id)
        assert changed is not None
        warnings = await warnings_of(tx, kit, [changed])
    if row.login_key is not None and kit.sessions is not None:
        kit.sessions.forget((row.firm_id, row.login_key))
    for loop in ("reconciler", "imports"):
        kit.wake(loop)
    return view_connection(kit, changed, warnings=warnings.get(changed.id, ()))


async def remove_connection(context: CurrentContext, caller: Writer, connection_id: UUID) -> Response:
    """Disconnect: the grant and the secrets are destroyed, what waited ends, the sync log stays."""
    kit: Kit = context.resources
    async with context.database.transaction() as tx:
        row = await owned_connection(tx, kit, caller, connection_id, lock=True)
        await remove(kit, tx, row.id)
    forget(kit, row.id)
    return Response(status_code=204)


# --------------------------------------------------------------------------------------------------------------- details


async def _owner_of(kit: Kit, caller: Caller, dossier_id: UUID) -> UUID:
    """Return the firm of a dossier the caller may see: from what we were told, else from dossier-api."""
    async with kit.database.reading() as reading:
        known = await _FIRM.one_or_none(reading, {"id": dossier_id})
    firm_id = await _ask_dossier_api(kit, dossier_id) if known is None else known.firm_id
    if firm_id is None or not caller.may_see(firm_id):
        raise not_found("dossier")
    return firm_id


async def _ask_dossier_api(kit: Kit, dossier_id: UUID) -> UUID | None:
    try:
        found = await kit.mesh.get_json(f"/dossier-api/v1/dossiers/{dossier_id}")
    except InternalCallError as error:
        if error.status == 404:
            return None
        raise HttpProblem(
            503, "dossier_api_away", "The dossier cannot be read right now.", headers={"Retry-After": "2"}
        ) from error
    row = {name: found[name] for name in ("name", "enterprise_number", "language")}
    async with kit.database.transaction() as tx:
        await _KEEP_DOSSIER.run(tx, {"id": dossier_id, "firm_id": UUID(found["firm_id"]), **row})
    return UUID(found["firm_id"])


async def _insert(
    tx: AsyncConnection, kit: Kit, dossier_id: UUID, firm_id: UUID, settings: BaseModel
) -> ConnectionView:
    connection_id = new_id()
    sharing = await lock_logins(tx, kit, firm_id, (kit.connector.login_key(settings),))
    shown, secrets = split_secrets(settings)
    given, login_key = bool(secrets), kit.connector.login_key(settings)
    if (kept := shared_secrets(login_key, sharing)) and not given:
        settings, secrets = _checked(kit, {**shown, **kept}), dict(kept)
    await share_login(tx, kit, firm_id, login_key, secrets, sharing, given=given)
    waits = isinstance(kit.connector.auth(settings), OAuthProfile)
    state = ConnectionState.AUTHORISING if waits else ConnectionState.CONNECTED
    made = {
        "id": connection_id,
        "dossier_id": dossier_id,
        "firm_id": firm_id,
        "state": state.value,
        "settings": shown,
        **_scopes(kit, connection_id, settings),
        "max_inflight": kit.profile.max_inflight,
        "login_key": login_key,
        **kit.connections.sealed(connection_id, secrets),
    }
    await _INSERT.run(tx, made)
    await outbox.publish(
        tx,
        ConnectionChanged(
            connection_id=connection_id,
            dossier_id=dossier_id,
            firm_id=firm_id,
            connector=kit.profile.name,
            state=state,
            version=1,
            connected_via_user=login_key,
        ),
    )
    row = await kit.connections.read(tx, connection_id)
    assert row is not None
    if state is ConnectionState.CONNECTED:
        await want_import(tx, kit, row)
    return view_connection(kit, row)


def _checked(kit: Kit, settings: Mapping[str, Any]) -> BaseModel:
    try:
        return kit.connector.settings_model.model_validate(settings, context=kit.settings)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False, include_context=False)
        errors = [
            FieldError(field=".".join(["settings", *map(str, each["loc"])]), rule=each["type"], message=each["msg"])
            for each in found[:50]
        ]
        raise HttpProblem(422, "invalid_settings", "The settings are not valid.", errors=errors) from error


def _scopes(kit: Kit, connection_id: UUID, settings: BaseModel) -> dict[str, str]:
    return {
        "limit_scope": kit.connector.limit_scope(settings) or str(connection_id),
        "books_scope": kit.connector.books_scope(settings) or str(connection_id),
    }


def _insist_on_all_secrets(kit: Kit, row: ConnectionRow, changes: Changes) -> None:
    """Refuse a change that would lose secrets that cannot be read now; where they are damaged, each has to be given again.

    Raises:
        HttpProblem: 409.
    """
    lost = [name for name in secret_names(kit.connector.settings_model) if name not in changes.settings]
    if row.unreadable is not None and row.is_damaged and lost:
        raise refusal_of(
            kit, row.unreadable, 409, f"Give each of these, or null where there is none: {', '.join(lost)}."
        )
    if not row.is_damaged:
        insist_on_readable(kit, row)


def _changed(kit: Kit, row: ConnectionRow, changes: Changes) -> BaseModel:
    shown, secrets = split_secrets(row.settings)
    return _checked(kit, merged({**shown, **secrets}, changes.settings))


def merged(before: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings with ``changes`` set leaf by leaf; null takes a setting away."""
    result = dict(before)
    for name, value in changes.items():
        held = result.get(name)
        if value is None:
            result.pop(name, None)
        elif isinstance(held, Mapping) and isinstance(value, Mapping):
            result[name] = merged(held, value)
        else:
            result[name] = value
    return result

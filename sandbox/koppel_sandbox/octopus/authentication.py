"""The login in three steps (octopus §1.3): a login token, the dossiers it reaches, a dossier token each."""

import secrets

from starlette.responses import Response

from koppel_sandbox.tables import Record, wire

from .call import Call, DossierCall, answer
from .errors import LOCALES, Refusal
from .state import State

TOKEN_S = 600
COOKIE = "JSESSIONID"
CONNECT = "connect"
"""Denied to a user, a dossier is listed and cannot be connected (octopus §4)."""


def authenticate(call: Call) -> Response:
    """``POST /authentication``: a login token for a user and a password (2, 3, 4)."""
    user, software_house = checked_login(call, "user")
    return _with_cookie(call, answer({"token": new_login(call.state, user["user"], software_house)}))


def checked_login(call: Call, *user_fields: str) -> tuple[Record, str]:
    """Return the user whose password the body gives, and the software house.

    Raises:
        Refusal: one of them is not known.
    """
    software_house = call.request.headers.get("softwareHouseUuid", "")
    check_software_house(call, software_house)
    body = call.body()
    name = next((body[one] for one in user_fields if one in body), None)
    password = body.get("password")
    if not isinstance(name, str) or not isinstance(password, str):
        raise call.bad_parameter("user, password")
    return check_password(call, name, password), software_house


def check_software_house(call: Call, software_house: str) -> None:
    """Refuse a software house that Octopus does not know or has disabled (4)."""
    found = call.state.tables["software_houses"].get(software_house.lower())
    if found is None or not found["enabled"]:
        raise Refusal(call.switches.unknown_software_house_status, -68)


def check_password(call: Call, name: str, password: str) -> Record:
    """Return the user; wrong passwords in a row lock the user (3)."""
    users, most = call.state.tables["users"], call.switches.lock_out_after
    user = users.get(name)
    if user is None:
        raise Refusal(401, call.switches.bad_login_code)
    locked = user["locked"] or (most > 0 and user["wrong_passwords"] >= most)
    if locked or user["password"] != password:
        user["wrong_passwords"] += 1
        users.touch(name)
        raise Refusal(401, call.switches.bad_login_code)
    if user["wrong_passwords"]:
        user["wrong_passwords"] = 0
        users.touch(name)
    return user


def new_login(state: State, user: str, software_house: str) -> str:
    """Make a login token."""
    token = secrets.token_hex(16)
    state.tables["logins"][token] = {"user": user, "software_house": software_house, "issued_at": state.clock.epoch()}
    return token


def login_of(call: Call, header: str = "Token") -> Record:
    """Return what the login token of a call stands for.

    Raises:
        Refusal: there is none, or it has died (5).
    """
    token = call.request.headers.get(header, "")
    login = call.state.tables["logins"].get(token)
    if login is None or not _lives(call.state, login):
        raise Refusal(401, -2)
    _prolong(call.state, "logins", token)
    return {**login, "token": token}


def whose(call: Call) -> Response:
    """``GET /authentication``: the user a token belongs to (7)."""
    return answer({"user": login_of(call)["user"]})


def dossiers(call: Call) -> Response:
    """``GET /dossiers``: those that the user reaches through web services (6)."""
    user = call.state.tables["users"][login_of(call)["user"]]
    every = call.state.tables["dossiers"]
    return answer([wire(every[str(one)]) for one in user["dossiers"] if _may_connect(user, every[str(one)])])


def connect(call: Call) -> Response:
    """``POST /dossiers?dossierId=``: a dossier token; the body is not read (8)."""
    login = login_of(call)
    token = new_dossier_token(call, login, call.required_number("dossierId"), call.query("localeId"))
    return _with_cookie(call, answer({"Dossiertoken": token}))


def new_dossier_token(call: Call, login: Record, dossier: int, locale: str | None = None) -> str:
    """Make a dossier token.

    Raises:
        Refusal: there is no such dossier (10), it is disabled, or the user has no access to it (9).
    """
    state, switches = call.state, call.switches
    user, found = state.tables["users"][login["user"]], state.tables["dossiers"].get(str(dossier))
    if found is None:
        raise Refusal(switches.unknown_dossier_status, switches.unknown_dossier_code, dossier)
    denied = [dossier, CONNECT] in user["denied"]
    if dossier not in user["dossiers"] or denied or not _may_connect(user, found):
        raise Refusal(switches.no_access_status, switches.no_access_code, f"dossier {dossier}")
    if found["@disabled"]:
        raise Refusal(403, -5, dossier)
    token = secrets.token_hex(16)
    state.tables["dossier_tokens"][token] = {
        "user": login["user"],
        "software_house": login["software_house"],
        "login": login["token"],
        "dossier": dossier,
        "language": LOCALES.get(locale or "", ""),
        "imports": False,
        "issued_at": state.clock.epoch(),
    }
    return token


def in_dossier(call: Call, dossier: int) -> DossierCall:
    """Return a call as one in a dossier, by its dossier token (11, 12).

    Raises:
        Refusal: there is no token, it has died, or it is another dossier's.
    """
    state, switches = call.state, call.switches
    name = call.request.headers.get("dossierToken", "")
    token = state.tables["dossier_tokens"].get(name)
    login = state.tables["logins"].get(token["login"]) if token is not None else None
    orphaned = not switches.dossier_token_outlives_login and (login is None or not _lives(state, login))
    if token is None or not _lives(state, token) or orphaned:
        raise Refusal(401, switches.dead_dossier_token_code)
    user = state.tables["users"][token["user"]]
    if token["dossier"] != dossier and (switches.foreign_dossier_token_refused or dossier not in user["dossiers"]):
        raise Refusal(401, switches.dead_dossier_token_code, technical=f"token of dossier {token['dossier']}")
    _prolong(state, "dossier_tokens", name)
    language = token["language"] or call.language
    books = state.books(dossier)
    return DossierCall(state, call.request, call.raw, language, books, user, token["software_house"])


def check_import_token(call: DossierCall) -> None:
    """Refuse a dossier token of the REST API at the File Import API, where the switch says so (40)."""
    token = call.state.tables["dossier_tokens"][call.request.headers["dossierToken"]]
    if not call.switches.import_takes_rest_token and not token["imports"]:
        raise Refusal(401, call.switches.dead_dossier_token_code)


def kill_tokens(state: State, dossier: int | None, *, logins: bool) -> int:
    """Let tokens die before their time: the dossier tokens of one dossier, or all; and the login tokens."""
    killed = 0
    for name in ("dossier_tokens", *(("logins",) if logins else ())):
        for token, record in list(state.tables[name].items()):
            if dossier is None or name == "logins" or record["dossier"] == dossier:
                del state.tables[name][token]
                killed += 1
    return killed


def _may_connect(user: Record, dossier: Record) -> bool:
    return bool(user["module"] and dossier["@module"] and dossier["dossierKey"]["id"] not in user["without_webservice"])


def _lives(state: State, token: Record) -> bool:
    return bool(state.clock.epoch() - token["issued_at"] < TOKEN_S)


def _prolong(state: State, table: str, token: str) -> None:
    if state.switches.tokens_prolonged_by_use:
        state.tables[table][token]["issued_at"] = state.clock.epoch()
        state.tables[table].touch(token)


def _with_cookie(call: Call, given: Response) -> Response:
    if call.switches.cookies_offered and COOKIE not in call.request.cookies:
        given.set_cookie(COOKIE, secrets.token_hex(16).upper(), path="/", httponly=True)
    return given

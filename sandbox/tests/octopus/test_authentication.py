"""Behaviours 1 to 15 and 42: the login in three steps, tokens of ten minutes, who reaches which dossier, errors."""

import pytest

from koppel_sandbox.octopus.seed import BAKERY, CLERK, NO_RIGHTS, NO_WEBSERVICE, OLD_YEAR, STUDIO, TILLS, USER
from koppel_sandbox.octopus.testing import SandboxServer

from .conftest import REST, Login, refused

SECONDS = 600


def dossiers(octopus: Login) -> list[int]:
    answer = octopus.http.get(f"{REST}/dossiers", headers={"Token": octopus.token})
    assert answer.status_code == 200, answer.text
    return [one["dossierKey"]["id"] for one in answer.json()]


def test_1_the_base_path_and_utf_8(octopus: Login) -> None:
    assert octopus.http.get("/bookyears").status_code == 404
    relation = {"name": "Café Zoë", "vatType": 10}
    assert octopus.call("PUT", "/relations", json=relation).status_code == 201
    answer = octopus.get("/relations", name="Café Zoë")
    assert answer.headers["content-type"].startswith("application/json")
    assert "Café Zoë".encode() in answer.content


def test_2_a_login_answers_a_token(octopus: Login) -> None:
    answer = octopus.authenticate()
    assert (answer.status_code, list(answer.json())) == (200, ["token"])


@pytest.mark.parametrize(("user", "password"), [(USER, "wrong"), ("nobody", "s3cret")])
def test_3_bad_credentials(octopus: Login, user: str, password: str) -> None:
    assert refused(octopus.authenticate(user, password)) == (401, -1)
    octopus.server.control("switches", bad_login_code=-2)
    assert refused(octopus.authenticate(user, password)) == (401, -2)


def test_3_wrong_passwords_lock_the_user(octopus: Login) -> None:
    for _ in range(5):
        octopus.authenticate(password="wrong")
    assert refused(octopus.authenticate()) == (401, -1)
    octopus.server.control("user", user=USER, locked=False)
    assert octopus.authenticate().status_code == 200
    octopus.server.control("switches", lock_out_after=0)
    for _ in range(6):
        octopus.authenticate(password="wrong")
    assert octopus.authenticate().status_code == 200


@pytest.mark.parametrize("uuid", [None, "00000000-0000-0000-0000-000000000000"])
def test_4_an_unknown_software_house(octopus: Login, uuid: str | None) -> None:
    assert refused(octopus.authenticate(uuid=uuid)) == (401, -68)
    octopus.server.control("switches", unknown_software_house_status=403)
    assert refused(octopus.authenticate(uuid=uuid)) == (403, -68)


def test_4_a_disabled_software_house(octopus: Login) -> None:
    (uuid,) = octopus.state.tables["software_houses"]
    octopus.server.control("software_house", uuid=uuid, enabled=False)
    assert refused(octopus.authenticate()) == (401, -68)


def test_5_a_token_dies_after_ten_minutes_however_used(octopus: Login) -> None:
    octopus.server.control("clock", advance_s=SECONDS - 5)
    dossiers(octopus)
    octopus.server.control("clock", advance_s=10)
    assert refused(octopus.http.get(f"{REST}/dossiers", headers={"Token": octopus.token})) == (401, -2)


def test_5_switched_use_prolongs_it(octopus: Login) -> None:
    octopus.server.control("switches", tokens_prolonged_by_use=True)
    octopus.server.control("clock", advance_s=SECONDS - 5)
    dossiers(octopus)
    octopus.server.control("clock", advance_s=10)
    dossiers(octopus)


def test_6_only_dossiers_reached_through_web_services(octopus: Login) -> None:
    assert dossiers(octopus) == [BAKERY, STUDIO, TILLS, NO_RIGHTS, OLD_YEAR]
    octopus.token = octopus.authenticate(CLERK).json()["token"]
    assert dossiers(octopus) == [STUDIO]
    octopus.server.control("dossier", dossier=STUDIO, module=False)
    assert dossiers(octopus) == []
    for headers in ({}, {"Token": "dead"}):
        assert refused(octopus.http.get(f"{REST}/dossiers", headers=headers)) == (401, -2)


def test_7_whose_token_it_is(octopus: Login) -> None:
    assert octopus.http.get(f"{REST}/authentication", headers={"Token": octopus.token}).json() == {"user": USER}


def test_8_connecting_answers_a_dossier_token(octopus: Login) -> None:
    headers = {"Token": octopus.token}
    address = f"{REST}/dossiers?dossierId={BAKERY}"
    for body in (b"", b"{}", b"anything"):
        answer = octopus.http.post(address, content=body, headers=headers)
        assert (answer.status_code, list(answer.json())) == (200, ["Dossiertoken"])
    assert refused(octopus.http.post(f"{REST}/dossiers", headers=headers)) == (400, -79)


@pytest.mark.parametrize("off", ["module of the user", "module of the dossier", "right"])
def test_9_no_access_through_web_services(octopus: Login, off: str) -> None:
    match off:
        case "module of the user":
            octopus.server.control("user", user=USER, module=False)
        case "module of the dossier":
            octopus.server.control("dossier", dossier=BAKERY, module=False)
    dossier = NO_WEBSERVICE if off == "right" else BAKERY
    answer = octopus.connect(dossier, localeId=3)
    assert refused(answer) == (403, -3)
    assert "webservice" in answer.json()["errorMessage"]
    octopus.server.control("switches", no_access_status=401, no_access_code=-4)
    assert refused(octopus.connect(dossier)) == (401, -4)


def test_10_an_unknown_dossier(octopus: Login) -> None:
    assert refused(octopus.connect(1)) == (400, -4)
    octopus.server.control("switches", unknown_dossier_status=403, unknown_dossier_code=-3)
    assert refused(octopus.connect(1)) == (403, -3)


def test_10_a_disabled_dossier(octopus: Login) -> None:
    octopus.server.control("dossier", dossier=BAKERY, disabled=True)
    assert refused(octopus.connect(BAKERY)) == (403, -5)


def test_11_a_dossier_token_dies_after_ten_minutes(octopus: Login) -> None:
    octopus.server.control("clock", advance_s=SECONDS - 5)
    octopus.rows("/bookyears")
    octopus.server.control("clock", advance_s=10)
    assert refused(octopus.get("/bookyears")) == (401, -6)
    octopus.server.control("switches", dead_dossier_token_code=-2)
    assert refused(octopus.book()) == (401, -2)


def test_11_a_dossier_token_outlives_its_login_unless_switched(octopus: Login) -> None:
    octopus.server.control("clock", advance_s=SECONDS - 100)
    octopus.connect(BAKERY)
    octopus.server.control("clock", advance_s=200)
    octopus.rows("/bookyears")
    octopus.server.control("switches", dossier_token_outlives_login=False)
    assert refused(octopus.get("/bookyears")) == (401, -6)


def test_12_a_token_of_another_dossier(octopus: Login) -> None:
    bakery = octopus.dossier_token
    octopus.connect(STUDIO)
    assert refused(octopus.call("GET", "/bookyears", token=bakery)) == (401, -6)
    octopus.server.control("switches", foreign_dossier_token_refused=False)
    assert octopus.call("GET", "/bookyears", token=bakery).status_code == 200


def test_13_dossier_tokens_live_side_by_side_and_nobody_logs_out(octopus: Login) -> None:
    tokens = {}
    for dossier in (BAKERY, STUDIO, BAKERY):
        octopus.connect(dossier)
        tokens[octopus.dossier_token] = dossier
    for token, octopus.dossier in tokens.items():
        assert octopus.call("GET", "/bookyears", token=token).status_code == 200
    assert refused(octopus.http.post(f"{REST}/logout", headers={"Token": octopus.token})) == (404, -79)
    assert refused(octopus.http.delete(f"{REST}/authentication", headers={"Token": octopus.token})) == (405, -79)


def test_14_header_names_in_any_case_and_a_cookie_nobody_needs(octopus: Login) -> None:
    assert octopus.get("/bookyears", ignored=1).status_code == 200
    headers = {"DOSSIERTOKEN": octopus.dossier_token}
    octopus.http.cookies.clear()
    assert octopus.http.get(f"{REST}/dossiers/{BAKERY}/bookyears", headers=headers).status_code == 200
    assert "JSESSIONID" in octopus.authenticate().cookies
    octopus.http.cookies.clear()
    octopus.server.control("switches", cookies_offered=False)
    assert not octopus.authenticate().cookies


def test_15_every_error_has_its_three_fields(octopus: Login) -> None:
    answer = octopus.book(bookingLines=[{"accountKey": 799999, "baseAmount": 1, "vatCodeKey": "D21", "vatAmount": 0}])
    assert refused(answer) == (500, -21)
    assert answer.json()["errorMessage"] == "Onbekende rekening 799999"
    assert answer.json()["technicalInfo"] == "ERR_UNKNOWN_ACCOUNT account=799999 bookyear=3"


@pytest.mark.parametrize(
    ("locale", "said"), [(1, "Onbekend boekjaar 9"), (2, "Exercice comptable inconnu 9"), (3, "Unknown bookyear 9")]
)
def test_42_errors_speak_the_language_of_the_connection(octopus: Login, locale: int, said: str) -> None:
    octopus.connect(BAKERY, localeId=locale)
    assert octopus.get("/bookyears/9").json()["errorMessage"] == said


@pytest.mark.parametrize(
    ("accepted", "said"),
    [("fr-BE,nl;q=0.5", "Identifiants incorrects"), ("de,en", "Invalid login"), (None, "Ongeldige login")],
)
def test_42_without_a_locale_that_of_the_request(octopus: Login, accepted: str | None, said: str) -> None:
    octopus.http.headers["Accept-Language"] = accepted or ""
    assert octopus.authenticate(password="wrong").json()["errorMessage"] == said
    if accepted:
        assert octopus.get("/bookyears/9").json()["errorMessage"] != "Onbekend boekjaar 9"


def test_tokens_die_on_request(octopus: Login) -> None:
    bakery = octopus.dossier_token
    octopus.connect(STUDIO)
    assert octopus.server.control("tokens", dossier=BAKERY) == 1
    octopus.rows("/bookyears")
    octopus.dossier = BAKERY
    assert refused(octopus.call("GET", "/bookyears", token=bakery)) == (401, -6)
    octopus.server.control("tokens", logins=True)
    assert refused(octopus.connect(STUDIO)) == (401, -2)


def test_the_log_names_operations(server: SandboxServer, octopus: Login) -> None:
    octopus.rows("/bookyears")
    octopus.book(currencyCode="XXX")
    (line,) = server.state.requests(operation="POST buysellbookings")
    assert (line.dossier, line.status, line.error_code) == (BAKERY, 500, -19)

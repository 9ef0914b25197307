"""The login of the File Import API (octopus §2.8): its own tokens, spelled its own way."""

from starlette.responses import Response

from .authentication import checked_login, login_of, new_dossier_token, new_login
from .call import Call, answer


def authenticate(call: Call) -> Response:
    """``POST /authentication``: body ``user`` or ``username``, and ``password``."""
    user, software_house = checked_login(call, "user", "username")
    return answer({"authenticationToken": new_login(call.state, user["user"], software_house)})


def connect(call: Call) -> Response:
    """``POST /authentication/connect``: headers ``authenticationToken`` and ``dossierId``."""
    login = login_of(call, "authenticationToken")
    try:
        dossier = int(call.request.headers.get("dossierId", ""))
    except ValueError:
        raise call.bad_parameter("dossierId") from None
    token = new_dossier_token(call, login, dossier)
    call.state.tables["dossier_tokens"][token]["imports"] = True
    return answer({"dossierToken": token})

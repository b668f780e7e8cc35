"""Logging in with an account (OpenID Connect) in the place of a code.

Streamlit speaks with the service and keeps what it learns in signed cookies. That is taken up once, when somebody has
just logged in: from then on they have a session as after typing a code, which ends as those do. How the cookies are
kept is Streamlit's own affair: should another release do it otherwise, this module cannot be imported, or nobody gets
in.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Mapping

from streamlit import auth_util
from streamlit.errors import Error as StreamlitError
from streamlit.user_info import generate_login_redirect_url
from streamlit.web.server.server_util import get_cookie_secret
from streamlit.web.server.starlette.starlette_app_utils import decode_signed_value
from streamlit.web.server.starlette.starlette_server_config import USER_COOKIE_NAME

from aquadash.errors import ConfigError

LOGOUT_PATH = "/auth/logout"
#: Streamlit's own way to the service, back, and out.
STREAMLIT_PATHS = ("/auth/login", "/oauth2callback", LOGOUT_PATH)
#: Seconds after logging in within which one joins. The browser is led on by itself; later cookies do not bring
#: anybody back whom the teacher has sent out.
FRESH_SECONDS = 60
#: Whoever guesses the secret that signs the cookies can be anybody.
_SHORTEST_SECRET = 32


def login_address() -> str:
    """Where a browser is sent to log in, as a path; good for two minutes.

    Raises:
        ConfigError: The service is not set up.
    """
    try:
        # Streamlit says so only of Authlib.
        importlib.import_module("authlib.integrations.starlette_client")
    except ImportError as error:
        raise ConfigError(
            "Logging in needs Authlib and httpx2. On the computer that runs AquaDash: "
            "pip install -r scripts/requirements-accounts.txt; then start it again."
        ) from error
    try:
        auth_util.validate_auth_credentials("default")
        _secret()
        return generate_login_redirect_url("default")
    except StreamlitError as error:
        raise ConfigError(f"Logging in is not set up: {' '.join(str(error).split())}") from error


def origin() -> str | None:
    """The one address of the app that the service leads back to, without a slash at the end."""
    return auth_util.get_origin_from_redirect_uri()


def claims(cookies: Mapping[str, str]) -> dict[str, object]:
    """What the service has said of the browser's owner, who has logged in just now; empty for everybody else.

    Args:
        cookies: Those of a request.

    Raises:
        ConfigError: The secret that signs it is too short.
    """
    secret = _secret()

    def signed(name: str) -> bytes | None:
        value = cookies.get(name)
        return decode_signed_value(secret, name, value, FRESH_SECONDS / 86400) if value else None

    said = json.loads(auth_util.get_cookie_with_chunks(signed, USER_COOKIE_NAME) or "{}")
    return said if isinstance(said, dict) and said.get("is_logged_in") is True else {}


def _secret() -> str:
    secret = get_cookie_secret()
    if len(secret) < _SHORTEST_SECRET:
        raise ConfigError(
            f"The cookie_secret in secrets.toml has {len(secret)} characters; expected {_SHORTEST_SECRET} or more, at "
            'random: python -c "import secrets; print(secrets.token_hex())" prints one.'
        )
    return secret

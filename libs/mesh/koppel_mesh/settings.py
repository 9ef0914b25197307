"""Settings read once from the environment (contract §2); frozen afterwards, passed as values, never global."""

from functools import cached_property
from ipaddress import ip_network
from typing import Annotated, Literal, Self

from cryptography.fernet import Fernet
from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict


class MeshSettings(BaseSettings):
    """What every service needs; a service subclasses it for its own ``KOPPEL_*`` variables.

    On a laptop ``koppel up`` fills in what a production operator must give: servers, keys, the services' own secret.
    """

    model_config = SettingsConfigDict(env_prefix="KOPPEL_", frozen=True, extra="ignore")

    env: Literal["local", "production"] = "local"
    database_url: str
    amqp_url: str
    blob_url: str = "file:///var/lib/koppel/blobs"
    port: int = Field(8000, ge=0, le=65535)
    host: str = "127.0.0.1"
    reuse_port: bool = False
    """Whether several processes of one machine listen on the port together; the kernel deals the connections out."""
    public_url: str = "http://127.0.0.1:8000"
    internal_url: str | None = None
    """Where services find each other; ``{service}`` in it stands for the name of the one that is called. The public address
    when unset."""

    secret_keys: Annotated[tuple[SecretStr, ...], NoDecode] = ()
    """Fernet keys; the first encrypts, all decrypt (rotation)."""

    oidc_issuer: str | None = None
    """Any OIDC provider in place of our identity service."""
    audience: str = "koppel"
    service_client_id: str = "koppel-services"
    service_client_secret: SecretStr | None = None

    rate_limit_per_minute: int = Field(6000, ge=0)
    """Requests of one client that is bound to a firm, to one service, in one process; 0 for no limit."""
    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = ()
    """Addresses and networks of the proxies in front, whose ``X-Forwarded-For`` says where a request comes from."""

    log_format: Literal["console", "json"] = "json"
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    dead_repeat_after_s: float = Field(3600.0, gt=0)
    """How long a message lies in the dead queue before it goes again."""
    database_pool_size: int = Field(10, ge=1, le=100)
    retention_years: int = Field(10, ge=10, le=100)
    """How many years documents and what proves their booking are kept, after the year that they belong to."""
    body_limit_bytes: int = Field(25_000_000, ge=1024)
    shutdown_grace_s: float = Field(25.0, gt=0)

    @field_validator("secret_keys", mode="before")
    @classmethod
    def _split_keys(cls, value: object) -> object:
        return tuple(key.strip() for key in value.split(",") if key.strip()) if isinstance(value, str) else value

    @field_validator("trusted_proxies", mode="before")
    @classmethod
    def _split_proxies(cls, value: object) -> object:
        return tuple(each.strip() for each in value.split(",") if each.strip()) if isinstance(value, str) else value

    @field_validator("trusted_proxies")
    @classmethod
    def _proxies_are_networks(cls, proxies: tuple[str, ...]) -> tuple[str, ...]:
        # What is no network would be trusted as a name, which no peer has.
        return tuple(str(ip_network(proxy)) for proxy in proxies)

    @field_validator("secret_keys")
    @classmethod
    def _keys_are_keys(cls, keys: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        for number, key in enumerate(keys, start=1):
            try:
                Fernet(key.get_secret_value())
            except ValueError as error:
                raise ValueError(
                    f"the key at place {number} is not a Fernet key (32 bytes in URL-safe base64)"
                ) from error
        return keys

    @field_validator("public_url", "internal_url", "oidc_issuer")
    @classmethod
    def _without_trailing_slash(cls, value: str | None) -> str | None:
        return value.rstrip("/") if value else value

    @model_validator(mode="after")
    def _production_gives_its_secrets(self) -> Self:
        # The address and the store have defaults that are right on one machine only: tokens would name a loopback, and each
        # container would keep the bytes in a folder that goes with it.
        self._needed_in_production("secret_keys", "service_client_secret", "public_url", "blob_url")
        return self

    def _needed_in_production(self, *names: str) -> None:
        """Refuse to start in production without these.

        Raises:
            ValueError: at least one was left to its default, or is empty.
        """
        if self.env != "production":
            return
        missing = [name for name in names if name not in self.model_fields_set or not getattr(self, name)]
        if missing:
            raise ValueError(f"production needs {', '.join(f'KOPPEL_{name.upper()}' for name in missing)}")

    def limit(self, name: str) -> int:
        """Return how many requests the setting of that name allows, 0 for any number: so many on a laptop, unless it is set."""
        is_default = name not in self.model_fields_set
        return 0 if self.env == "local" and is_default else int(getattr(self, name))

    @cached_property
    def issuer(self) -> str:
        """The ``iss`` of every token this mesh accepts."""
        return self.oidc_issuer or f"{self.public_url}/identity"

    def address_of(self, service: str) -> str:
        """Return the base address under which a service's path is reached from inside."""
        return (self.internal_url or self.public_url).replace("{service}", service)

    @cached_property
    def metadata_url(self) -> str:
        """OIDC discovery document of the issuer; our own identity service is read from inside the mesh."""
        base = self.oidc_issuer or f"{self.address_of('identity')}/identity"
        return f"{base}/.well-known/openid-configuration"


def what_is_missing(error: ValidationError) -> str:
    """Return the sentence for whoever sets the environment: which variables are not set, or not as they must be."""
    lacks = "; ".join(_lack(each["loc"], each["type"], each["msg"]) for each in error.errors(include_input=False))
    return f"The environment is not enough: {lacks}. deploy/env.example names every variable."


def _lack(place: tuple[int | str, ...], kind: str, message: str) -> str:
    if not place:
        return message
    name = f"KOPPEL_{'_'.join(str(part) for part in place).upper()}"
    return f"{name} is not set" if kind == "missing" else f"{name}: {message}"

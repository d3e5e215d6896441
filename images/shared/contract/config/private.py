"""Personal data and secrets in text: which kinds are looked for, and what happens to what is found."""

from typing import Annotated, Literal, get_args

from pydantic import Field

from contract.config.base import Config, Pattern

Action = Literal["replace", "drop", "ignore"]
"""Put a placeholder in its place, drop the whole row, or do not look for it (`off` would be false in YAML)."""

Region = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
"""A country as two capital letters (ISO 3166-1)."""

NationalId = Literal[
    "br_cpf", "ca_sin", "cn_ric", "de_idnr", "es_dni", "es_nie", "fi_hetu", "fr_nir", "gb_nhs", "in_aadhaar",
    "it_codicefiscale", "nl_bsn", "pl_pesel", "se_personnummer", "tr_tckimlik", "za_idnr",
]  # fmt: skip
NATIONAL_IDS: tuple[NationalId, ...] = get_args(NationalId)

SecretRule = Literal[
    "age_key", "anthropic_key", "assigned_password", "assigned_secret", "authorization_header", "aws_access_key_id",
    "aws_secret_key", "azure_account_key", "azure_client_secret", "azure_sas", "databricks_token",
    "digitalocean_token", "discord_token", "discord_webhook", "docker_token", "doppler_token", "gcp_api_key",
    "gcp_oauth", "github_token", "gitlab_token", "grafana_token", "groq_key", "huggingface_token", "json_web_token",
    "linear_key", "mailchimp_key", "mailgun_key", "newrelic_key", "notion_token", "npm_token", "openai_key",
    "openrouter_key", "postman_key", "private_key", "pypi_token", "replicate_token", "rubygems_key", "sendgrid_key",
    "sentry_token", "shopify_token", "slack_token", "slack_webhook", "square_token", "stripe_key", "telegram_token",
    "terraform_token", "twilio_key", "vault_token", "xai_key",
]  # fmt: skip
SECRET_RULES: tuple[SecretRule, ...] = get_args(SecretRule)


class Personal(Config):
    """What the `personal` mapper looks for, and what happens to a row that holds it.

    Names of people and postal addresses are not looked for. The text is searched, and with it title, author, url and
    metadata; never the id.
    """

    email: Action = "replace"
    """E-mail addresses, also written `name [at] host [dot] org`: `<EMAIL>`."""

    phone: Action = "replace"
    """Phone numbers: `<PHONE>`. With a country code, valid in one of `regions`, or beside words such as `tel`."""

    ip: Action = "replace"
    """IPv4 and IPv6 addresses: `<IP_ADDRESS>`."""

    iban: Action = "replace"
    """Bank accounts (IBAN) of their country's length, with right check digits: `<IBAN>`."""

    card: Action = "replace"
    """Payment card numbers of a known issuer, with the right check digit (Luhn): `<CARD>`."""

    ssn: Action = "replace"
    """US social security numbers outside the ranges never issued; without dashes only beside words that say so:
    `<SSN>`."""

    national_id: Action = "replace"
    """Personal numbers of the countries under `national_ids`, with right check digits: `<NATIONAL_ID>`."""

    mac: Action = "replace"
    """Hardware (MAC) addresses: `<MAC_ADDRESS>`."""

    url_credentials: Action = "replace"
    """User and password inside a URL: `https://<CREDENTIALS>@host`."""

    birth_date: Action = "replace"
    """Dates after words such as `born on` or `date of birth`: `<BIRTH_DATE>`. Ignore them in encyclopedic text."""

    regions: list[Region] = ["US", "GB"]
    """Countries whose phone numbers count without a country code and without a word that says what they are."""

    private_ips: bool = False
    """Whether private, loopback, documentation and other addresses that nobody is reached by count too."""

    national_ids: list[NationalId] = list(NATIONAL_IDS)
    """Which national numbers `national_id` covers."""

    drop_above: int | None = Field(None, ge=0, le=1_000_000)
    """Largest number of values of all kinds in a kept row (0 to 1,000,000); null sets no limit. Dolma used 5."""

    allow: list[str] = []
    """Values that may stay, as they are written, in any case."""

    allow_domains: list[str] = []
    """Domains whose e-mail addresses and URLs may stay, with their subdomains."""

    allow_patterns: list[Pattern] = []
    """Regular expressions; a value that one of them matches as a whole may stay."""


class Secrets(Config):
    """What the `secrets` mapper looks for, and what happens to a row that holds it."""

    action: Literal["replace", "drop"] = "replace"
    """What happens where `rules` says nothing."""

    rules: dict[SecretRule, Action] = {}
    """Other actions for single rules, such as `{json_web_token: ignore, private_key: drop}`."""

    min_entropy: float = Field(3.0, ge=0.0, le=6.0)
    """Least Shannon entropy of a value assigned to a name such as `api_key` (bits per character, 0.0 to 6.0)."""

    allow: list[str] = []
    """Values that may stay, as they are written."""

    allow_patterns: list[Pattern] = []
    """Regular expressions; a value that one of them matches as a whole may stay."""


class Placeholders(Config):
    """What stands in the place of personal data and secrets: the kind in angle brackets, such as `<EMAIL>`."""

    numbered: bool = False
    """Whether they carry a number (`<EMAIL_1>`), the same for equal values of one row."""

    kept_by_plain: bool = True
    """Whether the `plain` mapper leaves them as they are, rather than without their brackets."""

"""What secrets look like: one declaration each, after what the issuers publish about their formats.

The choice follows the public rule sets of gitleaks and of GitHub's secret scanning.
"""

import re
from dataclasses import dataclass

from contract.config.private import SecretRule

START, END = r"(?<![A-Za-z0-9])", r"(?![A-Za-z0-9])"


@dataclass(frozen=True)
class Rule:
    """One kind of secret. `label` is its placeholder; `form` matches the value, or its named group `value` does.

    `gate` is found in every text that holds such a value, the same in RE2 and in re; `assigned` values have no form of
    their own and are weighed by how random they look.
    """

    name: SecretRule
    label: str
    gate: str
    form: re.Pattern[str]
    assigned: bool = False


def _token(name: SecretRule, gates: str, form: str, label: str = "TOKEN") -> Rule:
    """A value that its own prefix gives away: in this case, and with no letter or digit on either side."""
    return Rule(name, label, "|".join(gates.split()), re.compile(f"{START}(?:{form}){END}"))


def _key(name: SecretRule, gates: str, form: str) -> Rule:
    return _token(name, gates, form, "API_KEY")


PEM_NAME = r"(?:[A-Z0-9]{2,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----"
PEM = re.compile(
    rf"-----BEGIN {PEM_NAME}(?:(?:(?!-----).){{0,16384}}?-----END {PEM_NAME}|(?:\s*[A-Za-z0-9+/=]{{32,}}){{0,400}})",
    re.DOTALL,
)
NAME = (
    r"(?i:api[_-]?key|secret|token|passwd|password|pwd|passphrase|credential"
    r"|private[_-]?key|access[_-]?key|auth[_-]?key)"
)
ASSIGNS = r"(?:[\W_A-Z][\w.-]{0,24})?[\"'`]?\]?[ \t]{0,4}(?::=|=>|[:=])[ \t]{0,4}"
ASSIGNED = re.compile(
    rf"{NAME}{ASSIGNS}(?:[\"'`](?P<quoted>[^\s\"'`]{{8,400}})[\"'`]|(?P<value>[\w+/=.~!@#%^&*-]{{12,400}}))"
)
PASSWORD = re.compile(rf"(?i:passw(?:or)?d|pwd|passphrase){ASSIGNS}[\"'`](?P<value>[^\s\"'`]{{6,128}})[\"'`]")
NAMED = r"(?i:key|secret|token|passw|pwd|passphrase|credential)[\w.-]{0,25}[\"'`]?\]?[ \t]{0,4}(?::=|=>|[:=])"

RULES: tuple[Rule, ...] = (
    Rule("private_key", "PRIVATE_KEY", "PRIVATE KEY", PEM),
    _token("json_web_token", "eyJ", r"eyJ[\w-]{8,2000}\.eyJ[\w-]{8,8000}\.[\w-]{16,2000}", "JWT"),
    _token("age_key", "AGE-SECRET-KEY-1", r"AGE-SECRET-KEY-1[0-9A-Z]{58}", "PRIVATE_KEY"),
    # Clouds
    _key("aws_access_key_id", "AKIA ASIA ABIA ACCA", r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}"),
    Rule("aws_secret_key", "API_KEY", r"(?i:secret.{0,8}key)", re.compile(
        r"(?i:(?:aws.{0,16})?secret.{0,8}key)[\"']?\s{0,4}(?::=|=>|[:=])\s{0,4}[\"']?(?P<value>[A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=])"
    )),
    _key("gcp_api_key", "AIza", r"AIza[\w-]{35}(?![\w-])"),
    _token("gcp_oauth", "GOCSPX- ya29[.]", r"GOCSPX-[\w-]{28}|ya29\.[\w-]{20,400}"),
    Rule("azure_account_key", "API_KEY", "AccountKey=|AccessKey=", re.compile(
        r"(?:AccountKey|SharedAccessKey|AccessKey)=(?P<value>[A-Za-z0-9+/]{42,86}={1,2})"
    )),
    Rule("azure_sas", "TOKEN", "sig=", re.compile(
        r"(?:[?&]|&amp;)sig=(?P<value>[A-Za-z0-9%+/]{40,120}(?:=|%3[Dd])?)(?![A-Za-z0-9%])"
    )),
    Rule("azure_client_secret", "API_KEY", "Q~", re.compile(
        r"(?<![\w.~-])[\w.~-]{3}\dQ~[\w.~-]{31,34}(?![\w.~-])"
    )),
    _token("digitalocean_token", "do[opr]_v1_", r"do[opr]_v1_[0-9a-f]{64}"),
    _token("databricks_token", "dapi", r"dapi[0-9a-f]{32}(?:-\d)?"),
    _token("terraform_token", "[.]atlasv1[.]", r"[A-Za-z0-9]{14}\.atlasv1\.[\w=-]{60,70}"),
    _token("vault_token", "hv[sb][.]", r"hv[sb]\.[\w-]{24,300}"),
    _token("doppler_token", "dp[.][a-z]{2,5}[.]", r"dp\.(?:pt|st|ct|sa|scim|audit)\.[A-Za-z0-9._-]{40,60}"),
    _token("docker_token", "dckr_", r"dckr_(?:pat|oat)_[\w-]{27,32}"),
    # Code and packages
    _token("github_token", "gh[pousr]_ github_pat_", r"gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_\w{22,255}"),
    _token("gitlab_token", "glpat- gldt- glrt- glptt- glcbt-", r"gl(?:pat|dt|rt|ptt|cbt)-[\w-]{20,64}"),
    _token("npm_token", "npm_", r"npm_[A-Za-z0-9]{36}"),
    _token("pypi_token", "pypi-AgE", r"pypi-AgE[\w-]{50,1000}"),
    _key("rubygems_key", "rubygems_", r"rubygems_[0-9a-f]{48}"),
    _key("postman_key", "PMAK-", r"PMAK-[0-9a-f]{24}-[0-9a-f]{34}"),
    # Models
    _key("anthropic_key", "sk-ant-", r"sk-ant-[\w-]{20,200}"),
    _key("openrouter_key", "sk-or-", r"sk-or-v1-[0-9a-f]{64}"),
    _key("openai_key", r"sk-[\w-]{20}", r"sk-(?:proj|svcacct|admin|None)-[\w-]{20,300}|sk-[A-Za-z0-9]{32,64}"),
    _token("huggingface_token", "hf_[A-Za-z0-9]{30} api_org_", r"(?:hf|api_org)_[A-Za-z0-9]{30,40}"),
    _key("groq_key", "gsk_", r"gsk_[A-Za-z0-9]{48,56}"),
    _token("replicate_token", "r8_", r"r8_[A-Za-z0-9]{37}"),
    _key("xai_key", "xai-", r"xai-[A-Za-z0-9]{70,90}"),
    # Services
    _token("slack_token", "xox[abeoprs][.-] xapp-", r"xox[abeoprs](?:\.xox[bp])?-[\w-]{10,250}|xapp-\d-[\w-]{20,250}"),
    Rule("slack_webhook", "TOKEN", r"hooks\.slack\.com/", re.compile(
        r"(?<=hooks\.slack\.com/)(?:services|workflows|triggers)/[A-Za-z0-9+/]{20,90}"
    )),
    _token("discord_token", r"[MNO][\w-]{23,27}\.[\w-]{6}\.", r"[MNO][A-Za-z\d_-]{23,27}\.[\w-]{6}\.[\w-]{27,40}"),
    Rule("discord_webhook", "TOKEN", "/api/webhooks/", re.compile(
        r"(?<=/api/webhooks/)\d{17,20}/[\w-]{60,80}"
    )),
    _token("telegram_token", ":AA", r"\d{8,10}:AA[\w-]{33}(?![\w-])"),
    _key("stripe_key", "k_live_ k_test_ whsec_", r"[sr]k_(?:live|test)_[A-Za-z0-9]{16,250}|whsec_[A-Za-z0-9+/]{24,64}"),
    _key("sendgrid_key", "SG[.]", r"SG\.[\w-]{16,32}\.[\w-]{16,64}"),
    _key("twilio_key", "SK[0-9a-f]{32}", r"SK[0-9a-f]{32}"),
    _key("mailgun_key", "key-[0-9a-f]{32}", r"key-[0-9a-f]{32}"),
    _key("mailchimp_key", r"[0-9a-f]{32}-us\d", r"[0-9a-f]{32}-us\d{1,2}"),
    _token("shopify_token", "shp(?:at|ca|pa|ss)_", r"shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}"),
    _token("square_token", "sq0(?:atp|csp|idp)- EAAA", r"sq0(?:atp|csp|idp)-[\w-]{22,43}|EAAA[\w-]{60}"),
    _key("newrelic_key", "NRAK- NRJS-", r"NRAK-[A-Z0-9]{27}|NRJS-[0-9a-f]{19}"),
    _token("grafana_token", "glsa_ glc_", r"glsa_[A-Za-z0-9]{32}_[0-9a-fA-F]{8}|glc_[A-Za-z0-9+/]{32,400}={0,2}"),
    _key("linear_key", "lin_api_", r"lin_(?:api|oauth)_[A-Za-z0-9]{40,64}"),
    _token("notion_token", "secret_[A-Za-z0-9]{43} ntn_", r"secret_[A-Za-z0-9]{43}|ntn_[A-Za-z0-9]{46}"),
    _token("sentry_token", "sntrys_ sntryu_", r"sntry[su]_[A-Za-z0-9+/=_]{60,300}"),
    # By what is written before them
    Rule("authorization_header", "TOKEN", "(?i:bearer|basic) ", re.compile(
        r"(?i:\bbearer|\bauthorization[\"']?\s?[:=]\s?[\"']?basic)\s{1,4}(?P<value>[\w.~+/-]{20,2000}={0,2})"
    ), assigned=True),
    Rule("assigned_secret", "SECRET", NAMED, ASSIGNED, assigned=True),
    Rule("assigned_password", "PASSWORD", NAMED, PASSWORD, assigned=True),
)  # fmt: skip
"""The surer first: where two rules claim the same characters, the first has them."""

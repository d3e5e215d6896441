"""Secrets: every rule with what it finds and what it leaves alone.

All values are made up and put together here from pieces, so that no scanner of the repository takes them for real.
"""

import base64
import random
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.config.private import SECRET_RULES, Secrets
from curate.private.entropy import entropy
from curate.private.rules import RULES
from curate.private.secrets import secrets_finder
from curate.private.spans import PLACEHOLDER, Placeholders, replaced

FINDER = secrets_finder(Secrets())
LETTERS = string.ascii_letters + string.digits
HEX = "0123456789abcdef"
CAPITALS = string.ascii_uppercase + string.digits


def made(length: int, alphabet: str = LETTERS, seed: int = 1) -> str:
    """A random-looking text, the same in every run; it starts and ends with a letter or digit."""
    choose = random.Random(seed * 1_000 + length)
    return "".join(choose.choices(alphabet, k=length))


def b64(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def pem(name: str = "RSA ", end: bool = True) -> str:
    body = "\n".join(made(64, LETTERS + "+/", seed) for seed in range(4))
    return f"-----BEGIN {name}PRIVATE KEY-----\n{body}" + (f"\n-----END {name}PRIVATE KEY-----" if end else "")


JWT = ".".join((b64('{"alg":"HS256","typ":"JWT"}'), b64('{"sub":"1234567890","name":"Ada"}'), made(43)))
AWS_ID = "AKIA" + made(16, CAPITALS)

FOUND: list[tuple[str, str, str]] = [  # rule, text with {} for the value, value
    ("private_key", "key:\n{}\nthat was it", pem()),
    ("private_key", "{}", pem("")),
    ("private_key", "{}", pem("EC ").replace("\n", "\\n")),
    ("private_key", "{}", pem("OPENSSH ", end=False)),
    ("private_key", "{}", pem("ENCRYPTED ")),
    ("json_web_token", "Cookie: s={};", JWT),
    ("age_key", "{}", "AGE-SECRET-KEY-1" + made(58, CAPITALS)),
    ("aws_access_key_id", "aws_access_key_id = {}", AWS_ID),
    ("aws_access_key_id", "{}", "ASIA" + made(16, CAPITALS)),
    ("aws_secret_key", "aws_secret_access_key = {}", made(40, LETTERS + "+/")),
    ("aws_secret_key", '"SecretAccessKey": "{}"', made(40, LETTERS + "+/")),
    ("gcp_api_key", "?key={}&x", "AIza" + made(35)),
    ("gcp_oauth", "{}", "GOCSPX-" + made(28)),
    ("gcp_oauth", "{}", "ya29." + made(60)),
    ("azure_account_key", "AccountName=x;AccountKey={};EndpointSuffix", made(86) + "=="),
    ("azure_account_key", "SharedAccessKey={}", made(43) + "="),
    ("azure_sas", "https://x.blob.core.windows.net/c?sv=2022&sig={}&se=1", made(43) + "%3D"),
    ("azure_client_secret", "{}", "a1B8Q~" + made(34)),
    ("databricks_token", "{}", "dapi" + made(32, HEX)),
    ("digitalocean_token", "{}", "dop_v1_" + made(64, HEX)),
    ("discord_token", "{}", "M" + made(24) + "." + made(6) + "." + made(30)),
    ("discord_webhook", "https://discord.com/api/webhooks/{}", "123456789012345678/" + made(68)),
    ("docker_token", "{}", "dckr_pat_" + made(27)),
    ("doppler_token", "{}", "dp.pt." + made(43)),
    ("github_token", "{}", "ghp_" + made(36)),
    ("github_token", "https://{}@github.com", "ghs_" + made(36)),
    ("github_token", "{}", "github_pat_" + made(22) + "_" + made(59)),
    ("gitlab_token", "{}", "glpat-" + made(20)),
    ("grafana_token", "{}", "glsa_" + made(32) + "_" + made(8, HEX)),
    ("groq_key", "{}", "gsk_" + made(52)),
    ("anthropic_key", "{}", "sk-ant-api03-" + made(93) + "AA"),
    ("openai_key", "{}", "sk-proj-" + made(74)),
    ("openai_key", "openai.api_key = '{}'", "sk-" + made(20) + "T3BlbkFJ" + made(20)),
    ("openrouter_key", "{}", "sk-or-v1-" + made(64, HEX)),
    ("xai_key", "{}", "xai-" + made(80)),
    ("replicate_token", "{}", "r8_" + made(37)),
    ("huggingface_token", "login('{}')", "hf_" + made(34, string.ascii_letters)),
    ("linear_key", "{}", "lin_api_" + made(40)),
    ("mailchimp_key", "{}", made(32, HEX) + "-us12"),
    ("mailgun_key", "{}", "key-" + made(32, HEX)),
    ("newrelic_key", "{}", "NRAK-" + made(27, CAPITALS)),
    ("notion_token", "{}", "secret_" + made(43)),
    ("npm_token", "//registry.example.org/:_authToken={}", "npm_" + made(36)),
    ("postman_key", "{}", "PMAK-" + made(24, HEX) + "-" + made(34, HEX)),
    ("pypi_token", "{}", "pypi-AgEIcHlwaS5vcmc" + made(80)),
    ("rubygems_key", "{}", "rubygems_" + made(48, HEX)),
    ("sendgrid_key", "{}", "SG." + made(22) + "." + made(43)),
    ("sentry_token", "{}", "sntrys_" + made(80)),
    ("shopify_token", "{}", "shpat_" + made(32, HEX)),
    ("slack_token", "{}", "xoxb-" + "123456789012-" + made(24)),
    ("slack_token", "{}", "xapp-1-" + made(40)),
    ("slack_webhook", "https://hooks.slack.com/{}", "services/T" + made(8) + "/B" + made(8) + "/" + made(24)),
    ("square_token", "{}", "sq0atp-" + made(22)),
    ("stripe_key", "{}", "sk_live_" + made(24)),
    ("stripe_key", "{}", "rk_test_" + made(24)),
    ("telegram_token", "https://api.telegram.org/bot {} x", "123456789:AA" + made(33)),
    ("terraform_token", "{}", made(14) + ".atlasv1." + made(64)),
    ("twilio_key", "{}", "SK" + made(32, HEX)),
    ("vault_token", "{}", "hvs." + made(90)),
    ("authorization_header", "Authorization: Bearer {}", made(40)),
    ("authorization_header", '-H "authorization: Basic {}"', base64.b64encode(b"aladdin7:open sesame 9").decode()),
    ("assigned_secret", "API_KEY={}", made(24)),
    ("assigned_secret", 'client_secret: "{}"', made(26)),
    ("assigned_secret", "config['access_key'] = '{}'", made(28)),
    ("assigned_secret", '{{"refreshToken": "{}"}}', made(40)),
    ("assigned_password", 'password = "{}"', "hunter2!"),
    ("assigned_password", "'DB_PASSWORD': '{}',", "p@ssw0rd"),
]

LEFT_ALONE: list[tuple[str, str]] = [  # rule that might be deceived, text
    ("private_key", "-----BEGIN PUBLIC KEY-----\nabc\n-----END PUBLIC KEY-----, the PRIVATE KEY is elsewhere"),
    ("json_web_token", "eyJhbGciOi.eyJzdWIi, eyJ alone"),
    ("age_key", "AGE-SECRET-KEY-1SHORT"),
    ("aws_access_key_id", "AKIA and AKIAlowercaseletters12, XAKIA" + made(16, CAPITALS)),
    ("aws_secret_key", "aws_secret_access_key = os.environ['KEY'] and secret key = short"),
    ("gcp_api_key", "AIzaShort, AIza" + made(60)),
    ("gcp_oauth", "GOCSPX-short and ya29.x"),
    ("azure_account_key", "AccountKey=<your-account-key>;AccountKey=short"),
    ("azure_sas", "?sig=abc and design=" + made(50)),
    ("azure_client_secret", "a1BQ~ and 8Q~short"),
    ("databricks_token", "dapi and dapixyz" + made(32, "ghij")),
    ("digitalocean_token", "dop_v1_short"),
    ("discord_token", "Most.people.write Numpy.random.default"),
    ("discord_webhook", "/api/webhooks/<id>/<token>"),
    ("docker_token", "dckr_pat_short"),
    ("doppler_token", "dp.pt.short, dp.state.x"),
    ("github_token", "ghp_short, github_pattern_of_many_words_in_a_row"),
    ("gitlab_token", "glpat-short"),
    ("grafana_token", "glsa_short glc_x"),
    ("groq_key", "gsk_short"),
    ("anthropic_key", "sk-ant-short"),
    ("openai_key", "sk-learn, task-force-of-the-very-long-kind, sk-" + made(12)),
    ("openrouter_key", "sk-or-v1-short"),
    ("xai_key", "xai-org, xai-toolkit"),
    ("replicate_token", "r8_short"),
    ("huggingface_token", "hf_hub_download, hf_transfer, hf_" + made(12)),
    ("linear_key", "lin_api_short"),
    ("mailchimp_key", made(32, HEX) + "-usx"),
    ("mailgun_key", "key-value, key-" + made(12, HEX)),
    ("newrelic_key", "NRAK-short"),
    ("notion_token", "secret_santa, secret_" + made(12)),
    ("npm_token", "npm_config_registry, npm_" + made(12)),
    ("postman_key", "PMAK-short"),
    ("pypi_token", "pypi-AgE"),
    ("rubygems_key", "rubygems_version"),
    ("sendgrid_key", "SG.short.short"),
    ("sentry_token", "sntrys_short"),
    ("shopify_token", "shpat_short"),
    ("slack_token", "xoxb-, xox-love"),
    ("slack_webhook", "https://hooks.slack.com/services/..."),
    ("square_token", "sq0atp-short EAAAB"),
    ("stripe_key", "sk_live_short, risk_test_" + made(24)),
    ("telegram_token", "12:AA, 123456789:AAshort"),
    ("terraform_token", "x.atlasv1.y"),
    ("twilio_key", "SK and SK" + made(32, "GHIJ")),
    ("vault_token", "hvs.short"),
    ("authorization_header", "the bearer of good news, Bearer $TOKEN, Bearer YOUR_ACCESS_TOKEN_GOES_HERE1"),
    ("assigned_secret", "token = tokenizer.next_token2(x); tokenizer: bert-base-uncased-v2; max_tokens=4096"),
    ("assigned_secret", "api_key = 'your-api-key-1234'; secret: ${SECRET_1}; token = process.env.TOKEN_2; key: <KEY1>"),
    ("assigned_secret", "SECRET_NAME=projects/demo1/secrets/db-password, secretName: db-credentials-2023"),
    ("assigned_secret", "access_key = aaaaaaaaaaaaaaaaaaaa1, token: 12345678901234567890"),
    ("assigned_password", 'password: "string", passwd = "changeme!", password = "<PASSWORD>", pwd = "***"'),
    ("assigned_password", "password = hunter2! without quotes is prose as often as not"),
]


def spans(text: str, **config) -> list[tuple[str, str]]:
    finder = secrets_finder(Secrets(**config)) if config else FINDER
    return [(span.kind, text[span.start : span.end]) for span in finder.find(text)]


@pytest.mark.parametrize(("rule", "text", "value"), FOUND, ids=[f"{n}-{rule}" for n, (rule, _, _) in enumerate(FOUND)])
def test_found(rule, text, value):
    assert spans(text.format(value)) == [(rule, value)]
    sentence = f"Do not use {text.format(value)}, it was revoked."
    assert value not in replaced(sentence, FINDER.find(sentence), Placeholders())


@pytest.mark.parametrize(("rule", "text"), LEFT_ALONE, ids=[f"{n}-{rule}" for n, (rule, _) in enumerate(LEFT_ALONE)])
def test_left_alone(rule, text):
    assert spans(text) == []


def test_every_rule_has_cases_of_both_kinds_and_a_name_in_the_contract():
    assert sorted(rule.name for rule in RULES) == sorted(SECRET_RULES)
    assert {rule for rule, _, _ in FOUND} == {rule for rule, _ in LEFT_ALONE} == set(SECRET_RULES)
    assert all(PLACEHOLDER.fullmatch(f"<{rule.label}>") for rule in RULES)


@pytest.mark.parametrize("rule", SECRET_RULES)
def test_a_rule_that_is_ignored_finds_nothing(rule):
    texts = [text.format(value) for name, text, value in FOUND if name == rule]
    assert all(kind != rule for text in texts for kind, _ in spans(text, rules={rule: "ignore"}))


def test_allowed_values_stay():
    text = f"{AWS_ID} and {'hf_' + made(34)}"
    assert [kind for kind, _ in spans(text, allow=[AWS_ID])] == ["huggingface_token"]
    assert [kind for kind, _ in spans(text, allow_patterns=["hf_.*"])] == ["aws_access_key_id"]


def test_entropy_is_shannons():
    assert (entropy(""), entropy("aaaa"), entropy("abab"), entropy("abcd")) == (0.0, 0.0, 1.0, 2.0)


def test_least_entropy_decides_about_assigned_values():
    value = "abcabc123123abcabc123"
    assert spans(f"api_key = '{value}'", min_entropy=3.0) == []
    assert spans(f"api_key = '{value}'", min_entropy=2.0) == [("assigned_secret", value)]


@given(st.text(alphabet="sk-_ghpAKIAeyJ.1=:'\" \n", max_size=60))
def test_what_was_replaced_is_not_found_again(text):
    hidden = replaced(text, FINDER.find(text), Placeholders())
    assert FINDER.find(hidden) == []


def test_long_texts_of_nothing_but_candidates_take_time_in_proportion():
    for piece in ("-----BEGIN PRIVATE KEY-----", "eyJ", "token", "token=", "password=", "sk-", "bearer ", "key", "A"):
        FINDER.find(piece * (100_000 // len(piece)))
